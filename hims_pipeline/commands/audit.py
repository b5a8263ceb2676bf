"""`hims audit …`: the trail of what was done, by whom; whether it is whole."""

import click
from rich.console import Console

from hims_pipeline.commands.start import open_installation
from hims_pipeline.commands.typed_text import TYPED
from hims_pipeline.lake import journal, trail
from hims_pipeline.lake.lock import acts_lock
from hims_pipeline.release import store
from hims_pipeline.settings import load_settings

LEFT_OUT = ("number", "at", "by", "login", "event", "state", "of", "before", "seal")


@click.group()
def audit() -> None:
    """Who did what that changed what counts, or what readers get."""


@audit.command("verify")
def verify() -> None:
    """Prove that no line of the trail was changed, moved, added or cut."""
    checked = trail.check(load_settings())
    click.echo(f"{checked.lines:,} lines: {'DAMAGED' if checked.damage else 'whole'}")
    for text in (*checked.damage, *(f"note: {note}" for note in checked.notes)):
        click.echo(f"  {text}")
    if checked.damage:
        click.echo("`hims audit renew --reason …` goes on after it, with the damage written down.")
        raise SystemExit(1)


@audit.command("show")
@click.option("--last", default=20, show_default=True, help="Lines from the end.")
def show(last: int) -> None:
    """The last lines of the trail, for people."""
    console = Console(width=None, soft_wrap=True, highlight=False, markup=False)
    for entry in journal.entries(load_settings())[-last:] if last > 0 else []:
        person = f"{entry.get('by', '?')}{' (logged in as ' + entry['login'] + ')' if 'login' in entry else ''}"
        state = f"{entry['state']}{' of ' + str(entry['of']) if 'of' in entry else ''}" if "state" in entry else ""
        facts = "  ".join(f"{name}={value}" for name, value in entry.items() if name not in LEFT_OUT)
        console.print(f"{entry['number']:>6}  {entry.get('at', '')}  {person}  {entry['event']} {state}  {facts}")


@audit.command("renew")
@click.option("--reason", type=TYPED, required=True, help="What was found out about the damage; kept in the trail.")
def renew(reason: str) -> None:
    """Go on after damage to the trail: writes down what is wrong, who answers for it, and a new head.

    From then on `hims audit verify` tells of the damage as a note. The present pointer and the releases taken back are
    written down too, since the trail before can no longer be asked for them.
    """
    settings = open_installation()
    with acts_lock(settings, "renewing the audit trail"):
        now, taken_back, _ = store.read_state(settings)
        number = journal.renew(settings, reason, current=now, withdrawn=taken_back)
    click.echo(f"Line {number} answers for the damage; the trail goes on from there.")


COMMANDS = (audit,)
