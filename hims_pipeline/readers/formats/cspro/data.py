"""A data file of CSPro: lines of several records, of which an entity is one; places come from the dictionary beside it.

The identification repeats on every line, so a record is the lines with its type. Blanks at a line's end may be missing:
a line may be short, as long as no digit of a number is lost. Case structure (a required record, the order of
lines) is a matter of keys and references in the contract.
"""

from pathlib import Path

from hims_pipeline.errors import DataError
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.findings import blocking, refuses, warning
from hims_pipeline.readers.formats.codebook import Description, label_findings, place_findings
from hims_pipeline.readers.formats.cspro.dictionary import RULE, Dictionary, Record
from hims_pipeline.readers.formats.cspro.read import read_dictionary
from hims_pipeline.readers.formats.fixed_lines import Cut, Opened, open_lines, table_of
from hims_pipeline.readers.shape import Shape, fit_header
from hims_pipeline.readers.table import Table
from hims_pipeline.readers.typing.parts import RECORD, reading
from hims_pipeline.settings import Settings
from hims_pipeline.sql import literal
from hims_pipeline.words import joined, own, sent, words

_SHOWN = 5


def open_table(settings: Settings, shape: Shape, member: Member, scratch: Path) -> tuple[Table | None, list[Finding]]:
    """The table of one record, or what is wrong with the file or its dictionary; warnings come with the table.

    A record of which there is no line is no finding where its entity is not required.
    """
    book = member.codebook
    try:
        if book is None:
            wanted = shape.format.companion
            message = words(
                "was sent without its dictionary ({glob}), which says where the items stand; send both",
                glob=own(wanted),
            )
            return None, [blocking("ENVELOPE-MISSING-CODEBOOK", message, member.shown, entity=shape.name)]
        dictionary = read_dictionary(book.path, shape.format.encoding)
        record = dictionary.record(shape.format.record or "")
        described = dictionary.described(record)
    except DataError as error:
        return None, [blocking(error.rule, error.message, book.shown if book else member.shown, entity=shape.name)]
    shape, found = fit_header(shape, described.codebook.names, book.shown, ordered=False)
    found += [] if refuses(found) else place_findings(shape, described, book.shown, RULE)
    opened = open_lines(shape, member, scratch)
    found += opened.findings
    if refuses(found):
        return None, found
    counts, said = _count(settings, dictionary, opened, member)
    lines = counts.get(record.name, 0)
    said = found + said
    if refuses(said):
        return None, said
    if not lines and not shape.entity.required:
        return None, said
    cut = _cut(shape, dictionary, record, described)
    return table_of(settings, shape, opened, cut, lines), said + label_findings(shape, described.codebook, book.shown)


def _cut(shape: Shape, dictionary: Dictionary, record: Record, described: Description) -> Cut:
    places = described.places
    ids = [item.end for item in dictionary.ids_of(record)]
    behind_type = dictionary.type_start + dictionary.type_width - 1
    return Cut(
        places=tuple(places[shape.header[position]] for position in shape.positions),
        length=max([behind_type, *(place.end for place in places.values())]),
        chosen=f"{_type(dictionary)} = {literal(record.type.rstrip())}" if dictionary.type_width else "",
        least=max([behind_type, *ids, 1]),
        solid=tuple((place.start, place.end) for place in places.values() if place.numeric),
    )


def _type(dictionary: Dictionary) -> str:
    """SQL: the record type in the line `l`."""
    return f"rtrim(substr(coalesce(l, ''), {dictionary.type_start}, {dictionary.type_width}))"


def _count(
    settings: Settings, dictionary: Dictionary, opened: Opened, member: Member
) -> tuple[dict[str, int], list[Finding]]:
    """Lines of each record, and what is wrong with the whole file: lines of no record, or of one that is unread."""
    if not dictionary.type_width:
        return {dictionary.records[0].name: opened.envelope.records or 0}, []
    known = {record.type.rstrip(): record.name for record in dictionary.records}
    counts: dict[str, int] = {}
    strange, first = 0, list[int]()
    with reading(settings, opened.slices) as con:
        for number in range(len(opened.sources)):
            for kind, count, lines in con.execute(
                f"select {_type(dictionary)} as kind, count(*), min({RECORD}, {_SHOWN}) "
                f"from {opened.lines(number)} group by kind"
            ).fetchall():
                if kind in known:
                    counts[known[kind]] = counts.get(known[kind], 0) + count
                else:
                    strange, first = strange + count, sorted([*first, *lines])[:_SHOWN]
    found = []
    if strange:
        message = words(
            "lines have a record type that the dictionary does not know. Send data and dictionary that go together"
        )
        more = {"count": strange, "total": opened.envelope.records, "lines": tuple(first)}
        found.append(blocking("ENVELOPE-RECORD-TYPE", message, member.shown, **more))
    if unread := {name: n for name, n in counts.items() if name not in member.records and member.records}:
        names = [record.name for record in dictionary.records]
        told = joined(
            words("{name} ({count:,} lines)", name=sent(name, f"record {names.index(name) + 1}"), count=count)
            for name, count in sorted(unread.items())
        )
        message = words("holds records that the contract reads into no entity: {records}", records=told)
        found.append(warning("ENVELOPE-UNREAD-RECORD", message, member.shown))
    return counts, found
