"""The conformed facts that a contract can feed: their columns and types, read from the dbt models' own description.

One file a fact, `dbt_project/models/conformed/fct_<fact>.yml`: dbt documents and tests it, contracts are checked
against it, and the union of the feeders is rendered from it. Columns marked `fed` are those that a contract's feed may
map. Every fact also carries what each row needs to be read alone: source, entity, period, batch_id, layout and the
columns of the macro `batch_columns`.
"""

from functools import lru_cache
from pathlib import Path

from hims_pipeline.contracts.records import read_yaml
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import ContractError
from hims_pipeline.settings import REPOSITORY

FACTS = REPOSITORY / "dbt_project" / "models" / "conformed"


@lru_cache(maxsize=2)
def load_facts(folder: Path = FACTS) -> dict[str, dict[str, str]]:
    """Fact (without `fct_`) -> column -> SQL type, for the columns that a contract maps (`meta: fed: true`)."""
    return {
        model["name"].removeprefix("fct_"): {
            column["name"]: column["data_type"]
            for column in model["columns"]
            if column.get("config", {}).get("meta", {}).get("fed")
        }
        for path in sorted(folder.glob("fct_*.yml"))
        for model in read_yaml(path)["models"]
    }


def is_area(column: str) -> bool:
    """Does a column of a fact hold codes of `areas.csv`?"""
    return column == "area_code" or column.endswith("_area_code")


def check_feeds(contract: Contract) -> None:
    """Every feed names a fact, its columns are columns of that fact, and code maps cover every valid code.

    Raises:
        ContractError: all that is wrong, entity by entity and layout by layout.
    """
    facts, found = load_facts(), []
    periods = ["", *(period for layout in contract.layouts for period in layout.periods)]
    for name in contract.entities:
        for period in periods:
            entity = contract.entity_in(name, period)
            for feed in entity.feeds:
                place = f"{contract.source}.{name}{f' in {period}' if period else ''} -> {feed.fact}"
                if feed.fact not in facts:
                    found.append(f"{place}: no such fact; there are {', '.join(facts)}")
                    continue
                found += [f"{place}: {c} is no column of it" for c in feed.columns if c not in facts[feed.fact]]
                found += [
                    f"{place}.{c}: a code of areas comes through a scheme of xwalk_area.csv: {mapping.from_} alone does"
                    " not say in which system it counts"
                    for c, mapping in feed.columns.items()
                    if is_area(c) and mapping.from_ and mapping.crosswalk is None and mapping.codes is None
                ]
                for target, mapping in feed.columns.items():
                    codes = entity.column(mapping.from_).valid_codes() if mapping.from_ and not mapping.when else None
                    if codes is not None and mapping.codes is not None:
                        lost = set(codes) - {str(code) for code in mapping.codes}
                        found += [
                            f"{place}.{target}: code {code} of {mapping.from_} is not mapped" for code in sorted(lost)
                        ]
    if found:
        raise ContractError(f"{contract.source}.yml feeds do not fit:\n  " + "\n  ".join(dict.fromkeys(found)))
