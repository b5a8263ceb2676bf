"""`hims doctor`, `hims backup …`, `hims upgrade`: an installation's own upkeep."""

import json
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import click

from hims_pipeline import backup as backups
from hims_pipeline import doctor as doctors
from hims_pipeline import restore as restoring
from hims_pipeline.commands.start import open_installation
from hims_pipeline.errors import HimsError
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.release import store
from hims_pipeline.settings import Settings, close_umask, load_settings

SIGNS = {"well": "well ", "note": "note ", "wrong": "WRONG"}
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def doctor(as_json: bool) -> None:
    """Look at how this installation is set up, and say what to mend. Changes nothing."""
    checkups = doctors.examine_installation(load_settings())
    if as_json:
        click.echo(json.dumps([asdict(one) for one in checkups], indent=1, ensure_ascii=False))
    else:
        _print(checkups)
    doctors.require_well(checkups)


def _print(checkups: list[doctors.Checkup]) -> None:
    for one in checkups:
        click.echo(f"{SIGNS[one.state]}  {one.name:<13} {one.text}")
        if one.todo:
            click.echo(f"                     -> {one.todo}")


@click.group()
def backup() -> None:
    """Copies of an installation on another disk. The key is in none of them: keep it elsewhere."""


@backup.command("make")
@click.argument("folder", type=FOLDER)
@click.option("--keep", default=0, help="How many stay; 0 for all.")
def make(folder: Path, keep: int) -> None:
    """Back this installation up into FOLDER. Nights wait meanwhile; files that a former backup holds are not copied."""
    settings = load_settings()
    close_umask()
    backups.make_backup(settings, folder, keep, click.echo)


@backup.command("list")
@click.argument("folder", type=FOLDER)
def list_backups(folder: Path) -> None:
    """Backups in FOLDER that this key has sealed."""
    for one in backups.backups(load_settings(), folder):
        size = sum(file["size"] for file in one.files.values())
        click.echo(f"{one.folder}  release {one.record['release'] or 'none'}  {size / 1e6:,.1f} MB")


@backup.command("verify")
@click.argument("folder", type=FOLDER)
def verify(folder: Path) -> None:
    """Read every file of a backup, the newest in FOLDER, and hold it against its sealed record."""
    copy = backups.find_backup(load_settings(), folder)
    damaged = backups.find_damaged(copy)
    for text in damaged:
        click.echo(text)
    if damaged:
        raise HimsError(f"{copy.folder}: {len(damaged)} damaged.")
    click.echo(f"{copy.folder}: all {len(copy.files):,} files are what was written.")


@backup.command("restore")
@click.argument("folder", type=FOLDER)
def restore(folder: Path) -> None:
    """Put a backup, the newest in FOLDER, into an empty HIMS_HOME. HIMS_KEY_FILE names the key of the installation."""
    settings = load_settings()
    close_umask()
    copy = backups.find_backup(settings, folder)
    for text in restoring.restore_backup(settings, copy, click.echo):
        click.echo(f"note: {text}", err=True)
    _tell_release(settings)


@backup.command("drill")
@click.argument("folder", type=FOLDER)
def drill(folder: Path) -> None:
    """Restore the newest backup in FOLDER into a temporary place, prove its release, and remove it again."""
    settings = load_settings()
    close_umask()
    copy = backups.find_backup(settings, folder)
    with tempfile.TemporaryDirectory(prefix="hims-drill-") as place:
        elsewhere = replace(settings, home=Path(place) / "home", head_file=None)
        if settings.head_file is not None:
            elsewhere = replace(elsewhere, head_file=Path(place) / "audit.head")
        restoring.restore_backup(elsewhere, copy, click.echo)
        _tell_release(elsewhere)


def _tell_release(settings: Settings) -> None:
    if (now := store.current_release(settings)) is None:
        click.echo("There is no release in it.")
        return
    digest = now.manifest()["tables"]["published.indicator_value"]["content_hash"]
    click.echo(f"{now.id} is intact; the content hash of its figures is {digest}.")


@click.command()
@click.option("--backup", "folder", type=FOLDER, required=True, help="Where a backup is made first.")
def upgrade(folder: Path) -> None:
    """After new packages were installed: back up, bring Dagster's storage up to date, and try the present data.

    Nothing of an installation has a form of its own that would have to be converted: what new code reads or judges
    otherwise is pending again, and the next night takes it in.
    """
    from hims_pipeline import intake
    from hims_pipeline.commands.runs import prepare_instance
    from hims_pipeline.defs.instance import migrate
    from hims_pipeline.staging.render import ensure_rendered

    settings = open_installation()
    with installation_lock(settings, "upgrading", 600, click.echo):
        backups.make_backup(settings, folder, 0, click.echo)
        prepare_instance(settings)
        migrate(settings, click.echo)
        ensure_rendered(settings, click.echo)
        waiting = intake.find_pending(settings)
    click.echo(f"{len(waiting)} batch(es) are to be read or judged again; the next night does it.")
    checkups = doctors.examine_installation(settings)
    _print([one for one in checkups if one.state != "well"])
    doctors.require_well(checkups)


COMMANDS = (doctor, backup, upgrade)
