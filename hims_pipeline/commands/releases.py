"""`hims build`, `hims release …`: what was published and what would change."""

import os
import uuid
from contextlib import suppress
from typing import Any

import click

from hims_pipeline import build as building
from hims_pipeline import intake, spark
from hims_pipeline.commands.answers import print_table
from hims_pipeline.commands.start import finish_begun, open_installation, teller
from hims_pipeline.commands.typed_text import TYPED
from hims_pipeline.dbt import run_dbt
from hims_pipeline.errors import Damaged, HimsError
from hims_pipeline.lake import trail
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.release import acts, compare, fallback, held_page, holds, revision, store
from hims_pipeline.release.night_proof import prove
from hims_pipeline.release.publish import find_existing_release, publish
from hims_pipeline.required_files import require_parts
from hims_pipeline.settings import Settings, load_settings
from hims_pipeline.staging.inputs import input_rows, inputs_sha256


@click.command()
@click.option("--draft", is_flag=True, help="Build without publishing, and tell what would change.")
@click.option("--full", is_flag=True, help="Carry nothing over from the last build: build and test everything.")
@click.option(
    "--engine",
    type=click.Choice(("duckdb", "spark")),
    default="duckdb",
    show_default=True,
    help="What builds all that stands before disclosure control; DuckDB goes on from there.",
)
def build(draft: bool, full: bool, engine: str) -> None:
    """Build the warehouse from the accepted batches and publish it, without taking anything in.

    A full build of inputs that are published already is compared with the last one, and published where it is needed.
    One on Spark carries nothing over and is compared with none; --draft tells how figures differ from the release's.
    """
    _build(open_installation(), draft=draft, full=full, on_spark=engine == "spark")


def _build(settings: Settings, *, draft: bool, full: bool, on_spark: bool = False) -> None:
    require_parts(settings)
    if on_spark:
        spark.require_spark()
    tell = teller(settings)
    with installation_lock(settings, "building", wait_seconds=600, log=tell):
        finish_begun(settings)
        fallback.clear_stale(settings, tell)
        _tell_doubtful(settings, draft)
        rows = input_rows(settings)
        if (
            not draft
            and not full
            and (done := find_existing_release(settings, inputs_sha256(settings, rows), tell)) is not None
        ):
            holds.let_go(settings)  # what was held is no longer what there is
            tell(f"Nothing changed since {done.id}: same batches, rules and code.")
            return
        building.clear_dead_builds(settings)
        prepared = building.prepare(settings, f"cli-{uuid.uuid4().hex[:8]}", tell, full=full or on_spark)
        try:
            if on_spark:
                spark.take_tables(settings, prepared, spark.build_on_spark(settings, prepared, tell), tell)
            run_dbt(settings, prepared, tell, keep_it=not draft)
            if draft:
                _draft(settings, prepared)
            else:
                publish(settings, prepared, tell)
                tell(prove(settings).why)
        finally:
            building.discard_build(prepared.folder)


def _tell_doubtful(settings: Settings, draft: bool) -> None:
    """A release rests on verdicts under the present rules; a draft may show what would come of others."""
    for one in (doubtful := intake.find_doubtful(settings)):
        click.echo(one.sentence())
    if doubtful and not draft:
        raise HimsError(f"{len(doubtful)} batch(es) above are to be read or judged again first: `hims run` does it.")


def _draft(settings: Settings, prepared: building.Build) -> None:
    now = acts.newest_intact(settings, click.echo)
    if now is None:
        click.echo("It builds. There is no release to compare with.")
        return
    changes = compare.find_differences(settings, now.staff / "warehouse.duckdb", prepared.warehouse)
    if not changes:
        click.echo(f"It builds, and no published figure would differ from {now.id}.")
        return
    since = revision.revise(
        settings, now, prepared.warehouse, prepared.inputs(), revision.basis_of(settings, prepared.tree), "staff"
    )
    rows = [(c.indicator, c.source, c.added, c.gone, c.changed, c.largest_percent) for c in changes]
    print_table(["indicator", "source", "added", "gone", "changed", "largest change %"], rows, f"Against {now.id}:")
    if since.beyond:
        click.echo(f"A release would be held: more moves than is known to change (movements: {len(since.beyond)}).")
        for one in holds.roll_up(since.beyond)[:20]:
            click.echo(f"  {held_page.page_line(settings, one)}")


@click.group()
def release() -> None:
    """What has been published."""


@release.command("list")
def list_releases() -> None:
    """All releases on disk, the current one marked."""
    settings = load_settings()
    now, taken_back, wrong = store.read_state(settings)
    rows: list[tuple[Any, ...]] = []
    for one in store.releases(settings):
        state = "current" if one.id == now else ""
        if one.id in taken_back:
            state = f"withdrawn: {taken_back[one.id]['reason']}"
        try:
            manifest = one.manifest()
            figures = one.figures()["rows"]
            rows.append((one.id, manifest["published_at"], f"{figures:,}", len(manifest["sources"]), state))
        except Damaged as error:
            rows.append((one.id, "", "", "", f"{state} DAMAGED".strip()))
            wrong.append(str(error))
    print_table(["release", "published", "figures", "sources", ""], rows)
    for text in dict.fromkeys(wrong):
        click.echo(f"damaged: {text}")


@release.command("show")
@click.argument("release_id", required=False)
@click.option("--held", "is_held", is_flag=True, help="What a held release waits for, and why.")
@click.option("--language", default="en", type=click.Choice(sorted(held_page.texts())), help="Of what is held.")
def show(release_id: str | None, is_held: bool, language: str) -> None:
    """Notes of a release, the current one by default; or what a held one waits for."""
    settings = load_settings()
    waiting = None
    with suppress(*(() if is_held else (HimsError,))):  # readers need not see what is held
        waiting = holds.read_hold(settings)
    if is_held:
        if waiting is None:
            raise click.ClickException("No release is held for what moved.")
        click.echo(held_page.page_text(settings, waiting, language))
        click.echo(f"\n{settings.approvals / holds.PAGE}")
        return
    chosen = store.get(settings, release_id) if release_id else store.current_release(settings)
    if chosen is None:
        raise click.ClickException("Nothing has been published yet; `make run` does it.")
    click.echo((chosen.public / "RELEASE_NOTES.md").read_text(encoding="utf-8"))
    if waiting is not None and not release_id:
        click.echo(f"A newer release is held since {waiting['held_at']}: `hims release show --held`.")


@release.command("accept")
@click.option("--reason", required=True, help="Why; it stands in the release notes and in the audit trail.")
def accept(reason: str) -> None:
    """Agree to what a held release waits for. The account that runs the nights publishes it at once, where it is still
    what would be published; for any other the next night does."""
    settings = load_settings()
    waiting = holds.accept_held(settings, reason)
    for text in waiting["first"]:
        click.echo(f"  {text}")
    click.echo(f"Accepted: what moved since {waiting['since']} (movements: {len(waiting['movements'])}).")
    if os.getuid() != waiting["uid"]:
        click.echo("The next night publishes, if these are still what moved.")
        return
    _build(open_installation(), draft=False, full=False)


@release.command("verify")
@click.argument("release_id", required=False)
def verify(release_id: str | None) -> None:
    """Read every file of a release (of all releases, and what points to them, without an id) and compare it with its
    manifest, the manifest with its seal and with the audit trail."""
    settings = load_settings()
    damaged = []
    for one in [store.get(settings, release_id)] if release_id else store.releases(settings):
        damage, notes = store.verify_release(settings, one), store.find_unchecked(settings, one)
        damaged += damage
        click.echo(f"{one.id}: {'; '.join(damage) or 'intact'}{''.join(f' ({note})' for note in notes)}")
    if not release_id:
        for text in _check_pointer_and_trail(settings):
            damaged.append(text)
            click.echo(text)
    if damaged:
        raise SystemExit(1)


def _check_pointer_and_trail(settings: Settings) -> list[str]:
    """What is wrong with the pointer and the audit trail, as far as this account and machine can tell."""
    try:
        problems = [f"{name}: was published and is gone" for name in store.find_lost(settings)]
        return (
            problems + acts.disagreements(settings) + [f"audit trail: {text}" for text in trail.check(settings).damage]
        )
    except PermissionError:
        return []  # an analyst: told with each release
    except Damaged:
        raise
    except HimsError as error:
        click.echo(f"pointer not checked: {error}")
        return []


@release.command("use")
@click.argument("release_id")
@click.option("--reason", type=TYPED, required=True, help="Why; kept in the audit trail.")
def use(release_id: str, reason: str) -> None:
    """Make a release the current one, at once, also while a night runs; newer ones count as withdrawn."""
    settings = open_installation()
    finish_begun(settings)
    acts.use_release(settings, release_id, reason)
    click.echo(f"{release_id} is the current release.")


COMMANDS = (build, release)
