"""The contracts of `data/`: which hold, which do not and why. One that does not hold is one source's matter."""

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from hims_pipeline.contracts.code_references import listed_problems
from hims_pipeline.contracts.corrections import correction_files, corrections_of
from hims_pipeline.contracts.crosswalks import scheme_problems
from hims_pipeline.contracts.facts import check_feeds
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.names import name_problems
from hims_pipeline.contracts.yaml_records import ANY_ENDING, EDITED, parse_record, read_yaml
from hims_pipeline.errors import ContractError

__all__ = [
    "broken_contracts", "edited_state", "fingerprint", "load_contract", "load_contracts", "parse_record", "read_yaml",
    "tree_fingerprint",
]  # fmt: skip


def load_contract(path: Path) -> Contract:
    """Read one contract.

    Raises:
        ContractError: it does not hold; the message names the place in the file.
    """
    contract = parse_record(Contract, path)
    if contract.source != path.stem:
        raise ContractError(f"{path.name}: `source` is {contract.source!r}; it must be the file's name, {path.stem!r}.")
    return contract


def load_contracts(data: Path) -> dict[str, Contract]:
    """The contracts that hold, by source name, in alphabetical order; parsed once while the files stay as they are."""
    return dict(_load_all(data, edited_state(data))[0])


def broken_contracts(data: Path) -> dict[str, str]:
    """Source -> what is wrong with its contract, its feeds, the code lists that it names or its corrections. Such a
    source takes nothing in, and stops no other."""
    return dict(_load_all(data, edited_state(data))[1])


def edited_state(data: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, time and size of every file that contracts are made of: what was made of them holds while it stays."""
    folders = (("contracts", ANY_ENDING), ("corrections", ANY_ENDING), ("codelists", "[!.]*.csv"))
    files = [path for folder, glob in folders for path in sorted((data / folder).glob(glob))]
    files += [path for path in [data / "identifier_shapes.csv"] if path.exists()]
    return tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in files)


@lru_cache(maxsize=8)
def _load_all(data: Path, _state: tuple[tuple[str, int, int], ...]) -> tuple[dict[str, Contract], dict[str, str]]:
    good: dict[str, Contract] = {}
    broken: dict[str, str] = {}
    for path in sorted((data / "contracts").glob(EDITED)):
        try:
            contract = load_contract(path)
            check_feeds(contract)
            if problems := list(name_problems(contract)):
                raise ContractError(f"{path.name} has names that SQL cannot tell apart:\n  " + "\n  ".join(problems))
            if problems := scheme_problems(data, contract):
                raise ContractError(f"{path.name} names code lists that do not hold:\n  " + "\n  ".join(problems))
            if problems := listed_problems(data, contract):
                raise ContractError(f"{path.name} names codes that no list has:\n  " + "\n  ".join(problems))
            corrections_of(data, contract.source, contract)
            good[contract.source] = contract
        except ContractError as error:
            broken[path.stem] = str(error)
        except Exception as error:  # whatever it is, it is no other source's matter
            broken[path.stem] = f"{path.name} cannot be used: {type(error).__name__}: {error}"
    for source in set(correction_files(data)) - {*good, *broken}:
        broken[source] = f"data/corrections/{source}.yml: there is no contract of that name"
    for path in [path for folder in ("contracts", "corrections") for path in (data / folder).glob(ANY_ENDING)]:
        # Nothing reads it, and somebody relies on it.
        if path.suffix != ".yml" and not path.with_suffix(".yml").exists():
            good.pop(path.stem, None)
            broken[path.stem] = f"data/{path.parent.name}/{path.name}: its name must end in .yml; rename it"
    return good, dict(sorted(broken.items()))


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
