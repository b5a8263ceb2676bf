"""The figures that answer a question, which of them is preferred and by which of the rules of `v_headline`.

Not here: why there is none (`absence`), and what one rests on (`evidence`).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hims_pipeline.sql import literal
from hims_pipeline.tracing.questions import Question, fetch_rows

if TYPE_CHECKING:
    import duckdb

DURATIONS = ("12M", "6M", "3M")  # the longest stay first, as the international definition has it
# The rules of v_headline in their order, in words; `preference_of` gives a figure's place by each.
RULES = (
    "real before synthetic",
    "its source comes first in the indicator's record",
    "about the group that the indicator defines",
    "the later edition",
    "the longer stay makes a migrant",
    "the later boundaries",
    "the first by name of its series",
)
Figure = dict[str, Any]


def find_figures(con: "duckdb.DuckDBPyConnection", question: Question) -> list[Figure]:
    """All figures of the question, withheld ones too, each with `is_preferred`; those to be preferred first."""
    others = [name for (name,) in con.execute("select breakdown from reference.breakdowns order by 1").fetchall()]
    figures = _select(con, question, others, "published.indicator_value", "*")
    chosen = _select(con, question, others, "published.v_headline", "series_key, vintage")
    preferred = {(row["series_key"], row["vintage"]) for row in chosen}
    for figure in figures:
        figure["is_preferred"] = (figure["series_key"], figure["vintage"]) in preferred
    return sorted(figures, key=lambda one: (not one["is_preferred"], preference_of(one, question.indicator)))


def _select(
    con: "duckdb.DuckDBPyConnection", question: Question, breakdowns: Sequence[str], view: str, columns: str
) -> list[Figure]:
    where = {"indicator": question.code, "ref_area": question.area, "time_period": question.period}
    for name in ("counterpart_area", "sex", "age", *breakdowns):
        where[name] = question.cell.get(name, "_T")
    conditions = [
        f"{name} in ('_T', '_Z')" if (name, code) == ("counterpart_area", "_T") else f"{name} = {literal(code)}"
        for name, code in where.items()
    ]
    return fetch_rows(con, f"select {columns} from {view} where {' and '.join(conditions)}")


def choose_figures(figures: Sequence[Figure], question: Question) -> list[Figure]:
    """Those of the source, edition and universe that the question names, where it does."""
    wanted = {name: getattr(question, name) for name in ("source", "vintage", "universe")}
    return [one for one in figures if all(value in ("", one[name]) for name, value in wanted.items())]


def preference_of(figure: Mapping[str, Any], indicator: Mapping[str, str]) -> tuple[Any, ...]:
    """A figure's place among those that answer one question, by each of `RULES`; the smallest is preferred."""
    sources = (indicator["sources"] or "").split()
    first = figure["source"].split("+")[0]
    return (
        figure["obs_value"] is None or figure["data_kind"] == "synthetic",
        sources.index(first) if first in sources else len(sources),
        figure["universe"] != indicator["universe"],
        _Descending(figure["vintage"]),
        DURATIONS.index(figure["duration_rule"]) if figure["duration_rule"] in DURATIONS else len(DURATIONS),
        _Descending(figure["boundary_version"]),
        figure["series_key"],
    )


def rule_between(better: Mapping[str, Any], other: Mapping[str, Any], indicator: Mapping[str, str]) -> str:
    """By which rule one figure stands before another; what does not answer the same question has none."""
    if other["obs_value"] is None:
        return "the other is withheld"
    if other["is_preferred"]:
        return "answers another question: another group of people, window or level of area"
    pairs = zip(RULES, preference_of(better, indicator), preference_of(other, indicator), strict=True)
    return next((rule for rule, mine, its in pairs if mine != its), "")


class _Descending(str):
    """A text that sorts from the last to the first."""

    __slots__ = ()

    def __lt__(self, other: str) -> bool:
        return str.__gt__(self, other)
