"""One build: a new DuckDB file under `build/<run>/`, made by dbt from the accepted batches and nothing else.

Nothing is built in place. A build folder belongs to the process that holds its lock, and to the dbt that it started;
folders of dead ones are cleared away by the next start. `build.json` is sealed with what the build is made of and, once
dbt has ended, with the hash of the file that it closed. Not here: running dbt and reading what it says (`dbt.py`), what
is carried over (`carry`), what there must be before (`build_preconditions`).
"""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from hims_pipeline import processes
from hims_pipeline.build_preconditions import require_fresh, require_room, require_sources
from hims_pipeline.carry.last_build import keep_build
from hims_pipeline.carry.plan import OWN_ENGINE, PLAN, make_plan, note_taken, read_plan, record_nodes
from hims_pipeline.disclosure.history import EARLIER, write_earlier
from hims_pipeline.errors import Damaged, HimsError, ReleaseError
from hims_pipeline.lake import landing, trail
from hims_pipeline.lake.files import private_folder, sha256_of, write_json
from hims_pipeline.lake.seal import read_sealed, write_sealed
from hims_pipeline.plain_file import read_json
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection
from hims_pipeline.staging import render
from hims_pipeline.staging.inputs import input_rows, inputs_sha256, verify_inputs

Log = Callable[[str], None]
RECORD, LOCK = "build.json", "alive.lock"
ORPHAN_SECONDS = 10  # a dbt whose parent is gone has been killed by the kernel, which may take a moment
_owned: dict[str, IO[str]] = {}  # folder -> its open lock file: closed, and so given up, when the process ends


@dataclass(frozen=True)
class Build:
    """A build folder and what it is made from."""

    folder: Path
    tree: Path
    inputs_sha256: str
    began: int  # number of the last line of the audit trail before its inputs were read

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse.duckdb"

    @property
    def tables(self) -> Path:
        """Where Spark leaves its tables: `<schema>.db/<table>/`, Parquet files each."""
        return self.folder / "tables"

    @property
    def target(self) -> Path:
        return self.folder / "target"

    @property
    def results(self) -> Path:
        """What dbt wrote down of its run."""
        return self.target / "run_results.json"

    def inputs(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = read_json(self.folder / "inputs.json")
        return rows

    def environment(self, settings: Settings) -> dict[str, str]:
        """What dbt reads from the environment. It copies the last one into its results, and so binds them."""
        return render.dbt_environment(settings, self.tree, self.folder) | {
            "DBT_ENV_CUSTOM_ENV_HIMS_BUILD": self.folder.name
        }

    @property
    def lock(self) -> IO[str]:
        """The open lock file of a build of this process."""
        return _owned[str(self.folder)]

    def share(self, pid: int) -> None:
        """Write down that a process which inherited the lock builds here too."""
        self.lock.write(processes.token(pid))
        self.lock.flush()


def prepare(
    settings: Settings, run: str, log: Log = lambda text: None, *, full: bool = False, rehearsal: bool = False
) -> Build:
    """Make the folder of a new build, write down its inputs, and put there what is carried over from the last one. The
    caller holds the installation's lock.

    Args:
        full: carry nothing over.
        rehearsal: of one source, which no other source is required for.

    Raises:
        HimsError: a source that the observatory requires has no accepted batch or is late, or the disk is too full.
    """
    began = trail.read_present_head(
        settings
    ).number  # before the inputs are read: what a person forbids from now on is seen
    rows = input_rows(settings)
    if not rehearsal:
        require_sources(settings, {row["source"] for row in rows})
        require_fresh(settings, {(row["source"], row["period"]) for row in rows})
    require_room(settings)
    folder = private_folder(settings.build) / run
    if folder.exists():
        shutil.rmtree(folder)
    try:
        (folder / "spill").mkdir(parents=True)
        _hold_folder(folder)
        write_json(folder / "inputs.json", rows)
        _take_earlier(settings, folder, log)
        build = Build(folder, render.ensure_rendered(settings, log), inputs_sha256(settings, rows), began)
        make_plan(settings, folder, build.tree, full=full, log=log)
        write_sealed(settings, folder / RECORD, "build", _describe_build(build))
    except BaseException:
        discard_build(folder)
        raise
    return build


def _take_earlier(settings: Settings, folder: Path, log: Log) -> None:
    """What the last release showed and withheld, for disclosure control; also one that was taken back was public."""
    for staff in sorted(settings.releases.glob("r*/staff"), reverse=True):
        try:
            listed = read_json(staff / "manifest.json")["files"]["warehouse.duckdb"]["sha256"]
            whole = sha256_of(staff / "warehouse.duckdb") == listed
        except (OSError, ValueError, KeyError, TypeError):
            whole = False
        if whole:
            with connection(settings, spill=folder / "spill") as con:
                write_earlier(con, staff / "warehouse.duckdb", folder)
            return
        log(f"{staff.parent.name} is damaged, so its decisions on disclosure are not asked")


def _describe_build(build: Build) -> dict[str, Any]:
    return {
        "run": build.folder.name,
        "tree": build.tree.name,
        "inputs_sha256": build.inputs_sha256,
        "trail": build.began,
        "inputs_file_sha256": sha256_of(build.folder / "inputs.json"),
        "plan_sha256": sha256_of(build.folder / PLAN),
        "earlier_sha256": sha256_of(build.folder / EARLIER) if (build.folder / EARLIER).exists() else "",
    }


def reopen_build(settings: Settings, run: str) -> Build:
    """The build that an earlier step of the same run prepared.

    Raises:
        HimsError: there is none: the step was started alone.
        Damaged: its record is not what that step wrote.
    """
    folder = settings.build / run
    if not (folder / RECORD).exists():
        raise HimsError(
            "This run has built no warehouse. Start the job `nightly`: only a whole build can be published."
        )
    known = read_sealed(settings, folder / RECORD, "build")
    if known["run"] != run:
        raise Damaged(folder / RECORD, "is the record of another build")
    return Build(folder, settings.rendered / known["tree"], known["inputs_sha256"], known["trail"])


def take_nodes(settings: Settings, build: Build, taken: Mapping[str, Mapping[str, Any]], engine: str) -> None:
    """Note in a build's plan what another engine made and is in its file.

    Args:
        taken: unique id -> status and failures.
    """
    note_taken(settings, build.folder, build.tree, build.warehouse, taken, engine)
    write_sealed(settings, build.folder / RECORD, "build", _describe_build(build))


def close_build(
    settings: Settings, build: Build, results: Mapping[str, Mapping[str, Any]], *, keep_it: bool = True
) -> None:
    """Write down which file dbt has closed; from now on any other is refused. dbt has just ended.

    Args:
        results: unique id -> status and failures, of what dbt built or tested.
        keep_it: the next build may carry over from this one.

    Raises:
        Damaged: what the build is made of changed while dbt ran, or a table is not the one it should be.
        HimsError: the same inputs gave other tables than in the last build.
    """
    made_of = _check_record(settings, build)
    if not build.warehouse.exists() or build.warehouse.with_suffix(".duckdb.wal").exists():
        raise Damaged(build.warehouse, "was not closed by dbt: it is missing, or a write-ahead log lies beside it")
    nodes = record_nodes(settings, build.folder, build.tree, build.warehouse, results)
    sha256 = sha256_of(build.warehouse)
    closed = {"warehouse_sha256": sha256, "results_sha256": sha256_of(build.results), "nodes": nodes}
    write_sealed(settings, build.folder / RECORD, "build", made_of | closed)
    plan = read_plan(settings, build.folder)
    if keep_it and plan.engine == OWN_ENGINE:  # a night on DuckDB begins from what DuckDB made
        since_full = plan.since_full
        facts = {"sha256": sha256, "inputs_sha256": build.inputs_sha256, "nodes": nodes, "since_full": since_full}
        keep_build(settings, build.warehouse, facts)


def closed_warehouse(settings: Settings, build: Build) -> Path:
    """The warehouse file, proven to be the one that dbt closed, made from the inputs and the tree of this build.

    Raises:
        ReleaseError: it is another file, or was changed since.
    """
    try:
        record = _check_record(settings, build)
        for path, name in ((build.warehouse, "warehouse_sha256"), (build.results, "results_sha256")):
            if sha256_of(path) != record.get(name):
                raise Damaged(path, "is not the file that dbt closed")
    except (Damaged, OSError) as error:
        raise ReleaseError(f"Not published: {error}. Run `nightly` again.") from None
    return build.warehouse


def list_tables(settings: Settings, build: Build) -> dict[str, dict[str, Any]]:
    """`schema.table` -> rows and content hash, as they were when dbt had closed the file.

    Raises:
        Damaged: the build's record is not what we wrote.
    """
    nodes = read_sealed(settings, build.folder / RECORD, "build")["nodes"].values()
    return {node["table"]: {k: node[k] for k in ("rows", "content_hash")} for node in nodes if "table" in node}


def _check_record(settings: Settings, build: Build) -> dict[str, Any]:
    """The sealed record of a build, when it still tells the truth about its inputs and its tree."""
    record = read_sealed(settings, build.folder / RECORD, "build")
    if {name: record.get(name) for name in _describe_build(build)} != _describe_build(build):
        raise Damaged(build.folder / RECORD, "tells of other inputs than those that lie beside it")
    if damaged := render.find_damaged_in(settings, build.tree):
        raise Damaged(build.tree, f"changed while dbt ran: {damaged[0]}")
    verify_inputs(settings, build.inputs())
    return record


def _hold_folder(folder: Path) -> None:
    file = (folder / LOCK).open("w")
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    file.write(f"{processes.token(os.getpid())} ")
    file.flush()
    _owned[str(folder)] = file


def discard_build(folder: Path) -> None:
    """Delete a build folder and let go of its lock."""
    file = _owned.pop(str(folder), None)
    shutil.rmtree(folder, ignore_errors=True)
    if file is not None:
        file.close()


def discard_builds() -> None:
    """Give the space of all builds of this process back: none of them will be published any more."""
    for folder in list(_owned):
        discard_build(Path(folder))


def _is_alive(folder: Path) -> bool:
    """Whether a process still builds here. An orphaned dbt is waited for, and then ended."""
    path = folder / LOCK
    deadline = time.monotonic() + ORPHAN_SECONDS
    while path.exists():
        with path.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return False
            except BlockingIOError:
                owner, _, dbt = file.read().partition(" ")
        if processes.is_running(owner) or time.monotonic() > deadline + ORPHAN_SECONDS:
            return True
        if time.monotonic() > deadline:
            processes.kill(dbt)
        time.sleep(0.1)
    return False


def clear_dead_builds(settings: Settings) -> list[str]:
    """Remove what killed runs left: builds, half-rendered trees, half-made deliveries, scratch. Lock held by caller."""
    cleared = []
    for folder in sorted(settings.build.glob("*")) if settings.build.exists() else []:
        if str(folder) not in _owned and not _is_alive(folder):
            shutil.rmtree(folder)
            cleared.append(f"build/{folder.name}")
    if settings.scratch.exists():
        shutil.rmtree(settings.scratch)
        cleared.append("scratch")
    cleared += [f"{n} half-made deliveries" for n in [landing.clear_incoming(settings)] if n]
    for root in (settings.bronze, settings.validated, settings.quarantine, settings.releases):
        for trash in root.rglob(".trash-*") if root.exists() else ():
            shutil.rmtree(trash, ignore_errors=True)
            cleared.append(trash.name)
    render.clear_rendered(settings)
    return cleared
