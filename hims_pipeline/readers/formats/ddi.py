"""DDI-Codebook 1.2 to 2.5: where variables stand in a fixed-width file, their labels, and which codes are missing.

The XML comes from outside: entities are refused, nothing is fetched, and its size is limited. Expat, which reads it,
holds no tree in memory.
"""

import xml.parsers.expat as expat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hims_pipeline.errors import DataError
from hims_pipeline.readers.formats.codebook import UNKNOWN, Codebook, Description, Place
from hims_pipeline.words import Words, own, sent, words

RULE = "ENVELOPE-CODEBOOK"
MAXIMUM_BYTES = 50_000_000
_MAXIMUM_DEPTH = 50
_BLOCK = 1 << 16
_TEXTS = ("labl", "catValu", "fileName", "item")


@dataclass
class _Variable:
    name: str
    files: list[str]
    number: int  # among the variables of the codebook, from 1
    label: str = ""
    location: dict[str, str] = field(default_factory=dict)
    decimals: int = 0
    numeric: bool | None = None
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


@dataclass
class _Category:
    code: str = ""
    labels: list[str] = field(default_factory=list)
    missing: bool = False


@dataclass
class _File:
    id: str
    name: str = ""
    length: int | None = None


def read_ddi(path: Path, data_name: str) -> Description:
    """The variables of one data file, and what the codebook says of them.

    Args:
        data_name: name of the data file, which tells its variables from others where the codebook describes several.

    Raises:
        DataError: it is no DDI-Codebook, unsafe, malformed or too large, or a place in it is no number.
    """
    if path.stat().st_size > MAXIMUM_BYTES:
        message = words(
            "the codebook has more than {limit:,} bytes; send one that describes this file", limit=MAXIMUM_BYTES
        )
        raise DataError(RULE, message)
    reader = _Reader()
    reader.read(path)
    if not reader.variables:
        raise DataError(RULE, words("describes no variable; a DDI-Codebook (codeBook, dataDscr, var) is expected"))
    chosen = _file(reader, data_name)
    variables = [one for one in reader.variables if chosen is None or not one.files or chosen.id in one.files]
    names = [one.name for one in variables]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        named = sent(", ".join(doubled[:5]), f"{len(doubled)} of them")
        raise DataError(RULE, words("describes variables twice: {names}", names=named))
    book = Codebook(
        names,
        {one.name: one.label for one in variables if one.label},
        {one.name: one.values for one in variables if one.values},
        {one.name: one.missing for one in variables if one.missing},
    )
    return Description(book, {one.name: _place(one) for one in variables}, chosen.length if chosen else None)


def _file(reader: "_Reader", data_name: str) -> _File | None:
    if len(reader.files) < 2:
        return reader.files[0] if reader.files else None
    stem = data_name.lower().rsplit(".", 1)[0]
    named = [one for one in reader.files if one.name.lower().rsplit(".", 1)[0] == stem]
    if len(named) != 1:
        message = words(
            "describes {count} files, but none (or more than one) is called {name}",
            count=len(reader.files),
            name=sent(data_name, "as the data file is"),
        )
        raise DataError(RULE, message)
    return named[0]


def _place(variable: _Variable) -> Place:
    location, name = variable.location, sent(variable.name, f"variable {variable.number}")
    start, end, width = (_number(name, location.get(place)) for place in ("StartPos", "EndPos", "width"))
    if start is None or (end is None and width is None):
        message = words("does not say where {name} stands (location: StartPos, and EndPos or width)", name=name)
        raise DataError(RULE, message)
    if end is not None and width is not None and end - start + 1 != width:
        message = words(
            "{name} stands from {start} to {end}, which is not its width, {width}",
            name=name,
            start=start,
            end=end,
            width=width,
        )
        raise DataError(RULE, message)
    wide = width if width is not None else (end or 0) - start + 1
    if start < 1 or wide < 1:
        message = words(
            "{name} stands from {start} to {end}, which is no place in a line",
            name=name,
            start=start,
            end=start + wide - 1,
        )
        raise DataError(RULE, message)
    return Place(variable.name, start, wide, variable.decimals, variable.numeric)


def _number(name: Words, text: str | None) -> int | None:
    if text is None or not text.strip():
        return None
    try:
        return int(text)
    except ValueError:
        raise DataError(RULE, words("a place or width of {name} is no number", name=name)) from None


class _Reader:
    """Follows the elements that matter; all others are passed over."""

    def __init__(self) -> None:
        self.files: list[_File] = []
        self.variables: list[_Variable] = []
        self.path: list[str] = []
        self.category: _Category | None = None
        self.text: list[str] | None = None

    def read(self, path: Path) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = _doctype
        parser.EntityDeclHandler = _entity
        parser.ExternalEntityRefHandler = _entity
        try:
            for block in _blocks(path):
                parser.Parse(block, False)
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            place, what = error.lineno, own(expat.ErrorString(error.code))
        else:
            return
        message = words(
            "is no well-formed XML (line {line:,}: {what}); it may be cut off: send it again", line=place, what=what
        )
        raise DataError(RULE, message)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        self.path.append(tag)
        if len(self.path) > _MAXIMUM_DEPTH:
            raise DataError(RULE, words("has elements nested more than {limit} deep", limit=_MAXIMUM_DEPTH))
        if len(self.path) == 1 and tag != "codeBook":
            raise DataError(RULE, words("is no DDI-Codebook: its root element is not codeBook"))
        self.text = [] if tag in _TEXTS else None
        if tag == "fileDscr":
            self.files.append(_File(attributes.get("ID", "")))
        elif tag == "logRecL":
            self.text = []
        elif tag == "var":
            self.variables.append(_variable(attributes, len(self.variables) + 1))
        elif tag == "catgry":
            self.category = _Category(missing=attributes.get("missing", "N").upper() in ("Y", "YES"))
        elif self.variables and "var" in self.path:
            _detail(self.variables[-1], tag, attributes)

    def _characters(self, text: str) -> None:
        if self.text is not None:
            self.text.append(text)

    def _end(self, name: str) -> None:
        tag, parent = self.path.pop(), self.path[-1] if self.path else ""
        text = " ".join("".join(self.text or ()).split())
        self.text = None
        if tag == "fileName" and self.files:
            self.files[-1].name = text
        elif tag == "logRecL" and self.files:
            self.files[-1].length = _number(words("the record"), text)
        elif tag == "labl" and parent == "var" and not self.variables[-1].label:
            self.variables[-1].label = text
        elif self.category is not None:
            self._category(tag, parent, text)

    def _category(self, tag: str, parent: str, text: str) -> None:
        assert self.category is not None
        if tag == "catValu":
            self.category.code = text
        elif tag == "labl" and parent == "catgry":
            self.category.labels.append(text)
        elif tag == "catgry":
            variable, code = self.variables[-1], self.category.code
            if code:
                variable.values[code] = tuple(self.category.labels)
            if code and self.category.missing:
                variable.missing[code] = UNKNOWN
            self.category = None


def _variable(attributes: dict[str, str], number: int) -> _Variable:
    decimals = _number(words("a variable"), attributes.get("dcml")) or 0
    return _Variable(attributes.get("name", ""), attributes.get("files", "").split(), number, decimals=decimals)


def _detail(variable: _Variable, tag: str, attributes: dict[str, str]) -> None:
    if tag == "location" and not variable.location:
        variable.location = attributes
    elif tag == "varFormat" and attributes.get("type") in ("numeric", "character"):
        variable.numeric = attributes["type"] == "numeric"
    elif tag == "item" and (code := attributes.get("VALUE")):
        variable.missing[code] = UNKNOWN  # invalrng: values that are none


def _doctype(name: str, system: str | None, public: str | None, internal: bool) -> None:
    """Older codebooks name their DTD, which is not fetched; one of their own inside the file is refused."""
    if internal:
        raise DataError(RULE, words("brings declarations of its own (a DTD inside the file); send it without them"))


def _entity(*_: object) -> int:
    raise DataError(RULE, words("declares or uses entities, which are not read; send it without them"))


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
