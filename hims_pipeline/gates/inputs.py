"""What a verdict rests on beside the delivery and its contract: suites, code lists, control figures, the gate's own
code and libraries; their hashes, and the tables that rules may read (`_crosswalks`, `_controls`)."""

import csv
import hashlib
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.crosswalks import CROSSWALKS, load_schemes
from hims_pipeline.contracts.load import fingerprint
from hims_pipeline.contracts.model import Contract
from hims_pipeline.gates.comparisons import profile_rules
from hims_pipeline.gates.compile import compile_rules
from hims_pipeline.gates.references import reference_for
from hims_pipeline.gates.suites import reads_controls, schemes_read, suites_sha256
from hims_pipeline.lake.files import sha256_of
from hims_pipeline.provenance import JUDGING, provenance_of
from hims_pipeline.settings import Settings

CONTROLS = (
    "indicator", "source", "time_period", "ref_area", "counterpart_area", "sex", "breakdown", "unit", "value",
    "tolerance",
)  # fmt: skip


def load_lists(con: Any, data: Path) -> None:
    """Put the code lists and the control figures into the connection."""
    pairs = [(scheme, code) for scheme, codes in load_schemes(data).codes.items() for code in sorted(codes)]
    con.execute("create table _crosswalks (scheme varchar, code varchar)")
    lists = [[one[place] for one in pairs] for place in (0, 1)]
    con.execute("insert into _crosswalks select unnest($1::varchar[]), unnest($2::varchar[])", lists)
    known = [row for path in _control_files(data) for row in _controls(path, path.stat().st_mtime_ns)]
    kinds = ["decimal(24, 6)" if name in ("value", "tolerance") else "varchar" for name in CONTROLS]
    declared = ", ".join(f"{name} {kind}" for name, kind in zip(CONTROLS, kinds, strict=True))
    given = ", ".join(f"unnest(${place + 1}::varchar[])::{kind}" for place, kind in enumerate(kinds))
    con.execute(f"create table _controls ({declared})")
    con.execute(
        f"insert into _controls select {given}", [[row[place] for row in known] for place in range(len(CONTROLS))]
    )


def _control_files(data: Path) -> list[Path]:
    return sorted((data / "controls").glob("[!.]*.csv"))


@lru_cache(maxsize=32)
def _controls(path: Path, _modified: int) -> tuple[tuple[str, ...], ...]:
    """The control figures of one file; none of a file that holds something else."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if not {*CONTROLS} <= {*(rows.fieldnames or ())}:
            return ()
        return tuple(tuple(row[name] for name in CONTROLS) for row in rows)


@lru_cache(maxsize=64)
def _scheme_sha256(path: Path, _modified: int, schemes: tuple[str, ...]) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        rows = sorted(f"{row['scheme']}\0{row['code']}" for row in csv.DictReader(file) if row["scheme"] in schemes)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def gate_inputs(settings: Settings, contract: Contract, period: str) -> dict[str, str]:
    """Hashes of what a verdict rests on beside the delivery and the contract."""
    schemes = sorted(
        {c.crosswalk for name in contract.entities for c in contract.entity_in(name, period).columns if c.crosswalk}
        | schemes_read(settings.expectations, contract)
    )
    compiled = [asdict(rule) for rule in compile_rules(contract, period)]  # some follow from facts and feeds
    compiled += [asdict(rule) for rule in profile_rules(settings.expectations, contract, period)]
    gate = provenance_of(*JUDGING)
    hashes_of = {
        "suites": suites_sha256(settings.expectations, contract),
        "code": gate.code,
        "libraries": gate.libraries,
    }
    hashes_of["rules"] = fingerprint(compiled)
    for name in CROSSWALKS:
        path = settings.data / "codelists" / name
        if schemes and path.exists():
            hashes_of[f"codelists:{name}"] = _scheme_sha256(path, path.stat().st_mtime_ns, tuple(schemes))
    if reference := reference_for(settings.expectations, contract, period):
        hashes_of["reference"] = sha256_of(reference[2])
    if reads_controls(settings.expectations, contract):
        files = _control_files(settings.data)
        hashes_of["controls"] = fingerprint([_controls(path, path.stat().st_mtime_ns) for path in files])
    return hashes_of
