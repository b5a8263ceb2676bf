"""Dictionaries of CSPro up to version 7: `[Section]` and `Name=value` lines, items under the record they belong to."""

import re

from hims_pipeline.errors import DataError
from hims_pipeline.readers.formats.cspro.dictionary import RULE, SPECIAL, CsproDictionary, Item, Record
from hims_pipeline.words import our_text, senders_text, words

_SECTION = re.compile(r"\[(\w+)\]\s*$")
_VALUE = re.compile(r"'[^']*'|\S+")


def from_sections(text: str) -> CsproDictionary:
    """The dictionary in a text.

    Raises:
        DataError: it is no dictionary, or ends early.
    """
    if not text.endswith("\n"):
        raise DataError(RULE, words("ends in the middle of a line, so it was probably cut off; send it again"))
    reader = _Sections()
    pairs: list[tuple[str, str]] = []
    section = ""
    for line in text.splitlines():
        if match := _SECTION.match(line.strip()):
            reader.take(section, pairs)
            section, pairs = match[1].lower(), []
        elif "=" in line:
            name, _, value = line.partition("=")
            pairs.append((name.strip().lower(), value.strip()))
    reader.take(section, pairs)
    if reader.dictionary is None:
        raise DataError(RULE, words("is no CSPro dictionary: it has no section [Dictionary]"))
    return reader.dictionary


class _Sections:
    """Takes one section after the other."""

    def __init__(self) -> None:
        self.dictionary: CsproDictionary | None = None
        self.items: list[Item] | None = None  # of the record or identification that is open
        self.sets = 0  # value sets of the item that is open

    def take(self, section: str, pairs: list[tuple[str, str]]) -> None:
        known = dict(reversed(pairs))  # the first of a name
        if section == "dictionary":
            self.dictionary = CsproDictionary(_number(known, "recordtypestart", 0), _number(known, "recordtypelen", 0))
            return
        if self.dictionary is None:
            return
        if section == "iditems":
            self.items = []
            self.dictionary.ids.append(self.items)
        elif section == "record":
            self._record(known)
        elif section == "item" and self.items is not None:
            self.items.append(_item(known))
            self.sets = 0
        elif section == "valueset" and self.items:
            self.sets += 1
            if self.sets == 1:  # the first is the item's own, others are groupings of it
                _read_values(self.items[-1], pairs)

    def _record(self, known: dict[str, str]) -> None:
        assert self.dictionary is not None
        kind = known.get("recordtypevalue", "").removeprefix("'").removesuffix("'")
        record = Record(known.get("name", ""), kind, max(len(self.dictionary.ids) - 1, 0))
        self.dictionary.records.append(record)
        self.items = record.items


def _item(known: dict[str, str]) -> Item:
    if "name" not in known or "start" not in known or "len" not in known:
        item = senders_text(known.get("name", "without a name"))
        raise DataError(RULE, words("does not say where an item ({item}) stands; send it again", item=item))
    return Item(
        name=known["name"],
        start=_number(known, "start"),
        width=_number(known, "len"),
        label=known.get("label", "").split("|")[0],
        numeric=known.get("datatype", "numeric").lower() != "alpha",
        decimals=_number(known, "decimal", 0),
        decimal_mark=known.get("decimalchar", "no").lower() == "yes",
        zero_fill=known.get("zerofill", "no").lower() == "yes",
        occurrences=_number(known, "occurrences", 1),
        subitem=known.get("itemtype", "").lower() == "subitem",
    )


def _read_values(item: Item, pairs: list[tuple[str, str]]) -> None:
    """`Value=1;One|Un`, `Value=3 4:6 'x';Others`, and behind a value `Name=MISSING,Special`."""
    codes: list[str] = []
    for name, value in pairs:
        if name == "value":
            # A semicolon in quotes is a code's, the first outside them begins the label.
            written, _, label = _split_label(value)
            codes = [one.strip("'").rstrip() for one in _VALUE.findall(written) if one[0] == "'" or ":" not in one]
            codes = [code for code in codes if code]
            item.values |= {code: tuple(label.split("|")) for code in codes}
        elif name == "name" and value.lower().endswith(",special"):
            item.missing |= dict.fromkeys(codes, SPECIAL.get(value.split(",")[0].upper(), "_U"))


def _split_label(value: str) -> tuple[str, str, str]:
    quoted = False
    for place, letter in enumerate(value):
        quoted ^= letter == "'"
        if letter == ";" and not quoted:
            return value[:place], ";", value[place + 1 :]
    return value, "", ""


def _number(known: dict[str, str], name: str, default: int | None = None) -> int:
    if name not in known and default is not None:
        return default
    try:
        return int(known[name])
    except (KeyError, ValueError):
        item = senders_text(known.get("name", "the dictionary"), "an item or the dictionary")
        raise DataError(RULE, words("{what} of {item} is no whole number", what=our_text(name), item=item)) from None
