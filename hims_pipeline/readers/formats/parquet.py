"""Parquet: its schema against the contract, its values as the texts that every format is checked by.

A value is told as it would be written in a text file, so a float column that holds whole numbers says `3.0` and needs
`zero_fraction`; NaN is no value.
"""

import re
from pathlib import Path

import duckdb

from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.formats import Format
from hims_pipeline.errors import DataError
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.files.signatures import NAMES, kind_of
from hims_pipeline.readers.findings import block, refuses
from hims_pipeline.readers.formats.cells import MOST
from hims_pipeline.readers.shape import TableShape, fit_header
from hims_pipeline.readers.table import Table
from hims_pipeline.readers.typing.parts import NO_TEXTS, TextPart, null_texts, open_for_parts
from hims_pipeline.settings import Settings
from hims_pipeline.sql import literal, quote, read_parquet
from hims_pipeline.words import our_text, words

_NESTED = ("STRUCT", "MAP", "UNION", "BLOB", "BIT")
_TIMES = ("TIMESTAMP",)
_OF_IDENTIFIERS = re.compile(r"VARCHAR|ENUM.*|UUID|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL\(\d+,0\)")
_MOST = {"FLOAT": 2**24, "DOUBLE": MOST}  # whole numbers up to here have all of their digits


def open_table(
    settings: Settings, shape: TableShape, member: Member, _scratch: Path
) -> tuple[Table | None, list[Finding]]:
    """The table of a Parquet file, or what is wrong with its envelope."""
    if (kind := kind_of(member.path)) != "parquet":
        message = words("is {kind}; a Parquet file is expected", kind=our_text(NAMES[kind]))
        return None, [_finding(shape, member, "ENVELOPE-KIND", message)]
    source = read_parquet(member.path)
    try:
        rows, described = _describe(settings, member.path)
    except DataError as error:
        return None, [_finding(shape, member, error.rule, error.message)]
    shape, findings = fit_header(shape, [name for name, _, _ in described], member.shown, ordered=False)
    if refuses(findings):
        return None, findings
    types, called = {name: kind for name, _, kind in described}, {name: other for name, other, _ in described}
    unfit = _unfit_types(shape, member, types)
    if unfit := unfit or find_lost_digits(settings, shape, source, types, called, member):
        return None, unfit
    everything = ", ".join(f"max({quote(name)})" for _, name, _ in described)
    return Table([texts_of(shape, source, types, called)], rows, probe=f"select {everything} from {source}"), findings


def parquet_names(settings: Settings, path: Path) -> tuple[list[str], list[str]]:
    """Column names of a Parquet file, and those among them that hold lists or structures.

    Raises:
        DataError: it is damaged.
    """
    _, described = _describe(settings, path)
    return [name for name, *_ in described], [name for name, _, kind in described if _is_nested(kind)]


def texts_of(
    shape: TableShape,
    source: str,
    types: dict[str, str],
    called: dict[str, str],
    whole: bool = False,
    number: str = "",
) -> TextPart:
    """The texts of a typed relation.

    Args:
        types: name in the file -> DuckDB type.
        called: name in the file -> its name in `source`; SQL has one name for `sex` and `Sex`.
        whole: floats that are whole numbers are written without a fraction: their format knows no integers.
        number: SQL for the record number; by default rows are counted from 1.
    """
    texts = []
    for place, (column, position) in enumerate(zip(shape.columns, shape.positions, strict=True)):
        name = shape.header[position]
        text = _text(quote(called[name]), types[name], column, shape.format, whole)
        texts.append(f"{_nullif(text)} as t{place}")
    return TextPart(f"select {', '.join(texts) or NO_TEXTS} from {source}", number or "row_number() over ()")


def _describe(settings: Settings, path: Path) -> tuple[int, list[tuple[str, str, str]]]:
    """Rows by the footer; of each column its name, DuckDB's name for it (two alike get two), and its DuckDB type."""
    try:
        with open_for_parts(settings) as con:
            types = con.execute(f"describe select * from {read_parquet(path)}").fetchall()
            names = _top_level(
                con.execute(f"select name, num_children from parquet_schema({literal(path)})").fetchall()
            )
            [(rows,)] = con.execute(f"select num_rows from parquet_file_metadata({literal(path)})").fetchall()
        return rows, [(name, called, kind) for name, (called, kind, *_) in zip(names, types, strict=True)]
    except duckdb.Error:
        pass  # and raise outside: the original error may quote the file
    raise DataError("ENVELOPE-DAMAGED", words("is incomplete or damaged; send it again"))


def _top_level(elements: list[tuple[str, int | None]]) -> list[str]:
    """Names of the columns of a schema, which lists its elements depth first, its root before all."""
    names, inside = [], [0]
    for name, children in elements:
        if len(inside) == 2:
            names.append(name)
        inside[-1] -= 1
        if children:
            inside.append(children)
        while len(inside) > 2 and inside[-1] == 0:
            inside.pop()
    return names


def _unfit_types(shape: TableShape, member: Member, types: dict[str, str]) -> list[Finding]:
    findings = []
    for column, position in zip(shape.columns, shape.positions, strict=True):
        kind = types[shape.header[position]]
        if column.sensitivity == "identifier" and not _OF_IDENTIFIERS.fullmatch(kind) and not _is_nested(kind):
            message = words(
                "is stored as {kind}, which loses digits and zeros in front; store it as text in the register itself",
                kind=our_text("a floating-point number" if kind in _MOST else kind.split("(")[0]),
            )
            findings.append(block("ENVELOPE-IDENTIFIER", message, member.shown, entity=shape.name, column=column.name))
        if _is_nested(kind):
            plain = our_text(next((one for one in _NESTED if kind.startswith(one)), "LIST"))
            message = words("is of the Parquet type {kind}, which holds no single value; send a plain type", kind=plain)
            findings.append(block("ENVELOPE-SCHEMA", message, member.shown, entity=shape.name, column=column.name))
    return findings


def _is_nested(kind: str) -> bool:
    return kind.startswith(_NESTED) or kind.endswith("]")


def find_lost_digits(
    settings: Settings, shape: TableShape, source: str, types: dict[str, str], called: dict[str, str], member: Member
) -> list[Finding]:
    """Floats of more digits than they keep, in columns that tell rows apart: two households would have one number."""
    asked = {}
    for column, position in zip(shape.columns, shape.positions, strict=True):
        kind, stored = types[shape.header[position]], quote(called[shape.header[position]])
        if kind in _MOST and column.name in shape.entity.telling_columns:
            asked[column.name] = f"count(*) filter (abs({stored}) >= {_MOST[kind]} and isfinite({stored}))"
    if not asked:
        return []
    with open_for_parts(settings) as con:
        [counts] = con.execute(f"select {', '.join(asked.values())} from {source}").fetchall()
    message = words(
        "holds numbers of more digits than a floating-point number keeps, so that two of them may have become one. "
        "Store it as text, or as a whole number, in the register itself and send the file again"
    )
    return [
        block("ENVELOPE-IDENTIFIER", message, member.shown, entity=shape.name, column=name, count=count)
        for name, count in zip(asked, counts, strict=True)
        if count
    ]


def _text(name: str, kind: str, column: Column, form: Format, whole: bool) -> str:
    """SQL: a value as text."""
    if kind in ("FLOAT", "DOUBLE"):
        if kind == "FLOAT" and column.type == "number":  # its very value; else the digits that tell it from others
            name, kind = f"{name}::double", "DOUBLE"
        text = f"({name})::varchar"
        if whole:
            is_whole = f"{name} = trunc({name}) and abs({name}) < 1e15"
            text = f"case when {is_whole} then ({name})::bigint::varchar else {text} end"
        near_zero = f"case when {text} like '%e-%' then {_write_out(name, kind)} else {text} end"
        return f"case when isnan({name}) then null else {_point(near_zero, form)} end"
    if kind.startswith("DECIMAL"):
        return _point(f"{name}::varchar", form)
    if column.type == "date" and kind == "DATE":
        return f"strftime({name}, {literal(column.date_format)})"
    if column.type == "date" and kind.startswith(_TIMES):
        day = f"{name}::date"
        written = f"strftime({day}, {literal(column.date_format)})"
        return f"case when {day}::timestamp = {name}::timestamp then {written} else {name}::varchar end"
    return f"{name}::varchar"


def _write_out(name: str, kind: str) -> str:
    """SQL: a float near zero without its exponent, as people write it; with it where 38 digits cannot hold it."""
    digits = f"try_cast(({name})::varchar as decimal(38,37))::varchar"
    return f"case when {digits}::{kind} = {name} then rtrim({digits}, '0') else ({name})::varchar end"


def _nullif(text: str) -> str:
    return f"case when {text} in ({null_texts()}) then null else {text} end"


def _point(text: str, form: Format) -> str:
    return text if form.decimal == "." else f"replace({text}, '.', ',')"


def _finding(shape: TableShape, member: Member, rule: str, message: str) -> Finding:
    return block(rule, message, member.shown, entity=shape.name)
