"""One file of a delivery, by the format its contract declares. Which file is which entity is decided before."""

from dataclasses import replace
from pathlib import Path

from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.formats.delimited import open_delimited
from hims_pipeline.readers.formats.parquet import open_parquet
from hims_pipeline.readers.shape import Shape
from hims_pipeline.readers.table import Job, Outcome, Table, load
from hims_pipeline.settings import Settings


def read_entity(job: Job, member: Member) -> Outcome:
    """Open, check and write one entity; see `table.load` for what it raises."""
    job.log(f"{member.shown}: {member.path.stat().st_size / 1e6:,.1f} MB, checking the envelope")
    table, findings = open_table(job.settings, job.shape, member, job.scratch)
    if table is None:
        return Outcome(None, findings)
    job.log(f"{member.shown}: {table.records:,} records, reading")
    outcome = load(job, table)
    return replace(outcome, findings=[*findings, *outcome.findings])


def open_table(settings: Settings, shape: Shape, member: Member, scratch: Path) -> tuple[Table | None, list[Finding]]:
    """The file as a table of texts, or what is wrong with its envelope; warnings come beside the table."""
    kind = shape.format.type
    if kind == "delimited":
        return open_delimited(shape, member, scratch)
    if kind == "parquet":
        return open_parquet(settings, shape, member)
    if kind == "fixed_width":
        from hims_pipeline.readers.formats.fixed_width import open_fixed_width

        return open_fixed_width(settings, shape, member, scratch)
    if kind == "cspro":
        from hims_pipeline.readers.formats.cspro.data import open_cspro

        return open_cspro(settings, shape, member, scratch)
    # The libraries for these two take half a second to import, and few deliveries need them.
    if kind == "excel":
        from hims_pipeline.readers.formats.excel import open_workbook

        return open_workbook(shape, member, scratch)
    from hims_pipeline.readers.formats.spss_stata import open_statistical

    return open_statistical(settings, shape, member, scratch)
