"""The lines that make a figure again: SQL on the release, and R (DBI, duckdb, survey) where it is an estimate.

They are text for a person to run, and name columns of the release alone. Not here: running them.
"""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.facts import load_fact_columns
from hims_pipeline.contracts.indicators import Formula
from hims_pipeline.settings import Settings
from hims_pipeline.sql import literal
from hims_pipeline.staging.macros import compiler
from hims_pipeline.tracing.figures import Figure
from hims_pipeline.tracing.formulas import Making, fact_dimensions
from hims_pipeline.tracing.questions import FigureQuestion

DIFFERENCES = ("difference", "change")
UNCOUNTED = "'_U', '_R', '_Z'"


def write_sql(figure: Figure) -> str:
    """The figure from the public file, with what its value follows from."""
    check = ""
    if figure["numerator"] is not None and figure["denominator"] is not None:
        check = ",\n    numerator / denominator as quotient"
    return (
        "select obs_value, numerator, denominator, n_obs, standard_error, ci_lower, ci_upper, obs_status"
        f"{check}\nfrom published.indicator_value\nwhere series_key = {literal(figure['series_key'])}"
        f" and time_period = {literal(figure['time_period'])} and vintage = {literal(figure['vintage'])}"
    )


def write_r_lookup(figure: Figure, database: Path) -> str:
    """R that reads the figure from the public file."""
    return "\n".join([*_connect(database), 'dbGetQuery(con, "', textwrap.indent(write_sql(figure), "  "), '")'])


def write_records_sql(settings: Settings, question: FigureQuestion, figure: Figure, formula: Formula) -> str:
    """The records of the staff's file behind an estimate: stratum, unit, weight `w`, and the two variables that it is
    made of, `y` and `x` (of a difference or change `ya`, `xa`, `yb`, `xb`). Units that were drawn and in which nobody
    was found are rows of zeros. Where a design does not bring its population, `population_units` is NULL. With answers
    of donors, `n` is 1 for each record that counts and `donated` tells how many of its answers are theirs.
    """
    columns = fact_dimensions(settings.dbt_project) | dict(formula.dimensions)
    cell = dict(question.cell) | ({"ref_area": question.area} if figure["level"] != "country" else {})
    inside = {name: _write_condition(name, code, columns[name], figure) for name, code in cell.items()}
    here = " and ".join(inside.values()) or "true"
    base = " and ".join(one for name, one in inside.items() if name not in formula.parts) or "true"
    variables = _variables(formula, here, base)
    if figure.get("is_imputed"):
        variables |= _count_donated(settings, formula, here, {name: columns[name] for name in cell})
    named = ",\n    ".join(f"{sql} as {name}" for name, sql in variables.items())
    which = " and ".join(
        f"{name} = {literal(figure[name])}"
        for name in ("source", "vintage", "time_period", "universe", "duration_rule")
    )
    fact, relation = f"conformed.fct_{formula.fact}", f"conformed.fct_{formula.fact}"
    if formula.kind == "change":
        relation, which = _join_waves(fact, which), "true"
    asked = ""
    if formula.asked:
        asked = (
            f"\n    and (batch_id, entity) in (select (batch_id, entity) from {fact}"
            f" where {formula.asked} not in ({UNCOUNTED}))"
        )
    zeros = ", ".join(f"0 as {name}" for name in variables)
    return f"""with records as (
  select *, {named}
  from {relation}
  where {which}{asked}
)
select stratum, psu, cast(weight_persons as double) as w, {", ".join(variables)}, population_units
from records
union all
select distinct stratum, psu, 1 as w, {zeros}, null as population_units
from conformed.fct_sampling_units
where batch_id in (select batch_id from records) and (stratum, psu) not in (select (stratum, psu) from records)"""


def _join_waves(fact: str, which: str) -> str:
    """Records of a wave and of the one before, with `is_this_wave`."""
    return f"""(
    select fact.*, fact.batch_id = waves.batch_id as is_this_wave
    from {fact} as fact
    join (
      select *, lag(batch_id) over (partition by source, entity order by period_end_date, batch_id) as former
      from conformed.dim_batch where (batch_id, entity) in (select (batch_id, entity) from {fact})
    ) as waves on fact.entity = waves.entity and fact.batch_id in (waves.batch_id, waves.former)
    where waves.batch_id in (select batch_id from {fact} where {which})
  ) as both_waves"""


def _count_donated(settings: Settings, formula: Formula, here: str, cell: Mapping[str, str]) -> dict[str, str]:
    """SQL of `n` and `donated`, as the project's own macro counts them: once for what the formula reads, and once for
    each dimension of the cell."""
    fact = f"fct_{formula.fact}"
    compiled = compiler(settings.dbt_project, {"imputable_columns": {fact: list(load_fact_columns()[formula.fact])}})
    read = " ".join([formula.measure, formula.domain, formula.against, formula.value])
    conditions = f"imputed_where({fact!r}, {read!r}, {list(cell)!r}, {dict(cell)!r}).values()"
    flags = compiled(f"{{% for one in {conditions} %}} + case when {{{{ one }}}} then 1 else 0 end{{% endfor %}}")
    known = [f"({formula.value}) is not null"] if formula.value else []
    among = {
        "ratio": f"({formula.domain}) or ({formula.measure})",
        "difference": f"({formula.domain}) or ({formula.against})",
    }.get(formula.kind, formula.domain)
    counted = " and ".join(f"({one})" for one in (here, among, *known))
    return {"n": f"case when {counted} then 1 else 0 end", "donated": f"case when {counted} then 0{flags} else 0 end"}


def _write_condition(name: str, code: str, column: str, figure: Figure) -> str:
    if name != "ref_area":
        return f"coalesce({column}, '_U') = {literal(code)}"
    day = f"date {literal(str(figure['period_end_date']))}"
    return (
        f"({column} = {literal(code)} or {column} in (select area_code from conformed.dim_area_ancestor"
        f" where ancestor_code = {literal(code)} and {day} >= coalesce(valid_from_date, date '0001-01-01')"
        f" and {day} < coalesce(valid_to_date, date '9999-12-31')))"
    )


def _variables(formula: Formula, here: str, base: str) -> dict[str, str]:
    """Name -> SQL of what is summed, by kind."""

    def make_case(*conditions: str, value: str = "1") -> str:
        met = " and ".join(f"({one})" for one in conditions if one != "true") or "true"
        return f"case when {met} then {value} else 0 end"

    known = f"({formula.value}) is not null" if formula.value else "true"
    value = formula.value or "1"
    if formula.kind in DIFFERENCES:
        counted = known if formula.value else formula.measure
        first, second = [formula.domain], [formula.against]
        if formula.kind == "change":
            first, second = [formula.domain, "is_this_wave"], [formula.domain, "not is_this_wave"]
        return {
            "ya": make_case(here, *first, counted, value=value), "xa": make_case(here, *first, known),
            "yb": make_case(here, *second, counted, value=value), "xb": make_case(here, *second, known),
        }  # fmt: skip
    if formula.kind in ("mean", "quantile"):
        return {"y": make_case(here, formula.domain, known, value=value), "x": make_case(here, formula.domain, known)}
    domain = () if formula.kind == "ratio" else (formula.domain,)
    whole = "1" if formula.kind == "total" else make_case(base, formula.domain)
    return {"y": make_case(here, *domain, formula.measure), "x": whole}


def write_r(
    settings: Settings, question: FigureQuestion, figure: Figure, making: Making, sources: Sequence[Mapping[str, Any]],
    databases: Mapping[str, Path],
) -> str:  # fmt: skip
    """R that makes the figure again: from records with the survey package where it is an estimate, else by reading it.

    Args:
        databases: `public` and `staff`, where the files of the release lie.
    """
    formula = making.formula
    if formula is None or figure.get("is_estimated"):  # a model's own, or shared out over other boundaries
        return write_r_lookup(figure, databases["public"])
    records = write_records_sql(settings, question, figure, formula).replace('"', '\\"')
    source = sources[0] if sources else {}
    kind = source.get("design_kind")
    lines = [
        "# of the records, which the staff's file alone has",
        *_connect(databases["staff"]),
        f'records <- dbGetQuery(con, "\n{textwrap.indent(records, "  ")}\n")',
    ]
    if figure.get("variance_basis") == "PUBLISHED_ERRORS":
        lines += _published_lines(formula, figure)
    elif kind in ("sample", "census_sample"):
        lines += _design_lines(bool(source.get("expand_to_persons")), formula, kind, figure)
    elif formula.kind == "quantile":  # nothing was drawn: no error
        lines += _quantile_lines(formula)
    else:
        sums = {"ya": "ya", "xa": "xa"} if formula.kind in DIFFERENCES else {"y": "y", "x": "x"}
        lines += ["attach(records)", _write_quotient(formula, list(sums))]
    return "\n".join(lines)


def _write_quotient(formula: Formula, names: list[str]) -> str:
    y, x = (f"sum(w * {name})" for name in names)
    if formula.kind in DIFFERENCES:
        factor = "" if formula.value else "100 * "
        return f"{factor}({y} / {x} - sum(w * yb) / sum(w * xb))"
    return {"total": y, "mean": f"{y} / {x}"}.get(formula.kind, f"100 * {y} / {x}")


def _quantile_lines(formula: Formula) -> list[str]:
    """The smallest value that the share of the domain's weight does not exceed."""
    return [
        "inside <- records[records$x == 1, ]",
        "inside <- inside[order(inside$y), ]",
        "at <- function(p) inside$y[which(cumsum(inside$w) >= p * sum(inside$w) * (1 - 1e-12))[1]]",
        f"(result <- at({formula.quantile or 0.5:g}))",
    ]


def _design_lines(expands: bool, formula: Formula, kind: str, figure: Figure) -> list[str]:
    lines = [
        "library(survey)",
        "fpc <- if (anyNA(records$population_units)) NULL else ~population_units",
        "design <- svydesign(ids = ~psu, strata = ~stratum, weights = ~w, data = records, nest = TRUE, fpc = fpc)",
    ]
    if "LONELY_" in (figure.get("variance_basis") or ""):
        lonely = str(figure["variance_basis"]).split("LONELY_")[1].lower()
        lines.insert(1, f'options(survey.lonely.psu = "{lonely}")')
    factor = "" if formula.kind in ("total", "mean") or formula.value else "100 * "
    if formula.kind == "quantile":
        lines += _quantile_lines(formula)
    elif formula.kind in DIFFERENCES:
        lines.append(f"result <- svycontrast(svytotal(~ya + xa + yb + xb, design), quote({factor}(ya / xa - yb / xb)))")
    elif formula.kind == "total" and not expands:
        lines.append("result <- svytotal(~y, design)")
    elif formula.kind == "total":
        lines += [
            _batch_number("persons", "expand_to_persons", figure),
            "result <- svycontrast(svytotal(~y + x, design), substitute(p * y / x, list(p = persons)))",
        ]
    else:
        lines.append(f"result <- svycontrast(svytotal(~y + x, design), quote({factor}y / x))")
    imputed, wider = _widen_imputed(figure)
    lines += imputed
    if kind == "census_sample":
        lines.append(_batch_number("drawn", "coalesce(sampling_fraction, 0)", figure))
        wider += " * sqrt(1 - drawn)"
    if formula.kind != "quantile":
        return [*lines, f"c(value = unname(coef(result)), error = unname(SE(result)){wider})"]
    if figure.get("degrees_of_freedom") is None:
        return [*lines, "result"]
    return [
        *lines,
        "share <- svymean(~below, update(subset(design, x == 1), below = as.numeric(y <= result)))",
        f"t <- qt(0.975, {figure['degrees_of_freedom']})",
        f"bounds <- unname(coef(share)) + c(-1, 1) * t * unname(SE(share)){wider}  # Woodruff 1952",
        "c(value = result, error = (at(bounds[2]) - at(bounds[1])) / (2 * t))",
    ]


def _published_lines(formula: Formula, figure: Figure) -> list[str]:
    """The value from the records, its error from the producer's function of totals."""
    known = [_batch_number(name, f"error_{name}", figure) for name in ("level", "slope")]
    varied = "cv <- function(total) exp(level + (slope - 1) * log(total))"
    imputed, wider = _widen_imputed(figure)
    lines = ["attach(records)", *known, varied, *imputed, f"value <- {_write_quotient(formula, ['y', 'x'])}"]
    relative = "cv(sum(w * y))" if formula.kind == "total" else "sqrt(cv(sum(w * y))^2 - cv(sum(w * x))^2)"
    return [*lines, f"c(value = value, error = value * {relative}{wider})"]


def _widen_imputed(figure: Figure) -> tuple[list[str], str]:
    """Lines and the factor of the error for a figure with answers of donors, worth less (Little and Rubin 2002,
    ch. 4); none for others."""
    if not figure.get("is_imputed"):
        return [], ""
    lines = ["n <- sum(records$n)", "answered <- max(n - min(n, sum(records$donated)), 1)"]
    return lines, " * sqrt(n / answered + 1 - answered / n)"


def _batch_number(name: str, column: str, figure: Figure) -> str:
    where = " and ".join(f"{one} = {literal(figure[one])}" for one in ("source", "vintage", "time_period"))
    return f'{name} <- dbGetQuery(con, "select max({column}) as n from conformed.dim_batch where {where}")$n'


def _connect(database: Path) -> list[str]:
    return [
        "library(DBI)",
        f'con <- dbConnect(duckdb::duckdb(), "{database}", read_only = TRUE)',
    ]
