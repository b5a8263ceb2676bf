"""`hims scrub`, `hims rules …`: is all that was written still what it was, and is every rule still as strong?"""

from contextlib import suppress

import click

from hims_pipeline.commands.start import finish_begun, open_installation
from hims_pipeline.commands.typed_text import TYPED
from hims_pipeline.errors import Damaged
from hims_pipeline.settings import load_settings


@click.command()
@click.option("--all", "everything", is_flag=True, help="All of it at once, instead of tonight's share.")
def scrub(everything: bool) -> None:
    """Read landing, batches and releases again and hold them against their hashes; the night does it too."""
    from hims_pipeline.scrub import scrub_parts as scrub_installation

    settings = open_installation()
    with suppress(Damaged):  # of the audit trail: the scrub tells it, and goes on
        finish_begun(settings)
    scrubbed = scrub_installation(settings, click.echo, budget=1 << 62 if everything else None)
    if scrubbed.damage:
        raise SystemExit(1)


@click.group()
def rules() -> None:
    """What has become of the rules since the last release."""


@rules.command("show")
def show() -> None:
    """Rules that are gone, emptied, weaker or changed; and what a held release waits for."""
    from hims_pipeline.release import rules as inventories
    from hims_pipeline.staging.render import ensure_rendered

    settings = load_settings()
    if (waiting := inventories.read_rules_hold(settings)) is not None:
        click.echo(f"Held since {waiting['since']} until a second account agrees:")
        for line in waiting["rules"]:
            click.echo(f"  {line}")
        return
    settings = open_installation()  # not before: who is to agree to what is held has another account
    since = inventories.compare_with_last(
        settings, inventories.take_rules(settings, ensure_rendered(settings, click.echo))
    )
    click.echo(inventories.rule_notes(since).strip())


@rules.command("approve")
@click.option("--reason", type=TYPED, required=True, help="Why; kept in the audit trail.")
def approve(reason: str) -> None:
    """Agree to what a held release waits for, from an account that neither runs the night nor changed the rules."""
    # Not opened as others open it: the installation belongs to the account that runs the night.
    from hims_pipeline.release import rules as inventories

    waiting = inventories.approve_rules(load_settings(), reason)
    for line in waiting["rules"]:
        click.echo(f"  {line}")
    click.echo("Agreed. The next run publishes, if nothing else was changed.")


COMMANDS = (scrub, rules)
