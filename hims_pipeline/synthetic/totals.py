"""Published totals at a scale: each part a whole number, the parts of a total adding up to the scaled total.

At scale 1 the published figures come out as they are. Here: counts. Not here: who is counted (the writers of sources).
"""

import duckdb


def scaled(con: duckdb.DuckDBPyConnection, table: str, count: str, scale: float, within: str = "period") -> None:
    """Add a column `wanted` to a table of the recipe: its `count` at the scale, by largest remainder within `within`."""
    con.execute(
        f"""
        create or replace table {table}_scaled as
        with exact as (
            select *, {count} * {scale!r} as share, sum({count}) over (partition by {within}) * {scale!r} as whole
            from {table}
        ),
        floored as (
            select *, cast(floor(share) as bigint) as low,
                cast(round(whole) as bigint) - sum(cast(floor(share) as bigint)) over (partition by {within}) as rest
            from exact
        )
        select * exclude (share, whole, low, rest),
            low + cast(row_number() over (partition by {within} order by share - low desc, n) <= rest as int) as wanted
        from floored
        """
    )
