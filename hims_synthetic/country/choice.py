"""Choosing whom an event happens to: exactly as many as are wanted in each stratum, the likely ones first.

Weighted sampling without replacement (Efraimidis and Spirakis 2006): each candidate draws -ln(u) / weight, and the n
smallest are chosen. Only candidates below a threshold are ranked, so that no table of everybody is ever sorted.
"""

import duckdb

from hims_pipeline.errors import HimsError
from hims_pipeline.sql import literal

ATTEMPTS = 8


def choose(
    con: duckdb.DuckDBPyConnection,
    name: str,
    pool: str,
    wanted: dict[int, int],
    weight: str,
    stream: str,
    stratum: str = "0",
    taken: tuple[str, ...] = (),
) -> None:
    """Make the table `name` (person_no, stratum, r): r counts 1, 2, … within the stratum, in random order.

    Args:
        pool: relation with `person_no` and what `stratum` and `weight` are made of.
        wanted: number of persons by stratum.
        weight: SQL; nobody of weight 0 is chosen.
        taken: tables of persons who cannot be chosen.

    Raises:
        HimsError: a stratum has fewer candidates than are wanted.
    """
    wanted = {key: number for key, number in wanted.items() if number > 0}
    con.execute(f"create or replace temp table {name} (person_no uinteger, stratum integer, r integer)")
    if not wanted:
        return
    sums = dict(con.execute(f"select {stratum} as s, sum({weight}) from {pool} group by s").fetchall())
    if missing := sorted(key for key in wanted if not sums.get(key)):
        raise HimsError(f"the recipe asks for {name} where nobody is: {missing}")
    limits = {key: 1.2 * (number + 4 * number**0.5 + 2) / float(sums[key]) for key, number in wanted.items()}
    others = " ".join(f"anti join {one} using (person_no)" for one in taken)
    for _ in range(ATTEMPTS):
        values = ", ".join(f"({key}, {limits[key]!r}::double, {number})" for key, number in wanted.items())
        con.execute(f"""
            create or replace temp table {name} as
            with limits(s, upto, n) as (values {values}),
            drawn as (
                select person_no, s, upto, n, -ln(1 - u({literal(stream)}, person_no)) / w as k
                from (select person_no, cast({stratum} as integer) as s, cast({weight} as double) as w from {pool})
                join limits using (s)
                where w > 0
            ),
            candidates as (select person_no, s, n, k from drawn {others} where k <= upto),
            ranked as (
                select *, row_number() over (partition by s order by k, person_no) as place from candidates
            )
            select person_no, s as stratum, cast(row_number() over (
                partition by s order by u({literal(stream + " order")}, person_no), person_no) as integer) as r
            from ranked where place <= n
        """)
        rows = dict(con.execute(f"select stratum, count(*) from {name} group by stratum").fetchall())
        short = [key for key, number in wanted.items() if rows.get(key, 0) < number]
        if not short:
            return
        limits |= {key: limits[key] * 4 for key in short}
    raise HimsError(f"the recipe asks for more {name} than there are persons: strata {short}")
