"""Read `data/` into typed objects; every error names the file and the place in it."""

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.records import parse, read_yaml
from hims_pipeline.errors import ContractError

__all__ = ["load_contract", "load_contracts", "parse", "read_yaml", "fingerprint", "tree_fingerprint"]


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
