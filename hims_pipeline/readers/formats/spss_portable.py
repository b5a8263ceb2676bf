"""SPSS portable files (.por): what the file says about itself and its values, read from its tags.

The library that reads them drops codes that are declared missing, and their declaration, without a word; so the tags
are read here, and the library is the second look (`spss`). A portable file is text in lines of 80 characters:
records with a tag of one letter, numbers to the base of 30 that end in `/`, texts behind their length, which counts
bytes. Numbers are kept to fifteen digits, as many as the format holds; letters are UTF-8 where they can be, else
windows-1252.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd

from hims_pipeline.errors import DataError
from hims_pipeline.words import words

_WIDTH, _HEAD = 80, 464  # characters of a line, and those up to the end of the signature `SPSSPORT`
_NUMBER = re.compile(
    r" *(?:\*[^/]|(-?)([0-9A-T]*)(?:\.([0-9A-T]*))?(?:([-+])([0-9A-T]{1,2}))?/)"
)  # a power of more digits is none that a number has
_LOWEST, _HIGHEST = -1.7976931348623157e308, 1.7976931348623157e308  # as SPSS writes LOWEST and HIGHEST
_FORMATS = {
    1: "A", 2: "AHEX", 5: "F", 16: "E", 20: "DATE", 21: "TIME", 22: "DATETIME", 23: "ADATE", 24: "JDATE", 25: "DTIME",
    28: "MOYR", 29: "QYR", 30: "WKYR", 38: "EDATE", 39: "SDATE",
}  # fmt: skip
_LAST_CASE = "Z"
_BEYOND = re.compile("[\x80-\xff]")
Value = float | str | None


@dataclass
class Portable:
    """A portable file; the members that `pyreadstat` gives of other SPSS files are called as there.

    Args:
        missing_ranges: name -> values declared missing, each with its ends `lo` and `hi`.
        cases: the values, case by case; a letter of a text stands for a byte.
    """

    column_names: list[str] = field(default_factory=list)
    column_names_to_labels: dict[str, str] = field(default_factory=dict)
    original_variable_types: dict[str, str] = field(default_factory=dict)
    readstat_variable_types: dict[str, str] = field(default_factory=dict)
    missing_ranges: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    variable_value_labels: dict[str, dict[Value, str]] = field(default_factory=dict)
    cases: list[list[Value]] = field(default_factory=list)

    @property
    def number_rows(self) -> int:
        return len(self.cases)

    def frame(self) -> pd.DataFrame:
        """The values as the library for other SPSS files gives them: floats, and texts."""
        return self._make_frame(_letters)

    def masked_frame(self) -> pd.DataFrame:
        """The same with a question mark for each byte beyond ASCII."""
        return self._make_frame(lambda text: _BEYOND.sub("?", text))

    def _make_frame(self, write: Callable[[str], str]) -> pd.DataFrame:
        columns = zip(*self.cases, strict=True) if self.cases else ([] for _ in self.column_names)
        made = {}
        for name, values in zip(self.column_names, columns, strict=True):
            if self.readstat_variable_types[name] == "double":
                made[name] = pd.Series(list(values), dtype=float)
            else:
                made[name] = pd.Series([write(str(value)) for value in values], dtype=object)
        return pd.DataFrame(made)


def read_portable(path: Path) -> Portable:
    """Read a whole file.

    Raises:
        DataError: it is cut off, or a record in it is none of the format.
    """
    made = _Tags("".join(_lines(path)), _HEAD)
    try:
        return made.read()
    except (ValueError, IndexError, KeyError, AttributeError, OverflowError, ZeroDivisionError):
        pass  # and raise outside: the error may quote the file
    raise DataError("ENVELOPE-DAMAGED", words("is incomplete or damaged; send it again"))


def mask(path: Path, target: Path) -> Path:
    """Copy a file to `target`, whole lines with a question mark for each byte beyond ASCII, and return it."""
    target.write_text("".join(f"{_BEYOND.sub('?', line)}\r\n" for line in _lines(path)), encoding="ascii", newline="")
    return target


def _lines(path: Path) -> list[str]:
    """The lines with the blanks at their ends, which may be missing; a letter stands for a byte."""
    text = path.read_bytes().decode("latin-1").replace("\r\n", "\n").removesuffix("\n")
    return [line.ljust(_WIDTH) for line in text.split("\n")]


def _letters(text: str) -> str:
    """A text as it was meant; here a letter stands for a byte."""
    raw = text.encode("latin-1")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252")


class _Tags:
    """The records of a file, one behind the other; whatever is not as it must be raises."""

    def __init__(self, text: str, place: int) -> None:
        self.text, self.place = text, place
        self.portable = Portable()
        self.name, self.count = "", 0

    def read(self) -> Portable:
        if self.letter() != "A":
            raise ValueError
        self.string(), self.string()  # the day and the time it was made
        known: dict[str, Callable[[], object]] = {
            **dict.fromkeys("1236", self.string), "4": self.read_variables, "5": self.number, "7": self.read_variable,
            "8": self.read_single, "9": self.read_lowest, "A": self.read_highest, "B": self.read_between,
            "C": self.read_label, "D": self.read_labels,
            "E": self.read_documents,
        }  # fmt: skip
        while (tag := self.letter()) != "F":
            known[tag]()
        self.read_data()
        return self.portable

    def letter(self) -> str:
        self.place += 1
        return self.text[self.place - 1]

    def number(self) -> float | None:
        match = _NUMBER.match(self.text, self.place)
        if match is None:
            raise ValueError
        self.place = match.end()
        sign, whole, behind, direction, power = match.groups()
        if whole is None:
            return None  # `*.`, the system's missing value
        if not whole and not behind:
            raise ValueError
        value = Fraction(int(whole or "0", 30))
        if behind:
            value += Fraction(int(behind, 30), 30 ** len(behind))
        if power:
            value *= Fraction(30) ** (int(power, 30) * (1 if direction == "+" else -1))
        return float(f"{float(-value if sign else value):.15g}")

    def integer(self) -> int:
        value = self.number()
        if value is None or value != int(value) or value < 0:
            raise ValueError
        return int(value)

    def string(self) -> str:
        length = self.integer()
        text = self.text[self.place : self.place + length]
        if len(text) < length:
            raise ValueError
        self.place += length
        return text

    def value(self) -> Value:
        return self.string() if self.portable.readstat_variable_types[self.name] == "string" else self.number()

    def read_variables(self) -> None:
        self.count = self.integer()

    def read_variable(self) -> None:
        width, self.name = self.integer(), self.string()
        kind, length, decimals, *_ = [self.integer() for _ in range(6)]
        form = _FORMATS.get(kind, "F")
        self.portable.column_names.append(self.name)
        self.portable.original_variable_types[self.name] = f"{form}{length}" + (f".{decimals}" if form == "F" else "")
        self.portable.readstat_variable_types[self.name] = "string" if width else "double"

    def declare(self, low: Value, high: Value) -> None:
        self.portable.missing_ranges.setdefault(self.name, []).append({"lo": low, "hi": high})

    def read_single(self) -> None:
        value = self.value()
        self.declare(value, value)

    def read_lowest(self) -> None:
        self.declare(_LOWEST, self.number())

    def read_highest(self) -> None:
        self.declare(self.number(), _HIGHEST)

    def read_between(self) -> None:
        self.declare(self.number(), self.number())

    def read_label(self) -> None:
        self.portable.column_names_to_labels[self.name] = _letters(self.string())

    def read_labels(self) -> None:
        names = [self.string() for _ in range(self.integer())]
        self.name = names[0]
        labels = {self.value(): _letters(self.string()) for _ in range(self.integer())}
        self.portable.variable_value_labels |= dict.fromkeys(names, labels)

    def read_documents(self) -> None:
        for _ in range(self.integer()):
            self.string()

    def read_data(self) -> None:
        names = self.portable.column_names
        if not names or len(names) != self.count or len(set(names)) < len(names):
            raise ValueError
        while self.text[self.place] != _LAST_CASE:
            case = []
            for self.name in names:
                value = self.value()
                case.append(value.rstrip() if isinstance(value, str) else value)
            self.portable.cases.append(case)
