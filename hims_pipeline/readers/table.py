"""One entity from its opened file to `<entity>.parquet`, whatever the format it came in.

A format's opener turns a file into parts of texts; from here on all formats take the same way.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from hims_pipeline.lake.batches import EntityFiles
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.privacy.keys import Key
from hims_pipeline.readers.files.delimited_records import Structure
from hims_pipeline.readers.findings import block
from hims_pipeline.readers.guard import Unreadable
from hims_pipeline.readers.shape import TableShape
from hims_pipeline.readers.typing.links import write_links
from hims_pipeline.readers.typing.parts import Slices, TextPart, no_rows, open_for_parts
from hims_pipeline.readers.typing.type_errors import misfit_condition, type_findings, write_rejects
from hims_pipeline.readers.typing.write import EntityPlan, is_misfit, plan_entity, write_typed
from hims_pipeline.settings import Settings
from hims_pipeline.words import Words, words

Log = Callable[[str], None]


@dataclass(frozen=True)
class Table:
    """A file opened: its parts and how many records were counted in it, by other means than the engine's.

    Args:
        examine: looks at the records one by one and returns what does not fit, and the parts of those that do; None
            where a record cannot be malformed.
        structure: what that said, where it was needed to open the file; `parts` are then those that fit.
        probe: SQL that reads the whole file and does nothing else: if it fails too, the file is damaged.
        rows_each: rows that a record examined becomes, where headings of a wide table do.
    """

    parts: list[TextPart]
    records: int
    slices: Slices | None = None
    examine: Callable[[Path], tuple[Structure, list[TextPart]]] | None = None
    structure: Structure | None = None
    probe: str = ""
    rows_each: int = 1

    @property
    def counted(self) -> int:
        """Rows that the file holds, those that are malformed among them."""
        return self.structure.records * self.rows_each if self.structure else self.records


@dataclass(frozen=True)
class Job:
    """Where one entity is read from and written to; `links` is None where nothing is kept of the reading."""

    settings: Settings
    shape: TableShape
    shown: Words
    target: Path
    rejects: Path
    scratch: Path
    key: Key | None
    log: Log
    links: Path | None = None


@dataclass(frozen=True)
class EntityResult:
    """What became of one file: its entity's files (None where it is refused) and all findings."""

    entity: EntityFiles | None = None
    findings: list[Finding] = field(default_factory=list)


def load(job: Job, table: Table) -> EntityResult:
    """Type and write one table; what does not fit ends in findings.

    Raises:
        Unreadable, duckdb.Error, OSError: a failure of our own.
    """
    plan = plan_entity(job.shape, job.key)
    table = table if table.parts else replace(table, parts=[no_rows(job.shape)])
    with open_for_parts(job.settings, table.slices) as con:
        if table.structure is not None and table.structure.misfits:
            return _diagnose(job, con, plan, table, None, "")
        written, problem = _try(job, con, plan, table)
        if problem == "damaged":
            remove_written(job)
            return EntityResult(None, [_refuse_damaged(job)])
        if written is not None and written.rows == table.records:
            _link(job, con, plan, table.parts)
            return EntityResult(written)
        return _diagnose(job, con, plan, table, written, problem)


def _try(job: Job, con: duckdb.DuckDBPyConnection, plan: EntityPlan, table: Table) -> tuple[EntityFiles | None, str]:
    try:
        return _write(job, con, plan, table.parts), ""
    except duckdb.Error as error:
        if is_misfit(error):
            return None, "misfit"
        if "CSV" in str(error):
            return None, "text"
        if isinstance(error, duckdb.OutOfMemoryException) or not _fails(con, table.probe):
            raise
        return None, "damaged"


def _fails(con: duckdb.DuckDBPyConnection, probe: str) -> bool:
    if not probe:
        return False
    try:
        con.execute(probe).fetchall()
    except duckdb.OutOfMemoryException:
        return False
    except duckdb.Error:
        return True
    return False


def _link(job: Job, con: duckdb.DuckDBPyConnection, plan: EntityPlan, parts: list[TextPart], only: str = "") -> None:
    if job.links is not None and plan.linking:
        job.log(f"{job.shown}: writing the pairs by which registers are joined")
        write_links(job.settings, con, plan, parts, job.links, job.scratch, only)


def _write(
    job: Job, con: duckdb.DuckDBPyConnection, plan: EntityPlan, parts: list[TextPart], rejected: int = 0, only: str = ""
) -> EntityFiles:
    remove_written(job)  # parts of an attempt before
    files = write_typed(job.settings, con, plan, parts, job.target, job.log, only)
    return EntityFiles(files, str(job.shown), rejected)


def remove_written(job: Job) -> None:
    """Remove what an attempt at an entity has written."""
    for path in (job.target, *job.target.parent.glob(f"{job.target.stem}-[0-9]*.parquet")):
        path.unlink(missing_ok=True)


def _diagnose(
    job: Job, con: duckdb.DuckDBPyConnection, plan: EntityPlan, table: Table, written: EntityFiles | None, problem: str
) -> EntityResult:
    """Something is wrong: find all of it, and set aside what the contract tolerates."""
    job.log(f"{job.shown}: something does not fit; looking at every value")
    remove_written(job)
    structure, parts = table.structure or Structure(table.records), table.parts
    if table.examine is not None:
        structure, parts = table.examine(job.scratch)
    findings = structure.findings(job.shape, job.shown)
    if structure.unclosed is not None:
        return EntityResult(None, findings)
    try:
        typed = write_rejects(job.settings, con, plan, parts, job.rejects, job.scratch, structure.raw)
    except duckdb.InvalidInputException as error:
        if "CSV" not in str(error):
            raise
        return EntityResult(None, findings or [_unreadable(job)])
    records = structure.records * table.rows_each if table.examine or table.structure else table.records
    findings += type_findings(con, plan, job.rejects, job.shown, records, structure.lines_differ)
    if not findings:
        return EntityResult(None, [_refuse_unexplained(job, table, written, problem)])
    rejected = structure.misfits * table.rows_each + typed
    tolerance = job.shape.entity.record_tolerance
    if tolerance == 0 or rejected > tolerance * records:
        return EntityResult(None, findings)
    keep = f"not ({misfit_condition(plan)})"
    written = _write(job, con, plan, parts, rejected, keep)
    if written.rows != records - rejected:
        raise Unreadable(f"{written.rows:,} rows written, {records - rejected:,} expected")
    _link(job, con, plan, parts, keep)
    return EntityResult(written, [replace(finding, severity="warning") for finding in findings])


def _refuse_damaged(job: Job) -> Finding:
    return block(
        "ENVELOPE-DAMAGED",
        words("is damaged: it cannot be read to its end; send it again"),
        job.shown,
        entity=job.shape.name,
    )


def _unreadable(job: Job) -> Finding:
    return block(
        "ENVELOPE-QUOTES",
        words(
            "cannot be split into records and fields: quotes, delimiters or newlines are not used as the contract says"
        ),
        job.shown,
        entity=job.shape.name,
    )


def _refuse_unexplained(job: Job, table: Table, written: EntityFiles | None, problem: str) -> Finding:
    if problem == "text":
        return _unreadable(job)
    if written is None:
        raise Unreadable("a value was refused that no check names")
    return block(
        "ENVELOPE-RECORDS",
        words(
            "{counted:,} records were counted over the bytes, but {read:,} were read; send the file again",
            counted=table.records,
            read=written.rows,
        ),
        job.shown,
        entity=job.shape.name,
    )
