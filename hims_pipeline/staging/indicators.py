"""Models of indicators: those whose record has a formula are rendered from it, those written by hand are named by
their code, `b04_net_migration.sql`. Here too: that records and models fit each other, and what a model says of itself,
which is its record's definition. Not here: records (`contracts.indicators`), the estimates (macro `estimates`)."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import duckdb

from hims_pipeline.contracts.indicators import Formula, Indicator, code_in_name
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.names import fold_name
from hims_pipeline.errors import ContractError
from hims_pipeline.lake.files import write_text
from hims_pipeline.settings import Settings
from hims_pipeline.staging.expressions import parse_expression

_OWN = re.compile(r"[a-z][0-9]{2}_[a-z0-9_]+\.sql")


def model_name(indicator: Indicator, formula: Formula) -> str:
    """`a01_foreign_citizens`: code and English name, and the formula's own where it has one."""
    return "_".join(filter(None, [indicator.code.lower(), fold_name(indicator.name.en), formula.name]))


def formula_sql(indicator: Indicator, formula: Formula) -> str:
    """The model of one formula: a call of the macro that estimates."""
    window = "window_years" if formula.window_years == "stated" else str(formula.window_years)
    return estimate_call(indicator.code, formula, f"of_window({window!r})" if formula.window_years else "")


def estimate_call(code: str, formula: Formula, values: str = "") -> str:
    """A call of the macro that estimates what a formula says.

    Args:
        values: what the call gives to the macro's parameter `values`, as an expression of Jinja.
    """
    given: dict[str, Any] = {
        "kind": "" if formula.kind in ("difference", "change", "quantile") else formula.kind, "p": formula.quantile,
        "measure": "" if formula.kind == "quantile" else formula.measure, "domain": formula.domain,
        "parts": list(formula.parts), "asked": formula.asked, "value": formula.value, "against": formula.against,
        "dimensions": formula.dimensions,
    }  # fmt: skip
    cells = [list(cell) for cell in formula.cells]
    lines = [f"    {code!r}, 'fct_{formula.fact}', {cells!r}"]
    lines += [f"    {name}={value!r}" for name, value in given.items() if value]
    if values:
        lines.append(f"    values={values}")
    macro = {"difference": "differences", "change": "changes", "quantile": "quantiles"}.get(formula.kind, "estimates")
    return f"{{{{ {macro}(\n" + ",\n".join(lines) + "\n) }}\n"


def write_indicators(
    con: duckdb.DuckDBPyConnection, folder: Path, indicators: dict[str, Indicator], facts: set[str]
) -> list[str]:
    """Write models of formulas and the descriptions of all into `models/indicators`; returns the models' names, sorted.

    Raises:
        ContractError: all that does not fit: a formula's SQL or fact, an indicator that is said to be computed and has
            no model, a model without such a record.
    """
    written = sorted(path.stem for path in folder.glob("*.sql") if code_in_name(path.stem))
    made = {model_name(indicator, f): (indicator, f) for indicator in indicators.values() for f in indicator.formula}
    wrong = _unfit(con, made, facts) + [f"{name}.sql stands there already" for name in made if name in written]
    names = sorted([*made, *written])
    computed = {code for code, one in indicators.items() if one.status == "computed"}
    modelled = {code_in_name(name) for name in names}
    wrong += [
        f"{code} is computed, and neither has a formula nor a model {code.lower()}_….sql"
        for code in computed - modelled
    ]
    wrong += [f"{code} has a model, and no record that says `status: computed`" for code in modelled - computed]
    if wrong:
        raise ContractError("data/indicators does not fit its models:\n  " + "\n  ".join(sorted(wrong)))
    for name, (one, formula) in made.items():
        write_text(folder / f"{name}.sql", formula_sql(one, formula))
    return names


def find_taken_over(
    indicators: Mapping[str, Indicator], contracts: Mapping[str, Contract], counted: Collection[str], folder: Path
) -> list[str]:
    """Names of the models whose figures are taken over from statistics: none is made from records, and none rests on
    counts that disclosure control judges.

    Args:
        counted: sources whose counts are judged as records are.
        folder: `models/indicators`, with all models written.
    """
    statistics = {
        source
        for source, one in contracts.items()
        if not (
            one.personal or source in counted or one.design or any(entity.design for entity in one.entities.values())
        )
    }
    return [
        path.stem
        for path in sorted(folder.glob("*.sql"))
        if (record := indicators.get(code_in_name(path.stem))) is not None
        and not record.formula
        and statistics.issuperset(record.sources)
        and "is_microdata" not in path.read_text(encoding="utf-8")
    ]


def describe_indicators(indicators: dict[str, Indicator], names: list[str]) -> list[dict[str, Any]]:
    """What each model of an indicator says of itself, in dbt's words."""
    notes = {model_name(indicator, f): f.note for indicator in indicators.values() for f in indicator.formula}
    return [
        {"name": name, "description": _description(indicators[code_in_name(name)], notes.get(name, ""))}
        for name in names
    ]


def _description(indicator: Indicator, note: str) -> str:
    return " ".join(filter(None, [f"{indicator.code} {indicator.name.en}.", indicator.definition.en, note]))


def _unfit(con: duckdb.DuckDBPyConnection, made: dict[str, tuple[Indicator, Formula]], facts: set[str]) -> list[str]:
    problems = []
    for name, (_, formula) in made.items():
        if formula.fact not in facts:
            problems.append(f"{name}: there is no fact {formula.fact}")
        for text in formula.expressions:
            try:
                parse_expression(con, text)
            except ValueError as error:
                problems.append(f"{name}: {error}")
    return problems


def own_models(settings: Settings) -> list[Path]:
    """Models of indicators that an observatory adds to those of the project, `data/models/<code>_<what>.sql`.

    Raises:
        ContractError: a file that is none, or that would take the place of a model of the project.
    """
    paths = sorted((settings.data / "models").glob("*"))
    named = {path.name for path in settings.dbt_project.rglob("*.sql")}
    wrong = [
        f"{path.name} is called otherwise than <code>_<what>.sql, as z01_guests.sql is"
        for path in paths
        if not _OWN.fullmatch(path.name)
    ]
    wrong += [f"{path.name} is a model of the project; give yours another name" for path in paths if path.name in named]
    if wrong:
        raise ContractError("data/models holds what is no model of an own indicator:\n  " + "\n  ".join(wrong))
    return paths
