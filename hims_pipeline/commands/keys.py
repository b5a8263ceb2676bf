"""`hims key …`, `hims retention …`: the key that hides names, and destroying what is past its term."""

from datetime import datetime
from pathlib import Path

import click

from hims_pipeline import retention, rotation
from hims_pipeline.commands.start import finish_begun, open_installation
from hims_pipeline.commands.typed_text import TYPED
from hims_pipeline.lake.lock import acts_lock, installation_lock
from hims_pipeline.privacy import key_record
from hims_pipeline.privacy.keys import create_key, load_key
from hims_pipeline.settings import Settings, load_settings


@click.group()
def key() -> None:
    """The key of pseudonyms and seals."""


@key.command("init")
@click.argument("path", type=click.Path(path_type=Path))
def key_init(path: Path) -> None:
    """Write a new key to PATH, readable by its owner alone; name it in HIMS_KEY_FILE."""
    made = create_key(path)
    click.echo(f"Key {made.version} is in {path}. Keep two sealed copies; without it no register can be joined again.")
    facts = key_record.read_key_facts(load_settings())
    if facts and facts["version"] != made.version:
        click.echo(
            f"This installation rests on key {facts['version']}; `hims key rotate {path} --reason …` is the way to it"
        )


@key.command("show")
def key_show() -> None:
    """Fingerprint of the key, since when it is used, and what rests on it; never the key."""
    settings = load_settings()
    facts = key_record.read_key_facts(settings)
    if not facts:
        click.echo(f"No key has been used in {settings.home} yet; the one at hand is {load_key(settings).version}.")
        return
    click.echo(f"key {facts['version']}" + (f", in use since {facts['since']}" if "since" in facts else ""))
    for one in facts.get("former", []):
        click.echo(f"former key {one['version']}, until {one['until']}")
    if "destroyed" in facts:
        click.echo(f"destroyed on {facts['destroyed']['at']}: {facts['destroyed']['reason']}")
    batches = rotation.find_batches_of_key(settings, facts["version"])
    click.echo(f"{len(batches)} batch(es) hold pseudonyms made with it")
    for folder, _ in batches:
        click.echo(f"  {folder.relative_to(settings.home)}")
    load_key(settings)  # another or a missing one is told


@key.command("rotate")
@click.argument("new_key_file", type=click.Path(path_type=Path))
@click.option("--reason", type=TYPED, default="", help="Why; kept in the audit trail.")
@click.option("--plan", "only_plan", is_flag=True, help="Tell what would become of everything, and change nothing.")
@click.option("--drop", is_flag=True, help="Go on although some batches cannot be read again.")
def key_rotate(new_key_file: Path, reason: str, only_plan: bool, drop: bool) -> None:
    """Let the key in NEW_KEY_FILE take over; HIMS_KEY_FILE names the present one.

    Records are sealed anew; batches with pseudonyms are removed and read again from landing by the next run. Run again
    after an interruption, with the same files, it finishes.
    """
    if only_plan:
        settings = load_settings()
        _tell(rotation.plan_rotation(settings, load_key(settings).version))
        return
    settings = _open_for_key()
    with installation_lock(settings, "changing the key", wait_seconds=60, log=click.echo):
        if "rotating" not in key_record.read_key_facts(settings):
            finish_begun(settings)
        with acts_lock(settings, "changing the key"):
            done = rotation.rotate(settings, new_key_file, reason, drop, click.echo)
    _tell(done)
    click.echo(f"Now set HIMS_KEY_FILE={new_key_file.expanduser().resolve()} and run `hims run`.")


def _open_for_key() -> Settings:
    """The installation, although a change of its key was interrupted, or destroying it was: to finish just that."""
    with key_record.open_rotation(load_settings()):
        return open_installation()


def _tell(plan: rotation.RotationPlan) -> None:
    click.echo(f"{len(plan.records):,} records to be sealed under the new key, beside the audit trail's head")
    for path in plan.damaged:
        click.echo(f"  not what was written, and left so: {path}")
    click.echo(f"{len(plan.batches):,} batches with pseudonyms, read again from landing by the next run")
    for batch in plan.lost:
        click.echo(f"  {batch}: its files as sent are missing; it would be lost")
    if plan.releases:
        click.echo(
            f"The staff files of {plan.releases[0]} to {plan.releases[-1]} keep pseudonyms of the former key until "
            "they are retired; no new pseudonym can be compared with them."
        )


@key.command("destroy")
@click.argument("fingerprint")
@click.option("--reason", type=TYPED, required=True, help="On whose decision; kept in the audit trail.")
def key_destroy(fingerprint: str, reason: str) -> None:
    """Destroy the key with this FINGERPRINT for ever: no pseudonym can be tied to a person again.

    Records can then no longer be proved, and nothing more can be taken in; releases can still be read.
    """
    settings = _open_for_key()
    with installation_lock(settings, "destroying the key"), acts_lock(settings, "destroying the key"):
        if not {"rotating", "destroyed"} & key_record.read_key_facts(settings).keys():
            finish_begun(settings)  # nothing can be sealed, and so finished, afterwards
        rotation.destroy_key(settings, fingerprint, reason)
    click.echo(f"Key {fingerprint} is destroyed here. Destroy its sealed copies too; releases can still be read.")


@click.group("retention")
def retention_group() -> None:
    """Legal terms: what is past its own, and destroying it."""


@retention_group.command("plan")
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="As of another day than today.")
def retention_plan(day: datetime | None) -> None:
    """Deliveries whose term has ended, and what would be destroyed; changes nothing."""
    settings = load_settings()
    due = retention.plan_retention(settings, day.date() if day else None)
    for one in due:
        click.echo(one.sentence())
        for place in retention.places(settings, one.delivery.batch):
            if place.exists():
                click.echo(f"  {place.relative_to(settings.home)}")
    click.echo(f"{len(due)} due. Figures that rest on them leave the next release; releases that are out stay.")


@retention_group.command("act")
@click.option("--reason", type=TYPED, required=True, help="On whose decision; kept in the trail and the protocol.")
def retention_act(reason: str) -> None:
    """Destroy every delivery whose term has ended, and write the draft of the protocol."""
    settings = open_installation()
    with installation_lock(settings, "destroying deliveries past their term", wait_seconds=60, log=click.echo):
        finish_begun(settings)
        protocol = retention.act_on_terms(settings, retention.plan_retention(settings), reason, click.echo)
    click.echo(f"Protocol, to be signed: {protocol}" if protocol else "Nothing is past its term.")


COMMANDS = (key, retention_group)
