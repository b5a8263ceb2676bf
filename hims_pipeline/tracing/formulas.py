"""How a figure is made: the formula of its indicator's record, or the model that computes it, in the project as it is.

Not here: the lines that make it again (`recipes`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.indicators import Formula, Indicator, code_in_name, load_indicators
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.settings import Settings

_READS = re.compile(r"ref\('((?:fct|dim|int)_\w+)'\)")
_FIGURES = re.compile(r"(?:figures|series)_of\(\[([^\]]*)\]\)")
_DIMENSION = re.compile(r"'(\w+)': '(\w+)'")
WORDS = {
    "total": "weighted records that meet the measure, among those of the domain",
    "share": "those of the domain who meet the measure, in percent of the domain",
    "ratio": "those who meet the measure, per 100 of the domain",
    "mean": "the mean of the value over the domain",
    "difference": "the domain's share or mean less that of the other domain",
    "quantile": "the value that the stated share of the domain does not exceed",
    "change": "the domain's share or mean less that of the survey's wave before",
}


@dataclass(frozen=True)
class Making:
    """How a figure is made.

    Args:
        formula: where its record has one that fits.
        kind: of the formula, `model` where SQL of its own computes it.
        says: in words, what it counts or what its model says of itself.
        numerator, denominator: what these are, in SQL of the fact; empty where a model knows.
        reads: facts and other indicators that it is made of.
        files: models of its own, relative to the project.
    """

    kind: str
    says: str
    numerator: str = ""
    denominator: str = ""
    reads: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    formula: Formula | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, Any]:
        """Without the record itself."""
        return {name: value for name, value in vars(self).items() if name != "formula"}


def find_making(settings: Settings, code: str, sources: Iterable[str], cell: Mapping[str, str], level: str) -> Making:
    """How figures of an indicator from these sources, by these dimensions, are made."""
    indicator = load_indicators(settings.data).get(code)
    formula = _find_formula(settings, indicator, set(sources), cell, level) if indicator else None
    if formula is not None:
        return describe_formula(formula, cell)
    models = find_models(settings, code)
    texts = [path.read_text(encoding="utf-8") for path in models]
    reads = sorted({name for text in texts for name in _find_reads(text)})
    return Making(
        "model",
        " ".join(filter(None, map(_first_comment, texts))) or "a model of its own computes it",
        reads=tuple(reads),
        files=tuple(_place(settings, path) for path in models),
    )


def find_models(settings: Settings, code: str) -> list[Path]:
    """The SQL written by hand that computes an indicator."""
    folders = [settings.dbt_project / "models/indicators", settings.data / "models"]
    paths = [path for folder in folders for path in sorted(folder.glob("*.sql"))]
    return [path for path in paths if code_in_name(path.stem) == code]


@cache
def fact_dimensions(dbt_project: Path) -> dict[str, str]:
    """Dimension -> column of a fact, from the macro that says so."""
    text = (dbt_project / "macros/estimates.sql").read_text(encoding="utf-8")
    body = text.split("macro fact_dimensions()")[1].split("endmacro")[0]
    return dict(_DIMENSION.findall(body))


def _find_formula(
    settings: Settings, indicator: Indicator, sources: set[str], cell: Mapping[str, str], level: str
) -> Formula | None:
    """The formula over a fact that one of the sources feeds and that has the cell."""
    contracts = load_contracts(settings.data)
    fed = {
        feed.fact
        for source in sources & contracts.keys()
        for entity in contracts[source].entities.values()
        for feed in entity.feeds
    }
    wanted = {*cell, *(["ref_area"] if level != "country" else [])}
    for formula in indicator.formula:
        if formula.fact in fed and wanted in [set(one) for one in formula.cells]:
            return formula
    return None


def describe_formula(formula: Formula, cell: Mapping[str, str]) -> Making:
    """How a formula makes the figure of a cell, in words and in SQL of its fact."""
    here = [f"{name} = {code}" for name, code in cell.items()]
    base = [f"{name} = {code}" for name, code in cell.items() if name not in formula.parts]
    weights, value, among = "sum of weights", f"({formula.value})", formula.domain
    what = f"mean of {value}" if formula.value else f"share with {formula.measure}"
    share = f"{formula.quantile or 0.5:g} of the weights"
    parts = {
        "total": (_write_sum(weights, among, formula.measure, *here), ""),
        "share": (_write_sum(weights, among, formula.measure, *here), _write_sum(weights, among, *base)),
        "ratio": (_write_sum(weights, formula.measure, *here), _write_sum(weights, among, *here)),
        "mean": (_write_sum(f"sum of weight * {value}", among, *here), _write_sum(weights, among, *here)),
        "difference": (_write_sum(what, among, *here), _write_sum("less that", formula.against, *here)),
        "quantile": (_write_sum(f"smallest {value} at or below which {share} are", among, *here), ""),
        "change": (_write_sum(what, among, *here), _write_sum("less that of the wave before", among, *here)),
    }[formula.kind]
    says = " ".join(filter(None, [WORDS[formula.kind], f"[{formula.note}]" if formula.note else ""]))
    return Making(formula.kind, says, *parts, reads=(f"fct_{formula.fact}",), formula=formula)


def _write_sum(what: str, *conditions: str) -> str:
    met = " and ".join(f"({one})" for one in conditions if one != "true")
    return f"{what} where {met}" if met else what


def _find_reads(text: str) -> Iterable[str]:
    yield from _READS.findall(text)
    for listed in _FIGURES.findall(text):
        yield from (code_in_name(name) for name in re.findall(r"'(\w+)'", listed))


def _first_comment(text: str) -> str:
    lines = [line[3:] for line in text.split("\n\n")[0].splitlines() if line.startswith("-- ")]
    return " ".join(lines)


def _place(settings: Settings, path: Path) -> str:
    for root in (settings.dbt_project.parent, settings.data):
        if path.is_relative_to(root):
            return str(path.relative_to(root))
    return path.name
