"""`hims build`, `hims release …`: what was published and what would change."""

import uuid

import click

from hims_pipeline import build as building
from hims_pipeline.commands.answers import print_table
from hims_pipeline.lake import journal
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.release import compare, store
from hims_pipeline.release.publish import publish, standing
from hims_pipeline.settings import load_settings
from hims_pipeline.staging.inputs import input_rows, inputs_sha256


@click.command()
@click.option("--draft", is_flag=True, help="Build without publishing, and tell what would change.")
def build(draft: bool) -> None:
    """Build the warehouse from the accepted batches and publish it, without taking anything in."""
    settings = load_settings()
    with installation_lock(settings, "building", wait_seconds=600, log=click.echo):
        rows = input_rows(settings)
        if (done := standing(settings, inputs_sha256(settings, rows))) is not None and not draft:
            click.echo(f"Nothing changed since {done.id}: same batches, rules and code.")
            return
        building.clear_leftovers(settings)
        prepared = building.prepare(settings, f"cli-{uuid.uuid4().hex[:8]}", click.echo)
        try:
            building.run_dbt(settings, prepared, click.echo)
            if draft:
                _draft(settings, prepared)
            else:
                publish(settings, prepared, click.echo)
        finally:
            building.give_up(prepared.folder)


def _draft(settings, prepared: building.Build) -> None:
    now = store.current(settings)
    if now is None:
        click.echo("It builds. There is no release yet to compare with.")
        return
    changes = compare.differences(settings, now.staff / "warehouse.duckdb", prepared.warehouse)
    if not changes:
        click.echo(f"It builds, and no published figure would differ from {now.id}.")
        return
    rows = [(c.indicator, c.source, c.added, c.gone, c.changed, c.largest_percent) for c in changes]
    print_table(["indicator", "source", "added", "gone", "changed", "largest change %"], rows, f"Against {now.id}:")


@click.group()
def release() -> None:
    """What has been published."""


@release.command("list")
def list_releases() -> None:
    """All releases on disk, the current one marked."""
    settings = load_settings()
    now, taken_back = store.current(settings), store.withdrawn(settings)
    rows = []
    for one in store.releases(settings):
        manifest = one.manifest()
        state = (
            "current"
            if now and one.id == now.id
            else f"withdrawn: {taken_back[one.id]['reason']}"
            if one.id in taken_back
            else ""
        )
        figures = manifest["tables"]["published.indicator_value"]["rows"]
        rows.append((one.id, manifest["published_at"], f"{figures:,}", len(manifest["sources"]), state))
    print_table(["release", "published", "figures", "sources", ""], rows)


@release.command("show")
@click.argument("release_id", required=False)
def show(release_id: str | None) -> None:
    """Notes of a release, the current one by default."""
    settings = load_settings()
    chosen = store.get(settings, release_id) if release_id else store.current(settings)
    if chosen is None:
        raise click.ClickException("Nothing has been published yet; `make run` does it.")
    click.echo((chosen.public / "RELEASE_NOTES.md").read_text(encoding="utf-8"))


@release.command("verify")
@click.argument("release_id", required=False)
def verify(release_id: str | None) -> None:
    """Compare every file of a release (all releases without an id) with its manifest."""
    settings = load_settings()
    damaged = 0
    for one in [store.get(settings, release_id)] if release_id else store.releases(settings):
        found = store.verify(one)
        damaged += bool(found)
        click.echo(f"{one.id}: {'; '.join(found) or 'intact'}")
    if (line := journal.broken_at(settings)) is not None:
        damaged += 1
        click.echo(f"audit.jsonl: the chain of hashes breaks at line {line}")
    if damaged:
        raise SystemExit(1)


@release.command("use")
@click.argument("release_id")
@click.option("--reason", required=True, help="Why; kept in the audit trail.")
def use(release_id: str, reason: str) -> None:
    """Make a release the current one; newer ones count as withdrawn."""
    settings = load_settings()
    with installation_lock(settings, f"rolling back to {release_id}", wait_seconds=60, log=click.echo):
        store.use(settings, release_id, reason)
    click.echo(f"{release_id} is the current release.")


COMMANDS = (build, release)
