"""Codes that a contract names and that stand in a list of `data/`: universes and reference points, countries, areas,
shapes of identifiers. One that no list has would be found by dbt alone, at the end of a night for all sources.

Not here: schemes of crosswalks (`crosswalks`), and codes that a fact's column lists itself (`mappings`).
"""

import csv
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from hims_pipeline.contracts.columns import ColumnMap
from hims_pipeline.contracts.facts import load_fact_columns
from hims_pipeline.contracts.model import Contract

# What a fact's column points at -> the list that it is made from, and the column of its codes.
LISTS = {
    "dim_country": ("countries.csv", "country_code"),
    "dim_area": ("areas.csv", "area_code"),
    "mirror_measures": ("mirror_measures.csv", "measure"),
}


def listed_problems(data: Path, contract: Contract) -> list[str]:
    """What no list has of what a contract names; nothing is said of a list that is not there."""
    problems = [
        *_check_definitions(data, contract),
        *_check_countries(data, contract),
        *_check_mappings(data, contract),
        *_shapes(data, contract),
    ]
    return list(dict.fromkeys(problems))


def _check_definitions(data: Path, contract: Contract) -> Iterator[str]:
    named: list[tuple[str, str | None, str | None]] = [("", contract.universe, contract.reference_point)]
    named += [(f"{name}: ", one.universe, one.reference_point) for name, one in contract.entities.items()]
    for place, universe, point in named:
        for kind, code in (("universe", universe), ("reference_point", point)):
            known = _codes(data / "codelists/definitions.csv", "code", kind)
            if code is not None and known and code not in known:
                yield f"{place}definitions.csv has no {kind} {code}"


def _check_countries(data: Path, contract: Contract) -> Iterator[str]:
    known = _codes(data / "codelists/countries.csv", "country_code")
    for key, code in (("country", contract.country), ("owner: country", contract.owner.country)):
        if code and known and code not in known:
            yield f"{key}: countries.csv has no {code}"


def _check_mappings(data: Path, contract: Contract) -> Iterator[str]:
    """Constants and codes that a mapping writes into columns of countries, areas and measures."""
    facts = load_fact_columns()
    for name in contract.entities:
        for period in ("", *(layout.known_periods[0] for layout in contract.layouts)):
            for feed in contract.entity_in(name, period).feeds:
                for target, mapping in feed.columns.items():
                    column = facts.get(feed.fact, {}).get(target)
                    if column is None or column.list_ not in LISTS:
                        continue
                    file, key = LISTS[column.list_]
                    known = _codes(data / "codelists" / file, key)
                    lost = [code for code in _list_written(mapping) if code not in known and not code.startswith("_")]
                    if known and lost:
                        yield f"{name} -> {feed.fact}.{target}: {file} has no {', '.join(lost)}"


def _list_written(mapping: ColumnMap) -> list[str]:
    values = (mapping.value, mapping.otherwise, mapping.default, *(mapping.codes or {}).values())
    return sorted({str(value) for value in (*values, *mapping.replace.values()) if value is not None})


def _shapes(data: Path, contract: Contract) -> Iterator[str]:
    known = _codes(data / "identifier_shapes.csv", "shape")
    for name, entity in contract.entities.items():
        for column in entity.columns:
            if lost := sorted(set(column.may_hold) - known - {"EACH_ITS_OWN"}) if known else []:
                yield f"{name}.{column.name}: may_hold: identifier_shapes.csv has no {', '.join(lost)}"


def _codes(path: Path, column: str, kind: str = "") -> frozenset[str]:
    """Codes of a list, of one kind where it holds several; none where there is no such list."""
    if not path.exists():
        return frozenset()
    state = path.stat()
    return _read(path, column, kind, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=32)
def _read(path: Path, column: str, kind: str, _modified: int, _size: int) -> frozenset[str]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if not kind or row.get("kind") == kind]
    return frozenset(row[column] for row in rows if row.get(column))
