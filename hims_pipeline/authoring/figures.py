"""What a delivery gives: for each indicator the areas that it has figures for, or why it gives none.

Why follows from the project itself: which facts an indicator's model reads, and which of their columns it names that
nothing of the source feeds.
"""

import json
import re
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from hims_pipeline.contracts.facts import load_fact_columns
from hims_pipeline.contracts.indicators import code_in_name, load_indicators
from hims_pipeline.contracts.model import Contract
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection, literal, literals
from hims_pipeline.staging.render import MANIFEST

# A design gives them where they are not sent.
_DESIGNED = {"weight_persons", "stratum", "psu", "population_units", "ssu", "population_ssus"}
_WORD = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Figures:
    """What a source would have published.

    Args:
        areas: indicator -> areas that it has figures for.
        figures, withheld: numbers of figures, and of those without a value since they rest on too few records.
        absent: indicator -> why the source gives none, of those that read a fact which it feeds.
    """

    areas: dict[str, int] = field(default_factory=dict)
    figures: dict[str, int] = field(default_factory=dict)
    withheld: dict[str, int] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def sentences(self) -> Iterator[str]:
        """As a person reads it: what it gives, for how many areas, and what not."""
        by_areas: dict[int, list[str]] = {}
        for code, areas in self.areas.items():
            by_areas.setdefault(areas, []).append(code)
        given = [
            f"{_list_codes(codes)} for {areas:,} area{'s' * (areas != 1)}"
            for areas, codes in sorted(by_areas.items(), reverse=True)
        ]
        yield f"This delivery would give {'; '.join(given)}." if given else "This delivery would give no figure."
        hidden = {code: count for code, count in self.withheld.items() if count}
        if hidden:
            yield (
                "Withheld, since they rest on too few records: "
                + ", ".join(f"{count:,} of {self.figures[code]:,} figures of {code}" for code, count in hidden.items())
                + "."
            )
        reasons: dict[str, list[str]] = {}
        for code, reason in self.absent.items():
            reasons.setdefault(reason, []).append(code)
        for reason, codes in reasons.items():
            yield f"Not {_list_codes(codes)}, because {reason}."


def _list_codes(codes: list[str]) -> str:
    return " and ".join([", ".join(codes[:-1])] * (len(codes) > 1) + codes[-1:])


def figures_of(settings: Settings, contract: Contract, warehouse: Path, tree: Path) -> Figures:
    """What a source has in a warehouse that dbt has built from its rendered tree.

    Raises:
        HimsError: the catalogue of indicators does not hold.
    """
    with connection(settings) as con:
        con.execute(f"attach {literal(warehouse)} as built (read_only)")
        rows = con.execute(
            "select indicator, count(distinct ref_area) filter (where obs_value is not null), count(*),"
            " count(*) filter (where obs_value is null)"
            " from built.published.indicator_value where list_contains(string_split(source, '+'), $1) group by all"
            " order by indicator",
            [contract.source],
        ).fetchall()
        areas, figures, withheld = ({row[0]: row[place] for row in rows if row[1]} for place in (1, 2, 3))
        absent = {row[0]: "each of its figures rests on too few records" for row in rows if not row[1]}
        absent |= dict(_explain_absent(con, settings, contract, tree, areas.keys() | absent.keys()))
    return Figures(areas, figures, withheld, absent)


def _explain_absent(
    con: duckdb.DuckDBPyConnection, settings: Settings, contract: Contract, tree: Path, given: Set[str]
) -> Iterator[tuple[str, str]]:
    """Indicators that read a fact which the source feeds and have no figure of it, and why."""
    manifest = json.loads((tree / MANIFEST).read_text(encoding="utf-8"))
    fed = {feed.fact for entity in contract.entities.values() for feed in entity.feeds}
    for code, indicator in load_indicators(settings.data).items():
        if code in given or not indicator.publish:
            continue
        reading = [
            traced for model in _models_of(manifest, code) if (traced := _trace_models(manifest, model))[1] & fed
        ]
        if not reading:
            continue
        # Several models of one indicator are ways to the same figure: the source may lack what each of them needs.
        columns = _smallest(
            {one for models, facts in reading for one in _find_unfed(manifest, models, contract, facts)}
        )
        lacking = sorted({one for _, facts in reading for one in facts - fed if not _has_rows(con, one)})
        if columns:
            yield code, f"nothing feeds {', '.join(columns)}"
        elif lacking:
            yield code, f"it also needs what feeds {_list_codes(lacking)}"
        elif _is_computed(con, contract, code):
            yield code, "none of its figures is one that may be published"
        else:
            yield code, "no record of this delivery falls under it"


def _models_of(manifest: dict[str, Any], code: str) -> list[str]:
    """The models that compute an indicator, which are called by its code."""
    nodes = manifest["nodes"].items()
    return [name for name, node in nodes if node["resource_type"] == "model" and code_in_name(node["name"]) == code]


def _trace_models(manifest: dict[str, Any], model: str) -> tuple[set[str], set[str]]:
    """The models that a model is made of, itself among them, and the facts that they name in their own text: what a
    macro reads beside, such as drawn units, is not needed for a figure."""
    models, facts, waiting = set(), set(), [model]
    while waiting:
        name = waiting.pop()
        if name in models:
            continue
        models.add(name)
        text = manifest["nodes"][name]["raw_code"]
        for parent in manifest["parent_map"].get(name, ()):
            table = parent.split(".")[-1]
            if table.startswith("fct_") and table in text:
                facts.add(table.removeprefix("fct_"))
            elif parent.startswith("model.") and not table.startswith(("fct_", "stg_", "feed_", "dim_")):
                waiting.append(parent)
    return models, facts


def _find_unfed(
    manifest: dict[str, Any], models: set[str], contract: Contract, facts: set[str]
) -> Iterator[frozenset[str]]:
    """Columns of facts that the models' text names, or that such a column is made of (any of them would do), and that
    the source feeds by nothing."""
    words = {word for model in models for word in _WORD.findall(manifest["nodes"][model]["raw_code"])}
    for fact, columns in load_fact_columns().items():
        feeds = [f for entity in contract.entities.values() for f in entity.feeds if f.fact == fact]
        if fact not in facts or not feeds:
            continue
        mapped = {column for feed in feeds for column in feed.columns}
        text = next((n["raw_code"] for n in manifest["nodes"].values() if n["name"] == f"fct_{fact}"), "")
        for word in words:
            made_of = _trace_columns(text, word, set(columns)) or ({word} & columns.keys())
            if made_of and not made_of & (mapped | _DESIGNED):
                yield frozenset(made_of)


def _smallest(groups: set[frozenset[str]]) -> list[str]:
    """Groups of columns in words; one that holds another says no more than that."""
    kept = [group for group in groups if not any(other < group for other in groups)]
    return sorted(" or ".join(sorted(group)) for group in kept)


def _trace_columns(text: str, word: str, columns: set[str]) -> set[str]:
    """The fed columns that the line of a fact which ends in `as <word>` names, and those that they are made of."""
    traced: set[str] = set()
    waiting = [word]
    while waiting:
        column = waiting.pop()
        for line in re.findall(rf"^(.*) as {column},?\s*$", text, re.MULTILINE):
            new = (set(_WORD.findall(line)) & columns) - traced
            traced |= new
            waiting += sorted(new - {column})
    return traced


def _has_rows(con: duckdb.DuckDBPyConnection, fact: str) -> bool:
    return con.execute(f"select 1 from built.conformed.fct_{fact} limit 1").fetchone() is not None


def _is_computed(con: duckdb.DuckDBPyConnection, contract: Contract, code: str) -> bool:
    query = f"select 1 from built.indicators.ind_values where indicator in ({literals([code])}) and source = $1 limit 1"
    return con.execute(query, [contract.source]).fetchone() is not None
