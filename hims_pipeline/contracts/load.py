"""Read `data/` into typed objects; every error names the file and the place in it."""

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import ContractError

Model = TypeVar("Model", bound=BaseModel)


class _UniqueKeys(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """YAML lets a key stand twice and keeps the last; in a contract that hides a mistake."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key!r} stands twice", problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


# YAML 1.1 reads `no` and `yes` as booleans, and a bare date as a date: codes and periods must stay what was written.
_UniqueKeys.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag not in ("tag:yaml.org,2002:timestamp",)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(path: Path) -> Any:
    """Parse one YAML file; keys that stand twice are an error.

    Raises:
        ContractError: the file is no valid YAML; names line and column.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeys)  # noqa: S506 - a safe loader
    except FileNotFoundError:
        raise ContractError(f"{path} is missing.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ContractError(f"{path.name}: not readable as YAML: {error}") from None


def parse(model: type[Model], path: Path) -> Model:
    """Parse and check one file.

    Raises:
        ContractError: names the file, the place in it and what is expected there, all findings at once.
    """
    try:
        return model.model_validate(read_yaml(path))
    except ValidationError as error:
        found = "\n".join(
            f"  {'.'.join(str(part) for part in problem['loc']) or '(whole file)'}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        )
        raise ContractError(f"{path.name} does not say what it must:\n{found}") from None


def load_contract(path: Path) -> Contract:
    contract = parse(Contract, path)
    if contract.source != path.stem:
        raise ContractError(f"{path.name}: `source` is {contract.source!r}; it must be the file's name, {path.stem!r}.")
    return contract


@lru_cache(maxsize=8)
def _load_contracts(folder: Path, state: tuple[tuple[str, int, int], ...]) -> dict[str, Contract]:
    return {path.stem: load_contract(path) for path in sorted(folder.glob("*.yml"))}


def load_contracts(data: Path) -> dict[str, Contract]:
    """All contracts by source name, in alphabetical order; parsed once while the files stay as they are."""
    folder = data / "contracts"
    state = tuple((p.name, p.stat().st_mtime_ns, p.stat().st_size) for p in sorted(folder.glob("*.yml")))
    return dict(_load_contracts(folder, state))


def fingerprint(value: BaseModel | dict[str, Any] | list[Any]) -> str:
    """SHA-256 of what a record says, whatever its layout in the file."""
    plain = value.model_dump(mode="json", by_alias=True) if isinstance(value, BaseModel) else value
    return hashlib.sha256(json.dumps(plain, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def tree_fingerprint(*roots: Path, suffixes: tuple[str, ...] = ()) -> str:
    """SHA-256 over the names and bytes of all files under `roots` (of these suffixes, where any are given)."""
    digest = hashlib.sha256()
    for root in roots:
        files = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
        for path in files:
            if (suffixes and path.suffix not in suffixes) or "__pycache__" in path.parts:
                continue
            digest.update(f"{path.relative_to(root.parent)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
