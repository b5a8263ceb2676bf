"""`hims run`, `hims ui`: the nightly job from the command line, and Dagster's pages."""

import contextlib
import shutil
import socket
import sys
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from hims_pipeline import intake
from hims_pipeline.build_preconditions import require_room
from hims_pipeline.commands.start import mark_demonstration, open_installation
from hims_pipeline.commands.summary import print_summary
from hims_pipeline.commands.watch import tell_all
from hims_pipeline.errors import HimsError
from hims_pipeline.failures import explain
from hims_pipeline.lake import landing
from hims_pipeline.lake.files import private_folder, write_text
from hims_pipeline.required_files import require_parts
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sources import broken_sources
from hims_pipeline.stopping import STOPPED, exit_code
from hims_pipeline.ui.door import Doorkeeper
from hims_pipeline.ui.sockets import hold_daemon, open_here, open_to_proxy
from hims_pipeline.watch import nights
from hims_pipeline.watch.tell import tell

INSTANCE_FILE = REPOSITORY / "deploy" / "dagster.local.yaml"


def prepare_instance(settings: Settings) -> None:
    """Give this installation its Dagster instance: a folder of its own with a configuration."""
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    settings.dagster_home.chmod(0o700)
    target = settings.dagster_home / "dagster.yaml"
    if not target.exists():
        write_text(target, INSTANCE_FILE.read_text(encoding="utf-8"))


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
    settings = open_installation()
    with _tell_failure(settings, begun=False):
        require_parts(settings)
        require_room(settings)
        prepare_instance(settings)
        unsent = [*(_put_samples(settings, only, scale) if samples else []), *_put_kept(settings)]
        if settings.real_data is not None:
            unsent += _put_real(settings, settings.real_data)
    from hims_pipeline.defs.execution import execute_nightly

    with _tell_failure(settings, begun=True):
        night = execute_nightly(settings, click.echo)
    print_summary(settings, night.failures, night.proof or night.unproven)
    tell_all(settings)
    broken = broken_sources(settings)
    for text in unsent:
        click.echo(f"\nNot delivered: {text}", err=True)
    for source, problem in broken.items():
        click.echo(f"\n{source} took nothing in, and waits until this is mended:\n{problem}", err=True)
    if not night.well and STOPPED in night.failures:
        sys.exit(exit_code())
    sys.exit(0 if night.well and not unsent and not broken else 1)


@contextlib.contextmanager
def _tell_failure(settings: Settings, *, begun: bool) -> Iterator[None]:
    """What ends a run before its summary is told to people too, and is a failed night."""
    try:
        yield
    except Exception as error:
        with contextlib.suppress(HimsError):  # the first error is the one to tell
            if not begun:
                night = str(uuid.uuid4())
                nights.begin(settings, night)
                nights.end_night(settings, night, well=False, reasons=[explain(error)])
            tell(settings)
        raise


def _put_samples(settings: Settings, only: tuple[str, ...], scale: float) -> list[str]:
    from hims_synthetic.samples import demo_deliveries

    made = private_folder(settings.identified) / "samples"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    click.echo(f"making the SYNTHETIC sample at scale {scale}")
    try:
        return _put(settings, demo_deliveries(settings, made, scale=scale, only=only), "listed")
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _put_kept(settings: Settings) -> list[str]:
    """What stands in data/ is what people say now, whatever was delivered by hand since."""
    from hims_pipeline.contracts.deliveries import load_kept

    return _put(settings, [one.at(settings.data) for one in load_kept(settings.data)], "sent")


def _put_real(settings: Settings, folder: Path) -> list[str]:
    from hims_pipeline.contracts.deliveries import load_deliveries

    return _put(settings, [delivery.at(folder) for delivery in load_deliveries(settings.data)], "listed")


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
        state = "delivered" if is_new else "known   "
        click.echo(mark_demonstration(settings, f"{state}  {delivery.batch}  {delivery.size / 1e6:,.1f} MB"))
    return unsent


@click.command()
@click.option("--port", default=3000, show_default=True, help="On 127.0.0.1; 0 takes a free one.")
@click.option("--socket", "path", type=click.Path(path_type=Path), help="A Unix socket for a proxy that authenticates.")
@click.option("--group", help="Of the proxy's account, which alone may open the socket.")
@click.option("--name", "names", multiple=True, metavar="HOST", help="Under which browsers reach the proxy.")
@click.option("--apart", is_flag=True, help="Pages alone, beside `hims daemon`; with --socket.")
@click.option("--read-only", is_flag=True, help="With --socket: everybody is a viewer, whatever the proxy says.")
def ui(port: int, path: Path | None, group: str | None, names: tuple[str, ...], apart: bool, read_only: bool) -> None:
    """Dagster's pages and daemon on this installation, behind a door.

    On this machine the printed addresses let a browser in, as operator or as viewer. Production has a proxy with
    authentication in front, which alone opens the socket and says who is there (deploy/nginx.conf).
    """
    if path is None and (apart or read_only):
        raise click.UsageError("--apart and --read-only are for pages behind a proxy: say --socket too.")
    settings = open_installation()
    prepare_instance(settings)
    if path is not None:
        with (
            contextlib.nullcontext() if apart else hold_daemon(settings),
            open_to_proxy(path, group, names, read_only=read_only) as (door, keeper),
        ):
            _serve(settings, door, keeper, apart=apart)
    elif settings.env == "prod":
        raise HimsError(
            "In production `hims ui` listens to a proxy that authenticates: give --socket, --group and --name, and see "
            "deploy/nginx.conf."
        )
    else:
        with hold_daemon(settings), open_here(settings, port) as (door, keeper, links):
            for role, link in links.items():
                click.echo(f"{role:<8}  {link}")
            click.echo("(Ctrl-C stops it)")
            _serve(settings, door, keeper)


def _serve(settings: Settings, door: socket.socket, keeper: Doorkeeper, *, apart: bool = False) -> None:
    from hims_pipeline.defs.services import serve, serve_pages

    if apart:
        serve_pages(settings, keeper, door, click.echo)
    else:
        serve(settings, keeper, door, click.echo)


@click.command()
def daemon() -> None:
    """Dagster's daemon and code server alone: nights begin by themselves, and nothing listens. `hims ui --apart` adds
    pages, as many as are wanted."""
    settings = open_installation()
    prepare_instance(settings)
    from hims_pipeline.defs.services import serve_daemon

    with hold_daemon(settings):
        serve_daemon(settings, click.echo)


COMMANDS = (run, ui, daemon)
