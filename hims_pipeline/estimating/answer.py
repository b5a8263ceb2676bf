"""The answer to a question: estimates with their errors, and which of them are withheld. Here: asking the macros and
judging what they give. Not here: the question (`question`), sizes of groups (`groups`, `published`)."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hims_pipeline.contracts.indicators import Indicator
from hims_pipeline.contracts.observatory import Policies
from hims_pipeline.estimating.groups import groups_of, is_few, is_put_together, remainders
from hims_pipeline.estimating.published import Place, Published, count_groups
from hims_pipeline.estimating.question import DomainQuestion
from hims_pipeline.staging.indicators import estimate_call
from hims_pipeline.staging.macros import compiler
from hims_pipeline.staging.names import IMPUTED

if TYPE_CHECKING:
    import duckdb

MEASURES = (
    "obs_value", "standard_error", "ci_lower", "ci_upper", "interval_kind", "degrees_of_freedom", "variance_basis",
    "design_effect", "effective_records",
)  # fmt: skip
FEW, BESIDE = "WITHHELD_FEW_RECORDS", "WITHHELD_BESIDE_PUBLISHED"
_WORD = re.compile(r"[a-z_][a-z0-9_]*")


class Estimate(NamedTuple):
    """One cell of the answer.

    Attributes:
        entity, time_period: the sample.
        by: the values that it is broken down by.
        measures: `MEASURES`, in order; all None where the cell is withheld.
        records: records that it is of: those counted of a total, else those of the domain; None where withheld.
        status: `SHOWN`, or why not.
    """

    entity: str
    time_period: str
    by: tuple[str, ...]
    measures: tuple[Any, ...]
    records: int | None
    status: str


def answer_question(
    con: "duckdb.DuckDBPyConnection",
    question: DomainQuestion,
    project: Path,
    indicators: Iterable[Indicator],
    policies: Policies,
) -> list[Estimate]:
    """Estimates of every cell of the question, sorted; those that may not leave without figures.

    Args:
        con: the release's staff file.
        project: the dbt project whose macros estimate.
        indicators: what may be published: no answer may lead to less than the minimum of records beside it.
    """
    indicators = list(indicators)
    minimum = policies.strict_count if is_strict(question, indicators) else policies.minimum_count
    donated = con.execute(f"select distinct unnest(string_split({IMPUTED}, ' ')) from {question.records} order by all")
    compiled = compiler(
        project,
        {
            "breakdown_columns": [*question.by, "batch_id", "entity"],
            "languages": "en",
            "imputable_columns": {question.fact: [name for (name,) in donated.fetchall()]},
        },
        ref=lambda name: question.records if name == question.fact else f"conformed.{name}",
    )
    call = estimate_call("X00", question.formula, values="{'batch_id': 'batch_id', 'entity': 'entity'}")
    listed = ", ".join(["batch_id", "entity", "time_period", *question.by, *MEASURES])
    rows = con.execute(f"select {listed} from ({compiled(call)})").fetchall()
    dimensions = dict(
        re.findall(r"(\w+)=(\w+)", compiled("{% for k, v in fact_dimensions().items() %}{{ k }}={{ v }} {% endfor %}"))
    )
    statuses = judge_cells(con, question, Published(con, question, indicators, dimensions), minimum)
    estimates = [_estimate(row, len(question.by), statuses) for row in rows]
    return sorted(estimates, key=lambda one: (one.entity, one.time_period, one.by))


def is_strict(question: DomainQuestion, indicators: Iterable[Indicator]) -> bool:
    """The question names a column that an indicator asks for more records of."""
    subject: set[str] = set()
    for one in indicators:
        for formula in one.formula:
            named = [formula.dimensions.get(name, name) for name in one.strict_by]
            subject |= {word for text in named for word in _WORD.findall(text)}
            if one.strict:
                subject |= {word for text in (formula.measure, formula.value) for word in _WORD.findall(text)}
    asked = {word for text in question.formula.expressions for word in _WORD.findall(text)}
    return bool(subject - {"true", "and", "or", "not", "in", "is", "null"} & asked)


def judge_cells(
    con: "duckdb.DuckDBPyConnection", question: DomainQuestion, published: Published, minimum: int
) -> dict[Place, tuple[int, str]]:
    """Records of each cell, and whether it is shown."""
    groups = groups_of(question.formula)
    counts = count_groups(con, question, groups)
    shown = next(iter(groups))
    half = question.formula.quantile or 0.5
    if question.formula.kind == "quantile":  # as few above or below it would be told by their values
        counts = {
            place: sizes | {"on one side": int(sizes[shown] * min(half, 1 - half))} for place, sizes in counts.items()
        }
    statuses = {
        place: (sizes[shown], FEW if any(is_few(size, minimum) for size in sizes.values()) else "SHOWN")
        for place, sizes in counts.items()
    }
    beside = groups_of(question.formula, valued=False)
    sizes_beside = count_groups(con, question, beside)
    for name, condition in beside.items():
        known, narrow = set(), set()
        for place, tables in published.tables_beside(condition):
            size = sizes_beside[place][name]
            if any(is_put_together(size, table) for table in tables):
                known.add(place)  # whatever is left beside it, is left beside what is published
            for table in tables:
                coarser = [one for one in tables if set(one.dimensions) < set(table.dimensions)]
                if any(is_few(left, minimum) for left in remainders(size, table, coarser)):
                    narrow.add(place)
        for place in narrow - known:
            if statuses[place][1] == "SHOWN":
                statuses[place] = (statuses[place][0], BESIDE)
    return statuses


def _estimate(row: Sequence[Any], dimensions: int, statuses: dict[Place, tuple[int, str]]) -> Estimate:
    batch, entity, period = row[:3]
    by, measures = tuple(row[3 : 3 + dimensions]), tuple(row[3 + dimensions :])
    records, status = statuses[(batch, entity), by]
    if status != "SHOWN":
        return Estimate(entity, period, by, (None,) * len(measures), None, status)
    return Estimate(entity, period, by, measures, records, status)
