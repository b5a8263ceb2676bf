"""`hims dbt …`: any command of dbt on the rendered project, for people. Nothing of it is ever published."""

import shutil
import subprocess
from pathlib import Path

import click

from hims_pipeline.build_preconditions import require_room
from hims_pipeline.commands.start import open_installation
from hims_pipeline.errors import HimsError
from hims_pipeline.lake.files import private_folder, write_json
from hims_pipeline.release import store
from hims_pipeline.settings import Settings
from hims_pipeline.staging import render
from hims_pipeline.staging.inputs import input_rows

FOLDER = "by_hand"


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def dbt(words: tuple[str, ...]) -> None:
    """Run dbt on the rendered project: `hims dbt show --select dim_area`, `hims dbt docs generate`.

    It works on a copy of the current release's staff file and on the batches that count now, under build/by_hand of the
    installation; the copy is made anew with each release, and the next night clears it away. dbt's messages quote
    values: what it prints is for those who may see the data.
    """
    settings = open_installation()
    tree = render.ensure_rendered(settings, lambda text: click.echo(text, err=True))
    folder = _workbench(settings)
    command = [render.dbt_executable(), *(words or ("--help",))]
    if words and not words[0].startswith("-"):
        command += ["--project-dir", str(tree)]
    done = subprocess.run(command, env=render.dbt_environment(settings, tree, folder), cwd=folder, check=False)
    raise SystemExit(done.returncode)


def _workbench(settings: Settings) -> Path:
    """The folder that dbt writes into: the inputs of now, and a copy of what is published.

    Raises:
        HimsError: the disk is too full for the copy.
    """
    folder = private_folder(private_folder(settings.build) / FOLDER)
    private_folder(folder / "spill")
    write_json(folder / "inputs.json", input_rows(settings))
    now = store.current_release(settings)
    of, copied = now.id if now else "none", folder / "release.txt"
    if now and not (copied.exists() and copied.read_text(encoding="utf-8") == of):
        require_room(settings)
        source = now.staff / "warehouse.duckdb"
        try:
            shutil.copyfile(source, folder / "warehouse.duckdb")
        except OSError as error:
            raise HimsError(f"{source} cannot be copied: {error.strerror}.") from None
        copied.write_text(of, encoding="utf-8")
    return folder


COMMANDS = (dbt,)
