"""How analysts open a release: resolve `CURRENT` once, read-only, and no way out of the file.

Needs no key and no right to write in the installation. Not here: how answers are printed (`commands`).
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hims_pipeline.errors import ReleaseError
from hims_pipeline.release import store
from hims_pipeline.release.spill import spill_of_process
from hims_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:  # the library takes long to load, and other commands need none of it
    import duckdb
from hims_pipeline.sql import MISTAKEN, literal

FILE = "warehouse.duckdb"
# First of all settings: a folder for spill files that is set before it counts as changed afterwards, and is refused.
CLOSED = {"enable_external_access": "false", "lock_configuration": "true"}
ELSEWHERE = "different configuration"  # DuckDB: this process has the file open in another way


def connect(
    release: str | None = None, *, staff: bool = False, settings: Settings | None = None
) -> "duckdb.DuckDBPyConnection":
    """Open a release read-only: any number of times, from any number of threads and processes.

    Connections of a process to one file share its limits of memory and threads (`HIMS_MEMORY_LIMIT`, `HIMS_THREADS`)
    and spill into a closed folder of the process, under `TMPDIR`. Files and the network are closed to them. A
    connection is for one thread at a time, and not for a forked process: call `connect` there.

    Args:
        release: id such as `r000012`; the current one without it.
        staff: the observatory's own file, with conformed facts and unprotected figures, instead of the public one.

    Returns:
        A DuckDB connection whose default schema is `published`. It keeps its release while newer ones come out.

    Raises:
        ReleaseError: nothing has been published yet, no such release, or no right to read the staff file.
    """
    import duckdb

    settings = settings or load_settings()
    chosen = store.get(settings, release) if release else store.current_release(settings)
    if chosen is None:
        raise ReleaseError(f"Nothing has been published in {settings.home} yet; `make run` does it.")
    path = (chosen.staff if staff else chosen.public) / FILE
    if not os.access(path, os.R_OK):
        part = "staff" if staff else "public"
        raise ReleaseError(f"{chosen.id}: {path} is missing, or this account may not read the {part} file.")
    try:
        return _open(path, _limits(settings))
    except duckdb.Error as error:
        raise ReleaseError(f"{chosen.id}: {path} cannot be opened: {str(error).splitlines()[0]}") from None


def _limits(settings: Settings) -> dict[str, Any]:
    spill = spill_of_process(settings.releases)
    return {
        "memory_limit": settings.memory_limit,
        "threads": str(settings.threads),
        "temp_directory": str(spill.folder),
        "max_temp_directory_size": f"{spill.bytes // 1_000_000}MB",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        **MISTAKEN,
    }


def _open(path: Path, limits: dict[str, Any]) -> "duckdb.DuckDBPyConnection":
    """All settings go in at once: DuckDB hands out one instance a file and process, and refuses another configuration.

    Where the process has the file open with another one (a parent before its fork, an analyst's own `duckdb.connect`),
    an instance in memory attaches it instead.
    """
    import duckdb

    try:
        con = duckdb.connect(str(path), read_only=True, config=CLOSED | limits)
        con.execute("use published")
    except duckdb.ConnectionException as error:
        if ELSEWHERE not in str(error):
            raise
        con = duckdb.connect(":memory:", config=limits)
        con.execute(f"attach {literal(path)} as {path.stem} (read_only)")
        con.execute(f"use {path.stem}.published")
        for name, value in CLOSED.items():
            con.execute(f"set {name} = {value}")
    return con
