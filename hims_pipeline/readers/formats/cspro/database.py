"""CSPro's database (.csdb), which is SQLite: a table for each record of the dictionary, one for each level with the
identification, and `cases`, which tells which of them are deleted or were never finished.

It names its columns itself, so no dictionary has to come with it. Not here: data files of text (`data`).
"""

import csv
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from hims_pipeline.contracts.formats import Format
from hims_pipeline.errors import DataError
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.findings import block, refuses, warn
from hims_pipeline.readers.formats.cells import text_of
from hims_pipeline.readers.formats.cspro.dictionary import RULE
from hims_pipeline.readers.shape import TableShape, fit_header
from hims_pipeline.readers.table import Table
from hims_pipeline.readers.typing.parts import numbered_part
from hims_pipeline.sql import quote
from hims_pipeline.words import join_words, our_text, senders_text, words

_CASES = "cases"
_OURS = ("occ",)  # columns beside the items; a record's own number and its level's end in `-id`


def open_database(shape: TableShape, member: Member, scratch: Path) -> tuple[Table | None, list[Finding]]:
    """The table of one record; a record without a row is no finding where its entity is not required."""
    try:
        with _connect(member.path) as con:
            return _open(con, shape, member, scratch)
    except DataError as error:
        return None, [block(error.rule, error.message, member.shown, entity=shape.name)]


def record_columns(path: Path) -> dict[str, list[str]]:
    """Record -> names of its columns, those of its identification first.

    Raises:
        DataError: it is damaged, or no database of CSPro.
    """
    with _connect(path) as con:
        tables = _tables(con)
        return {record: list(_join_levels(record, tables)[0]) for record in _records(tables)}


@contextmanager
def _connect(path: Path) -> Iterator[sqlite3.Connection]:
    damaged = False
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as con:
            yield con
    except sqlite3.DatabaseError:
        damaged = True  # and raise outside: the error may quote the file
    if damaged:
        message = words("is incomplete or damaged; close the case file in CSPro, copy it whole, and send it again")
        raise DataError("ENVELOPE-DAMAGED", message)


def _open(
    con: sqlite3.Connection, shape: TableShape, member: Member, scratch: Path
) -> tuple[Table | None, list[Finding]]:
    if con.execute("pragma quick_check(1)").fetchall() != [("ok",)]:
        raise sqlite3.DatabaseError
    tables = _tables(con)
    record = _record(shape.format.record or "", tables)
    columns, joined = _join_levels(record, tables)
    _require_cases(con, record, joined)
    relation = f"{joined} where {_CASES}.deleted = 0"
    as_agreed = {name.upper(): name for name in shape.header}  # CSPro has one name in any case
    columns = {as_agreed.get(name.upper(), name): sql for name, sql in columns.items()}
    shape, findings = fit_header(shape, list(columns), member.shown, ordered=False)
    if refuses(findings):
        return None, findings
    findings += _find_left_out(con, shape, relation, member) + _unread(con, tables, member)
    header = tuple(shape.header[position] for position in shape.positions)
    shape = replace(shape, header=header, positions=tuple(range(len(header))))
    target = scratch / "record.txt"
    rows = _write(con, record, [columns[name] for name in header], relation, target)
    if not rows and not shape.entity.required:
        return None, findings
    return Table([numbered_part(shape, Format(), target)], rows), findings


def _tables(con: sqlite3.Connection) -> dict[str, list[str]]:
    """Name -> columns of each table."""
    names = [name for (name,) in con.execute("select name from sqlite_master where type = 'table'").fetchall()]
    tables = {name: [row[1] for row in con.execute(f"pragma table_info({quote(name)})")] for name in names}
    if _CASES not in tables or not {"id", "deleted"} <= set(tables[_CASES]) or "level-1" not in tables:
        raise DataError("ENVELOPE-KIND", words("is an SQLite database, but none of CSPro's cases (.csdb)"))
    return tables


def _level_of(columns: list[str]) -> str:
    return next(
        (name.removesuffix("-id") for name in columns if name.startswith("level-") and name.endswith("-id")), ""
    )


def _records(tables: dict[str, list[str]]) -> list[str]:
    return [name for name, columns in tables.items() if not name.startswith("level-") and _level_of(columns)]


def _record(wanted: str, tables: dict[str, list[str]]) -> str:
    records = _records(tables)
    for name in records:
        if name.upper() == wanted.upper():
            return name
    others = senders_text(", ".join(records), f"{len(records)} other(s)")
    raise DataError(RULE, words("has no record {name}, only {others}", name=our_text(wanted), others=others))


def _items(table: str, columns: list[str]) -> list[str]:
    keys = {f"{table}-id", "case-id", *_OURS}
    return [name for name in columns if name not in keys and not (name.startswith("level-") and name.endswith("-id"))]


def _join_levels(record: str, tables: dict[str, list[str]]) -> tuple[dict[str, str], str]:
    """A record's columns by name, the identification of its levels first, and SQL of its rows beside their cases."""
    columns = _qualify_items(record, tables)
    relation, level, below = quote(record), _level_of(tables[record]), record
    for number in range(int(level.removeprefix("level-")), 0, -1):
        key = f"level-{number}-id"
        relation += (
            f" join {quote(f'level-{number}')} on {quote(below)}.{quote(key)} = {quote(f'level-{number}')}.{quote(key)}"
        )
        below = f"level-{number}"
        columns = _qualify_items(below, tables) | columns
    relation += f" join {_CASES} on {quote(below)}.{quote('case-id')} = {_CASES}.id"
    return columns, relation


def _require_cases(con: sqlite3.Connection, record: str, joined: str) -> None:
    """
    Raises:
        DataError: rows of a record belong to no case, or to one of which it is not known whether it was deleted.
    """
    known = f"select count(*) from {joined} where {_CASES}.deleted in (0, 1)"
    [(rows, in_cases)] = con.execute(f"select (select count(*) from {quote(record)}), ({known})").fetchall()
    if rows != in_cases:
        message = words(
            "is damaged: of {rows:,} rows of a record {in_cases:,} belong to a case. Repair it with CSPro and "
            "send it again",
            rows=rows,
            in_cases=in_cases,
        )
        raise DataError("ENVELOPE-DAMAGED", message)


def _qualify_items(table: str, tables: dict[str, list[str]]) -> dict[str, str]:
    """Item -> SQL; a level's items may be called as columns of `cases` are."""
    return {name: f"{quote(table)}.{quote(name)}" for name in _items(table, tables[table])}


def _find_left_out(con: sqlite3.Connection, shape: TableShape, relation: str, member: Member) -> list[Finding]:
    """Rows of cases that nobody finished: they are not read, and that is told."""
    if not _has_partial(con):
        return []
    [(count,)] = con.execute(f"select count(*) from {relation} and not {_finished_cases_sql()}").fetchall()
    message = words("rows of cases that were saved before they were finished are left out. Finish or delete them")
    return [warn("ENVELOPE-PARTIAL", message, member.shown, entity=shape.name, count=count)] if count else []


def _has_partial(con: sqlite3.Connection) -> bool:
    return any(row[1] == "partial_save_mode" for row in con.execute(f"pragma table_info({_CASES})"))


def _finished_cases_sql() -> str:
    return f"(coalesce({_CASES}.partial_save_mode, '') in ('', '0'))"


def _unread(con: sqlite3.Connection, tables: dict[str, list[str]], member: Member) -> list[Finding]:
    """Records with rows that no entity is read from."""
    read, records = {name.upper() for name in member.records}, _records(tables)
    counts = {
        name: con.execute(f"select count(*) from {quote(name)}").fetchone()[0]
        for name in records
        if read and name.upper() not in read
    }
    if not any(counts.values()):
        return []
    unread_text = join_words(
        words("{name} ({count:,} rows)", name=senders_text(name, f"record {records.index(name) + 1}"), count=count)
        for name, count in sorted(counts.items())
        if count
    )
    message = words("holds records that the contract reads into no entity: {records}", records=unread_text)
    return [warn("ENVELOPE-UNREAD-RECORD", message, member.shown)]


def _write(con: sqlite3.Connection, record: str, columns: list[str], relation: str, target: Path) -> int:
    """Write the rows as text, numbered from 1; returns how many."""
    rows = 0
    finished = f" and {_finished_cases_sql()}" if _has_partial(con) else ""
    cursor = con.execute(f"select {', '.join(columns)} from {relation}{finished} order by {quote(record)}.rowid")
    with target.open("w", encoding="utf-8", newline="") as file:
        for rows, texts in enumerate(_texts(cursor), 1):
            csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow([rows, *texts])
    return rows


def _texts(cursor: sqlite3.Cursor) -> Iterator[list[str]]:
    plain = Format()
    for row in cursor:
        if any(isinstance(cell, bytes) for cell in row):
            raise DataError("ENVELOPE-SCHEMA", words("holds binary values (a photo, a sound) in a column that is read"))
        yield [text_of(cell, plain).rstrip() for cell in row]
