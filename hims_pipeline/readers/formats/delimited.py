"""Delimited text: from a file whose envelope holds to a table of texts."""

from pathlib import Path

from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.files.delimited_records import Structure, examine_records
from hims_pipeline.readers.files.envelope import Envelope, check_text
from hims_pipeline.readers.files.headings import widen_shape
from hims_pipeline.readers.findings import refuses
from hims_pipeline.readers.formats.unread import damage_findings
from hims_pipeline.readers.shape import TableShape
from hims_pipeline.readers.table import Table
from hims_pipeline.readers.typing.parts import Slices, TextPart, numbered_part, text_parts
from hims_pipeline.settings import Settings


def open_table(
    settings: Settings, shape: TableShape, member: Member, scratch: Path
) -> tuple[Table | None, list[Finding]]:
    """The table of a delimited text, or what is wrong with its envelope."""
    envelope = check_text(shape, member, scratch)
    if envelope.findings or envelope.header is None:
        return None, envelope.findings
    table, messages = _table(envelope, member, scratch)
    if table is not None and (damage := damage_findings(settings, envelope.shape, envelope, table, member)):
        return (None if refuses(damage) else table), [*messages, *damage]
    return table, messages


def _table(envelope: Envelope, member: Member, scratch: Path) -> tuple[Table | None, list[Finding]]:
    assert envelope.header is not None
    shape = envelope.shape
    if shape.format.unpivot:
        names = envelope.header.names
        shape = widen_shape(shape, names[:-1] if shape.format.trailing_delimiter else names)
    if envelope.records is None:
        return _read_by_parser(shape, member, envelope, scratch)
    slices = Slices()
    parts = text_parts(shape, slices, envelope.path, envelope.cuts, envelope.part_records)
    rows = max(1, len(shape.headings))
    return (
        Table(parts, envelope.records * rows, slices, lambda to: _examine(envelope, shape, to, parts), rows_each=rows),
        envelope.warnings,
    )


def _examine(
    envelope: Envelope, shape: TableShape, scratch: Path, parts: list[TextPart]
) -> tuple[Structure, list[TextPart]]:
    assert envelope.header is not None
    good = scratch / "good.txt"
    structure = examine_records(envelope.path, shape, envelope.header, good)
    return structure, [numbered_part(shape, shape.format, good)] if structure.misfits else parts


def _read_by_parser(
    shape: TableShape, member: Member, envelope: Envelope, scratch: Path
) -> tuple[Table | None, list[Finding]]:
    """Lines and records differ, or a record has a field too many: a parser counts, and writes the records anew."""
    assert envelope.header is not None
    good = scratch / "good.txt"
    structure = examine_records(envelope.path, shape, envelope.header, good)
    if structure.unclosed is not None:
        return None, structure.findings(shape, member.shown)
    rows = max(1, len(shape.headings))
    part = numbered_part(shape, shape.format, good)
    records = (structure.records - structure.misfits) * rows
    return Table([part], records, structure=structure, rows_each=rows), envelope.warnings
