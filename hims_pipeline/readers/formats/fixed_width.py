"""Fixed-width text: places from a DDI-Codebook sent with it, or from the contract.

Where the codebook has several types of records, an entity is the lines of one; each has a length of its own, and blanks
may follow it.
"""

from pathlib import Path

from hims_pipeline.contracts.columns import Column
from hims_pipeline.errors import DataError
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.findings import block, refuses
from hims_pipeline.readers.formats.codebook import (
    Codebook,
    Description,
    Place,
    RecordTypes,
    label_findings,
    place_findings,
)
from hims_pipeline.readers.formats.ddi import ddi_records, read_ddi
from hims_pipeline.readers.formats.ddi_xml import RULE
from hims_pipeline.readers.formats.fixed_lines import Cut, find_overlap, open_lines, table_of
from hims_pipeline.readers.formats.record_types import count_records
from hims_pipeline.readers.formats.unread import damage_findings
from hims_pipeline.readers.shape import TableShape, fit_header
from hims_pipeline.readers.table import Table
from hims_pipeline.settings import Settings
from hims_pipeline.words import our_text, senders_text, words


def open_table(
    settings: Settings, shape: TableShape, member: Member, scratch: Path
) -> tuple[Table | None, list[Finding]]:
    """The table of a fixed-width text, or what is wrong with it or its codebook; warnings come with the table."""
    try:
        described = _read_description(shape, member)
    except DataError as error:
        shown = member.codebook.shown if member.codebook else member.shown
        return None, [block(error.rule, error.message, shown, entity=shape.name)]
    file = member.codebook.shown if member.codebook else member.shown
    shape, header_findings = fit_header(shape, described.codebook.names, file, ordered=False)
    header_findings += [] if refuses(header_findings) else _find_misplaced(shape, described, file)
    opened = open_lines(shape, member, scratch)
    header_findings += opened.findings
    if refuses(header_findings):
        return None, header_findings
    places = [described.places[shape.header[position]] for position in shape.positions]
    length = max(max(place.end for place in described.places.values()), described.length or 0)
    records, cut = opened.envelope.records or 0, Cut(tuple(places), length)
    if types := described.types:
        counts, count_findings = count_records(settings, types, opened, member, _read_types(types, member))
        records, header_findings = counts.get(types.known[types.own], 0), header_findings + count_findings
        cut = Cut(tuple(places), length, types.chosen, least=length)
        if refuses(header_findings) or not (records or shape.entity.required):
            return None, header_findings
    table = table_of(settings, shape, opened, cut, records)
    header_findings += damage_findings(settings, shape, opened.envelope, table, member)
    return (None if refuses(header_findings) else table), header_findings + label_findings(
        shape, described.codebook, file
    )


def _read_types(types: RecordTypes, member: Member) -> set[str]:
    """Types of the records that some entity is read from; contracts may name them by their labels."""
    labels = {label.casefold(): kind for kind, label in ddi_records(member.codebook.path, member.name)}  # type: ignore[union-attr]
    return {one if one in types.known else labels.get(one.casefold(), one) for one in member.records}


def _read_description(shape: TableShape, member: Member) -> Description:
    if member.codebook is not None:
        return read_ddi(member.codebook.path, member.name, shape.format.record)
    if shape.format.codebook is not None:
        raise DataError(
            "ENVELOPE-MISSING-CODEBOOK",
            words(
                "was sent without its codebook ({glob}), which says where the columns stand; send both",
                glob=our_text(shape.format.codebook),
            ),
        )
    places = {
        shape.header[position]: _agreed_place(column, shape.header[position])
        for column, position in zip(shape.columns, shape.positions, strict=True)
    }
    return Description(Codebook(list(shape.header), {}, {}, {}), places)


def _agreed_place(column: Column, name: str) -> Place:
    assert column.start is not None  # the contract does not load without
    assert column.width is not None
    return Place(name, column.start, column.width, column.implied_decimals)


def _find_misplaced(shape: TableShape, described: Description, file: str) -> list[Finding]:
    """Places that overlap, and places or widths that are not those the contract agreed on."""
    findings = []
    if pair := find_overlap(list(described.places.values())):
        names = list(described.places)
        first, other = (
            our_text(place.name)
            if place.name in shape.header
            else senders_text(place.name, f"variable {names.index(place.name) + 1}")
            for place in pair
        )
        message = words("{one} and {other} share characters of the line; correct the codebook", one=first, other=other)
        findings.append(block(RULE, message, file, entity=shape.name))
    return findings + place_findings(shape, described, file, RULE)
