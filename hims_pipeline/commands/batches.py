"""`hims deliver`, `hims status`, `hims batch …`: what arrived and where it stands."""

import json
from pathlib import Path

import click

from hims_pipeline import intake, linkage
from hims_pipeline.commands.start import finish_begun, marked, open_installation, teller
from hims_pipeline.commands.typed import TYPED
from hims_pipeline.errors import HimsError
from hims_pipeline.lake import batches, journal, landing
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.privacy.notice import mark
from hims_pipeline.release import store
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
        click.echo(marked(settings, text))
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
    states = [*intake.states(settings), *intake.destroyed(settings)]
    waiting = intake.waiting(settings)
    now, taken_back, wrong = store.read_state(settings)
    everything = [one.id for one in store.releases(settings)]
    left = [{"place": one.place, "reason": one.reason} for one in waiting.left]
    ready = [one.place for one in waiting.ready]
    broken = broken_sources(settings)
    if form == "json":
        found = {
            "batches": [one.as_json() for one in states],
            "ready": ready,
            "left": left,
            "broken_sources": broken,
            "current": now,
            "releases": everything,
            "withdrawn": taken_back,
            "damaged": wrong,
            "demonstration_key": bool(mark(settings)),
        }
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    for source, problem in broken.items():
        click.echo(f"{'BROKEN':<11} {source}: takes no part in a night until this is mended\n            {problem}")
    for one in states:
        rows = f"{one.rows:,} rows" if one.rows is not None else ""
        click.echo(marked(settings, f"{one.state:<11} {one.batch:<46} {rows}"))
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
    for text in wrong:
        click.echo(f"damaged: {text}")


@click.command("link")
def link_registers() -> None:
    """Join registers by number, inside the identified zone; what comes of it is gated like any delivery."""
    settings = open_installation()
    tell = teller(settings)
    with installation_lock(settings, "linking registers"):
        finish_begun(settings)
        linkage.link(settings, tell)
        for one in intake.pending(settings, linkage.SOURCE):
            intake.take_in(settings, one.delivery, tell)


@click.group()
def batch() -> None:
    """Correct what was delivered by mistake."""


@batch.command("withdraw")
@click.argument("name")
@click.option("--reason", type=TYPED, required=True, help="Why; printed in the release notes.")
def withdraw(name: str, reason: str) -> None:
    """Take back a delivery that was the wrong file or period; an earlier one of its period counts again."""
    settings = open_installation()
    finish_begun(settings)
    delivery = intake.withdraw(settings, name, reason)
    click.echo(
        f"{delivery.batch} no longer counts. A run that is under way publishes nothing made from it; the next one "
        "builds without it."
    )


@batch.command("reinstate")
@click.argument("name")
def reinstate(name: str) -> None:
    """Let a withdrawn delivery count again."""
    settings = open_installation()
    finish_begun(settings)
    delivery = intake.reinstate(settings, name)
    click.echo(f"{delivery.batch} counts again once the next run has judged it.")


@batch.command("reseal")
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All whose record is damaged.")
@click.option("--reason", type=TYPED, required=True, help="How you know that they are right; kept in the audit trail.")
def reseal(names: tuple[str, ...], everything: bool, reason: str) -> None:
    """Vouch for records of deliveries whose seal does not hold: after a change of key, a restore, or from before seals.

    The files must be those that the record names.
    """
    settings, failed = open_installation(), 0
    with installation_lock(settings, "sealing records anew", wait_seconds=60, log=click.echo):
        finish_begun(settings)
        chosen = [landing.batch_of(one) for one in landing.damaged_records(settings)] if everything else list(names)
        for name in chosen:
            try:
                with journal.act(settings, journal.RESEALED, batch=name, reason=reason):
                    delivery = landing.reseal(settings, name)
            except HimsError as error:
                click.echo(str(error), err=True)
                failed += 1
                continue
            click.echo(f"{delivery.batch}: sealed anew.")
    if failed or not chosen:
        raise HimsError(f"{failed} of {len(chosen)} records could not be sealed." if failed else "Nothing to seal.")


@batch.command("letter")
@click.argument("name")
def letter(name: str) -> None:
    """Print what to tell the sender of a delivery, with the sender's own words: for accounts of the closed zone."""
    from hims_pipeline.gates.report import letter as letter_to_sender
    from hims_pipeline.lake import reports

    settings = load_settings()
    delivery = landing.find(settings, name)
    verdict, findings = batches.standing(settings, delivery).verdict, reports.read_findings(settings, delivery)
    if verdict is None or findings is None:
        raise HimsError(f"{delivery.batch} was not judged yet; the next run does it.")
    click.echo(letter_to_sender(verdict, intake.contract_of(settings, delivery.source), findings))


COMMANDS = (deliver, status, batch, link_registers)
