"""Tables of the recipe that writers of sources read in SQL, and published totals at the country's scale.

Each part of a total is a whole number and the parts add up to the scaled total, so that at scale 1 the published
figures come out as they are. Here: counts. Not here: who is counted (the writers of sources).
"""

from hims_pipeline.sql import literals
from hims_synthetic.country import Country


def make_recipe_table(country: Country, name: str, called: str = "") -> None:
    """Make a table of the recipe a table of the connection: its columns as text, NULL where empty, `n` its order."""
    rows = country.recipe.tables[name]
    values = ", ".join(f"({n}, {literals(list(row.values()))})" for n, row in enumerate(rows, 1))
    columns = ", ".join(f"nullif({column}, '') as {column}" for column in rows[0])
    sent = f"(values {values}) as t(n, {', '.join(rows[0])})"
    country.con.execute(f"create or replace table {called or name} as select n, {columns} from {sent}")


def make_scaled(country: Country, name: str, count: str, within: str = "period") -> None:
    """Make the table `<name>_scaled` from the recipe's: `wanted` is its `count` at the scale, by largest remainder.

    Args:
        within: columns that parts of one published total have in common.
    """
    make_recipe_table(country, name)
    exact = f"cast({count} as double) * {country.scale!r}"
    country.con.execute(
        f"""
        create or replace table {name}_scaled as
        with exact as (
            select *, {exact} as share,
                cast(round(sum({exact}) over (partition by {within})) as bigint) as whole
            from {name}
        ),
        ranked as (
            select *, whole - sum(cast(floor(share) as bigint)) over (partition by {within}) as rest,
                row_number() over (partition by {within} order by share - floor(share) desc, n) as place
            from exact
        )
        select * exclude (share, whole, rest, place),
            cast(floor(share) as bigint) + cast(place <= rest as int) as wanted
        from ranked
        """
    )


def titles(country: Country, source: str) -> list[tuple[str]]:
    """The title rows above the header of a workbook, as the recipe has them."""
    return [(row["line"],) for row in country.recipe.tables["titles"] if row["source"] == source]
