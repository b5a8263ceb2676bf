"""The parts of a profile that look at several columns or rows at once: pairs of columns, leaps in series, weights by
area, copies of rows; and how values are counted in the table `_seen`. Not here: the profile as a whole (`profile`)."""

from collections import defaultdict
from datetime import date
from itertools import combinations, permutations
from math import isnan
from typing import Any

from hims_pipeline.contracts.model import Entity
from hims_pipeline.gates.roles import RoleName, Roles
from hims_pipeline.sql import literals, quote

MOST_VALUES = 1_000  # a column with more different values is a text or a number, not a classification
MOST_COLUMNS = 10  # set against each other: 45 pairs
AGES: tuple[RoleName, ...] = ("age", "birth_year", "birth_date")
PAIRED = (*AGES, "sex", "area", "post", "country", "category", "amount", "text")
MOST_PAIRED = 40  # values of a column that is set against another
MOST_TIED = 12  # values of a column, the most frequent ones, whose ties with another are taken
FEWEST_TOLD = 12  # rows outside a column's most frequent value, of which another column may tell the value
DIGESTS = 20_000  # the smallest hashes stand for all: containment is then known to a point
SEEN = 400_000  # rows whose groups are looked at
DIFFERING = 20  # amounts: of fewer, chance may make multiples
SMALL = 1_000  # amounts below leap for good reasons
WINDOWS = (4, 8, 16)  # rows whose contents in a row make a digest: as many as are not alike by chance
Rows = list[tuple[str, str, str, float]]


def count_values(
    con: Any, measure: str, about: str, sql: str, to: dict[str, str] | None = None, of: str = "count(*)"
) -> Rows:
    """Rows (measure, about, value, n): how often an expression has each value in `_seen`."""
    query = f"select cast({sql} as varchar) as k, {of} as n from _seen where ({sql}) is not null group by k order by k"
    counted = con.execute(f"{query} limit {MOST_VALUES + 1}").fetchall()
    if len(counted) > MOST_VALUES:
        return [("many", about, "", 1.0)]
    return [(measure, about, (to or {}).get(key, key), float(n or 0)) for key, n in counted]


def read_number(con: Any, measure: str, about: str, query: str) -> Rows:
    """A row of one number, the only cell of a query; none where it is NULL."""
    value = con.execute(query).fetchone()[0]
    return [] if value is None else [(measure, about, "", float(value))]


def count_pairs(con: Any, roles: Roles, profiled: Rows, last: date) -> Rows:
    """Joint counts of sex with age and area, how strongly any two columns hang together (Cramér's V), and how far one
    tells another.

    Args:
        profiled: the profile so far, which says how many values a column has.
        last: day on which ages are reckoned.
    """
    values: dict[str, int] = defaultdict(int)
    for measure, about, _, _ in profiled:
        values[about] += MOST_VALUES * (measure == "many") + (measure in ("values", "ages"))
    groups = {
        name: _group_values(quote(name), role, last, roles.codes.get(name, {}))
        for name, role in roles.of.items()
        if role in PAIRED and (values[name] > 1 or role == "amount")
    }
    rows: Rows = []
    sex = roles.first_column("sex")
    if sex in groups:
        categories = [one for one in roles.columns_with("category") if 1 < values[one] <= MOST_PAIRED][:6]
        for other in (roles.first_column(*AGES), *roles.columns_with("area", "post", "country")[:3], *categories):
            if other in groups and other:
                both = f"{groups[sex]} || '|' || {groups[other]}"
                rows += count_values(con, "by_sex", other, both)
    if not roles.counts_rows:
        return rows
    many = (*AGES, "country", "area", "amount", "text")
    names = [name for name in groups if values[name] <= MOST_PAIRED or roles.of[name] in many][:MOST_COLUMNS]
    from hims_pipeline.gates import ties  # numpy and pandas: a quiet night does without

    coded = ties.code_groups(con, groups, names)
    for one, other in combinations(names, 2):
        if tie := ties.measure_tie(coded[one], coded[other], MOST_TIED):
            strength, paired = tie
            rows += [("strength", f"{one}|{other}", "", strength), ("paired", f"{one}|{other}", "", float(paired))]
    for one, other in permutations(names, 2):
        share, rest = ties.measure_telling(coded[one], coded[other])
        if rest >= FEWEST_TOLD:
            rows += [("told", f"{one}|{other}", "", share), ("to_tell", f"{one}|{other}", "", float(rest))]
    return rows


def _group_values(value: str, role: str, last: date, sexes: dict[str, tuple[str, ...]]) -> str:
    """SQL of the group that a value is set against others by: ages by tens, amounts by thirds of a magnitude."""
    if role == "sex" and sexes:
        text = f"cast({value} as varchar)"
        cases = " ".join(f"when {text} in ({literals(sent)}) then '{to}'" for to, sent in sexes.items() if sent)
        return f"case {cases} end" if cases else text
    by = {
        "age": f"floor(cast({value} as bigint) / 10)",
        "birth_year": f"floor(({last.year} - cast({value} as bigint)) / 10)",
        "birth_date": f"floor(date_diff('year', {value}, date '{last}') / 10)",
        "amount": f"floor(3 * log10(nullif(abs(cast({value} as double)), 0)))",
    }.get(role, value)
    return f"cast({by} as varchar)"


def find_spikes(con: Any, entity: Entity, roles: Roles) -> Rows:
    """The largest leap of a series of amounts that the next year takes back, as a logarithm."""
    year, amount = roles.first_column("year"), roles.first_column("amount")
    if roles.counts_rows or not year or not amount:
        return []
    of = [quote(key) for key in entity.key if key != year] or ["''"]
    ordered = f"over (partition by {', '.join(of)} order by {quote(year)})"
    value = f"ln(greatest(abs(cast({quote(amount)} as double)), {SMALL}))"
    query = f"""
        with leaps as (
            select {value} - lag({value}) {ordered} as up, {value} - lead({value}) {ordered} as down from _seen)
        select max(least(abs(up), abs(down))) from leaps where up * down > 0"""
    return read_number(con, "spike", amount, query)


def find_divisor(con: Any, entity: Entity, roles: Roles) -> Rows:
    """The largest number that all amounts of a table are whole multiples of, where enough of them differ."""
    amount = roles.first_column("amount")
    if roles.counts_rows or not amount or entity.column(amount).type != "integer":
        return []
    query = f"""
        with amounts as (select distinct abs({quote(amount)}) as n from _seen where {quote(amount)} != 0)
        select case when count(*) >= {DIFFERING} then list_reduce(list(n), lambda a, b: gcd(a, b)) end from amounts"""
    return read_number(con, "divisor", amount, query)


def count_cells(con: Any, roles: Roles) -> Rows:
    """The amount of each cell of a table of one period: sums over all that it is classified by at once."""
    by = [quote(one) for one in roles.columns_with("sex", "area", "post", "country", "category", "currency")]
    amount = roles.first_column("amount")
    if roles.counts_rows or roles.first_column("year") or not by or not amount:
        return []
    cell = " || '|' || ".join(f"cast({one} as varchar)" for one in by)
    return count_values(con, "cells", "", cell, of=f"sum(abs(cast({quote(amount)} as double)))")


def weigh_areas(con: Any, roles: Roles) -> Rows:
    """The mean weight of each area as a multiple of that of all rows, and its weights' coefficient of variation."""
    weight, area = roles.first_column("weight"), roles.first_column("area")
    if not weight or not area:
        return []
    number = f"cast({quote(weight)} as double)"
    mean = f"avg({number}) / (select nullif(avg({number}), 0) from _seen)"
    apart = f"stddev_pop({number}) / nullif(avg({number}), 0)"
    rows = count_values(con, "weighed", area, quote(area), of=mean)
    return [*rows, *count_values(con, "weighed_apart", area, quote(area), of=apart)]


def count_within(con: Any, name: str, entity: Entity, rows: int) -> Rows:
    """Of rows that are numbered within a group (persons in a household): how many there are, and how many numbers."""
    *group, last = entity.key or [""]
    if not group or entity.column(last).type != "integer":
        return []
    groups, step = ", ".join(map(quote, group)), max(1, -(-rows // SEEN))
    query = f"""
        select sum(n), sum(top) from (
            select count(*) as n, max({quote(last)}) as top, min({quote(last)}) as low from {quote(name)}
            where hash({groups}) % {step} = 0 group by {groups}) where low >= 1 and top < 100"""
    counted, numbers = con.execute(query).fetchone()
    return [("within", last, "rows", float(counted)), ("within", last, "numbers", float(numbers))] if numbers else []


def count_repeated(con: Any, name: str, roles: Roles, rows: int) -> Rows:
    """Rows with an identifier, and how many different ones they hold; where there are many rows, of a part of all
    identifiers, with all the rows of each."""
    step, counted = max(1, -(-rows // SEEN)), []
    for one in map(quote, roles.columns_with("identifier")):
        query = f"select count({one}), count(distinct {one}) from {quote(name)}"
        known, different = con.execute(f"{query} where hash({one}) % {step} = 0" if step > 1 else query).fetchone()
        about = one[1:-1].replace('""', '"')
        counted += [("known", about, "", float(known)), ("different", about, "", float(different))] if known else []
    return counted


def count_orders(con: Any, roles: Roles) -> Rows:
    """For each two columns of dates in how many rows the first is the later one."""
    names = roles.columns_with("date", "birth_date")[:5]
    pairs = [(one, other) for place, one in enumerate(names) for other in names[place + 1 :]]
    rows: Rows = []
    for one, other in pairs:
        query = (
            f"select count(*) filter ({quote(one)} > {quote(other)}), count({quote(one)} > {quote(other)}) from _seen"
        )
        later, both = con.execute(query).fetchone()
        about = f"{one}|{other}"
        rows += [("order", about, "later", float(later)), ("order", about, "both", float(both))] if both else []
    return rows


def follow_numbers(con: Any, entity: Entity, roles: Roles) -> Rows:
    """How closely dates follow the numbers that rows are counted by (their correlation), as acts of a register do."""
    numbers = [one for one in entity.key if len(entity.key) == 1 and entity.column(one).type == "integer"]
    rows: Rows = []
    for number in numbers:
        for day in roles.columns_with("date"):
            query = f"select corr(cast({quote(number)} as double), epoch({quote(day)})) from _seen"
            (correlation,) = con.execute(query).fetchone()
            rows += (
                [("along", f"{number}|{day}", "", float(correlation))]
                if correlation is not None and not isnan(correlation)
                else []
            )
    return rows


def count_holes(con: Any, entity: Entity, roles: Roles) -> Rows:
    """The share of years between the first and the last of a series that have no cell."""
    year = roles.first_column("year")
    if roles.counts_rows or not year or entity.column(year).type not in ("integer", "number"):
        return []
    of = ", ".join(quote(key) for key in entity.key if key != year) or "''"
    query = f"""
        select 1 - sum(n) / sum(wide) from (
            select count(distinct {quote(year)}) as n, max({quote(year)}) - min({quote(year)}) + 1 as wide
            from _seen where {quote(year)} is not null group by {of})"""
    return read_number(con, "holes", year, query)


def digest_rows(con: Any, name: str, entity: Entity, roles: Roles, step: int) -> Rows:
    """Rows without their keys: how many stand twice, how many runs of rows do, and the smallest digests of such runs.
    A row is looked at by its hash, so that all its copies are."""
    keys = set(entity.key) or set(roles.columns_with("identifier")[:1])
    dated = {*(entity.period.columns if entity.period else ()), *roles.columns_with("period")}
    content = [c.name for c in entity.kept_columns if c.name not in keys]
    if len(content) < 2 or not roles.counts_rows:
        return []
    listed = ", ".join(map(quote, content))
    undated = ", ".join(quote(c) for c in content if c not in dated) or "0"
    con.execute(
        f"""create or replace temp table _rows as
        select _line, hash({listed}) as whole, hash({undated}) as undated
        from {quote(name)} where hash({undated}) % {step} = 0"""
    )
    twice = con.execute("select count(*), count(*) - count(distinct whole) from _rows").fetchone()
    counted = [("rows_seen", "", "", float(twice[0])), ("rows_twice", "", "", float(twice[1]))]
    window = _window(con, twice[0])
    if window is None:
        con.execute("drop table _rows")
        return counted
    ahead = " , ".join(f"lead(undated, {place}) over (order by _line)" for place in range(1, window))
    con.execute(
        f"""create or replace temp table _runs as select hash(undated, {ahead}) as run from _rows
        qualify lead(undated, {window - 1}) over (order by _line) is not null"""
    )
    runs = con.execute("select count(*), count(*) - count(distinct run) from _runs").fetchone()
    smallest = con.execute(f"select distinct run from _runs order by run limit {DIGESTS}").fetchall()
    con.execute("drop table _rows; drop table _runs")
    counted += [
        ("window", "", "", float(window)),
        ("runs", "", "", float(runs[0])),
        ("runs_twice", "", "", float(runs[1])),
    ]
    return [*counted, *(("digest", "", str(run), 1.0) for (run,) in smallest)]


def _window(con: Any, rows: int) -> int | None:
    """How many rows in a row are hardly ever alike others by chance; None where no number is large enough, since a row
    says little or repeats the one before."""
    alike, same = con.execute(
        """select
            (select sum(n * n) * 1.0 / pow(sum(n), 2) from (select count(*) as n from _rows group by undated) as sizes),
            (select avg(same::integer) from (
                select undated = lead(undated) over (order by _line) as same from _rows) as neighbours)"""
    ).fetchone()
    chance = max(alike or 1.0, same or 0.0)
    return next((one for one in WINDOWS if rows > one and pow(chance, one) * rows < 0.001), None)
