"""Dictionaries of CSPro (.dcf), of either kind: the sections of versions up to 7 and the JSON of version 8."""

import itertools
from pathlib import Path

from hims_pipeline.errors import DataError
from hims_pipeline.readers.formats.cspro.dictionary import RULE, CsproDictionary, Item, Record, items_with_parents
from hims_pipeline.readers.formats.cspro.from_json import from_json
from hims_pipeline.readers.formats.cspro.from_sections import from_sections
from hims_pipeline.words import Words, our_text, senders_text, words

MAXIMUM_BYTES = 50_000_000


def read_dictionary(path: Path, encoding: str) -> CsproDictionary:
    """Read a dictionary of either kind.

    Args:
        encoding: of the data file; dictionaries older than CSPro 5 are written in the same.

    Raises:
        DataError: it is none, is cut off, or contradicts itself.
    """
    if path.stat().st_size > MAXIMUM_BYTES:
        raise DataError(RULE, words("the dictionary has more than {limit:,} bytes", limit=MAXIMUM_BYTES))
    text = _decode(path.read_bytes(), encoding)
    if "\0" in text:
        raise DataError(RULE, words("is no text; send the dictionary (.dcf) as CSPro writes it"))
    dictionary = from_json(text) if text.lstrip().startswith("{") else from_sections(text)
    if not dictionary.records:
        raise DataError(RULE, words("describes no record; it may be cut off: send it again"))
    for record in dictionary.records:
        _check(dictionary, record)
    return dictionary


def _decode(raw: bytes, encoding: str) -> str:
    for codec in ("utf-8-sig", encoding):
        try:
            return raw.decode(codec)
        except (UnicodeDecodeError, LookupError):
            continue
    tried = our_text(" or ".join(dict.fromkeys(("utf-8", encoding))))
    message = words("is not in {tried}; send the dictionary as CSPro writes it", tried=tried)
    raise DataError(RULE, message)


def _check(dictionary: CsproDictionary, record: Record) -> None:
    """Items must not share characters, and a subitem lies within its item."""
    called = senders_text(record.name, f"record {dictionary.records.index(record) + 1}")
    whole = [item for item in (*dictionary.ids_of(record), *record.items) if not item.subitem]
    spans = [(item.start, item.end, _name_item(item)) for item in whole]
    if dictionary.type_width:
        end = dictionary.type_start + dictionary.type_width - 1
        spans.append((dictionary.type_start, end, words("the record type")))
    spans.sort()
    for (_, end, one), (start, _, other) in itertools.pairwise(spans):
        if start <= end:
            message = words("lets {one} and {other} share characters in {record}", one=one, other=other, record=called)
            raise DataError(RULE, message)
    for item, parent in items_with_parents(record, []):
        if item.width < 1 or item.start < 1 or item.occurrences < 1:
            raise DataError(
                RULE, words("gives {item} no place in a line of {record}", item=_name_item(item), record=called)
            )
        inside = parent is None or parent.start <= item.start <= item.end <= parent.start + parent.width - 1
        if item.subitem and (parent is None or not inside):
            message = words(
                "puts the subitem {item} of {record} outside its item", item=_name_item(item), record=called
            )
            raise DataError(RULE, message)


def _name_item(item: Item) -> Words:
    return senders_text(item.name, f"the item at character {item.start}")
