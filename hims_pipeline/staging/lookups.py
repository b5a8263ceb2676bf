"""What the SQL of a feed joins: crosswalks, and other entities of the same delivery. Not here: which joins may be
(`hims_pipeline.contracts.joins`), and what is made of the columns (`models`)."""

from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.joins import steps_of
from hims_pipeline.contracts.missing import FLAG_SUFFIX, MISSING_SUFFIX
from hims_pipeline.contracts.model import Contract
from hims_pipeline.sql import literal, quote
from hims_pipeline.staging.names import IMPUTED, columns_beside, staged_name


class Lookups:
    """What one select joins: crosswalks, each once as a small table, and other entities of the same delivery.

    A subquery for each code would read nicer, but DuckDB keeps a copy of all rows for every correlated subquery: a
    census of 42 million filled a disk of 60 GB. Columns are named after the join, so that no column sent is hidden by
    one.
    """

    def __init__(self, contract: Contract | None = None, entity_name: str = "") -> None:
        self._names: dict[tuple[str, str], str] = {}
        self._contract, self._entity = contract, entity_name
        self._joined: dict[str, dict[str, str]] = {}  # path -> staged column there -> its name behind the join

    def take(self, path: str, column: Column) -> str:
        """Name behind the join for a column of the entity that a path of references leads to."""
        assert self._contract is not None
        prefix = self._join(path)
        there = steps_of(self._contract.entities, self._entity, path)[-1].entity
        staged, name = staged_name(column.name), f"{prefix}_{column.name}"
        own = columns_beside(self._contract, there)
        columns = {staged: staged_name(name)}
        for suffix in (MISSING_SUFFIX, FLAG_SUFFIX):
            if column.name + suffix in own:
                columns[staged + suffix] = staged_name(name) + suffix
        self._joined[path] |= columns
        return name

    def take_imputed(self, path: str) -> str:
        """Name behind the join for what the entity there says of its values that a donor gave."""
        name = f"{self._join(path)}_{IMPUTED}"
        self._joined[path][IMPUTED] = name
        return name

    def _join(self, path: str) -> str:
        """Join what a path leads over and to; returns how names behind it begin."""
        parts = path.split(".")
        for length in range(1, len(parts) + 1):
            self._joined.setdefault(".".join(parts[:length]), {})
        return self._prefix(path)

    def _prefix(self, path: str) -> str:
        return f"joined{list(self._joined).index(path) + 1}"

    def translate(self, scheme: str, text: str) -> str:
        """SQL of the code that an expression has in a scheme; null where it has none."""
        name = self._names.setdefault((scheme, text), f"x{len(self._names) + 1}")
        return f"{name}.{name}_to_code"

    def joins(self) -> str:
        """What follows the relation."""
        return self._entity_joins() + "".join(
            f"\nleft join (\n    select code as {name}_code, max(to_code) as {name}_to_code from {{{{ ref('xwalk') }}}}"
            f" where scheme = {literal(scheme)} group by code\n) as {name} on {name}.{name}_code = {text}"
            for (scheme, text), name in self._names.items()
        )

    def _entity_joins(self) -> str:
        """Each entity joined on its key, within the batch: a row finds one row or none."""
        contract, joins = self._contract, ""
        for path in sorted(self._joined, key=lambda path: path.count(".")):
            assert contract is not None
            step, prefix = steps_of(contract.entities, self._entity, path)[-1], self._prefix(path)
            before = self._prefix(path.rpartition(".")[0]) + "_" if "." in path else ""
            key = {staged_name(column): staged_name(f"{prefix}_{column}") for column in step.targets}
            ours = [staged_name(before + column) for column in step.columns]
            named = {"batch_id": f"{prefix}_batch_id"} | key | self._needed_columns(path) | self._joined[path]
            listed = ", ".join(f"{quote(staged)} as {quote(name)}" for staged, name in named.items())
            same = [f"{prefix}_batch_id = batch_id"]
            same += [f"{quote(name)} = {quote(own)}" for name, own in zip(key.values(), ours, strict=True)]
            joins += (
                f"\nleft join (\n    select {listed} from {{{{ ref('stg_{contract.source}__{step.entity}') }}}}\n)"
                f" as {prefix} on {' and '.join(same)}"
            )
        return joins

    def _needed_columns(self, path: str) -> dict[str, str]:
        """Columns of an entity by which those behind it are found."""
        contract, prefix = self._contract, self._prefix(path)
        assert contract is not None
        behind = [one for one in self._joined if one.rpartition(".")[0] == path]
        columns = [c for one in behind for c in steps_of(contract.entities, self._entity, one)[-1].columns]
        return {staged_name(column): staged_name(f"{prefix}_{column}") for column in columns}
