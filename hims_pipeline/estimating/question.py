"""A question about a domain of one's own: what is estimated, of whom, by what. Here: that it can be asked of a release.
Not here: its answer (`answer`)."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from hims_pipeline.contracts.indicators import Formula
from hims_pipeline.errors import QuestionError
from hims_pipeline.sql import literal
from hims_pipeline.staging.expressions import kind_of_expression, make_table
from hims_pipeline.staging.names import IMPUTED

if TYPE_CHECKING:
    import duckdb

Kind = Literal["total", "share", "ratio", "mean", "quantile", "difference"]
KINDS: tuple[str, ...] = get_args(Kind)
SAMPLED = ("batch_id", "entity", "stratum", "psu", "weight_persons")  # columns of a fact that can be estimated from
# Columns that releases made before did not have: of two stages and their numbers nothing was known.
LATER = {"population_units": "bigint", "ssu": "varchar", "population_ssus": "bigint", IMPUTED: "varchar"}
_WHOLE_SAMPLES = "source, entity and period; say --period, or ask without"
_NUMERIC = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL.*|DOUBLE|FLOAT)")


@dataclass(frozen=True)
class DomainQuestion:
    """What is estimated.

    Attributes:
        source: whose records.
        formula: what of them, as a record of an indicator says it; its one cell holds the columns it is broken down by.
        period: of one period, such as `2021`; of each without it.
        absent: columns of `LATER` that the release's fact does not have.
    """

    source: str
    formula: Formula
    period: str | None = None
    absent: tuple[str, ...] = ()

    @property
    def fact(self) -> str:
        return f"fct_{self.formula.fact}"

    @property
    def by(self) -> tuple[str, ...]:
        """Columns of the fact that it is broken down by."""
        return self.formula.cells[0]

    @property
    def records(self) -> str:
        """The fact's rows that it is about, as a query: whole samples, or units drawn would be lost."""
        period = f" and time_period = {literal(self.period)}" if self.period else ""
        none = "".join(f", cast(null as {LATER[name]}) as {name}" for name in self.absent)
        return f"(select *{none} from conformed.{self.fact} where source = {literal(self.source)}{period})"


def compose_question(
    con: "duckdb.DuckDBPyConnection",
    source: str,
    given: Mapping[str, str],
    by: Sequence[str] = (),
    where: str = "",
    period: str | None = None,
) -> DomainQuestion:
    """A question that can be asked of this release.

    Args:
        con: the release's staff file.
        given: `kind` and what it needs: `measure`, `domain`, `value`, `against`; `fact` where the source feeds several.
        where: condition that limits all of it, both groups of a ratio or a difference.

    Raises:
        QuestionError: all that does not hold, by the name of the option.
    """
    fact = _fact_of(con, source, given.get("fact", ""))
    columns = {name: kind for name, kind, *_ in con.execute(f"describe conformed.{fact}").fetchall()}
    problems = _unfit_options(given) + _unfit_expressions(con, columns, {**given, "where": where})
    shared = {name for name, *_ in con.execute("describe conformed.dim_batch").fetchall()}
    problems += [
        f"--by {name} is no column of {fact}; it has {', '.join(sorted(set(columns) - shared))}"
        for name in by
        if name not in columns
    ]
    problems += [f"--by {name}: estimates are by {_WHOLE_SAMPLES}" for name in by if name in shared & set(columns)]
    problems += [f"--by {name} stands twice" for name in sorted({name for name in by if by.count(name) > 1})]
    if problems:
        raise QuestionError("The question does not hold:\n  " + "\n  ".join(problems))
    limited = {name: _both(where, given[name]) for name in ("domain", "against") if given.get(name)}
    measure = given.get("measure", "true")
    formula = Formula.model_validate({
        "fact": fact.removeprefix("fct_"), "kind": given["kind"], "cells": [list(by)],
        "dimensions": {name: f"cast({name} as varchar)" for name in by},
        "measure": _both(where, measure) if given["kind"] == "ratio" else measure,
        "value": given.get("value", ""), "quantile": float(given["quantile"]) if given.get("quantile") else None,
        "domain": _both(where, "true"), **limited,
    })  # fmt: skip
    question = DomainQuestion(source, formula, period, tuple(name for name in LATER if name not in columns))
    _require_records(con, question)
    return question


def _both(a: str, b: str) -> str:
    return f"({a}) and ({b})" if a and b != "true" else a or b


def _fact_of(con: "duckdb.DuckDBPyConnection", source: str, named: str) -> str:
    """The fact that a source's records of persons with weights are in."""
    facts: list[str] = [
        name
        for (name,) in con.execute(
            "select table_name from duckdb_columns() where schema_name = 'conformed' and list_contains(?, column_name)"
            " group by table_name having count(*) = ? order by table_name",
            [list(SAMPLED), len(SAMPLED)],
        ).fetchall()
    ]
    fed = [f for f in facts if con.execute(f"from conformed.{f} where source = ? limit 1", [source]).fetchone()]
    if not fed:
        known = sorted(
            {s for f in facts for (s,) in con.execute(f"select distinct source from conformed.{f}").fetchall()}
        )
        raise QuestionError(
            f"--source {source}: no records with weights in this release; it has those of {', '.join(known) or 'none'}."
        )
    wanted = [one for one in fed if one in (named, f"fct_{named}")] if named else fed
    if len(wanted) != 1:
        raise QuestionError(f"--fact is one of {', '.join(fed)}: {source} feeds these.")
    return wanted[0]


def _unfit_options(given: Mapping[str, str]) -> list[str]:
    kind = given["kind"]
    needs: dict[str, Collection[str]] = {"mean": {"value"}, "quantile": {"value"}, "difference": {"against"}}
    takes = {
        "total": {"measure", "domain"}, "share": {"measure", "domain"}, "ratio": {"measure", "domain"},
        "mean": {"value", "domain"},
        "quantile": {"value", "domain", "quantile"}, "difference": {"measure", "value", "domain", "against"},
    }  # fmt: skip
    problems = [f"--kind {kind} needs --{name}" for name in needs.get(kind, {}) if not given.get(name)]
    problems += [
        f"--{name} means nothing with --kind {kind}"
        for name in ("measure", "value", "domain", "against", "quantile")
        if given.get(name) and name not in takes[kind]
    ]
    if kind in ("share", "ratio") and not given.get("measure"):
        problems.append(f"--kind {kind} needs --measure: who is counted of the domain")
    if kind == "difference" and bool(given.get("measure")) == bool(given.get("value")):
        problems.append("--kind difference needs --measure (of shares) or --value (of means)")
    return problems


def _unfit_expressions(
    con: "duckdb.DuckDBPyConnection", columns: Mapping[str, str], given: Mapping[str, str]
) -> list[str]:
    """Conditions that are none, and values that are no numbers, tried on an empty table of the fact's columns."""
    problems = []
    make_table(con, dict(columns))  # a temporary one: the file itself is only read
    for name in ("measure", "domain", "where", "against", "value"):
        if not given.get(name):
            continue
        try:
            kind = kind_of_expression(con, given[name])
        except ValueError as error:
            problems.append(f"--{name}: {error}")
            continue
        if name == "value" and not _NUMERIC.fullmatch(kind):
            problems.append(f"--value is a number, not a {kind}: {given[name]}")
        if name != "value" and kind != "BOOLEAN":
            problems.append(f"--{name} is a condition, true or false, not a {kind}: {given[name]}")
    return problems


def _require_records(con: "duckdb.DuckDBPyConnection", question: DomainQuestion) -> None:
    if question.period and not con.execute(f"from {question.records} limit 1").fetchone():
        periods = con.execute(
            f"select distinct time_period from conformed.{question.fact} where source = ? order by 1", [question.source]
        ).fetchall()
        known = ", ".join(one for (one,) in periods)
        raise QuestionError(f"--period {question.period}: {question.source} has {known}.")
