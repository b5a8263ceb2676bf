"""References: reviewed profiles of good deliveries, `expectations/references/<source>@<period>.csv`, that a delivery is
compared with where nothing of its source was accepted before. A person pins one; none moves by itself.

What was invented says nothing of what an office sends: `<source>@<period>.synthetic.csv` counts while the contract says
that the source's data are synthetic. It may be of another scale, so of it only shares, ages, unknowns and magnitudes
count, no sizes and sums. Not here: taking and comparing profiles (`profile`, `differences`).
"""

from pathlib import Path
from typing import Any

from hims_pipeline.contracts.model import Contract
from hims_pipeline.gates.profile_joint import Rows
from hims_pipeline.lake.periods import covers, is_period
from hims_pipeline.sql import literal

FOLDER, PREFIX = "references", "reference/"
_MARKS = {"synthetic": ".synthetic"}
_NOT_KEPT = ("digest",)  # of rows, which say nothing to a reader


def reference_for(expectations: Path, contract: Contract, period: str) -> tuple[str, str, Path] | None:
    """Name, period and file of the reference nearest to a period; None where the source has none."""
    candidates = []
    for path in sorted((expectations / FOLDER).glob(reference_name(contract, "*"))):
        of = path.stem.removeprefix(f"{contract.source}@").removesuffix(_MARKS.get(contract.data_kind, ""))
        if is_period(contract, of):
            candidates.append((abs((covers(contract, of)[0] - covers(contract, period)[0]).days), of, path))
    if not candidates:
        return None
    _, of, path = min(candidates)
    return f"{PREFIX}{contract.source}/{of}", of, path


def reference_name(contract: Contract, period: str) -> str:
    """How the file of a reference is called."""
    return f"{contract.source}@{period}{_MARKS.get(contract.data_kind, '')}.csv"


def write_reference(con: Any, profiles: dict[str, Rows], path: Path) -> None:
    """Pin the profile of a batch as a reference that a person can read and review."""
    lines = sorted((entity, *row) for entity, rows in profiles.items() for row in rows if row[0] not in _NOT_KEPT)
    con.execute(
        "create or replace temp table _pinned (entity varchar, measure varchar, about varchar, key varchar, n double)"
    )
    con.execute(
        "insert into _pinned select unnest($1::varchar[]), unnest($2::varchar[]), unnest($3::varchar[]),"
        " unnest($4::varchar[]), unnest($5::double[])",
        [list(line) for line in zip(*lines, strict=True)],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    con.execute(
        f"copy (select * replace (printf('%.7g', n) as n) from _pinned) to {literal(path)} (header, force_quote (key))"
    )


def read_sql(path: Path) -> str:
    """SQL that reads a profile, a batch's own or a pinned one."""
    if path.suffix != ".csv":
        return f"from read_parquet({literal(path)})"
    kinds = "{'entity': 'varchar', 'measure': 'varchar', 'about': 'varchar', 'key': 'varchar', 'n': 'double'}"
    filled = "coalesce(about, '') as about, coalesce(key, '') as key"
    return f"select * replace ({filled}) from read_csv({literal(path)}, header = true, columns = {kinds})"
