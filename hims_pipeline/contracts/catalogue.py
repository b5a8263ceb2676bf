"""What every table and column is, in one place: descriptions of dbt models, and the words of
`dbt_project/dictionary.yml`.

The pages of `docs/dictionary`, dbt's own documentation of what is published and, through dbt's manifest, Dagster's
column metadata are views of it. Not here: pages (`docs.dictionary`), or which columns a table has.
"""

import csv
import re
from functools import cached_property
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.indicators import code_in_name, load_breakdowns, load_indicators
from hims_pipeline.contracts.load import load_contracts, read_yaml
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.settings import Settings

# How tables begin whose breakdown columns mean what the breakdown's record says.
FIGURES = ("ind_", "indicator_", "v_")


class Catalogue:
    """Descriptions of tables and columns in one language of documentation."""

    def __init__(self, settings: Settings, language: str) -> None:
        self.settings, self.language = settings, language
        self.words = read_yaml(settings.dbt_project / "dictionary.yml")
        self.models = _models(settings.dbt_project)
        self.breakdowns = {breakdown.name: breakdown for breakdown in load_breakdowns(settings.data)}
        self.indicators = load_indicators(settings.data)
        self.languages = load_observatory(settings.data).languages
        self.kinds = _kinds(settings.data)

    @cached_property
    def feeders(self) -> dict[str, list[str]]:
        """Fact -> entities that feed it."""
        return _feeders(self.settings)

    def table(self, name: str) -> str:
        """What a table is; empty where nothing says it."""
        model = self.models.get(name, {})
        if (code := code_in_name(name)) in self.indicators:
            indicator = self.indicators[code]
            return f"{code} {indicator.name.get(self.language)}. {indicator.definition.get(self.language)}".rstrip()
        own = self.words["tables"].get(name, {}).get(self.language, "")
        return own or (model.get("description", "") if self.language == "en" else "")

    def column(self, table: str, name: str) -> str:
        """What a column of a table is; empty where nothing says it."""
        label = re.fullmatch(rf"(\w+)_({'|'.join(self.languages)})", name)
        if label and label.group(1) in self.words["labels"]:
            return f"{self.words['labels'][label.group(1)].get(self.language, '')} ({label.group(2)})"
        if name in self.breakdowns and (code_in_name(table) or table.startswith(FIGURES)):
            breakdown = self.breakdowns[name]
            return breakdown.meaning if self.language == "en" else breakdown.label.get(self.language)
        shared = self.words["columns"].get(f"{table}.{name}") or self.words["columns"].get(name, {})
        if self.language != "en":
            text: str = shared.get(self.language, "")
            return text
        described = self.models.get(table, {}).get("columns", {}).get(name, {}).get("description")
        return described or shared.get("en", "") or self._find_elsewhere(name)

    def _find_elsewhere(self, name: str) -> str:
        """One name has one meaning: what another model says of the column holds here too."""
        descriptions = (model["columns"].get(name, {}).get("description", "") for model in self.models.values())
        return next((text for text in descriptions if text), "")

    def code_list(self, table: str, name: str) -> str:
        """The code list of a column, as the pages write it; empty where it has none."""
        for test in self.models.get(table, {}).get("columns", {}).get(name, {}).get("data_tests", ()):
            if isinstance(test, dict) and "relationships" in test:
                return f"`{test['relationships']['arguments']['to'][5:-2]}`"
        return f"`definitions`: {name}" if name in self.kinds else ""


def _models(project: Path) -> dict[str, dict[str, Any]]:
    models = {}
    for path in sorted((project / "models").rglob("*.yml")):
        for model in read_yaml(path).get("models", ()):
            columns = {column["name"]: column for column in model.get("columns", ())}
            models[model["name"]] = {"description": model.get("description", ""), "columns": columns}
    return models


def _kinds(data: Path) -> set[str]:
    with (data / "codelists/definitions.csv").open(encoding="utf-8", newline="") as file:
        return {row["kind"] for row in csv.DictReader(file)}


def _feeders(settings: Settings) -> dict[str, list[str]]:
    feeders: dict[str, list[str]] = {}
    for contract in load_contracts(settings.data).values():
        for name, entity in contract.entities.items():
            for feed in entity.feeds:
                feeders.setdefault(f"fct_{feed.fact}", []).append(f"`{contract.source}.{name}`")
    return {fact: list(dict.fromkeys(some)) for fact, some in feeders.items()}
