"""The indicator catalogue: what each figure means and what of it may be published (`data/indicators/*.yml`).

Here: records, their checks, and the breakdown columns that follow from them; a record that is an estimate over a fact
says how it is made (`formula`). Not here: the SQL of the others (`dbt_project/models/indicators`), or values.

Which side is `ref_area`? The country, or area, that the statement is about: whose stock or flow it is. "Born in A and
living in B" is a statement about A in an indicator of emigrants (`ref_area_side: origin`) and about B in one of
immigrants (`destination`). The other side is `counterpart_area`. Where only one country takes part, the side is
`country`. A record says it in words too.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from hims_pipeline.contracts.basics import Flag, Name, Strict, Text, Whole
from hims_pipeline.contracts.observatory import Policies, load_observatory
from hims_pipeline.contracts.yaml_records import EDITED, parse_record
from hims_pipeline.errors import ContractError

Code = Annotated[str, Field(pattern=r"^[A-Z][0-9]{2}$")]
BREAKDOWNS = "breakdowns.yml"
# Core dimensions that a figure may be broken down by. `ref_area` is in every figure, so no cell names it.
CORE = ("counterpart_area", "sex", "age")
BALANCED = 4  # entries of balance_of
ADDITIVE = ("ref_area", "time_period", *CORE)


MODEL = re.compile(r"([a-z]\d\d)_\w+")


def code_in_name(model: str) -> str:
    """The code that a model's name begins with, as in `b04_net_migration`; empty where the model is no indicator's."""
    match = MODEL.fullmatch(model)
    return match.group(1).upper() if match else ""


# Why a planned indicator has no figures: codes of the list `absence`, whose others a release finds by itself.
Absence = Literal["NO_SOURCE", "NOT_ASKED", "NO_METHOD", "IN_COLUMN"]
Statistic = Literal["total", "share", "ratio", "balance", "other"]


class Breakdown(Strict):
    """One column of the published table beside the core dimensions.

    Args:
        meaning: what its codes stand for.
        codes: the lists that label them, kinds of `definitions.csv` or tables such as countries; without any they have
            no label.
    """

    name: Name
    label: Text
    meaning: str
    codes: tuple[Name, ...] = ()


class Formula(Strict):
    """An estimate over the records of a fact, with its sampling errors. SQL in it reads columns of the fact.

    Args:
        name: told apart by, where an indicator has several formulas; part of the model's name.
        note: what to know of it beside the indicator's definition.
        fact: name of the fact, without `fct_`.
        kind: `total` (weighted records that meet the measure), `share` (those of the domain who meet it, in percent of
            the domain), `ratio` (those who meet it per 100 of the domain, of which they need not be a part), `mean`
            (of `value` over the domain), `quantile` (of `value`, the median unless `quantile` says) or `difference`
            (the share, or with `value` the mean, of the domain less that of `against`, in percentage points or the
            value's unit, with their covariance) or `change` (of the share or mean since the survey's wave before, with
            the covariance of waves that share sampling units).
        quantile: of a quantile, the share of the domain that its value is not below, such as 0.25; half by default.
        value: SQL number: what a mean or quantile is of. Records without it are not in the domain.
        against: SQL condition: the domain that a difference is from.
        measure: SQL condition: who is counted.
        domain: SQL condition: among whom. Outside of it nobody counts, though units without anyone of it are drawn too.
        asked: column, or SQL, that is filled where a source asks the question; others give no figure, not a zero.
        parts: of a share, the dimensions that the numerator alone is broken down by.
        dimensions: dimension -> SQL, where it is not the fact's usual column (macro `fact_dimensions`).
        cells: combinations of dimensions that are computed, each a list; `[]` is the figure for the whole. `ref_area`
            stands for the areas below the country.
        window_years: the figure is about so many years up to the period's last day; `stated` where the entity says how
            many (`window_years` of the contract).
    """

    name: Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]*)?$")] = ""
    note: str = ""
    fact: Name
    kind: Literal["total", "share", "ratio", "mean", "quantile", "difference", "change"] = "total"
    quantile: Annotated[float, Field(gt=0, lt=1)] | None = None
    value: str = ""
    against: str = ""
    measure: str = "true"
    domain: str = "true"
    asked: str = ""
    parts: tuple[Name, ...] = ()
    dimensions: dict[Name, str] = Field(default_factory=dict)
    cells: Annotated[tuple[tuple[Name, ...], ...], Field(min_length=1)]
    window_years: Whole | Literal["stated"] | None = None

    @property
    def expressions(self) -> tuple[str, ...]:
        """Everything in it that is SQL."""
        given = (one for one in (self.asked, self.value, self.against) if one)
        return (self.measure, self.domain, *given, *self.dimensions.values())

    @property
    def used(self) -> set[str]:
        """Dimensions that it names."""
        return {name for cell in self.cells for name in cell}

    def problems(self, dimensions: set[str]) -> list[str]:
        """What does not hold of it, given the dimensions of its indicator."""
        problems = [f"formula: {name} is no dimension of it" for name in sorted(self.used - dimensions)]
        given = {*self.dimensions, *self.parts}
        problems += [f"formula: no cell has {name}" for name in sorted(given - self.used)]
        if self.parts and self.kind != "share":
            problems.append("formula: only a share has parts")
        if self.value and self.measure != "true":
            problems.append("formula: what has a `value` has no `measure`")
        if self.kind not in ("difference", "change") and (self.kind in ("mean", "quantile")) != bool(self.value):
            problems.append("formula: a mean or quantile has a `value`, and a difference or change may have one")
        if self.quantile is not None and self.kind != "quantile":
            problems.append("formula: only a quantile says which one")
        if (self.kind == "difference") != bool(self.against):
            problems.append("formula: a difference, and nothing else, is `against` another domain")
        if self.kind in ("difference", "change", "quantile") and "ref_area" in self.used:
            problems.append(f"formula: a {self.kind} has no cells by ref_area")
        if len({frozenset(cell) for cell in self.cells}) < len(self.cells):
            problems.append("formula: a cell stands twice")
        return problems


class Indicator(Strict):
    """One indicator.

    Args:
        unit_measure: unit of the value, such as `PERSONS`, `PERCENT`, `PER_1000`, `USD`.
        measure_type: stocks and flows may be added up over `additive_over`, ratios and indices over nothing.
        framework: where the definition comes from.
        universe: population that the definition covers; a row says which one its source covered.
        universes: what else sources cover -> the group whose question such figures answer. Figures of one group are
            alternatives to each other, those of two are not.
        sources: contracts that feed it, or names for those still to come.
        breakdowns: dimensions beyond the core ones.
        ref_area_side, ref_area, counterpart_area: which side `ref_area` is, and what the two areas are, in words.
        additive_over: dimensions over which values may be summed.
        minimum_count: figures from microdata are withheld below the observatory's minimum count.
        strict: its subject asks for more records, the observatory's strict count.
        strict_by: dimensions by which it does, such as the route; `ref_area` stands for the areas below the country.
        statistic: what a figure shows of the records behind it, where that does not follow from the formula.
        balance_of: of a balance, the indicator, the dimension and the codes of both sides that it is the difference of.
        publish: may leave; the allow-list.
        cells: combinations that may leave, each a list of dimensions; `[]` is the figure for the area as a whole.
        absence: of what is planned, why it is not computed.
        awaited_cells: combinations that may leave once a source delivers them; none has.
        formula: how it is made, where it is an estimate over a fact; several where sources of different facts give it.
            One without a formula has a model of its own.
    """

    code: Code
    name: Text
    definition: Text
    unit_measure: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    measure_type: Literal["stock", "flow", "ratio", "index"]
    framework: str
    universe: Name
    universes: dict[Name, Name] = Field(default_factory=dict)
    sources: tuple[Name, ...]
    breakdowns: tuple[Name, ...] = ()
    ref_area_side: Literal["country", "destination", "origin"]
    ref_area: str
    counterpart_area: str = ""
    status: Literal["computed", "planned"]
    absence: Absence | None = None
    additive_over: tuple[Name, ...] = ()
    decimals: Whole = 0
    minimum_count: Flag = False
    strict: Flag = False
    strict_by: tuple[Name, ...] = ()
    statistic: Statistic | None = None
    balance_of: tuple[str, ...] = ()
    publish: Flag = False
    cells: tuple[tuple[Name, ...], ...] = ()
    awaited_cells: tuple[tuple[Name, ...], ...] = ()
    formula: tuple[Formula, ...] = ()

    @property
    def dimensions(self) -> tuple[str, ...]:
        """All dimensions that a figure of this indicator may be broken down by."""
        return (*(d for d in CORE if d != "counterpart_area" or self.counterpart_area), *self.breakdowns)

    @property
    def allowed_cells(self) -> tuple[tuple[str, ...], ...]:
        """All combinations that may leave, delivered or awaited."""
        return (*self.cells, *self.awaited_cells)

    @property
    def shows(self) -> Statistic:
        """What a figure shows of the records behind it: all of a stock or flow, or as its formula says."""
        if self.statistic is not None:
            return self.statistic
        if self.formula:
            kind = self.formula[0].kind
            return kind if kind == "total" or kind == "share" or kind == "ratio" else "other"  # noqa: PLR1714 - types
        return "total" if self.measure_type in ("stock", "flow") else "other"

    @model_validator(mode="after")
    def _check_consistency(self) -> "Indicator":
        problems = [f"{b} is a core dimension, no breakdown" for b in self.breakdowns if b in (*ADDITIVE, "indicator")]
        for what, names in (("breakdowns", self.breakdowns), ("additive_over", self.additive_over)):
            problems += [f"{what} names {n} twice" for n in sorted(set(names)) if names.count(n) > 1]
        known = {*self.dimensions, "ref_area", "time_period"}
        problems += [f"additive over {d}, which is no dimension of it" for d in self.additive_over if d not in known]
        problems += [f"strict by {d}, which is no dimension of it" for d in self.strict_by if d not in known]
        problems += [
            f"cell {list(c)}: {d} is no dimension of it"
            for c in self.allowed_cells
            for d in c
            if d not in self.dimensions
        ]
        if len({frozenset(cell) for cell in self.allowed_cells}) < len(self.allowed_cells):
            problems.append("a cell stands twice")
        if self.additive_over and self.measure_type in ("ratio", "index"):
            problems.append(f"a {self.measure_type} is additive over nothing")
        if "time_period" in self.additive_over and self.measure_type == "stock":
            problems.append("a stock is not additive over time")
        if self.counterpart_area and self.ref_area_side == "country":
            problems.append("with a counterpart_area, say whether ref_area is the origin or the destination")
        if self.publish != bool(self.allowed_cells) or (self.publish and self.status == "planned"):
            problems.append("what is published is computed and lists its cells; what is not published lists none")
        for one in self.formula:
            problems += one.problems({*self.dimensions, "ref_area"})
        if len({one.name for one in self.formula}) < len(self.formula):
            problems.append("formulas of one indicator have names of their own")
        if (self.shows == "balance") != (len(self.balance_of) == BALANCED):
            problems.append("a balance says of what: balance_of has an indicator, a dimension and two codes")
        if self.formula and self.statistic is not None:
            problems.append("what a figure shows follows from its formula")
        is_planned = self.status == "planned"
        if is_planned != (self.absence is not None) or (is_planned and self.formula):
            problems.append("what is planned, and nothing else, says why it is absent, and has no formula")
        if problems:
            raise ValueError(f"{self.code}: " + "; ".join(problems))
        return self

    def as_row(self, languages: tuple[str, ...], policies: Policies) -> dict[str, str]:
        """The record as one row of the table `indicators`; lists are separated by blanks."""
        minimum = policies.strict_count if self.strict else policies.minimum_count
        return {
            "code": self.code,
            **self.name.columns("name", languages), **self.definition.columns("definition", languages),
            "unit_measure": self.unit_measure, "measure_type": self.measure_type, "framework": self.framework,
            "universe": self.universe, "sources": " ".join(self.sources), "breakdowns": " ".join(self.breakdowns),
            "ref_area_side": self.ref_area_side, "ref_area_meaning": self.ref_area,
            "counterpart_area_meaning": self.counterpart_area, "status": self.status,
            "absence": self.absence or "", "additive_over": " ".join(self.additive_over),
            "decimals": str(self.decimals),
            "has_minimum_count": str(self.minimum_count).lower(),
            "minimum_records": str(minimum), "strict_by": " ".join(self.strict_by),
            "strict_records": str(policies.strict_count), "statistic": self.shows,
            "balance_of": " ".join(self.balance_of), "is_published": str(self.publish).lower(),
        }  # fmt: skip


class _IndicatorFile(Strict):
    indicators: tuple[Indicator, ...]


class _BreakdownFile(Strict):
    breakdowns: tuple[Breakdown, ...]


def load_indicators(data: Path) -> dict[str, Indicator]:
    """All indicators by code, sorted.

    Raises:
        ContractError: all that is wrong: a record, a code that stands twice or in another letter's file, a breakdown
            without a label or a labelled one that no indicator uses, a name that one of the languages lacks.
    """
    return dict(_load(data, _state(data))[0])


def load_breakdowns(data: Path) -> list[Breakdown]:
    """All breakdowns by name, sorted; raises as `load_indicators` does."""
    return list(_load(data, _state(data))[1])


def breakdown_columns(data: Path) -> list[str]:
    """Names of the breakdown columns in alphabetical order, so that the order of files and records does not matter."""
    return [breakdown.name for breakdown in load_breakdowns(data)]


def _state(data: Path) -> tuple[tuple[str, int, int], ...]:
    files = [*sorted((data / "indicators").glob(EDITED)), data / "observatory.yml"]
    return tuple((p.name, p.stat().st_mtime_ns, p.stat().st_size) for p in files if p.exists())


@lru_cache(maxsize=8)
def _load(data: Path, _state: tuple[tuple[str, int, int], ...]) -> tuple[dict[str, Indicator], list[Breakdown]]:
    folder = data / "indicators"
    by_code: dict[str, Indicator] = {}
    wrong: list[str] = []
    for path in sorted(folder.glob(EDITED)):
        if path.name == BREAKDOWNS:
            continue
        for indicator in parse_record(_IndicatorFile, path).indicators:
            if indicator.code in by_code:
                wrong.append(f"{path.name}: {indicator.code} stands twice")
            if indicator.code[0] != path.name[0]:
                wrong.append(
                    f"{path.name}: {indicator.code} belongs into the file that begins with {indicator.code[0]}"
                )
            by_code[indicator.code] = indicator
    labels = parse_record(_BreakdownFile, folder / BREAKDOWNS).breakdowns if (folder / BREAKDOWNS).exists() else ()
    wrong += _drift(by_code, labels) + _find_unnamed(by_code, labels, load_observatory(data).languages)
    if wrong:
        raise ContractError("data/indicators does not say what it must:\n  " + "\n  ".join(wrong))
    return dict(sorted(by_code.items())), sorted(labels, key=lambda one: one.name)


def _drift(indicators: dict[str, Indicator], labels: tuple[Breakdown, ...]) -> list[str]:
    """Both ways: what is used has a label, what has a label is used, once."""
    names = [label.name for label in labels]
    used = {name: indicator.code for indicator in indicators.values() for name in indicator.breakdowns}
    return [
        *(f"{BREAKDOWNS}: {name} stands twice" for name in sorted(set(names)) if names.count(name) > 1),
        *(f"{BREAKDOWNS}: {name} is missing; {used[name]} uses it" for name in sorted(set(used) - set(names))),
        *(f"{BREAKDOWNS}: no indicator uses {name}" for name in sorted(set(names) - set(used))),
    ]


def _find_unnamed(
    indicators: dict[str, Indicator], labels: tuple[Breakdown, ...], languages: tuple[str, ...]
) -> list[str]:
    texts = [
        *((f"{indicator.code}: no name", indicator.name) for indicator in indicators.values()),
        *((f"{indicator.code}: no definition", indicator.definition) for indicator in indicators.values()),
        *((f"{one.name}: no name", one.label) for one in labels),
    ]
    return [
        f"{missing} in {language}"
        for missing, text in texts
        for language in languages
        if not text.get(language).strip()
    ]
