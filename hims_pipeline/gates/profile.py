"""What a batch looks like, in counts: rows, unknowns, values, ages, days, amounts, keys, and digests of rows without
their keys. Taken once, kept as Parquet beside the validated batch, and all that a later batch is compared with.

One long table (entity, measure, about, key, n). Distributions of more than `SAMPLE` rows are those of a part drawn by a
hash, of which no order of the rows can know; rows, unknowns and amounts are exact. Values are codes and groups, never
an identifier, a day of birth or an amount of one person. Not here: what follows from a profile (`evidence`).
"""

from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.load import fingerprint
from hims_pipeline.contracts.missing import MISSING_SUFFIX
from hims_pipeline.contracts.model import Contract, Entity
from hims_pipeline.gates.profile_joint import (
    Rows,
    count_cells,
    count_holes,
    count_orders,
    count_pairs,
    count_repeated,
    count_values,
    count_within,
    digest_rows,
    find_divisor,
    find_spikes,
    follow_numbers,
    read_number,
    weigh_areas,
)
from hims_pipeline.gates.roles import Roles
from hims_pipeline.lake.periods import covers, is_period
from hims_pipeline.sql import literal, quote

SAMPLE = 400_000  # rows: shares are then known to 0.2 points, and pairs of columns cost milliseconds
BELOW_TOP = 20  # the largest weights of a file; a household's are alike
COUNTED = ("sex", "area", "post", "country", "category", "currency", "text", "year")


class Profile:
    """The measures of one entity: `at[measure][about]` is key -> number."""

    def __init__(self, rows: Rows) -> None:
        self.at: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
        for measure, about, key, number in rows:
            self.at[measure][about][key] = number

    def number(self, measure: str, about: str = "", key: str = "") -> float | None:
        """One number; None where the profile has none."""
        return self.at[measure][about].get(key) if measure in self.at and about in self.at[measure] else None

    def counts(self, measure: str, about: str = "") -> dict[str, float]:
        """A distribution: key -> rows, empty where there is none."""
        return dict(self.at[measure][about]) if measure in self.at and about in self.at[measure] else {}


def take_profile(con: Any, contract: Contract, name: str, period: str, roles: Roles) -> Rows:
    """Profile one entity, which stands in the connection under its name."""
    entity = contract.entity_in(name, period)
    first, last = covers(contract, period) if is_period(contract, period) else (date(1, 1, 1), date(9999, 12, 31))
    counted = _count_exactly(con, name, entity, roles)
    rows = int(counted[0][3])
    step = max(1, -(-rows // SAMPLE))
    columns = [one for one in entity.kept_columns if roles.of[one.name] != "identifier"]
    listed = ", ".join(["_line", *(f"{_known_value(one)} as {quote(one.name)}" for one in columns)])
    con.execute(
        f"create or replace temp table _seen as select {listed} from {quote(name)} where {_draw(entity, roles, step)}"
    )
    for column in columns:
        counted += _distribution(con, entity, column, roles, first, last)
    counted += count_pairs(con, roles, counted, last)
    counted += find_spikes(con, entity, roles)
    counted += find_divisor(con, entity, roles)
    counted += count_orders(con, roles)
    counted += follow_numbers(con, entity, roles)
    counted += count_holes(con, entity, roles)
    counted += count_cells(con, roles)
    counted += weigh_areas(con, roles)
    counted += count_within(con, name, entity, rows)
    counted += count_repeated(con, name, roles, rows)
    counted += digest_rows(con, name, entity, roles, step)
    con.execute("drop table _seen")
    return [("form", one.name, _form(one), 1.0) for one in columns] + counted


def _draw(entity: Entity, roles: Roles, step: int) -> str:
    """SQL of whether a row is one of those that are looked at, one in `step`, by its key: the same in each delivery,
    series of a table whole."""
    year = None if roles.counts_rows else roles.first_column("year")
    keys = [quote(key) for key in entity.key if key != year]
    return f"hash({', '.join(keys or ['_line'])}) % {step} = 0"


def _form(column: Column) -> str:
    """How a column's values are to be read; other forms cannot be compared."""
    return column.crosswalk or fingerprint({"codes": sorted(map(str, column.codes or ())), "type": column.type})[:12]


def _known_value(column: Column) -> str:
    """SQL of a value; NULL where it is none."""
    condition = column.absent.condition(quote(column.name))
    return f"case when {condition} then null else {quote(column.name)} end" if condition else quote(column.name)


def _count_exactly(con: Any, name: str, entity: Entity, roles: Roles) -> Rows:
    """Rows, unknowns of each column, and the amounts, in one pass over the whole table."""
    asked: list[tuple[str, str, str, str]] = [("rows", "", "", "count(*)")]
    for column in entity.kept_columns:
        value = quote(column.name)
        reason = column.absent.reason(value, quote(column.name + MISSING_SUFFIX))
        has = bool(column.absent.reasons)
        unknown = f"{reason} in ('_U', '_R') or ({value} is null and ({reason}) is null)" if has else f"{value} is null"
        asked.append(("unknown", column.name, "", f"count(*) filter ({unknown})"))
        if roles.of[column.name] in ("amount", "weight"):
            number = f"cast({_known_value(column)} as double)"
            asked += [
                ("amount", column.name, kind, sql.format(number))
                for kind, sql in {
                    "count": "count({0})", "sum": "sum({0})", "squares": "sum(({0}) * ({0}))",
                    "top": "pow(10, round(log10(max(nullif(abs({0}), 0))), 1))",  # nobody's own amount
                    "zero": "count(*) filter ({0} = 0)",
                }.items()
            ]  # fmt: skip
        if roles.of[column.name] == "weight":
            asked.append(("amount", column.name, "below_top", f"list_min(max({number}, {BELOW_TOP}))"))
        if roles.of[column.name] == "key" and column.type == "integer" and len(entity.key) == 1:
            asked += [("keys", column.name, kind, f"{kind}({value})") for kind in ("min", "max")]
    row = con.execute(f"select {', '.join(one[3] for one in asked)} from {quote(name)}").fetchone()
    return [(*one[:3], float(value)) for one, value in zip(asked, row, strict=True) if value is not None]


def _distribution(con: Any, entity: Entity, column: Column, roles: Roles, first: date, last: date) -> Rows:
    role, value = roles.of[column.name], quote(column.name)
    if role in ("age", "birth_year", "birth_date"):
        age = {
            "age": f"cast({value} as bigint)",
            "birth_year": f"{last.year} - cast({value} as bigint)",
            "birth_date": f"date_diff('year', {value}, date '{last}')",
        }[role]
        if role == "age":  # a survey may write -1 for those below one year
            age = f"greatest({age}, case when {value} is not null then 0 end)"
        return count_values(
            con, "ages", column.name, f"case when {age} < 0 then -1 when {age} > 130 then 130 else {age} end"
        )
    if role == "date":
        rows = count_values(con, "day_of_month", column.name, f"day({value})")
        rows += count_values(con, "years_back", column.name, f"{last.year} - year({value})")
        offset = f"date_diff('day', date '{first}', {value})"
        inside = f"case when {value} between date '{first}' and date '{last}' then {offset} end"
        rows += count_values(con, "days", column.name, inside) if (last - first).days < 400 else []
        top = f"select max(n) from (select count(*) as n from _seen where {value} is not null group by {value}) as days"
        return [*rows, *read_number(con, "top_day", column.name, top)]
    if role in ("amount", "weight"):
        number = f"abs(cast({value} as double))"
        middle = f"select median({number}) from _seen where {number} > 0"
        rows = read_number(con, "median", column.name, middle)
        currency = roles.first_column("currency")
        if role == "amount" and roles.counts_rows and currency:
            level = f"{quote(currency)} || '|' || cast(floor(10 * log10(nullif({number}, 0))) as integer)"
            rows += count_values(con, "amount_levels", column.name, level)
        return rows
    if role in COUNTED:
        rows = count_values(con, "values", column.name, value, _code_meanings(entity, column))
        amount = roles.first_column("amount")
        if rows and amount and not roles.counts_rows:
            total = f"sum(abs(cast({quote(amount)} as double)))"
            rows += count_values(con, "amounts", column.name, value, _code_meanings(entity, column), total)
        return rows
    return []


def _code_meanings(entity: Entity, column: Column) -> dict[str, str]:
    """Code sent -> what it means, where the contract says so: layouts with other codes can then be compared."""
    for feed in entity.feeds:
        for mapping in feed.columns.values():
            if mapping.from_ == column.name and mapping.codes and not mapping.when:
                targets = list(map(str, mapping.codes.values()))
                if len(set(targets)) == len(targets):
                    return {str(code): str(to) for code, to in mapping.codes.items()}
    return {}


def write_profile(con: Any, profiles: dict[str, Rows], path: Path) -> None:
    """The profile of a batch as Parquet, the same bytes for the same batch."""
    lines = sorted((entity, *row) for entity, rows in profiles.items() for row in rows)
    con.execute(
        "create or replace temp table _profile (entity varchar, measure varchar, about varchar, key varchar, n double)"
    )
    if lines:
        columns = [list(line) for line in zip(*lines, strict=True)]
        kinds = ("varchar", "varchar", "varchar", "varchar", "double")
        con.execute(
            f"insert into _profile select {', '.join(f'unnest(${i + 1}::{k}[])' for i, k in enumerate(kinds))}", columns
        )
    con.execute(f"copy (from _profile) to {literal(path)} (format parquet); drop table _profile")


def read_profile(con: Any, path: Path, sql: str = "") -> dict[str, Profile]:
    """Entity -> its profile, by `sql` where it is kept in another form than a batch's."""
    rows: dict[str, Rows] = defaultdict(list)
    for entity, *row in con.execute(sql or f"from read_parquet({literal(path)})").fetchall():
        rows[entity].append(tuple(row))
    return {entity: Profile(own) for entity, own in rows.items()}
