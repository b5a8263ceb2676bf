"""What dbt's model `ind_disclosed` asks: which of tonight's figures are shown, beside what earlier releases showed.

Here: reading figures from the build, the parts in which they are decided, and the table of decisions. A part in which
nothing changed is not decided again. Not here: how decisions are made (`protect`).
"""

import hashlib
import string
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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
from hims_pipeline.disclosure.groups import components
from hims_pipeline.disclosure.history import Decided, Key, State
from hims_pipeline.disclosure.protect import protect
from hims_pipeline.sql import literals

STATE = ("counted", "base", "records", "value")
COLUMNS = ("series_key", "time_period", "vintage", *STATE, "is_shown", "rule", "is_tonight", "decided_from")
# A hash in letters alone: digits of one may be somebody's number.
LETTERS = str.maketrans(string.digits, "ghijklmnop")
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


def decide(con: Any, earlier: Sequence[Sequence[Any]], decided: Decided | None = None) -> pd.DataFrame:
    """Tonight's decisions, and what earlier releases decided where it was another.

    Args:
        con: a connection to the build's file.
        earlier: rows of this table in the last release.
        decided: what the last build decided, where the code is what it was.
    """
    figures, parents = judged_figures(con), _parents(con)
    history = [((row[0], row[1], row[2]), State(row[3], row[4], row[5], row[6], bool(row[7]))) for row in earlier]
    states: dict[Key, list[State]] = defaultdict(list)
    for key, state in history:
        states[key].append(state)
    rows: list[tuple[Any, ...]] = []
    for part in find_parts(figures):
        before = [(figure.key, state) for figure in part for state in states.get(figure.key, ())]
        basis = fingerprint_part(part, parents, before)
        rules = (decided or {}).get(basis)
        if rules is None:
            made = protect(part, parents, before).rules
            rules = {part[at].key: rule for at, rule in made.items()}
        rows += [
            (*one.key, one.counted, one.base, one.records, one.value, one.key not in rules, rules.get(one.key, ""),
             True, basis)
            for one in part
        ]  # fmt: skip
    rows += [(*key, *state, "", False, "") for key, state in set(history)]
    frame = pd.DataFrame(sorted(rows, key=repr), columns=COLUMNS)
    return frame.astype(dict.fromkeys(STATE, "float64") | dict.fromkeys(("is_shown", "is_tonight"), "bool"))


def find_parts(figures: Sequence[Figure]) -> list[list[Figure]]:
    """Figures by what may hang together, in their order: whatever links two figures does so within one context, and
    whether it does is found in all contexts of their concepts."""
    number: dict[tuple[Any, ...], int] = {}
    ties = [
        {number.setdefault(one, len(number)): 1 for one in (figure.context, *_concepts(figure))} for figure in figures
    ]
    part_of = {one: place for place, part in enumerate(components(ties)) for tie in part for one in tie}
    parts: dict[int, list[Figure]] = defaultdict(list)
    for figure in figures:
        parts[part_of[number[figure.context]]].append(figure)
    return list(parts.values())


def _concepts(figure: Figure) -> list[tuple[str, ...]]:
    """A figure's concept and, of a balance, that of its sides."""
    return [figure.concept, *([(figure.sides[0], *figure.concept[1:])] if figure.sides else [])]


def fingerprint_part(
    figures: Sequence[Figure], parents: Mapping[str, Sequence[tuple[str, str]]], history: Iterable[tuple[Key, State]]
) -> str:
    """Hash, in letters, of all that the decisions on figures follow from."""
    basis = repr((figures, parents, sorted((key, tuple(state)) for key, state in history)))
    return hashlib.sha256(basis.encode()).hexdigest()[:32].translate(LETTERS)


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
