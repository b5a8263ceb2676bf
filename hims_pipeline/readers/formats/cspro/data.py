"""A data file of CSPro: lines of several records, of which an entity is one; places come from the dictionary beside it.

The identification repeats on every line, so a record is the lines with its type. Blanks at a line's end may be missing:
a line may be short, as long as no digit of a number is lost. Case structure (a required record, the order of
lines) is a matter of keys and references in the contract.
"""

from pathlib import Path

from hims_pipeline.errors import DataError
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.files.signatures import kind_of
from hims_pipeline.readers.findings import block, refuses
from hims_pipeline.readers.formats.codebook import Description, RecordTypes, label_findings, place_findings
from hims_pipeline.readers.formats.cspro.database import open_database
from hims_pipeline.readers.formats.cspro.dictionary import RULE, CsproDictionary, Record
from hims_pipeline.readers.formats.cspro.read import read_dictionary
from hims_pipeline.readers.formats.fixed_lines import Cut, open_lines, table_of
from hims_pipeline.readers.formats.record_types import count_records
from hims_pipeline.readers.formats.unread import damage_findings
from hims_pipeline.readers.shape import TableShape, fit_header
from hims_pipeline.readers.table import Table
from hims_pipeline.settings import Settings
from hims_pipeline.words import our_text, words


def open_table(
    settings: Settings, shape: TableShape, member: Member, scratch: Path
) -> tuple[Table | None, list[Finding]]:
    """The table of one record, or what is wrong with the file or its dictionary; warnings come with the table.

    A record of which there is no line is no finding where its entity is not required.
    """
    if kind_of(member.path) == "sqlite":
        return open_database(shape, member, scratch)
    book = member.codebook
    try:
        if book is None:
            wanted = shape.format.companion
            message = words(
                "was sent without its dictionary ({glob}), which says where the items stand; send both",
                glob=our_text(wanted),
            )
            return None, [block("ENVELOPE-MISSING-CODEBOOK", message, member.shown, entity=shape.name)]
        dictionary = read_dictionary(book.path, shape.format.encoding)
        record = dictionary.record(shape.format.record or "")
        described = dictionary.describe_record(record)
    except DataError as error:
        return None, [block(error.rule, error.message, book.shown if book else member.shown, entity=shape.name)]
    shape, header = fit_header(shape, described.codebook.names, book.shown, ordered=False)
    header += [] if refuses(header) else place_findings(shape, described, book.shown, RULE)
    opened = open_lines(shape, member, scratch)
    header += opened.findings
    if refuses(header):
        return None, header
    types = _types(dictionary, record)
    lines, messages = opened.envelope.records or 0, header
    if types is not None:
        counts, count_findings = count_records(settings, types, opened, member, member.records)
        lines, messages = counts.get(record.name, 0), header + count_findings
    if refuses(messages):
        return None, messages
    if not lines and not shape.entity.required:
        return None, messages
    cut = _cut(shape, dictionary, record, described, types)
    table = table_of(settings, shape, opened, cut, lines)
    messages += damage_findings(settings, shape, opened.envelope, table, member)
    return (None if refuses(messages) else table), messages + label_findings(shape, described.codebook, book.shown)


def _types(dictionary: CsproDictionary, record: Record) -> RecordTypes | None:
    """The types of records; None where the dictionary has one record, of no type."""
    if not dictionary.type_width:
        return None
    known = {one.type.strip(): one.name for one in dictionary.records}
    return RecordTypes(dictionary.type_start, dictionary.type_width, known, record.type.strip())


def _cut(
    shape: TableShape, dictionary: CsproDictionary, record: Record, described: Description, types: RecordTypes | None
) -> Cut:
    places = described.places
    ids = [item.end for item in dictionary.ids_of(record)]
    behind_type = dictionary.type_start + dictionary.type_width - 1
    return Cut(
        places=tuple(places[shape.header[position]] for position in shape.positions),
        length=max([behind_type, *(place.end for place in places.values())]),
        chosen=types.chosen if types else "",
        least=max([behind_type, *ids, 1]),
        solid=tuple((place.start, place.end) for place in places.values() if place.numeric),
    )
