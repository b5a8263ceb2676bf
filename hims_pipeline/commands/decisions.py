"""`hims batch …`: one delivery from its verdict on. Looked at, reported to its sender, accepted against the gate or
rejected, withdrawn, sent again corrected, its record sealed anew."""

import json
from pathlib import Path

import click

from hims_pipeline import intake
from hims_pipeline.commands.start import finish_begun, mark_demonstration, open_installation
from hims_pipeline.commands.typed_text import TYPED
from hims_pipeline.errors import HimsError
from hims_pipeline.lake import batches, journal, landing
from hims_pipeline.lake.decision_trail import decisions
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.lake.verdict import CHECKED
from hims_pipeline.settings import load_settings

STATES = ("accepted", "superseded", "refused", "withdrawn", "pending", "damaged")


@click.group()
def batch() -> None:
    """A delivery from its verdict on: look, report, accept, reject, withdraw, send again."""


@batch.command("list")
@click.option("--source", help="Of one source alone.")
@click.option("--state", type=click.Choice(STATES), help="Of one state alone.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def list_batches(source: str | None, state: str | None, form: str) -> None:
    """Every delivery on a line: where it stands, and what a person may do about it."""
    settings = load_settings()
    listed = [
        one
        for one in intake.states(settings)
        if source in (None, one.batch.split("/")[0]) and state in (None, one.state)
    ]
    if form == "json":
        click.echo(json.dumps([one.as_json() for one in listed], indent=1, ensure_ascii=False))
        return
    for one in listed:
        rows = f"{one.rows:,} rows" if one.rows is not None else ""
        click.echo(mark_demonstration(settings, f"{one.state:<11} {one.batch:<46} {rows:<18} {one.note}".rstrip()))
    if not listed:
        click.echo("No delivery is like that.")


@batch.command("show")
@click.argument("name")
def show(name: str) -> None:
    """One delivery: verdict, findings, what it was compared with, decisions, and where its report lies."""
    from hims_pipeline.reporting import LANGUAGES, report_file

    settings = load_settings()
    delivery = landing.find_delivery(settings, name)
    (state,) = [one for one in intake.states(settings) if one.batch == delivery.batch]
    click.echo(mark_demonstration(settings, f"{state.state:<11} {delivery.batch}  received {delivery.received_at}"))
    if state.note:
        click.echo(f"  {state.note}")
    for text in (*state.reasons, *(f"warning: {w}" for w in state.warnings)):
        click.echo(f"  {text}")
    verdict = batches.prove_batch(settings, delivery).verdict
    if verdict is not None:
        click.echo(f"  rules: {verdict.evaluated} evaluated, stage {verdict.stage}, judged {verdict.judged_at}")
        beside = ", ".join(verdict.compared_with) or "nothing: judged by its contract alone"
        click.echo(f"  compared with: {beside}")
        transport_text = (
            "compared with the sender's totals" if verdict.transport == CHECKED else "not checked: no totals were sent"
        )
        click.echo(f"  transport: {transport_text}")
        for one in verdict.set_aside:
            click.echo(f"  set aside: {one.rows:,} of {one.total:,} rows of {one.entity} ({one.rule})")
        for language in LANGUAGES:
            if (path := report_file(settings, delivery, language)).exists():
                click.echo(f"  report ({language}): {path}")
    for decision in decisions(settings, delivery.batch):
        click.echo(f"  {decision.sentence()}")


@batch.command("report")
@click.argument("name")
@click.option("--language", type=click.Choice(["fr", "ar", "en"]), default="en")
@click.option("--format", "form", type=click.Choice(["html", "json"]), default="html")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Where to write it; else it is printed."
)
def report(name: str, language: str, form: str, output: Path | None) -> None:
    """Write the report on a delivery for its sender: one page that can be forwarded as it is.

    No value of the data and no word of the sender stands in it. The same page lies beside the verdict.
    """
    from hims_pipeline.reporting import page_of, report_of

    settings = load_settings()
    delivery = landing.find_delivery(settings, name)
    verdict = batches.prove_batch(settings, delivery).verdict
    if verdict is None:
        raise HimsError(f"{delivery.batch} was not judged yet, or its verdict is damaged; the next run judges it.")
    contract = intake.contract_of(settings, delivery.source)
    folder = batches.settled_folder(settings, delivery)
    manifest = batches.read_batch_manifest(settings, folder) if verdict.manifest_sha256 else None
    reported = report_of(settings, contract, delivery, folder, verdict, manifest)
    text = page_of(reported, language) if form == "html" else json.dumps(reported, ensure_ascii=False, indent=1) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise HimsError(f"{output} cannot be written: {error.strerror}.") from None
    click.echo(f"{output}: the report on {delivery.batch}.")


@batch.command("accept")
@click.argument("name")
@click.option(
    "--name", "person", type=TYPED, required=True, help="Who accepts it: a person's name, printed in the release notes."
)
@click.option("--reason", type=TYPED, required=True, help="Why; printed in the release notes.")
def accept(name: str, person: str, reason: str) -> None:
    """Accept a refused delivery against the gate, where its rules allow that.

    Your account, name and reason stand in the audit trail; the release names them. `reject` and `withdraw` undo it.
    """
    settings = open_installation()
    finish_begun(settings)
    delivery, counts = intake.accept(settings, name, person, reason)
    when = "It counts from now on." if counts else "A run is under way; the next one takes it in."
    click.echo(f"{delivery.batch} is accepted against the gate. {when}")


@batch.command("reject")
@click.argument("name")
@click.option("--name", "person", type=TYPED, required=True, help="Who rejects it.")
@click.option("--reason", type=TYPED, required=True, help="Why; kept in the audit trail.")
def reject(name: str, person: str, reason: str) -> None:
    """Take back that a delivery was accepted against the gate, or settle that a refused one stays refused."""
    settings = open_installation()
    finish_begun(settings)
    delivery, _ = intake.reject(settings, name, person, reason)
    click.echo(
        f"{delivery.batch} is rejected and does not count. A run that is under way publishes nothing made from it."
    )


@batch.command("resubmit")
@click.argument("name")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--reason", type=TYPED, default="", help="What was corrected; kept in the audit trail.")
def resubmit(name: str, files: tuple[Path, ...], reason: str) -> None:
    """Put corrected FILES (the whole delivery) into landing in place of a delivery, for the same source and period."""
    settings = open_installation()
    finish_begun(settings)
    former, taken = intake.resubmit(settings, name, files, reason)
    delivery = taken.delivery
    click.echo(
        mark_demonstration(
            settings, f"{delivery.batch}: {len(files)} file(s), in place of {former.batch}; the next run judges."
        )
    )


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
                    delivery = landing.reseal_delivery(settings, name)
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
    from hims_pipeline.gates.report import render_letter as letter_to_sender
    from hims_pipeline.lake import reports

    settings = load_settings()
    delivery = landing.find_delivery(settings, name)
    verdict, findings = batches.prove_batch(settings, delivery).verdict, reports.read_findings(settings, delivery)
    if verdict is None or findings is None:
        raise HimsError(f"{delivery.batch} was not judged yet; the next run does it.")
    click.echo(letter_to_sender(verdict, intake.contract_of(settings, delivery.source), findings))


COMMANDS = (batch,)
