"""From the files of a delivery to Parquet files in bronze, one an entity, with the contract's names and types.

`read_delivery` is the way in. Bad input ends in findings, all of them at once; only failures of our own are raised, and
neither carries a value of the data. Here: opening, checking, typing, pseudonyms. Not here: judging (`gates`), moving
batches (`lake`).

Bronze columns are those of the contract, free text left out, in its order, and `_line` (BIGINT): the record's number in
the file as sent, the header being number 1. That is the line an editor shows, unless quoted fields hold newlines.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from hims_pipeline.contracts.model import Contract
from hims_pipeline.lake.batches import EntityFile, links_folder
from hims_pipeline.lake.files import private_folder
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.privacy.keys import Key, load_key
from hims_pipeline.readers.entity import read_entity
from hims_pipeline.readers.files.archives import expand
from hims_pipeline.readers.guard import guarded
from hims_pipeline.readers.matching import match
from hims_pipeline.readers.shape import Shape, shape_of
from hims_pipeline.readers.table import Job
from hims_pipeline.settings import Settings

Log = Callable[[str], None]
REJECTS = "rejects"


@dataclass(frozen=True)
class ReadResult:
    """What was read and what was found.

    Args:
        findings: empty of blocking ones exactly when the batch may be judged.
        key_version: fingerprint of the key behind its pseudonyms, `""` without identifiers.
        stage: how far it came: `envelope` or `types` where it is refused there, else `read`.
    """

    entities: dict[str, EntityFile]
    findings: tuple[Finding, ...]
    key_version: str
    stage: Literal["envelope", "types", "read"]


def read_delivery(settings: Settings, contract: Contract, delivery: Delivery, target: Path, log: Log) -> ReadResult:
    """Read every entity of a delivery into `target/<entity>.parquet`.

    Raises:
        HimsError: the contract cannot be applied, or the key is missing or unsafe.
        ReaderFailure: disk, memory or a defect of ours; it holds no data.
    """
    shapes = {name: shape_of(contract, name, delivery.period) for name in contract.entities}
    key = _key(settings, shapes)
    rejects = settings.identified / REJECTS / delivery.source / delivery.period / delivery.id
    links = links_folder(settings, delivery)
    for left in (rejects, links):
        shutil.rmtree(left, ignore_errors=True)
    private_folder(settings.identified)
    scratch = Path(tempfile.mkdtemp(dir=private_folder(settings.scratch), prefix="read-"))
    try:
        members, findings = guarded(
            settings, f"{delivery.batch}: unpacking", lambda: expand(contract, delivery.paths(settings), scratch, log)
        )
        taken, unmatched = match(contract, shapes, members, delivery.period, complete=not findings)
        findings += unmatched
        entities = {}
        for name, member in taken.items():
            work = Path(tempfile.mkdtemp(dir=scratch))
            files = (target / f"{name}.parquet", rejects / f"{name}.parquet", work)
            job = Job(settings, shapes[name], member.shown, *files, key, log, links / f"{name}.parquet")
            outcome = guarded(settings, f"{delivery.batch}: {member.shown}", partial(read_entity, job, member))
            findings += _unsaid(findings, outcome.findings)
            if outcome.entity is not None:
                entities[name] = outcome.entity
            shutil.rmtree(work)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return ReadResult(entities, tuple(findings), key.version if key else "", _stage(findings))


def _key(settings: Settings, shapes: dict[str, Shape]) -> Key | None:
    named = any(column.sensitivity == "identifier" for shape in shapes.values() for column in shape.columns)
    return load_key(settings) if named else None


def _unsaid(said: list[Finding], found: list[Finding]) -> list[Finding]:
    """What is wrong with a whole file is told once, though several entities are read from it."""
    known = {replace(one, entity="") for one in said if one.rule.startswith("ENVELOPE")}
    return [one for one in found if replace(one, entity="") not in known]


def _stage(findings: list[Finding]) -> Literal["envelope", "types", "read"]:
    rules = [finding.rule for finding in findings if finding.severity == "blocking"]
    if not rules:
        return "read"
    return "envelope" if any(rule.startswith("ENVELOPE") for rule in rules) else "types"
