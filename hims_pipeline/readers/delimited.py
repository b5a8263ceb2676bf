"""Delimited text: from a file whose envelope holds to a table of texts."""

from dataclasses import replace
from pathlib import Path

from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.envelope import Envelope, check_text, too_few
from hims_pipeline.readers.parts import Part, Slices, numbered_part, text_parts
from hims_pipeline.readers.shape import Shape
from hims_pipeline.readers.structure import Structure, examine
from hims_pipeline.readers.table import Table
from hims_pipeline.readers.unpack import Member


def open_delimited(shape: Shape, member: Member, scratch: Path) -> tuple[Table | None, list[Finding]]:
    """The table of a delimited text, or what is wrong with its envelope."""
    envelope = check_text(shape, member, scratch)
    if envelope.findings or envelope.header is None:
        return None, envelope.findings
    if envelope.records is None:
        return _with_quoted_newlines(shape, member, envelope, scratch)
    slices = Slices()
    parts = text_parts(shape, slices, envelope.path, envelope.cuts, envelope.part_records)
    return Table(parts, envelope.records, slices, lambda folder: _examine(envelope, shape, folder, parts)), []


def _examine(envelope: Envelope, shape: Shape, scratch: Path, parts: list[Part]) -> tuple[Structure, list[Part]]:
    assert envelope.header is not None
    good = scratch / "good.txt"
    structure = examine(envelope.path, shape, envelope.header, good)
    return structure, [numbered_part(shape, shape.format, good)] if structure.misfits else parts


def _with_quoted_newlines(
    shape: Shape, member: Member, envelope: Envelope, scratch: Path
) -> tuple[Table | None, list[Finding]]:
    """Lines and records differ: only a parser can count, and it writes the records anew, numbered."""
    assert envelope.header is not None
    good = scratch / "good.txt"
    structure = examine(envelope.path, shape, envelope.header, good)
    if structure.unclosed is not None:
        return None, structure.findings(shape, member.shown)
    if structure.records < shape.entity.minimum_rows:
        return None, [replace(too_few(shape, structure.records), file=member.shown, entity=shape.name)]
    part = numbered_part(shape, shape.format, good)
    return Table([part], structure.records - structure.misfits, structure=structure), []
