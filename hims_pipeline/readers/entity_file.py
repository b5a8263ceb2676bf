"""One file of a delivery: opened by the format its contract declares, then typed and written.

Which file is which entity is decided before (`matching`).
"""

from dataclasses import replace
from pathlib import Path

from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.findings import block
from hims_pipeline.readers.formats import open_table
from hims_pipeline.readers.shape import TableShape
from hims_pipeline.readers.table import EntityResult, Job, Table, load
from hims_pipeline.settings import Settings
from hims_pipeline.words import our_text, words


def read_entity(job: Job, member: Member) -> EntityResult:
    """Open, check and write one entity; see `table.load` for what it raises."""
    job.log(f"{member.shown}: {member.path.stat().st_size / 1e6:,.1f} MB, checking the envelope")
    table, findings = open_checked(job.settings, job.shape, member, job.scratch)
    if table is None:
        return EntityResult(None, findings)
    job.log(f"{member.shown}: {table.records:,} records, reading")
    outcome = load(job, table)
    return replace(outcome, findings=[*findings, *outcome.findings])


def open_checked(
    settings: Settings, shape: TableShape, member: Member, scratch: Path
) -> tuple[Table | None, list[Finding]]:
    """The file as a table that has rows enough, or what is wrong with it; warnings come beside the table.

    Counted is what was sent, and no format counts for itself. That enough is left once rows were set aside, here or by
    the gate, is a rule of the gate (`…-ROWS`).
    """
    table, findings = open_table(settings, shape, member, scratch)
    if table is None or table.counted >= shape.entity.minimum_rows:
        return table, findings
    return None, [*findings, _refuse_too_few_rows(shape, table.counted, member)]


def _refuse_too_few_rows(shape: TableShape, rows: int, member: Member) -> Finding:
    message = words(
        "holds {rows:,} rows of {entity}; at least {needed:,} are expected. Send the complete file",
        rows=rows,
        entity=our_text(shape.name),
        needed=shape.entity.minimum_rows,
    )
    return block("ENVELOPE-ROWS", message, member.shown, entity=shape.name)
