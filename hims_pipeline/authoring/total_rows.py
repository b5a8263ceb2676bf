"""Rows of an unknown file that seem to be totals of the others: by a word in them, or by their numbers.

They are no category and no unit: taken for rows, they count everybody twice. A person decides.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from hims_pipeline.sql import literal

# How totals are called, alone or with more behind (`Total général`, `TOTAL:`), in the languages of files at hand.
_WORD = (
    r"(?i)^\s*((grand|sous|sub)[ -]?)?(totale?s?|totaux|totaal|ensemble|somme|sum|summe|insgesamt|gesamt|suma|soma"
    r"|toplam|итого|всего|المجموع|مجموع|الجملة|الإجمالي|الاجمالي|إجمالي|اجمالي)([^\pL].*)?$"
)
_MOST = 3  # rows of totals at a table's end; more are cells of a table that has totals in a dimension
_FEWEST = 5  # numbers of which one can be told to be the sum of the others


@dataclass(frozen=True)
class TotalRows:
    """How many rows were taken out of `texts`, the columns that call them totals, and what a person must look at."""

    rows: int = 0
    columns: tuple[str, ...] = ()
    remarks: list[str] = field(default_factory=list)


def take_out_totals(con: duckdb.DuckDBPyConnection, names: Sequence[str]) -> TotalRows:
    """Take rows at either end of the table `texts` that call themselves totals out of it, so that types, codes and
    keys are those of the others; totals between other rows are told alone."""
    called: dict[str, set[int]] = {}
    for number, name in enumerate(names):
        rows = con.execute(f"select rowid from texts where regexp_matches(t{number}, {literal(_WORD)})").fetchall()
        if rows:
            called[name] = {row for (row,) in rows}
    if not called:
        return TotalRows()
    [(last,)] = con.execute("select max(rowid) from texts").fetchall()
    everywhere = sorted(set().union(*called.values()))
    columns = tuple(called)
    at_end = everywhere == list(range(last + 1 - len(everywhere), last + 1))
    if len(everywhere) > _MOST or len(everywhere) > last / 2 or not (at_end or everywhere[-1] == len(everywhere) - 1):
        remark = f"column {', '.join(columns)} holds totals beside their parts, in {len(everywhere):,} rows"
        return TotalRows(0, (), [f"{remark}: in a mapping they are `_T`, so that nobody is counted twice"])
    con.execute(f"delete from texts where rowid in ({', '.join(map(str, everywhere))})")
    listed = ", ".join(f"{row + 1:,}" for row in everywhere)
    remark = (
        f"row {listed} of the table calls itself a total, in column {', '.join(columns)}; this draft is of the others"
    )
    return TotalRows(len(everywhere), columns, [f"{remark}. Ask for the file without it"])


def find_sums(con: duckdb.DuckDBPyConnection, numbers: Mapping[int, str], decimal: str) -> Iterator[str]:
    """A remark on each row that holds the sum of all other rows.

    Args:
        numbers: places of the columns of numbers, with their names.
        decimal: the decimal mark.
    """
    columns: dict[int, list[str]] = {}
    for number, name in numbers.items():
        value = f"try_cast(replace(t{number}, {literal(decimal)}, '.') as decimal(28, 6))"
        rows = con.execute(
            f"select row from (select rowid as row, {value} as v, sum({value}) over () as whole, "
            f"count(*) filter ({value} > 0) over () as many from texts) "
            f"where v > 0 and 2 * v = whole and many >= {_FEWEST}"
        ).fetchall()
        for (row,) in rows:
            columns.setdefault(row, []).append(name)
    for row, names in sorted(columns.items()):
        yield f"row {row + 1:,} of the table holds the sum of all others, in column {', '.join(names)}; is it a total?"
