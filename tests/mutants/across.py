"""The conformed warehouse with a mutant in it: what the door lets through is laid beside the other sources of its
sample and the published figures, as every night does, and is held where a rule breaks that holds without it.

Here: the project's models on the sample's batches, without dbt. Not here: the rules (`expectations/warehouse.json`).
"""

import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

from hims_pipeline.contracts.model import Contract
from hims_pipeline.gates.warehouse import QUERIES, warehouse_rules
from hims_pipeline.settings import Settings
from hims_pipeline.sql import literal
from hims_pipeline.staging.inputs import describe_batch
from tests.warehouse import Warehouse, order_of

Tables = dict[str, Path]  # entity -> typed table


class Across:
    """The warehouse of the batches of several sources, of which one can be exchanged for a mutant."""

    def __init__(self, settings: Settings, folder: Path, contracts: dict[str, Contract]) -> None:
        shutil.rmtree(folder, ignore_errors=True)  # of an earlier run, where samples are kept
        folder.mkdir(parents=True)
        self.settings, self.contracts, self.inputs = settings, contracts, folder / "inputs.json"
        self.made = Warehouse(settings, folder)
        self.rules = [one for one in warehouse_rules(settings.expectations) if one.severity == "blocking"]
        self.queries = {
            one.entity: (settings.expectations / QUERIES / f"{one.entity}.sql")
            .read_text(encoding="utf-8")
            .strip(" ;\n")
            for one in self.rules
        }
        models = {
            name for text in self.queries.values() for name in re.findall(r"\b(?:conformed|indicators)\.(\w+)", text)
        }
        self.order = order_of(self.made.texts(), models)

    def broken(self, batches: dict[tuple[str, str], Tables]) -> set[tuple[str, str]]:
        """Rule and source of all that breaks.

        Args:
            batches: source and period -> its tables.
        """
        rows, views = [], dict[str, list[str]]()
        for (source, period), tables in batches.items():
            for name, path in tables.items():
                contract = self.contracts[source]
                layout = contract.layout_of(period)
                manifest = SimpleNamespace(
                    source=source, period=period, batch=f"{source}/{period}/0", layout=layout.name if layout else "",
                    entities={name: SimpleNamespace(set_aside_share=0.0)},
                )  # fmt: skip
                rows.append({"entity": name, **describe_batch(contract, manifest, name)})
                views.setdefault(f"stg_{source}__{name}", []).append(
                    f"select *, {literal(source)} as _source, {literal(period)} as _period,"
                    f" {literal(manifest.batch)} as _batch, {literal(manifest.layout)} as _layout"
                    f" from read_parquet({literal(path)})"
                )
        self.inputs.write_text(json.dumps(rows), encoding="utf-8")
        self.made.con.execute("begin")
        try:
            for name in self.order:
                self.made.make(name, views.get(name, ()))
            return {found for rule in self.rules for found in self._break(rule.code, rule.entity, rule.kwargs)}
        finally:
            self.made.con.execute("rollback")

    def _break(self, code: str, table: str, kwargs: dict[str, str]) -> set[tuple[str, str]]:
        query = re.sub(r"\b(conformed|indicators)\.", "", self.queries[table])
        rows = kwargs["unexpected_rows_query"].format(batch=f"({query})")
        sources = self.made.con.execute(f"select distinct source from ({rows})").fetchall()
        return {(code, one) for (source,) in sources for one in source.split("+")}
