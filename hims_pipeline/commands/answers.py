"""How rows are printed: tables for people, CSV for spreadsheets and programs, JSON for programs.

What stands in a cell is text of others: nothing in it is markup, moves a cursor or becomes a formula. Not here: what is
asked, and of which file (`query`).
"""

import json
import math
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDTH = 160  # of what is not a terminal
NARROWEST = 8  # characters a column must get; below that a row is shown as lines of its own
LONGEST_TABLE = 5_000  # rows of a table for people; CSV and JSON have no end
# Control characters, and marks that reorder what stands around them: a terminal would act on them.
_ACTIVE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_NUMERAL = re.compile(r"[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?")
# What spreadsheets take for a formula: at the start of a text, or behind what another locale takes for a separator.
_FORMULA = re.compile(r"^(?=[\t\r\n])|^(?= *[=+\-@＝＋－＠])|(?<=[;|\t\r\n])(?=[=+\-@＝＋－＠])")


def escape_controls(text: str) -> str:
    """Text for a terminal: control characters and marks of direction are written out, as `\\x1b`."""
    return _ACTIVE.sub(lambda match: f"\\x{ord(match[0]):02x}" if ord(match[0]) < 256 else _escape(match[0]), text)


def visible_lines(text: str) -> str:
    """As `escape_controls`, but lines stay lines: for CSV and JSON that go to a terminal."""
    return "\n".join(map(escape_controls, text.split("\n")))


def _escape(character: str) -> str:
    return f"\\u{ord(character):04x}"


def format_plain(value: Any) -> str:
    """A value as text, as DuckDB would write it in a CSV; NULL is empty."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if isinstance(value, list | tuple | dict):
        return json_text(value)
    return str(value)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "") -> None:
    """A table for people; a row with more columns than the width holds becomes lines of `column: value`."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH, markup=False, highlight=False, emoji=False)
    texts = [[escape_controls(format_plain(value)) for value in row] for row in rows]
    names = [escape_controls(name) for name in columns]
    if len(names) * (NARROWEST + 3) > console.width:
        _print_records(console, names, texts)
        return
    shown = Table(title=Text(escape_controls(title)) if title else None, title_justify="left")
    for name in names:
        shown.add_column(Text(name), overflow="fold")
    for row in texts:
        shown.add_row(*map(Text, row))
    console.print(shown)


def _print_records(console: Console, names: list[str], rows: list[list[str]]) -> None:
    wide = max(map(len, names))
    for number, row in enumerate(rows, start=1):
        console.print(Text(f"row {number}"), style="bold")
        for name, text in zip(names, row, strict=True):
            console.print(Text(f"  {name:<{wide}}  {text}"), soft_wrap=True)


def escape_formula(text: str) -> str:
    """Text that no spreadsheet runs: an apostrophe stands before what would be a formula, as OWASP advises."""
    return text if _NUMERAL.fullmatch(text) else _FORMULA.sub("'", text)


def csv_line(row: Sequence[Any]) -> str:
    """One line of CSV (RFC 4180 quotes). NULL is nothing, an empty text is `""`, numbers stay numbers."""
    return ",".join(_csv_cell(value) for value in row) + "\n"


def _csv_cell(value: Any) -> str:
    text = format_plain(value)
    if isinstance(value, str | list | tuple | dict):
        text = escape_formula(text)
        if not text or any(mark in text for mark in ',;"\r\n\t') or text != text.strip():
            return '"' + text.replace('"', '""') + '"'
    return text


def json_text(value: Any) -> str:
    """A value in JSON. Decimals keep their digits; NaN and infinities, which JSON lacks, are texts; bytes are hex."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json_text(format_plain(k))}: {json_text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(json_text, value)) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return '"NaN"' if math.isnan(value) else f'"{"-" if value < 0 else ""}Infinity"'
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date | datetime | time):
        value = value.isoformat()
    elif isinstance(value, timedelta | UUID | bytes | bytearray):
        value = format_plain(value)
    return _ACTIVE.sub(lambda match: _escape(match[0]), json.dumps(value, ensure_ascii=False))


def make_distinct(columns: Sequence[str]) -> list[str]:
    """Column names as keys of an object: a name that comes again gets a number, and nothing is lost."""
    names: list[str] = []
    for column in columns:
        name, number = column, 1
        while name in names:
            name, number = f"{column}_{number}", number + 1
        names.append(name)
    return names
