"""Variables at fixed places of a line, and the SQL that writes their values there."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from hims_pipeline.sql import literal, quote

Label = str | Mapping[str, str]  # a text, or one a language
Code = int | str


@dataclass(frozen=True)
class Variable:
    """One variable of a fixed-width file or of a CSPro record.

    Args:
        name: of the column in the query, and in the codebook.
        width: characters, all signs and points included.
        numeric: numbers stand at the right end of their field, texts at the left.
        decimals: digits behind the point, which is written only where `decimal_mark`.
        zero_fill: pad with zeros instead of blanks; a missing value stays blank.
        values: code -> label.
        special: code -> MISSING, REFUSED or NOTAPPL, for codes that stand for no value.
        occurrences: how often it stands in a line; the query's columns are then `NAME(1)`, `NAME(2)`, …
    """

    name: str
    width: int
    label: Label = ""
    numeric: bool = True
    decimals: int = 0
    decimal_mark: bool = False
    zero_fill: bool = False
    values: Mapping[Code, Label] = field(default_factory=dict)
    special: Mapping[Code, str] = field(default_factory=dict)
    occurrences: int = 1

    @property
    def columns(self) -> list[str]:
        if self.occurrences == 1:
            return [self.name]
        return [f"{self.name}({number})" for number in range(1, self.occurrences + 1)]

    def field(self, column: str) -> str:
        """SQL: a value as `width` characters; one that does not fit is an error."""
        text = f"{quote(column)}::varchar"
        if self.decimals:
            text = f"{quote(column)}::decimal(38, {self.decimals})::varchar"
            text = text if self.decimal_mark else f"replace({text}, '.', '')"
        pad = f"lpad({text}, {self.width}, ' ')" if self.numeric else f"rpad({text}, {self.width}, ' ')"
        if self.zero_fill:
            # The sign stands before the zeros.
            pad = (
                f"case when {text} like '-%' then '-' || lpad(substr({text}, 2), {self.width - 1}, '0') "
                f"else lpad({text}, {self.width}, '0') end"
            )
        wide = literal(f"{column} is wider than {self.width} characters")
        return (
            f"case when {quote(column)} is null then {literal(' ' * self.width)} "
            f"when length({text}) > {self.width} then error({wide})::varchar else {pad} end"
        )


def fixed_width_line(variables: Sequence[Variable], before: str = "") -> str:
    """SQL: the fields of a line one behind the other."""
    fields = [variable.field(column) for variable in variables for column in variable.columns]
    return " || ".join([*([before] if before else []), *fields])


def label_texts(label: Label, languages: Iterable[str]) -> list[str]:
    """The label in each language; one text where there are no languages."""
    if isinstance(label, str):
        return [label]
    return [label.get(language, "") for language in languages]


def write_lines(con: duckdb.DuckDBPyConnection, query: str, path: Path, encoding: str = "utf-8") -> Path:
    """Write a query's one column of lines, in its order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = path if encoding == "utf-8" else path.with_name(f".{path.name}.utf8")
    con.execute(f"copy ({query}) to {literal(plain)} (format csv, header false, delimiter '\x01', quote '', escape '')")
    if plain != path:
        with (
            plain.open(encoding="utf-8", newline="") as source,
            path.open("w", encoding=encoding, newline="") as target,
        ):
            shutil.copyfileobj(source, target, 1 << 20)
        plain.unlink()
    return path
