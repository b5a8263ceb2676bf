"""The schemes of the crosswalks, `data/codelists/xwalk_*.csv` and `correspondences.csv`: their codes, and which of them
do not hold. A scheme that does not hold concerns the sources that use it, and no others.

Not here: what codes mean (dbt's `xwalk`), and whether lists agree with each other in time (tests/contracts).
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from hims_pipeline.contracts.columns import Column, ColumnMap
from hims_pipeline.contracts.joins import column_at, steps_of
from hims_pipeline.contracts.model import Contract

# List of codes -> the list that its codes lead to, and the column that both share.
CROSSWALKS = {"xwalk_country.csv": ("countries.csv", "country_code"), "xwalk_area.csv": ("areas.csv", "area_code")}
CORRESPONDENCES = ("correspondences.csv", "assignment_seeds.csv")


@dataclass(frozen=True)
class Schemes:
    """Schemes by name: their codes where they hold, else what is wrong with them."""

    codes: dict[str, frozenset[str]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)


def load_schemes(data: Path) -> Schemes:
    """All schemes of the crosswalks; read once while the files stay as they are."""
    folder = data / "codelists"
    names = [*CROSSWALKS, *(to for to, _ in CROSSWALKS.values()), *CORRESPONDENCES]
    paths = [folder / name for name in names if (folder / name).exists()]
    return _load(folder, tuple((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in paths))


@lru_cache(maxsize=8)
def _load(folder: Path, _state: tuple[tuple[str, int, int], ...]) -> Schemes:
    schemes = Schemes()
    for name, (to, column) in CROSSWALKS.items():
        known = {row.get(column) for row in _rows(folder / to)}
        by_scheme: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in _rows(folder / name):
            by_scheme[str(row.get("scheme"))].append((row.get("code") or "", row.get(column) or ""))
        for scheme, pairs in by_scheme.items():
            if scheme in schemes.codes or scheme in schemes.broken:
                schemes.broken[scheme] = f"{name}: scheme {scheme} stands in another crosswalk too"
            elif problem := _problem(pairs, {str(one) for one in known}, to):
                schemes.broken[scheme] = f"{name}, scheme {scheme}: {problem}"
            else:
                schemes.codes[scheme] = frozenset(code for code, _ in pairs)
    for scheme in schemes.broken:
        schemes.codes.pop(scheme, None)
    return schemes


def _problem(pairs: list[tuple[str, str]], known: set[str], to: str) -> str:
    if any(not code or not target for code, target in pairs):
        return "a code, or what it leads to, is empty"
    if doubled := sorted(code for code, count in Counter(code for code, _ in pairs).items() if count > 1):
        return f"{', '.join(doubled[:5])} stands twice"
    if strange := sorted({target for _, target in pairs if target not in known and not target.startswith("_")}):
        return f"{to} has no {', '.join(strange[:5])}"
    return ""


def _rows(path: Path) -> list[dict[str, str]]:
    """Rows of a list; none where it cannot be read, so that each of its schemes is one that does not exist."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error):
        return []


def _assignable_schemes(data: Path) -> set[str]:
    """Schemes by which codes can be assigned: they have shares and a seed."""
    shares, seeds = ({row.get("scheme") for row in _rows(data / "codelists" / name)} for name in CORRESPONDENCES)
    return {str(one) for one in shares & seeds}


def scheme_problems(data: Path, contract: Contract) -> list[str]:
    """What is wrong with the schemes that a contract names."""
    schemes = load_schemes(data)
    assigned: set[str] | None = None
    problems = []
    for place, scheme, words in _find_schemes(contract):
        if scheme in schemes.broken:
            problems.append(f"{place}: {schemes.broken[scheme]}")
        elif scheme not in schemes.codes:
            problems.append(f"{place}: no crosswalk in data/codelists has a scheme {scheme}")
        elif words & schemes.codes[scheme]:
            word = sorted(words & schemes.codes[scheme])[0]
            problems.append(
                f"{place}: {word!r} is a code of {scheme} and a null word; say the column's own `null_values`"
            )
    for name in contract.entities:
        feeds = [feed for period in contract.periods_of_layouts for feed in contract.entity_in(name, period).feeds]
        for scheme in sorted({m.assign for feed in feeds for m in feed.columns.values() if m.assign}):
            assigned = _assignable_schemes(data) if assigned is None else assigned
            if scheme not in assigned:
                problems.append(f"{name}: correspondences.csv and assignment_seeds.csv have no scheme {scheme}")
    return list(dict.fromkeys(problems))


def _find_schemes(contract: Contract) -> Iterator[tuple[str, str, set[str]]]:
    """Each scheme that a contract names: where, which, and the null words of its column."""
    for name in contract.entities:
        for period in contract.periods_of_layouts:
            entity, form = contract.entity_in(name, period), contract.format_in(name, period)
            for column in entity.kept_columns:
                if column.crosswalk:
                    yield f"{name}.{column.name}", column.crosswalk, set(column.missing_values_in(form).nulls)
            for feed in entity.feeds:
                for target, mapping in feed.columns.items():
                    if mapping.crosswalk and mapping.from_ and (read := _read(contract, name, mapping, period)):
                        there = steps_of(contract.entities, name, mapping.of)[-1].entity if mapping.of else name
                        words = set(read.missing_values_in(contract.format_in(there, period)).nulls)
                        yield f"{name} -> {feed.fact}.{target}", mapping.crosswalk, words


def _read(contract: Contract, name: str, mapping: ColumnMap, period: str) -> Column | None:
    """The column that a mapping reads; None where a period does not have it."""
    wanted = str(mapping.from_)
    if mapping.of:
        return column_at(contract.at(period).entities, name, mapping.of, wanted)
    return contract.entity_in(name, period).column(wanted)
