"""`hims health`, `hims metrics`, `hims alert …`: what is wrong with an installation, and whom that was told."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from hims_pipeline.commands.answers import escape_controls
from hims_pipeline.commands.typed_text import TYPED
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.errors import HimsError
from hims_pipeline.settings import Settings, close_umask, load_settings
from hims_pipeline.watch import alert_book, digest, messages
from hims_pipeline.watch.alert_kinds import KINDS
from hims_pipeline.watch.health import CRITICAL, WORDS, Health
from hims_pipeline.watch.health import measure_health as look_at
from hims_pipeline.watch.metrics import collect_metrics as metrics_of
from hims_pipeline.watch.metrics import write_metrics
from hims_pipeline.watch.tell import channels_of, open_alerts, tell

UNKNOWN = 3  # of monitoring plugins: not even that could be found out


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def health(as_json: bool) -> None:
    """Is the installation well? Exit code 0: well, 1: warning, 2: critical, 3: cannot be told.

    Asks neither Dagster nor the network and writes nothing, so that a watchdog may run it at any time. What senders
    must mend (refused, overdue) is shown and is no fault of the installation.
    """
    try:
        condition = look_at(load_settings())
    except HimsError as error:
        click.echo(json.dumps({"status": "UNKNOWN", "code": UNKNOWN, "why": str(error)}) if as_json else str(error))
        sys.exit(UNKNOWN)
    if as_json:
        click.echo(json.dumps(condition.as_json(), indent=1, ensure_ascii=False))
    else:
        _print_health(condition)
    sys.exit(condition.code)


def _print_health(condition: Health) -> None:
    night = condition.last_night
    last = f"{night.begun}, {'well' if night.well else 'FAILED' if night.ended else 'not ended'}" if night else "none"
    click.echo(f"{WORDS[condition.code]}: release {condition.release or 'none'}; last night {last}")
    for one in sorted(
        (condition for condition in condition.conditions if not condition.over), key=condition.weight, reverse=True
    ):
        kind = KINDS[one.kind]
        seen = " (somebody sees to it)" if one.key in condition.acknowledged else ""
        word = WORDS[condition.weight(one)] if condition.weight(one) else "told"
        what, *more = one.what.split("\n")
        click.echo(f"{word:<9} {one.kind}: {escape_controls(what)}{seen}")
        for line in more:
            click.echo(f"          {escape_controls(line)}")
        if condition.weight(one) == CRITICAL:
            click.echo(f"          {one.todo or kind.todo}")
    if condition.unsent:
        click.echo(f"{condition.unsent} message(s) could not be sent yet; `hims alert list` says why.")


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="A .prom file of node_exporter's textfile folder.")
def metrics(out: Path | None) -> None:
    """Print figures about the installation in Prometheus' text format, or put them into a file."""
    settings = load_settings()
    text = metrics_of(settings, look_at(settings))
    if out is None:
        click.echo(text, nl=False)
    else:
        write_metrics(out, text)


@click.group()
def alert() -> None:
    """What people were told, and who sees to it."""


@alert.command("check")
def check() -> None:
    """Look at the installation, and tell what is new through the channels of observatory.yml; a timer runs this."""
    settings = load_settings()
    close_umask()
    waiting = tell(settings, click.echo)
    if waiting:
        raise HimsError(f"{waiting} message(s) could not be sent; the next check tries again.")


@alert.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are over, too.")
def list_alerts(everything: bool) -> None:
    """Open alerts in full, and what could not be sent yet."""
    settings = load_settings()
    known = alert_book.read(settings)
    shown = known.alerts if everything else open_alerts(settings)
    for one in shown:
        click.echo("\n".join(map(escape_controls, messages.paragraph(settings, one))))
        if seen := one.acknowledged:
            note = f": {seen['note']}" if seen["note"] else ""
            click.echo(escape_controls(f"  Seen:    by {seen['by']} at {seen['at']}{note}"))
    if not shown:
        click.echo("No open alerts.")
    for message in known.outbox:
        why = message.trouble or "not tried yet"
        click.echo(
            escape_controls(f"unsent: {message.channel}, since {message.made}, tried {message.attempts} times: {why}")
        )


@alert.command("ack")
@click.argument("alert_id")
@click.option("--note", type=TYPED, default="", help="What is being done about it.")
def acknowledge(alert_id: str, note: str) -> None:
    """Say that you see to an alert: a watchdog then no longer counts it as critical."""
    settings = load_settings()
    close_umask()
    done = alert_book.acknowledge_alert(settings, alert_id, note.strip(), datetime.now(UTC))
    click.echo(f"{done.id}: {done.acknowledged['by']} sees to it.")


@alert.command("digest")
def show_digest() -> None:
    """Print the digest of the last seven days, as it is sent once a week."""
    settings = load_settings()
    subject, text = digest.write_digest(settings, alert_book.read(settings), datetime.now(UTC))
    click.echo(f"{subject}\n\n{text}", nl=False)


@alert.command("test")
@click.argument("channel")
def send_test(channel: str) -> None:
    """Send a line through one channel, to see that it arrives."""
    from hims_pipeline.watch.channels import Unsent, send

    settings = load_settings()
    chosen = {one.name: one for one in load_observatory(settings.data).alerts.channels}.get(channel)
    if chosen is None:
        raise HimsError(f"observatory.yml has no channel {channel!r}.")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    text = "This is a trial. Nothing has happened."
    try:
        send(settings, chosen, alert_book.Message(f"trial-{at}", channel, at, f"[HIMS {settings.env}] Trial", text))
    except Unsent as error:
        raise HimsError(f"{channel} did not take it: {error}.") from None
    click.echo(f"{channel} took it.")


def tell_all(settings: Settings) -> None:
    """What a run does at its end: tell what is new. A book that cannot be written is told and stops nothing."""
    try:
        waiting = tell(settings)
    except HimsError as error:
        click.echo(f"Nobody was told: {error}", err=True)
        return
    new = [one for one in open_alerts(settings) if not one.acknowledged]
    if new:
        through = ", ".join(channels_of(settings)) or "no channel: observatory.yml names none for this environment"
        click.echo(f"\nOpen alerts: {len(new)}, told through {through}; `hims alert list`")
    if waiting:
        click.echo(f"{waiting} message(s) could not be sent yet; they are tried again.", err=True)


COMMANDS = (health, metrics, alert)
