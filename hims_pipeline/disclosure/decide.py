"""What dbt's model `ind_disclosed` asks: which of tonight's figures are shown, beside what earlier releases showed.

Here: reading figures from the build, and the table of decisions. Not here: how they are made (`protect`).
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pandas as pd

from hims_pipeline.disclosure.figures import (
    CONTEXT,
    CORE,
    Figure,
    breakdowns_sql,
    minimum_sql,
    read_figures,
    total_codes,
)
from hims_pipeline.disclosure.history import State
from hims_pipeline.disclosure.protect import protect
from hims_pipeline.sql import literals

STATE = ("counted", "base", "records", "value")
COLUMNS = ("series_key", "time_period", "vintage", *STATE, "is_shown", "rule", "is_tonight")
SQL = """
    select {columns}, indicators.statistic, indicators.balance_of, true as shown,
        {minimum} as minimum, {breakdowns} as breakdowns
    from indicators.ind_values as figures
    join reference.indicators as indicators on figures.indicator = indicators.code
    left join reference.sources as sources on figures.source = sources.source
    where indicators.is_published = 'true'
        and (figures.is_microdata or (sources.counts_are_judged = 'true' and indicators.statistic = 'total'))
        and (figures.indicator, array_to_string(list_sort(list_filter([{named}], lambda one: one != '')), ' '))
            in (select indicator, coalesce(cell, '') from reference.indicator_cells)
"""
OWN = (
    "series_key", "indicator", "universe", "duration_rule", "ref_area", "obs_value", "numerator", "denominator",
    "obs_status", "n_numerator", "n_denominator",
)  # fmt: skip


def decide(con: Any, earlier: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Tonight's decisions, and what earlier releases decided where it was another.

    Args:
        con: a connection to the build's file.
        earlier: rows of this table in the last release.
    """
    figures = judged_figures(con)
    history = [((row[0], row[1], row[2]), State(row[3], row[4], row[5], row[6], bool(row[7]))) for row in earlier]
    made = protect(figures, _parents(con), history)
    rows = [
        (*figure.key, figure.counted, figure.base, figure.records, figure.value, at not in made.rules,
         made.rules.get(at, ""), True)
        for at, figure in enumerate(figures)
    ]  # fmt: skip
    rows += [(*key, *state, "", False) for key, state in sorted(set(history), key=repr)]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.astype(dict.fromkeys(STATE, "float64") | dict.fromkeys(("is_shown", "is_tonight"), "bool"))


def judged_figures(con: Any) -> list[Figure]:
    """The figures of a build's file, or of a release for staff, that disclosure control decides on, ordered by key."""
    names = [*OWN, *CONTEXT, *CORE]
    breakdowns = [name for (name,) in con.execute("select breakdown from reference.breakdowns order by all").fetchall()]
    query = SQL.format(
        columns=", ".join(f"figures.{one}" for one in names)
        + ", case when figures.is_microdata then figures.n_obs else cast(figures.obs_value as bigint) end as n_obs",
        minimum=minimum_sql(breakdowns),
        breakdowns=breakdowns_sql(breakdowns),
        named=", ".join(
            f"case when figures.{one} not in ({literals(total_codes(one))}) then '{one}' else '' end"
            for one in (*CORE, *breakdowns)
        ),
    )
    cursor = con.execute(query)
    columns, rows = [column[0] for column in cursor.description], cursor.fetchall()
    formers = con.execute(
        "select successor_code, former_code from reference.area_successors where weight != ''"
    ).fetchall()
    return sorted(read_figures(rows, columns, dict(formers)), key=lambda figure: figure.key)


def _parents(con: Any) -> dict[str, list[tuple[str, str]]]:
    """Area -> (its level, area above it): areas of one level add up to each that they lie in."""
    levels = dict(con.execute("select area_code, level from conformed.dim_area").fetchall())
    by_area: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for area, above in con.execute("select area_code, ancestor_code from conformed.dim_area_ancestor").fetchall():
        by_area[area].add((levels.get(area, ""), above))
    return {area: sorted(parents) for area, parents in sorted(by_area.items())}
