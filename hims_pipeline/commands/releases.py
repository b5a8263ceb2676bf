"""`hims build`, `hims release …`, `hims query`: what was published and what would change."""

import csv
import json
import sys
import uuid

import click
from rich.console import Console
from rich.table import Table

from hims_pipeline import build as building
from hims_pipeline import intake
from hims_pipeline.errors import HimsError
from hims_pipeline.lake import journal
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.release import compare, store
from hims_pipeline.release.publish import publish, standing
from hims_pipeline.release.reader import connect
from hims_pipeline.settings import Settings, load_settings
from hims_pipeline.staging.inputs import input_rows, inputs_sha256

STAFF_ONLY = ("conformed", "indicators")
STAFF_HINT = "The public file holds `published` and `reference`; add --staff for the observatory's own."


def _table(columns: list[str], rows: list[tuple], title: str = "") -> None:
    shown = Table(title=title or None, title_justify="left")
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*("" if value is None else str(value) for value in row))
    Console(width=None if sys.stdout.isatty() else 160).print(shown)


@click.command()
@click.option("--draft", is_flag=True, help="Build without publishing, and tell what would change.")
def build(draft: bool) -> None:
    """Build the warehouse from the accepted batches and publish it, without taking anything in."""
    settings = load_settings()
    with installation_lock(settings, "building", wait_seconds=600, log=click.echo):
        _tell_doubtful(settings, draft)
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


def _tell_doubtful(settings: Settings, draft: bool) -> None:
    """A release rests on verdicts under the present rules; a draft may show what would come of others."""
    for one in (found := intake.doubtful(settings)):
        click.echo(one.sentence())
    if found and not draft:
        raise HimsError(f"{len(found)} batch(es) above are to be read or judged again first: `hims run` does it.")


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
    _table(["indicator", "source", "added", "gone", "changed", "largest change %"], rows, f"Against {now.id}:")


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
    _table(["release", "published", "figures", "sources", ""], rows)


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


@click.command()
@click.argument("sql")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table")
@click.option("--staff", is_flag=True, help="The observatory's own file, with unprotected figures.")
@click.option("--release", "release_id", help="A release other than the current one.")
def query(sql: str, form: str, staff: bool, release_id: str | None) -> None:
    """Run SQL on the current release, read-only."""
    import duckdb

    settings = load_settings()
    chosen = release_id or (now.id if (now := store.current(settings)) else None)
    con = connect(chosen, staff=staff, settings=settings)
    try:
        answer = con.execute(sql)
        columns, rows = [d[0] for d in answer.description or []], answer.fetchall()
    except duckdb.Error as error:
        hint = "" if staff else f"\n{STAFF_HINT}" if any(f"{name}." in sql for name in STAFF_ONLY) else ""
        raise click.ClickException(f"{error}{hint}") from None
    finally:
        con.close()
    manifest = store.get(settings, chosen or "").manifest()
    synthetic = " · holds SYNTHETIC data, see data_kind" if manifest["contains_synthetic_data"] else ""
    click.echo(f"{chosen} · published {manifest['published_at']}{synthetic}", err=True)
    if form == "table":
        _table(columns, rows)
    elif form == "csv":
        csv.writer(sys.stdout, lineterminator="\n").writerows([columns, *rows])
    else:
        click.echo(json.dumps([dict(zip(columns, row, strict=True)) for row in rows], default=str, ensure_ascii=False))


COMMANDS = (build, release, query)
