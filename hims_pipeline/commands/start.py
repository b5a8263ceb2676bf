"""How each command begins that writes in an installation, and how commands speak of batches."""

from collections.abc import Callable

import click

from hims_pipeline.privacy.file_modes import close_home, make_home
from hims_pipeline.privacy.notice import NOTICE, mark
from hims_pipeline.privacy.production import check_installation
from hims_pipeline.reconcile import reconcile
from hims_pipeline.settings import Settings, apply_environment, load_settings


def open_installation() -> Settings:
    """The settings of the installation, closed to others; production refuses one that was open.

    Raises:
        HimsError: production will not start here, or a place cannot be closed.
    """
    settings = load_settings()
    apply_environment(settings)
    make_home(settings)
    check_installation(settings)
    for text in close_home(settings):
        click.echo(text, err=True)
    if mark(settings):
        click.echo(NOTICE, err=True)
    return settings


def finish_begun(settings: Settings) -> None:
    """Finish or undo what a killed process left begun, and tell it."""
    for text in reconcile(settings):
        click.echo(text, err=True)


def teller(settings: Settings) -> Callable[[str], None]:
    """What prints the lines of a run in the terminal, marked."""
    return lambda text: click.echo(mark_demonstration(settings, text))


def mark_demonstration(settings: Settings, text: str) -> str:
    """A line about batches; with the demonstration key it says so."""
    messages = mark(settings)
    return f"{text}  [{messages}]" if messages else text
