"""The elements of a DDI-Codebook that matter here, as they stand in it; `ddi` makes sense of them.

The XML comes from outside: entities are refused, nothing is fetched, and its size is limited. Expat, which reads it,
holds no tree in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from hims_pipeline.errors import DataError
from hims_pipeline.readers.formats.codebook import UNKNOWN
from hims_pipeline.words import Words, our_text, words

RULE = "ENVELOPE-CODEBOOK"
_MAXIMUM_DEPTH = 50
_BLOCK = 1 << 16
_TEXTS = ("labl", "catValu", "fileName")


@dataclass
class DdiVariable:
    """A variable; `number` is its place in the codebook, from 1, `ranges` are attributes of ranges that are invalid."""

    name: str
    files: list[str]
    number: int
    label: str = ""
    location: dict[str, str] = field(default_factory=dict)
    decimals: int = 0
    numeric: bool | None = None
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    ranges: list[dict[str, str]] = field(default_factory=list)
    records: list[str] = field(default_factory=list)


@dataclass
class DdiGroup:
    """One type of record: attributes of a `recGrp`, and its label."""

    attributes: dict[str, str]
    label: str = ""

    @property
    def type(self) -> str:
        return self.attributes.get("rectype", "").strip()


@dataclass
class DdiFile:
    """A data file, with the names it goes by and the types of records in it."""

    id: str
    names: list[str] = field(default_factory=list)
    length: int | None = None
    groups: list[DdiGroup] = field(default_factory=list)


@dataclass
class _Category:
    code: str = ""
    labels: list[str] = field(default_factory=list)
    missing: bool = False


def number(name: Words, text: str | None) -> int | None:
    """A whole number that an attribute holds; None where it is empty.

    Raises:
        DataError: it is something else.
    """
    if text is None or not text.strip():
        return None
    try:
        return int(text)
    except ValueError:
        raise DataError(RULE, words("a place or width of {name} is no number", name=name)) from None


class Reader:
    """Follows the elements that matter; all others are passed over."""

    def __init__(self) -> None:
        self.files: list[DdiFile] = []
        self.variables: list[DdiVariable] = []
        self.path: list[str] = []
        self.category: _Category | None = None
        self.text: list[str] | None = None

    def read(self, path: Path) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._read_characters
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.EntityDeclHandler = _entity
        parser.ExternalEntityRefHandler = _entity
        try:
            for block in _blocks(path):
                parser.Parse(block, False)
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            place, what = error.lineno, our_text(expat.ErrorString(error.code))
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
            self.files.append(DdiFile(attributes.get("ID", "")))
        elif tag == "logRecL":
            self.text = []
        elif tag == "recGrp" and self.files:
            self.files[-1].groups.append(DdiGroup(attributes))
        elif tag == "var":
            self.variables.append(_variable(attributes, len(self.variables) + 1))
        elif tag == "catgry":
            self.category = _Category(missing=attributes.get("missing", "N").upper() in ("Y", "YES"))
        elif self.variables and "var" in self.path:
            _read_detail(self.variables[-1], tag, attributes, "invalrng" in self.path)

    def _read_characters(self, text: str) -> None:
        if self.text is not None:
            self.text.append(text)

    def _end(self, _name: str) -> None:
        tag, parent = self.path.pop(), self.path[-1] if self.path else ""
        text = " ".join("".join(self.text or ()).split())
        self.text = None
        if tag == "fileName" and self.files:
            self.files[-1].names.append(text)
        elif tag == "labl" and parent == "recGrp" and self.files and not self.files[-1].groups[-1].label:
            self.files[-1].groups[-1].label = text
        elif tag == "logRecL" and self.files:
            self.files[-1].length = number(words("the record"), text)
        elif tag == "labl" and parent == "var" and not self.variables[-1].label:
            self.variables[-1].label = text
        elif self.category is not None:
            self._read_category(tag, parent, text)

    def _read_category(self, tag: str, parent: str, text: str) -> None:
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


def _variable(attributes: dict[str, str], place: int) -> DdiVariable:
    decimals = number(words("a variable"), attributes.get("dcml")) or 0
    name, files, records = (attributes.get(key, "") for key in ("name", "files", "rectype"))
    return DdiVariable(name, files.split(), place, decimals=decimals, records=records.split())


def _read_detail(variable: DdiVariable, tag: str, attributes: dict[str, str], is_invalid: bool) -> None:
    if tag == "location" and not variable.location:
        variable.location = attributes
    elif tag == "varFormat" and attributes.get("type") in ("numeric", "character"):
        variable.numeric = attributes["type"] == "numeric"
    elif tag == "item" and is_invalid and (code := attributes.get("VALUE")):
        variable.missing[code] = UNKNOWN
    elif tag == "range" and is_invalid:
        variable.ranges.append(attributes)


def _refuse_doctype(_name: str, _system: str | None, _public: str | None, internal: bool) -> None:
    """Older codebooks name their DTD, which is not fetched; one of their own inside the file is refused."""
    if internal:
        raise DataError(RULE, words("brings declarations of its own (a DTD inside the file); send it without them"))


def _entity(*_: object) -> int:
    raise DataError(RULE, words("declares or uses entities, which are not read; send it without them"))


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
