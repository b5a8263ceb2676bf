"""From deliveries to judged batches: what is pending, and taking one in.

A delivery is pending while no verdict on it rests on the present delivery, contract, reader, suites and code lists.
So a new delivery, an edited contract and a changed rule are one case, and a second run has nothing to do.
"""

import contextlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hims_pipeline import __version__
from hims_pipeline.contracts.load import broken_contracts, fingerprint, load_contracts, tree_fingerprint
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.errors import Busy, ContractError, Damaged, HimsError
from hims_pipeline.lake import batches, dropped, journal, landing, reports, survey, tombstone
from hims_pipeline.lake.batches import Batch, Manifest, Standing
from hims_pipeline.lake.files import private_folder, remove_folder, sha256_of, write_json
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.lock import acts_lock, installation_lock
from hims_pipeline.lake.survey import Misplaced
from hims_pipeline.lake.verdict import Finding, Verdict
from hims_pipeline.privacy import hidden
from hims_pipeline.privacy.keys import load_key
from hims_pipeline.privacy.known import KeyMismatch
from hims_pipeline.privacy.production import check_personal_source
from hims_pipeline.settings import Settings
from hims_pipeline.sources import broken_sources
from hims_pipeline.words import printable

if TYPE_CHECKING:  # reading imports pandas and more, which takes seconds
    from hims_pipeline.readers import ReadResult

Log = Callable[[str], None]
PACKAGE = Path(__file__).resolve().parent
LEFT = "left_in_landing.json"
DELIVER_AGAIN = "Deliver the same files again, or put them back from a backup"


@lru_cache(maxsize=1)
def reader_sha256() -> str:
    """Hash of our code that turns files into rows: when it changes, deliveries are read again."""
    return tree_fingerprint(PACKAGE / "readers", PACKAGE / "privacy", suffixes=(".py",))


def contract_sha256(contract: Contract, period: str) -> str:
    """Hash of what the contract says about reading and judging one period; labels and contacts are left out."""
    entities = {
        name: contract.entity_in(name, period).model_dump(mode="json", by_alias=True) for name in contract.entities
    }
    for entity in entities.values():
        for about_meaning in (
            "feeds",
            "title",
            "grain",
            "universe",
            "duration_rule",
            "measure_type",
            "design",
            "window_years",
        ):
            entity.pop(about_meaning)
    names = {name: contract.sent_names(name, period) for name in contract.entities}
    formats = {name: contract.format_in(name, period).model_dump() for name in contract.entities}
    return fingerprint(
        {"entities": entities, "names": names, "formats": formats, "limits": contract.limits.model_dump()}
    )


def inputs_of(settings: Settings, contract: Contract, delivery: Delivery) -> dict[str, str]:
    """Everything that a verdict on this delivery rests on, by name, as hashes."""
    from hims_pipeline.gates import gate_inputs

    own = {
        "delivery": delivery.sha256,
        "contract": contract_sha256(contract, delivery.period),
        "reader": reader_sha256(),
    }
    if (shapes := settings.data / hidden.FILE).exists():
        own["identifier_shapes"] = sha256_of(shapes)
    if version := _key_version(settings, contract):
        own["key"] = version  # another key makes other pseudonyms, which must not stand beside the former ones
    return own | {f"gate:{name}": value for name, value in gate_inputs(settings, contract, delivery.period).items()}


def _key_version(settings: Settings, contract: Contract) -> str:
    """Fingerprint of the key behind a source's pseudonyms; empty where it has none, or no key can be had here."""
    named = any(c.sensitivity == "identifier" for entity in contract.entities.values() for c in entity.columns)
    try:
        return load_key(settings).version if named else ""
    except KeyMismatch:
        raise  # a batch is not read again because the wrong key lies at hand
    except HimsError:
        return ""  # reading the delivery will say what is wrong with the key


@dataclass(frozen=True)
class Pending:
    """A delivery to be taken in, and why; `stood`: a batch of it stands among the accepted ones."""

    delivery: Delivery
    why: str
    stood: bool = False

    def sentence(self) -> str:
        return f"{self.delivery.batch}: {self.why}"


def pending(settings: Settings, source: str | None = None) -> list[Pending]:
    """Deliveries without a verdict that still holds, in the order of arrival, sorted by source and period."""
    contracts, found = load_contracts(settings.data), []
    held_out = broken_sources(settings)
    told = {one["batch"]: one.get("verdict_sha256") for one in journal.done(settings, journal.JUDGED)}
    for delivery in landing.deliveries(settings, source):
        if delivery.withdrawn or delivery.source not in contracts or delivery.source in held_out:
            continue
        known = batches.standing(settings, delivery)
        why = _why_pending(settings, contracts[delivery.source], delivery, known)
        if not why and known.verdict and known.verdict.sha256 != told.get(delivery.batch):
            why = "damaged on disk: its verdict is not the last one that the audit trail tells of"
        if why:
            found.append(Pending(delivery, why, known.holds_place or bool(known.damage)))
    return found


def _why_pending(settings: Settings, contract: Contract, delivery: Delivery, known: Standing) -> str:
    """Why a delivery is to be taken in (again); `""` while its verdict holds."""
    if known.damage:
        return f"damaged on disk: {known.damage}"
    if known.verdict is None:
        return "new"
    now, then = inputs_of(settings, contract, delivery), known.verdict.inputs
    if changed := sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name)):
        return f"changed since the last verdict: {', '.join(changed)}"
    if not known.verdict.accepted:
        return ""
    if known.batch is None:
        return "was withdrawn and counts again"
    if not _names_the_rules(settings, contract, known.batch):
        return "damaged on disk: the rules in its verdict are not those that its inputs declare"
    if damaged := batches.damaged_files(known.batch):
        return f"damaged on disk: {', '.join(damaged)} in {known.batch.folder.relative_to(settings.home)}"
    if lost := batches.damaged_links(settings, contract, known.batch):
        return f"its pairs for the linkage are missing or damaged: {', '.join(lost)}"
    return ""


def _names_the_rules(settings: Settings, contract: Contract, batch: Batch) -> bool:
    """A verdict on the present inputs has a result of each rule that they declare, and of no other."""
    from hims_pipeline.gates import rules_of

    declared = rules_of(settings, contract, batch.manifest.period)
    wanted = sorted((rule.code, rule.severity) for rule in declared if rule.entity in batch.manifest.entities)
    return wanted == sorted((rule["code"], rule["severity"]) for rule in batch.verdict.rules)


def doubtful(settings: Settings, source: str | None = None) -> list[Pending]:
    """Batches among the accepted ones that are to be read or judged anew before a release may rest on them."""
    return [one for one in pending(settings, source) if one.stood]


def problems(settings: Settings) -> list[str]:
    """What is wrong with deliveries and batches once the night has taken in what it could: a line each, with the place
    and what to do. Bad data are no problem of ours, and stand in `states`."""
    lines = [
        f"{one.sentence()}. The next run reads it again; if its files in landing are damaged too, put them back from"
        " a backup or deliver them again."
        for one in pending(settings)
    ]
    damaged = landing.damaged_records(settings)
    lines += [f"{landing.batch_of(one)}: {one} {_mending(one)}" for one in damaged]
    told = {landing.batch_of(one) for one in damaged}
    for source in load_contracts(settings.data):
        gone = batches.without_delivery(settings, source, landing.deliveries(settings, source))
        lines += [
            f"{batch}: its record in landing is gone, so it does not count. {DELIVER_AGAIN}."
            for folder in gone
            if (batch := folder.relative_to(settings.validated).as_posix()) not in told
        ]
    return lines


def collect(settings: Settings) -> tuple[list[Delivery], list[Delivery], list[Misplaced]]:
    """Take over what was dropped into landing; see `dropped.collect`. The names of what was left are written into the
    identified zone, since they are told nowhere else."""
    contracts, settle_seconds = load_contracts(settings.data), load_observatory(settings.data).settle_seconds
    new, again, left = dropped.collect(settings, contracts, settle_seconds)
    left += [
        Misplaced(landing.batch_of(one), f"{one.what}. {_mending(one)}") for one in landing.damaged_records(settings)
    ]
    private_folder(settings.identified)
    write_json(settings.identified / LEFT, [one.with_name() for one in left], mode=0o600)
    return new, again, left


def waiting(settings: Settings) -> survey.Survey:
    """What lies in landing and is no delivery yet, looked at and left as it is."""
    return survey.look(settings, load_contracts(settings.data), load_observatory(settings.data).settle_seconds)


def contract_of(settings: Settings, source: str) -> Contract:
    contracts = load_contracts(settings.data)
    if source not in contracts and source in (broken := broken_contracts(settings.data)):
        raise ContractError(broken[source])
    if source not in contracts:
        raise HimsError(f"There is no source {source!r}; data/contracts has {', '.join(contracts) or 'none'}.")
    return contracts[source]


def take_in(settings: Settings, delivery: Delivery, log: Log) -> Verdict:
    """Read one delivery, judge it and move it to where it belongs. The caller holds the installation's lock.

    Bad data end in a refusing verdict. What is raised is a failure of our own, and leaves the delivery pending.

    Raises:
        Damaged: a file in landing is no longer the one that was taken over; nothing of it is read.
        HimsError: production rules forbid to open this source here.
    """
    from hims_pipeline.readers import read_delivery

    contract = contract_of(settings, delivery.source)
    check_personal_source(settings, contract)
    inputs = inputs_of(settings, contract, delivery)
    _check_landing(settings, delivery)
    folder = batches.folder_of(settings.bronze, delivery)
    remove_folder(folder)
    folder.mkdir(parents=True)
    log(f"{delivery.batch}: reading {len(delivery.files)} file(s), {delivery.size / 1e6:,.1f} MB")
    read = read_delivery(settings, contract, delivery, folder, log)
    _check_landing(settings, delivery)  # what was read is what was sent, at both ends of the reading
    blocked = [finding for finding in read.findings if finding.severity == "blocking"]
    common: dict[str, Any] = {
        "batch": delivery.batch,
        "judged_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "inputs": inputs,
    }
    if blocked:
        for parquet in folder.glob("*.parquet"):
            parquet.unlink()  # half a delivery is no batch; the files as sent stay in landing
        verdict = Verdict(stage=_stage(read.stage), findings=read.findings, **common)
    else:
        manifest = _manifest(settings, contract, delivery, inputs, read)
        batches.write_manifest(settings, folder, manifest)
        verdict = _judge(settings, contract, folder, manifest, read.findings, common, log)
    reports.write_findings(settings, delivery, verdict.findings)
    with journal.act(settings, journal.JUDGED, **_told(delivery, folder, verdict)):
        batches.settle(settings, delivery, folder, verdict)
    log(f"{delivery.batch}: {verdict.status}" + "".join(f"\n  {f.sentence()}" for f in verdict.findings))
    return verdict


def _check_landing(settings: Settings, delivery: Delivery) -> None:
    if damaged := landing.damaged_files(settings, delivery):
        what = "is not the delivery that was taken over"
        raise Damaged(delivery.folder(settings), f"{what}: {'; '.join(damaged)}. {DELIVER_AGAIN}")


def _told(delivery: Delivery, folder: Path, verdict: Verdict) -> dict[str, Any]:
    """What the audit trail says of a verdict: the decision, counts, and the hashes of what it is about."""
    manifest = folder / batches.MANIFEST
    return {
        "batch": delivery.batch,
        "status": verdict.status,
        "stage": verdict.stage,
        "judged_at": verdict.judged_at,
        "findings": len(verdict.findings),
        "rules": verdict.evaluated,
        "delivery_sha256": delivery.sha256,
        "manifest_sha256": sha256_of(manifest) if manifest.exists() else None,
        "verdict_sha256": verdict.sha256,
    }


def _stage(stage: str):
    return "types" if stage == "types" else "envelope"


def _manifest(
    settings: Settings, contract: Contract, delivery: Delivery, inputs: dict[str, str], read: "ReadResult"
) -> Manifest:
    layout = contract.layout_of(delivery.period)
    pairs = sorted(batches.links_folder(settings, delivery).glob("*.parquet"))
    return Manifest(
        source=delivery.source,
        period=delivery.period,
        id=delivery.id,
        delivery_sha256=delivery.sha256,
        delivered_bytes=delivery.size,
        contract_sha256=inputs["contract"],
        reader_sha256=inputs["reader"],
        layout=layout.name if layout else "",
        data_kind=contract.data_kind,
        key_version=read.key_version,
        entities=read.entities,
        links={path.stem: sha256_of(path) for path in pairs},
    )


def _judge(
    settings: Settings,
    contract: Contract,
    folder: Path,
    manifest: Manifest,
    findings: tuple[Finding, ...],
    common: dict[str, Any],
    log: Log,
) -> Verdict:
    from hims_pipeline.gates import judge

    log(f"{manifest.batch}: judging {manifest.rows:,} rows")
    tables = {name: folder / entity.file for name, entity in manifest.entities.items()}
    outcome = judge(settings, contract, manifest.period, tables, manifest.files)
    return Verdict(
        stage="gate",
        manifest_sha256=manifest.sha256,
        files=manifest.files,
        findings=(*findings, *outcome.findings),
        declared=outcome.declared,
        evaluated=outcome.evaluated,
        canary=outcome.canary,
        rules=outcome.rules,
        versions={**outcome.versions, "hims": __version__, "python": sys.version.split()[0]},
        **common,
    )


def withdraw(settings: Settings, batch: str, reason: str) -> Delivery:
    """Take a delivery that was the wrong file or period out of what counts; an earlier one of its period counts again.

    It counts no longer as soon as this returns, also while a night runs: that publishes nothing made from it. Its files
    stay where that night may be reading them and leave `validated/` at the next start.

    Raises:
        HimsError: no such batch, no reason, or already withdrawn.
    """
    with acts_lock(settings, f"withdrawing {batch}"):
        delivery = landing.find(settings, batch)
        if delivery.withdrawn:
            raise HimsError(f"{delivery.batch} is withdrawn already: {delivery.withdrawn}")
        if not reason.strip():
            raise HimsError("Say why, with --reason: it is printed in the release notes.")
        with journal.act(settings, journal.WITHDRAWN, batch=delivery.batch, reason=reason.strip()):
            changed = landing.set_withdrawn(settings, delivery, reason.strip())
    with contextlib.suppress(Busy), installation_lock(settings, f"setting {delivery.batch} aside"):
        batches.set_aside(settings, changed)
    return changed


def reinstate(settings: Settings, batch: str) -> Delivery:
    """Let a withdrawn delivery count again; it is judged anew at the next build.

    Raises:
        HimsError: no such batch, or it was not withdrawn.
    """
    with acts_lock(settings, f"reinstating {batch}"):
        delivery = landing.find(settings, batch)
        if not delivery.withdrawn:
            raise HimsError(f"{delivery.batch} was not withdrawn.")
        with journal.act(settings, journal.REINSTATED, batch=delivery.batch):
            return landing.set_withdrawn(settings, delivery, "")


@dataclass(frozen=True)
class BatchState:
    """Where one delivery stands, for status pages."""

    batch: str
    state: str
    received_at: str
    rows: int | None
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        return json.loads(json.dumps(self.__dict__))


def states(settings: Settings, *, hashed: bool = False) -> list[BatchState]:
    """Every delivery and where it stands: accepted, superseded, refused, withdrawn, pending, damaged.

    Args:
        hashed: read the files of accepted batches too, which takes its time; records are always proven.
    """
    sent = landing.deliveries(settings)
    contracts = load_contracts(settings.data)
    counts = {b.manifest.batch for c in contracts.values() for b in batches.counting(settings, c, sent)}
    found = [_state(settings, delivery, counts, hashed) for delivery in sent]
    return found + [_damaged_state(one) for one in landing.damaged_records(settings)]


def _state(settings: Settings, delivery: Delivery, counts: set[str], hashed: bool) -> BatchState:
    known = batches.standing(settings, delivery)
    batch, damage = known.batch, known.damage
    if hashed and batch and (damaged := batches.damaged_files(batch)):
        damage = f"{', '.join(damaged)} in {batch.folder.relative_to(settings.home)}"
    findings = known.verdict.findings if known.verdict else ()
    reasons = tuple(f.sentence() for f in findings if f.severity == "blocking")
    if delivery.withdrawn:
        state, reasons = "withdrawn", (printable(delivery.withdrawn),)
    elif damage:
        state, reasons = "damaged", (f"Not what we wrote, and read again by the next run: {damage}.",)
    elif known.verdict is None:
        state = "pending"
    else:
        state = "superseded" if batch and delivery.batch not in counts else known.verdict.status
    return BatchState(
        batch=delivery.batch,
        state=state,
        received_at=delivery.received_at,
        rows=batch.manifest.rows if batch and not delivery.withdrawn else None,
        reasons=reasons,
        warnings=tuple(f.sentence() for f in findings if f.severity == "warning"),
    )


def destroyed(settings: Settings) -> list[BatchState]:
    """Deliveries that were destroyed under their legal term: their figures are no longer there, and this says why."""
    return [
        BatchState(one.batch, "destroyed", one.received_at, None, (one.sentence(),), ())
        for one in tombstone.tombstones(settings)
    ]


def _damaged_state(damaged: Damaged) -> BatchState:
    """A delivery that does not count since its record cannot be believed."""
    return BatchState(landing.batch_of(damaged), "damaged", "", None, (f"{damaged} {_mending(damaged)}",), ())


def _mending(damaged: Damaged) -> str:
    return (
        "Put it back from a backup or, if you know that it is right, `hims batch reseal "
        f"{landing.batch_of(damaged)}`; else deliver its files again."
    )
