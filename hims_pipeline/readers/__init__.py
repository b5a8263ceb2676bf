"""From the files of a delivery to Parquet files in bronze, with the contract's names and types.

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
from hims_pipeline.lake import reports
from hims_pipeline.lake.batches import EntityFiles, links_folder
from hims_pipeline.lake.files import private_folder, sync
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.verdict import CHECKED, UNCHECKED, Finding
from hims_pipeline.privacy.keys import Key, load_key
from hims_pipeline.readers.entity_file import read_entity
from hims_pipeline.readers.files.archives import Member, expand
from hims_pipeline.readers.findings import block, refuses
from hims_pipeline.readers.guard import Unreadable, guard
from hims_pipeline.readers.matching import match
from hims_pipeline.readers.misread_letters import find_misread_letters
from hims_pipeline.readers.shape import TableShape, shape_of
from hims_pipeline.readers.table import EntityResult, Job, remove_written
from hims_pipeline.readers.totals import compare_totals, read_totals
from hims_pipeline.readers.undeclared_identifiers import find_undeclared
from hims_pipeline.settings import Settings
from hims_pipeline.words import our_text, words

Log = Callable[[str], None]


@dataclass(frozen=True)
class ReadResult:
    """What was read and what was found.

    Args:
        findings: empty of blocking ones exactly when the batch may be judged.
        key_version: fingerprint of the key behind its pseudonyms, `""` without identifiers.
        stage: how far it came: `envelope` or `types` where it is refused there, else `read`.
        transport: whether totals that the sender gave were compared with what arrived.
    """

    entities: dict[str, EntityFiles]
    findings: tuple[Finding, ...]
    key_version: str
    stage: Literal["envelope", "types", "read"]
    transport: str = UNCHECKED


def read_delivery(settings: Settings, contract: Contract, delivery: Delivery, target: Path, log: Log) -> ReadResult:
    """Read every entity of a delivery into `target/<entity>.parquet`, or its parts `target/<entity>-000000.parquet`.

    Raises:
        HimsError: the contract cannot be applied, or the key is missing or unsafe.
        ReaderFailure: disk or memory; it holds no data.
    """
    shapes = {name: shape_of(contract, name, delivery.period) for name in contract.entities}
    key = _key(settings, shapes)
    rejects = reports.rejects_folder(settings, delivery)
    links = links_folder(settings, delivery)
    for left in (rejects, links):
        shutil.rmtree(left, ignore_errors=True)
    totals, wrong = read_totals(settings, delivery, shapes)
    if wrong:  # what is not the file that was sent is not worth reading
        return ReadResult({}, tuple(wrong), "", "envelope", CHECKED)
    private_folder(settings.identified)
    scratch = Path(tempfile.mkdtemp(dir=private_folder(settings.scratch), prefix="read-"))
    made = scratch / "made"
    made.mkdir()
    try:
        members, findings = _unpack(settings, contract, delivery, scratch, log)
        taken, unmatched = match(contract, shapes, members, delivery.period, complete=not findings)
        findings += unmatched
        entities = {}
        for name, member in taken.items():
            work = Path(tempfile.mkdtemp(dir=scratch))
            files = (made / f"{name}.parquet", rejects / f"{name}.parquet", work)
            job = Job(settings, shapes[name], member.shown, *files, key, log, links / f"{name}.parquet")
            outcome = _read(job, member, delivery)
            findings += _find_unsaid(findings, outcome.findings)
            if outcome.entity is not None:
                entities[name] = outcome.entity
            shutil.rmtree(work)
        transport, differing = compare_totals(settings, totals, shapes, entities, made)
        findings += differing if not refuses(findings) else []
        findings += _look_at_texts(settings, contract.source, shapes, made, entities, key, log)
        if not any(finding.severity == "blocking" for finding in findings):
            _leave_the_zone(made, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return ReadResult(entities, tuple(findings), key.version if key else "", _stage(findings), transport)


def _look_at_texts(
    settings: Settings,
    source: str,
    shapes: dict[str, TableShape],
    made: Path,
    entities: dict[str, EntityFiles],
    key: Key | None,
    log: Log,
) -> list[Finding]:
    tables = {name: entity.paths(made) for name, entity in entities.items()}
    step = f"{source}: looking at texts, for undeclared identifiers and letters that were read wrongly before"
    try:
        return guard(
            settings,
            step,
            lambda: (
                find_undeclared(settings, source, shapes, tables, key) + find_misread_letters(settings, shapes, tables)
            ),
        )
    except Unreadable as error:
        return [_refuse_unreadable(error, log)]


def _leave_the_zone(made: Path, target: Path) -> None:
    """Move what was read out of scratch, which may be on another disk; durable when it returns."""
    for path in sorted(made.iterdir()):
        shutil.move(path, target / path.name)
        sync(target / path.name)
    sync(target)


def _unpack(
    settings: Settings, contract: Contract, delivery: Delivery, scratch: Path, log: Log
) -> tuple[list[Member], list[Finding]]:
    try:
        return guard(
            settings, f"{delivery.batch}: unpacking", lambda: expand(contract, delivery.paths(settings), scratch, log)
        )
    except Unreadable as error:
        return [], [_refuse_unreadable(error, log)]


def _read(job: Job, member: Member, delivery: Delivery) -> EntityResult:
    try:
        return guard(job.settings, f"{delivery.batch}: {job.shown}", partial(read_entity, job, member))
    except Unreadable as error:
        remove_written(job)
        return EntityResult(None, [_refuse_unreadable(error, job.log, member.shown, job.shape.name)])


def _refuse_unreadable(error: Unreadable, log: Log, file: str = "", entity: str = "") -> Finding:
    """The delivery is refused, and our own people are told that the fault may be theirs."""
    kept = f" (full text in {error.place}, in the identified zone)" if error.place else ""
    log(f"A READER OF OURS MAY BE AT FAULT: {error.kind}{kept}")
    message = words(
        "could not be read: our reader stopped with {kind}. The fault may be ours: we look before you send",
        kind=our_text(error.kind),
    )
    return block("ENVELOPE-UNREADABLE", message, file, entity=entity)


def _key(settings: Settings, shapes: dict[str, TableShape]) -> Key | None:
    named = any(column.sensitivity == "identifier" for shape in shapes.values() for column in shape.columns)
    return load_key(settings) if named else None


def _find_unsaid(findings: list[Finding], undeclared: list[Finding]) -> list[Finding]:
    """What is wrong with a whole file is told once, though several entities are read from it."""
    known = {replace(one, entity="") for one in findings if one.rule.startswith("ENVELOPE")}
    return [one for one in undeclared if replace(one, entity="") not in known]


def _stage(findings: list[Finding]) -> Literal["envelope", "types", "read"]:
    rules = [finding.rule for finding in findings if finding.severity == "blocking"]
    if not rules:
        return "read"
    return "envelope" if any(rule.startswith("ENVELOPE") for rule in rules) else "types"
