"""`hims run`, `hims ui`: the nightly job from the command line, and Dagster's pages."""

import os
import shutil
import signal
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from hims_pipeline import intake
from hims_pipeline.commands.summary import print_summary
from hims_pipeline.errors import HimsError
from hims_pipeline.lake import landing
from hims_pipeline.lake.files import private_folder
from hims_pipeline.settings import REPOSITORY, Settings, apply_environment, load_settings, quiet_environment

INSTANCE_FILE = REPOSITORY / "deploy" / "dagster.local.yaml"


def prepare_instance(settings: Settings) -> None:
    """Give this installation its Dagster instance: a folder of its own with a configuration."""
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    settings.dagster_home.chmod(0o700)
    target = settings.dagster_home / "dagster.yaml"
    if not target.exists():
        shutil.copyfile(INSTANCE_FILE, target)


@click.command()
@click.option(
    "--samples", is_flag=True, help="First put the small synthetic sample into landing, broken files included."
)
@click.option("--only", multiple=True, metavar="SOURCE", help="Of the sample, this source; may be given several times.")
@click.option("--scale", default=0.01, show_default=True, help="Of the sample; 1.0 stands for the whole country.")
def run(samples: bool, only: tuple[str, ...], scale: float) -> None:
    """Take in everything pending, build, publish: the nightly job, here and now.

    What is kept in data/ itself is put into landing first; with HIMS_REAL_DATA set, so are the real deliveries that
    data/deliveries.yml lists.
    """
    if only and not samples:
        raise click.UsageError("--only chooses among the sources of the sample: say --samples too.")
    settings = load_settings()
    apply_environment(settings)
    prepare_instance(settings)
    unsent = [*(_put_samples(settings, only, scale) if samples else []), *_put_kept(settings)]
    if settings.real_data is not None:
        unsent += _put_real(settings, settings.real_data)
    from hims_pipeline.defs.execution import execute_nightly

    failures = execute_nightly(settings)
    print_summary(settings, failures)
    for text in unsent:
        click.echo(f"\nNot delivered: {text}", err=True)
    sys.exit(1 if failures or unsent else 0)


def _put_samples(settings: Settings, only: tuple[str, ...], scale: float) -> list[str]:
    from hims_pipeline.synthetic.samples import demo_deliveries

    made = private_folder(settings.identified) / "samples"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    click.echo(f"making the SYNTHETIC sample at scale {scale}")
    unsent = _put(settings, demo_deliveries(settings, made, scale=scale, only=only), "listed")
    shutil.rmtree(made)
    return unsent


def _put_kept(settings: Settings) -> list[str]:
    """What stands in data/ is what people say now, whatever was delivered by hand since."""
    from hims_pipeline.contracts.deliveries import load_kept

    return _put(settings, [one.at(settings.data) for one in load_kept(settings.data)], "sent")


def _put_real(settings: Settings, folder: Path) -> list[str]:
    from hims_pipeline.contracts.deliveries import load_deliveries

    return _put(settings, [one.at(folder) for one in load_deliveries(settings.data)], "listed")


def _put(settings: Settings, sent: Iterable[tuple[str, str, Sequence[Path]]], manner: landing.Manner) -> list[str]:
    """Put deliveries into landing; returns what is wrong with those that could not be."""
    unsent = []
    for source, period, files in sent:
        try:
            contract = intake.contract_of(settings, source)
            delivery, is_new = landing.take_over(settings, contract, period, files, manner)
        except HimsError as error:
            unsent.append(str(error))
            continue
        click.echo(f"{'delivered' if is_new else 'known   '}  {delivery.batch}  {delivery.size / 1e6:,.1f} MB")
    return unsent


@click.command()
@click.option("--port", default=3000, show_default=True)
def ui(port: int) -> None:
    """Start Dagster's webserver and daemon on this installation, on this machine only."""
    settings = load_settings()
    apply_environment(settings)
    prepare_instance(settings)
    from hims_pipeline.defs.execution import fail_dead_runs

    fail_dead_runs(settings, every=True)
    dagster = str(Path(sys.executable).parent / "dagster")
    command = [dagster, "dev", "-w", str(REPOSITORY / "workspace.yaml"), "-h", "127.0.0.1", "-p", str(port)]
    click.echo(f"http://127.0.0.1:{port}  (Ctrl-C stops it)")
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.chdir(REPOSITORY)
    os.execve(dagster, command, quiet_environment(settings))  # noqa: S606 - our own interpreter's dagster


COMMANDS = (run, ui)
