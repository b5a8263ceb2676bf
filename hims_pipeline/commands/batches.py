"""`hims deliver`, `hims status`, `hims link`: what arrived and where it stands. Not here: `hims batch …`."""

import json
from pathlib import Path

import click

from hims_pipeline import intake, linkage
from hims_pipeline.commands.start import finish_begun, mark_demonstration, open_installation, teller
from hims_pipeline.errors import HimsError
from hims_pipeline.lake import landing
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.privacy import key_record
from hims_pipeline.privacy.notice import mark
from hims_pipeline.release import holds, store
from hims_pipeline.settings import load_settings
from hims_pipeline.sources import broken_sources


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--source", required=True, help="Name of a contract in data/contracts.")
@click.option("--period", required=True, help="What the data are about, or their edition, as the contract spells it.")
def deliver(files: tuple[Path, ...], source: str, period: str) -> None:
    """Put files into landing as one delivery; the next run takes it in."""
    settings = open_installation()
    finish_begun(settings)
    taken = landing.take_over_files(settings, intake.contract_of(settings, source), period, files)
    delivery = taken.delivery
    if taken.is_new:
        text = f"{delivery.batch}: {len(files)} file(s), {delivery.size / 1e6:,.1f} MB, in landing."
        click.echo(mark_demonstration(settings, text))
    elif delivery.withdrawn:
        click.echo(
            f"{delivery.batch} was delivered before and withdrawn: {delivery.withdrawn}\n"
            f"`hims batch reinstate {delivery.batch}` lets it count again."
        )
    elif taken.is_last_word:
        click.echo(f"{delivery.batch} was delivered before, and others after it: it counts again, as the last word.")
    else:
        click.echo(f"{delivery.batch} was delivered before, byte for byte: nothing to do.")


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def status(form: str) -> None:
    """Every batch with its verdict, what waits in landing, and the releases."""
    settings = load_settings()
    states = [*intake.states(settings), *intake.find_destroyed(settings)]
    waiting = intake.survey_landing(settings)
    now, taken_back, wrong = store.read_state(settings)
    wrong += [text for text in [key_record.damage(settings)] if text]
    everything = [one.id for one in store.releases(settings)]
    left = [{"place": one.place, "reason": one.reason} for one in waiting.left]
    ready = [one.place for one in waiting.ready]
    broken = broken_sources(settings)
    waiting_for = None
    try:
        waiting_for = holds.read_hold(settings)
    except HimsError as error:
        wrong.append(str(error))
    if form == "json":
        report = {
            "batches": [one.as_json() for one in states],
            "ready": ready,
            "left": left,
            "broken_sources": broken,
            "current": now,
            "releases": everything,
            "withdrawn": taken_back,
            "held": None if waiting_for is None else {"since": waiting_for["since"], "first": waiting_for["first"]},
            "damaged": wrong,
            "demonstration_key": bool(mark(settings)),
        }
        click.echo(json.dumps(report, indent=1, ensure_ascii=False))
        return
    for source, problem in broken.items():
        click.echo(f"{'BROKEN':<11} {source}: takes nothing in until this is mended\n            {problem}")
    for one in states:
        rows = f"{one.rows:,} rows" if one.rows is not None else ""
        click.echo(mark_demonstration(settings, f"{one.state:<11} {one.batch:<46} {rows}"))
        if one.note:
            click.echo(f"            {one.note}")
        for text in (*one.reasons, *(f"warning: {w}" for w in one.warnings)):
            click.echo(f"            {text}")
    if not states:
        click.echo(f"Nothing has been delivered to {settings.landing} yet.")
    for place in ready:
        click.echo(f"{'arrived':<11} {place}: the next run takes it over")
    for stray in waiting.left:
        click.echo(f"{'in landing':<11} {stray.place}: {stray.reason}")
    if left:
        click.echo(f"            Each run writes their names into {settings.identified / intake.LEFT}.")
    click.echo(f"current release: {now or 'none yet'} ({len(everything)} on disk)")
    if waiting_for is not None:
        click.echo(f"HELD since {waiting_for['held_at']}: figures moved by more than is explained. Read")
        click.echo(f"  {settings.approvals / holds.PAGE}  or  hims release show --held")
    for text in wrong:
        click.echo(f"damaged: {text}")


@click.command("link")
def link_registers() -> None:
    """Join registers by number, inside the identified zone; what comes of it is gated like any delivery."""
    settings = open_installation()
    tell = teller(settings)
    with installation_lock(settings, "linking registers"):
        finish_begun(settings)
        linkage.link_registers(settings, tell)
        for one in intake.find_pending(settings, linkage.SOURCE):
            intake.take_in(settings, one.delivery, tell)


COMMANDS = (deliver, status, link_registers)
