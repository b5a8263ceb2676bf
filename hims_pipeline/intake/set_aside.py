"""Rows that break a rule which lets them be set aside: taken out of a batch, kept in quarantine, counted, and the rest
judged again as a whole. Past the share that the rule allows nothing is touched, and the batch is refused.

    identified/rejects/<source>/<period>/<id>/<entity>.set_aside.parquet   the rows, each with the rule that it breaks
"""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hims_pipeline.contracts.model import Contract
from hims_pipeline.lake import batches, reports
from hims_pipeline.lake.batches import EntityFiles, Manifest, PartFile
from hims_pipeline.lake.files import private_folder, sha256_of, sync
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.verdict import Finding, SetAside
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection, literal, quote, read_parquet

if TYPE_CHECKING:  # judging imports Great Expectations, which takes seconds
    from hims_pipeline.gates import GateOutcome
    from hims_pipeline.gates.predecessor_evidence import Predecessor


@dataclass(frozen=True)
class Parted:
    """A batch without the rows that were set aside, what the gate found of it, and what was taken out."""

    manifest: Manifest
    outcome: "GateOutcome"
    findings: tuple[Finding, ...]
    set_aside: tuple[SetAside, ...]


def set_rows_aside(
    settings: Settings,
    contract: Contract,
    delivery: Delivery,
    folder: Path,
    manifest: Manifest,
    refused: "GateOutcome",
    before: Sequence["Predecessor"],
) -> Parted | None:
    """Take out the rows that refuse a batch, where their rules allow that and the rest then holds; the files, manifest
    and profile in `folder` are then those of the rest. None where they do not, and nothing was touched."""
    from hims_pipeline.gates import judge, rules_of
    from hims_pipeline.gates.broken_rows import part_rows

    broken = {rule["code"] for rule in refused.rules if rule["severity"] == "blocking" and not rule["success"]}
    lenient = [rule for rule in rules_of(settings, contract, manifest.period) if rule.code in broken and rule.set_aside]
    if not lenient:
        return None
    scratch = Path(tempfile.mkdtemp(dir=private_folder(settings.scratch), prefix="aside-"))
    try:
        tables = {name: entity.paths(folder) for name, entity in manifest.entities.items()}
        parted = part_rows(settings, tables, lenient, scratch, scratch / "aside")
        if parted is None:
            return None
        rest, parted_rows = parted
        hashes = {path.name: sha256_of(path) for paths in rest.values() for path in paths}
        outcome = judge(settings, contract, manifest.period, rest, hashes, before, scratch / batches.PROFILE)
        if not _may_count(outcome):
            return None
        entities = {
            name: _replace_files(settings, entity, rest[name][0], folder)
            if any(one.entity == name for one in parted_rows)
            else entity
            for name, entity in manifest.entities.items()
        }
        if (scratch / batches.PROFILE).exists():
            _move(scratch / batches.PROFILE, folder / batches.PROFILE)
        kept = private_folder(reports.rejects_folder(settings, delivery))
        for path in sorted((scratch / "aside").iterdir()):
            _move(path, kept / path.name)
        links = _drop_pairs(settings, contract, delivery, entities, list(manifest.links), folder)
        made = replace(manifest, entities=entities, links=manifest.links | links)
        batches.write_manifest(settings, folder, made)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return Parted(made, outcome, _warnings(refused, parted_rows), tuple(parted_rows))


def _may_count(outcome: "GateOutcome") -> bool:
    """Does the rest hold, or break only what a person may accept?"""
    left = [rule for rule in outcome.rules if rule["severity"] == "blocking" and not rule["success"]]
    return outcome.accepted or (bool(left) and all(one["may_be_accepted"] for one in left))


def _replace_files(settings: Settings, entity: EntityFiles, rest: Path, folder: Path) -> EntityFiles:
    """Put the rest of an entity in the place of its files, as one."""
    with connection(settings) as con:
        ((rows,),) = con.execute(f"select count(*) from read_parquet({literal(rest)})").fetchall()
    part = PartFile(entity.parts[0].file, rows, rest.stat().st_size, sha256_of(rest))
    for path in entity.paths(folder):
        path.unlink()
    _move(rest, folder / part.file)
    return replace(entity, parts=(part,), set_aside=entity.rows - rows)


def _drop_pairs(
    settings: Settings,
    contract: Contract,
    delivery: Delivery,
    entities: dict[str, EntityFiles],
    linked: list[str],
    folder: Path,
) -> dict[str, str]:
    """Leave in the pairs for the linkage only who still stands in the batch; entity -> SHA-256 of its pairs."""
    hashes = {}
    for name in linked:
        columns = [column.name for column in contract.entity_in(name, delivery.period).columns if column.links]
        path = batches.links_folder(settings, delivery) / f"{name}.parquet"
        rows = f"{read_parquet(entities[name].paths(folder))}"
        stand = " union ".join(f"select {quote(column)} from {rows}" for column in columns)
        made = path.with_name(f".{path.name}.tmp")
        with connection(settings) as con:
            pairs = f"select * from read_parquet({literal(path)}) where register_id in ({stand}) order by all"
            con.execute(f"copy ({pairs}) to {literal(made)} (format parquet)")
        _move(made, path)
        hashes[name] = sha256_of(path)
    return hashes


def _move(path: Path, target: Path) -> None:
    path.chmod(0o600)
    shutil.move(path, target)
    sync(target)


def _warnings(refused: "GateOutcome", parted_rows: list[SetAside]) -> tuple[Finding, ...]:
    """What refused the batch, as what is told of it."""
    rows = {(one.rule, one.entity): one for one in parted_rows}
    return tuple(
        replace(finding, severity="warning", count=aside.rows, total=aside.total)
        for finding in refused.findings
        if (aside := rows.get((finding.rule, finding.entity)))
    )
