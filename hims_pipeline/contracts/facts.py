"""The conformed facts that a contract can feed: their columns and types, read from the dbt models' own description.

One file a fact, `dbt_project/models/conformed/fct_<fact>.yml`: dbt documents and tests it, contracts are checked
against it, and the union of the feeders is rendered from it. Columns marked `fed` are those that a contract's feed may
map. Every fact also carries what each row needs to be read alone: source, entity, period, batch_id, layout and the
columns of the macro `batch_columns`. Not here: whether a mapping fits (`mappings`).
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.basics import SPECIAL_CODES
from hims_pipeline.contracts.fact_columns import FactColumn, is_area
from hims_pipeline.contracts.mappings import mapping_problems
from hims_pipeline.contracts.model import Contract, Feed
from hims_pipeline.contracts.yaml_records import read_yaml
from hims_pipeline.errors import ContractError
from hims_pipeline.settings import REPOSITORY

FACTS = REPOSITORY / "dbt_project" / "models" / "conformed"


def load_facts(folder: Path = FACTS) -> dict[str, dict[str, str]]:
    """Fact (without `fct_`) -> column -> SQL type, for the columns that a contract maps (`meta: fed: true`)."""
    return {
        fact: {name: column.sql_type for name, column in columns.items()}
        for fact, columns in load_fact_columns(folder).items()
    }


@lru_cache(maxsize=2)
def load_fact_columns(folder: Path = FACTS) -> dict[str, dict[str, FactColumn]]:
    """Fact (without `fct_`) -> column -> what may stand in it."""
    return {
        model["name"].removeprefix("fct_"): {
            column["name"]: _column(column)
            for column in model["columns"]
            if column.get("config", {}).get("meta", {}).get("fed")
        }
        for path in sorted(folder.glob("fct_*.yml"))
        for model in read_yaml(path)["models"]
    }


def _column(described: dict[str, Any]) -> FactColumn:
    accepted: frozenset[str] | None = None
    special: frozenset[str] = frozenset()
    for test in described.get("data_tests", ()):
        arguments = next(iter(test.values())).get("arguments", {}) if isinstance(test, dict) else {}
        if isinstance(test, dict) and "accepted_values" in test:
            accepted = frozenset(map(str, arguments["values"]))
            special = accepted & frozenset(SPECIAL_CODES)
        elif arguments.get("to") == "ref('dim_country')":
            special = frozenset(SPECIAL_CODES) - {"_T"}
    if is_area(described["name"]):
        special = frozenset({"_U"})
    meta = described["config"]["meta"]
    of = meta.get("of", "")
    is_needed = "not_null" in described.get("data_tests", ()) and not (of or meta.get("may_be_empty"))
    kind = described["data_type"].lower()
    is_total = bool(meta.get("total"))
    return FactColumn(described["name"], kind, accepted, special, of, _list_of(described), is_needed, is_total)


def _list_of(described: dict[str, Any]) -> str:
    tests = [next(iter(test.values())) for test in described.get("data_tests", ()) if isinstance(test, dict)]
    named = [re.fullmatch(r"ref\('(\w+)'\)", str(test.get("arguments", {}).get("to"))) for test in tests]
    codelist = next((match.group(1) for match in named if match), "")
    area = "dim_area" if is_area(described["name"]) else ""
    return codelist or area or ("dim_country" if "dim_country" in described.get("description", "") else "")


# Status of a person -> the country's code that it follows from where it is not given.
_FOLLOWS = {"birth_status": "country_of_birth_code", "citizenship_status": "country_of_citizenship_code"}


def _homeless(contract: Contract, feed: Feed, columns: dict[str, FactColumn]) -> list[str]:
    """Statuses that follow from the code of a country, in a source that does not say which country is its own."""
    return [
        f"{status} follows from {code}: say whose the source is (`country`), or map {status}"
        for status, code in _FOLLOWS.items()
        if contract.country is None and status in columns and code in feed.columns and status not in feed.columns
    ]


def _undrawn(contract: Contract, name: str, period: str, feed: Feed) -> list[str]:
    """Strata and units of a sample's design that reach a fact from nowhere: its errors would be those of another
    design, and nothing would say so."""
    design = contract.entities[name].design or contract.design
    needed = {"stratum", "psu"} & load_fact_columns()[feed.fact].keys()
    if design is None or not needed or needed <= feed.columns.keys():
        return []
    lost = design.lost_columns_of(contract.at(period).design_columns(name), design.named)
    if not lost:
        return []
    return [f"{', '.join(lost)} of the design stand neither here nor in an entity that this one refers to by its key"]


def _find_unfed(feed: Feed, columns: dict[str, FactColumn]) -> list[str]:
    """Columns that a fact cannot do without and that a feed leaves out."""
    lost = [name for name, column in columns.items() if column.is_needed and name not in feed.columns]
    return [f"maps nothing to {', '.join(lost)}, which no row of it may be without"] if lost else []


def check_feeds(contract: Contract) -> None:
    """Every feed names a fact and columns of it, and every mapping fits both its columns.

    Raises:
        ContractError: all that is wrong, entity by entity and layout by layout.
    """
    facts, problems = load_fact_columns(), []
    periods = ["", *(period for layout in contract.layouts for period in layout.known_periods)]
    for name in contract.entities:
        for period in periods:
            entity = contract.at(period).join_columns(name)
            for feed in entity.feeds:
                place = f"{contract.source}.{name}{f' in {period}' if period else ''} -> {feed.fact}"
                if feed.fact not in facts:
                    problems.append(f"{place}: no such fact; there are {', '.join(facts)}")
                    continue
                columns = facts[feed.fact]
                problems += [f"{place}: {problem}" for problem in _homeless(contract, feed, columns)]
                problems += [f"{place}: {problem}" for problem in _undrawn(contract, name, period, feed)]
                problems += [f"{place}: {problem}" for problem in _find_unfed(feed, columns)]
                problems += [
                    f"{place}: {c} is no column of it" for c in (*feed.columns, *feed.exclude) if c not in columns
                ]
                for target, mapping in feed.columns.items():
                    if target in columns:
                        messages = mapping_problems(entity, mapping, columns[target])
                        problems += [f"{place}.{target}: {problem}" for problem in messages]
    if problems:
        raise ContractError(f"{contract.source}.yml feeds do not fit:\n  " + "\n  ".join(dict.fromkeys(problems)))
