"""Damage in what nobody reads: told where the contract lets it be, and refused where it reaches what is read.

Damaged characters are U+FFFD by now (`files.envelope`); here they are looked for in the texts of the columns that are
read. Not here: what a workbook's unread cells hold (`excel`).
"""

from dataclasses import replace

import duckdb

from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.files.envelope import Envelope
from hims_pipeline.readers.findings import warn
from hims_pipeline.readers.shape import TableShape
from hims_pipeline.readers.table import Table
from hims_pipeline.readers.typing.parts import open_for_parts
from hims_pipeline.settings import Settings
from hims_pipeline.words import words

RULE = "ENVELOPE-UNREAD-DAMAGE"
_SHOWN = 5


def damage_findings(
    settings: Settings, shape: TableShape, envelope: Envelope, table: Table, member: Member
) -> list[Finding]:
    """A warning where damage stands in unread columns alone, else the finding that refuses the file; none without."""
    if envelope.damage is None:
        return []
    refused = replace(envelope.damage, file=member.shown, entity=shape.name)
    if table.structure is not None and table.structure.misfits:
        return [refused]
    texts = [f"contains(t{number}, '\ufffd')" for number in range(len(shape.columns))]
    lines: list[int] = []
    try:
        with open_for_parts(settings, table.slices) as con:
            for part in table.parts:
                asked = f"select {part.number} as line, {' or '.join(texts) or 'false'} as hit from ({part.relation})"
                lines += [
                    line for (line,) in con.execute(f"select line from ({asked}) where hit limit {_SHOWN}").fetchall()
                ]
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error:  # records do not split: which character belongs to which column is not known
        return [refused]
    if lines:
        return [replace(refused, lines=tuple(sorted(lines)[:_SHOWN]))]
    message = words(
        "{count:,} damaged characters stand in columns that are not read; what is read holds none",
        count=envelope.damaged,
    )
    return [warn(RULE, message, member.shown, entity=shape.name)]
