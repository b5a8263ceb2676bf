"""What both kinds of CSPro dictionary come down to: records, their items, and where each stands in a line.

Not here: how a dictionary is written (`from_sections`, `from_json`), and which kind a file is (`read`).
"""

from dataclasses import dataclass, field

from hims_pipeline.errors import DataError
from hims_pipeline.readers.formats.codebook import Codebook, Description, Place
from hims_pipeline.words import our_text, senders_text, words

RULE = "ENVELOPE-DICTIONARY"
_MOST_OCCURRENCES = 100_000
# What CSPro's special values are among the special codes of a contract.
SPECIAL = {"MISSING": "_U", "DEFAULT": "_U", "REFUSED": "_R", "NOTAPPL": "_Z"}


@dataclass
class Item:
    """One item as the dictionary has it; `start` counts from the line's first character."""

    name: str
    start: int
    width: int
    label: str = ""
    numeric: bool = True
    decimals: int = 0
    decimal_mark: bool = False
    zero_fill: bool = False
    occurrences: int = 1
    subitem: bool = False
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def end(self) -> int:
        return self.start + self.width * self.occurrences - 1


@dataclass
class Record:
    """One record: the value in its lines by which it is known, and its items without the identification."""

    name: str
    type: str
    level: int
    items: list[Item] = field(default_factory=list)


@dataclass
class CsproDictionary:
    """All of one dictionary; `ids` are the identification items of each level, and `type_width` may be 0."""

    type_start: int
    type_width: int
    ids: list[list[Item]] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)

    def record(self, name: str) -> Record:
        for record in self.records:
            if record.name.upper() == name.upper():
                return record
        others = senders_text(", ".join(one.name for one in self.records), f"{len(self.records)} other(s)")
        message = words(
            "has no record {name}, only {others}; this may be the dictionary of another wave",
            name=our_text(name),
            others=others,
        )
        raise DataError(RULE, message)

    def ids_of(self, record: Record) -> list[Item]:
        """The identification of a record: that of its level and of those above."""
        return [item for level in self.ids[: record.level + 1] for item in level]

    def describe_record(self, record: Record) -> Description:
        """A record's variables: its identification and items, one for each occurrence."""
        if max((item.occurrences for item in record.items), default=0) > _MOST_OCCURRENCES:
            raise DataError(RULE, words("repeats an item more often than a line of text can hold"))
        columns = [
            pair for item, parent in items_with_parents(record, self.ids_of(record)) for pair in _places(item, parent)
        ]
        names = [place.name for place, _ in columns]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            items = senders_text(", ".join(doubled[:5]), f"{len(doubled)} of them")
            raise DataError(
                RULE, words("names items of {record} twice: {items}", record=our_text(record.name), items=items)
            )
        book = Codebook(
            names,
            {place.name: item.label for place, item in columns if item.label},
            {place.name: item.values for place, item in columns if item.values},
            {place.name: item.missing for place, item in columns if item.missing},
        )
        return Description(book, {place.name: place for place, _ in columns})


def items_with_parents(record: Record, ids: list[Item]) -> list[tuple[Item, Item | None]]:
    """The identification and items of a record, each subitem with the item that it is part of."""
    pairs: list[tuple[Item, Item | None]] = [(item, None) for item in ids]
    parent: Item | None = None
    for item in record.items:
        pairs.append((item, parent if item.subitem else None))
        parent = parent if item.subitem else item
    return pairs


def _places(item: Item, parent: Item | None) -> list[tuple[Place, Item]]:
    """The places of an item; a subitem stands in each occurrence of its parent."""
    repeated, step = (parent.occurrences, parent.width) if parent and parent.occurrences > 1 else (1, 0)
    if repeated == 1 and item.occurrences > 1:
        repeated, step = item.occurrences, item.width
    decimals = 0 if item.decimal_mark else item.decimals
    return [
        (
            Place(
                f"{item.name}({number + 1})" if repeated > 1 else item.name,
                item.start + number * step,
                item.width,
                decimals,
                item.numeric,
                item.zero_fill,
            ),
            item,
        )
        for number in range(repeated)
    ]
