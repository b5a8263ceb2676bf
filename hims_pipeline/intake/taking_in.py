"""Taking one delivery in: it is read, judged and moved to where it belongs; and what was dropped becomes deliveries.

What was read before from the same bytes, by the same contract and the same reader, is not read again: it is judged.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hims_pipeline import __version__
from hims_pipeline.contracts.load import broken_contracts, load_contracts
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.errors import ContractError, Damaged, HimsError
from hims_pipeline.intake.pending import (
    DELIVER_AGAIN,
    LEFT,
    inputs_of,
    inputs_of_reading,
    last_verdicts,
    mending_advice,
)
from hims_pipeline.intake.predecessors import predecessors_of
from hims_pipeline.intake.set_aside import set_rows_aside
from hims_pipeline.lake import batches, drops, journal, landing, reports, survey
from hims_pipeline.lake.batches import Batch, Manifest
from hims_pipeline.lake.decision_trail import acceptances
from hims_pipeline.lake.files import private_folder, remove_folder, sha256_of, write_json
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.survey import Misplaced
from hims_pipeline.lake.verdict import Finding, Verdict
from hims_pipeline.privacy.production import check_personal_source
from hims_pipeline.reporting import remove_report, write_beside
from hims_pipeline.settings import Settings
from hims_pipeline.stopping import let_through

if TYPE_CHECKING:  # reading imports pandas and more, which takes seconds
    from hims_pipeline.gates.predecessor_evidence import Predecessor
    from hims_pipeline.readers import ReadResult

Log = Callable[[str], None]


def take_over_dropped(settings: Settings) -> tuple[list[Delivery], list[Delivery], list[Misplaced]]:
    """Take over what was dropped into landing; see `dropped.take_over_drops`. The names of what was left are
    written into the identified zone, since they are told nowhere else."""
    contracts, settle_seconds = load_contracts(settings.data), load_observatory(settings.data).settle_seconds
    new, again, left = drops.take_over_drops(settings, contracts, settle_seconds)
    left += [
        Misplaced(landing.batch_of(one), f"{one.what}. {mending_advice(one)}")
        for one in landing.damaged_records(settings)
    ]
    private_folder(settings.identified)
    write_json(settings.identified / LEFT, [one.as_named_record() for one in left], mode=0o600)
    return new, again, left


def survey_landing(settings: Settings) -> survey.Survey:
    """What lies in landing and is no delivery yet, looked at and left as it is."""
    return survey.survey_dropped(
        settings, load_contracts(settings.data), load_observatory(settings.data).settle_seconds
    )


def contract_of(settings: Settings, source: str) -> Contract:
    """The contract of a source.

    Raises:
        HimsError: there is none, or it does not hold.
    """
    contracts = load_contracts(settings.data)
    if source not in contracts and source in (broken := broken_contracts(settings.data)):
        raise ContractError(broken[source])
    if source not in contracts:
        raise HimsError(f"There is no source {source!r}; data/contracts has {', '.join(contracts) or 'none'}.")
    return contracts[source]


@dataclass(frozen=True)
class _Grounds:
    """What a verdict rests on beside what was read: hashes by name, and the accepted batches compared with."""

    inputs: dict[str, str]
    before: "Sequence[Predecessor]"


def take_in(settings: Settings, delivery: Delivery, log: Log, before: "Sequence[Predecessor] | None" = None) -> Verdict:
    """Read one delivery unless it was read before, judge it and move it to where it belongs. The caller holds the
    installation's lock.

    Bad data end in a refusing verdict. What is raised is a failure of our own, and leaves the delivery pending.

    Args:
        before: the accepted batches to compare with, by default those of this installation.

    Raises:
        Damaged: a file in landing is no longer the one that was taken over; nothing of it is read.
        HimsError: production rules forbid to open this source here.
    """
    contract = contract_of(settings, delivery.source)
    check_personal_source(settings, contract)
    inputs = inputs_of(settings, contract, delivery)
    _check_landing(settings, delivery)
    if before is None:
        before = predecessors_of(settings, contract, delivery, landing.deliveries(settings, delivery.source))
    grounds = _Grounds(inputs, before)
    if known := _read_before(settings, contract, delivery, inputs):
        folder = known.folder
        log(f"{delivery.batch}: was read before, from the same bytes and by the same reader")
        verdict = _judge(
            settings, contract, delivery, folder, known.manifest, known.verdict.found_in_reading, grounds,
            known.verdict.transport, log,
        )  # fmt: skip
    else:
        folder = batches.folder_of(settings.bronze, delivery)
        verdict = _read_and_judge(settings, contract, delivery, folder, grounds, log)
    if verdict.stage == "gate":
        verdict = replace(verdict, acceptance=acceptances(settings).get(delivery.batch))
    reports.write_findings(settings, delivery, verdict.findings)
    _settle(settings, contract, delivery, folder, verdict, log)
    messages = verdict.acceptance if verdict.is_overruled else None
    overruled = f", accepted against the gate by {messages.name}" if messages else ""
    log(f"{delivery.batch}: {verdict.status}{overruled}" + "".join(f"\n  {f.sentence()}" for f in verdict.findings))
    return verdict


def carry_decision(settings: Settings, delivery: Delivery, verdict: Verdict) -> None:
    """Give a batch a verdict that differs from its present one by what a person decided. The caller holds the
    installation's lock."""
    folder, contract = batches.settled_folder(settings, delivery), contract_of(settings, delivery.source)
    _settle(settings, contract, delivery, folder, verdict, lambda text: None)


def _settle(
    settings: Settings, contract: Contract, delivery: Delivery, folder: Path, verdict: Verdict, log: Log
) -> None:
    """Write the report on a batch beside its verdict, and move it to where it belongs."""
    try:
        write_beside(settings, contract, delivery, folder, verdict)
    except Exception as error:
        let_through(error)
        # a view of the verdict: what cannot be drawn refuses nobody's data
        remove_report(folder)
        log(f"{delivery.batch}: its report could not be written ({type(error).__name__}); see `hims batch report`")
    with journal.act(settings, journal.JUDGED, **_describe_verdict(delivery, folder, verdict)):
        batches.place_batch(settings, delivery, folder, verdict)


def _read_before(settings: Settings, contract: Contract, delivery: Delivery, inputs: dict[str, str]) -> Batch | None:
    """What the present reader would make of this delivery, where it lies there already and is whole."""
    batch = batches.find_judged_batch(settings, delivery)
    if batch is None or inputs_of_reading(batch.verdict.inputs) != inputs_of_reading(inputs):
        return None
    if any(entity.set_aside for entity in batch.manifest.entities.values()):
        return None  # rows were taken out by rules that may be others now
    if last_verdicts(settings).get(delivery.batch) != batch.verdict.sha256:
        return None  # records that were put back are no ground to stand on
    return None if batches.find_damaged_links(settings, contract, batch) else batch


def _read_and_judge(
    settings: Settings, contract: Contract, delivery: Delivery, folder: Path, grounds: _Grounds, log: Log
) -> Verdict:
    from hims_pipeline.readers import read_delivery

    remove_folder(folder)
    folder.mkdir(parents=True)
    log(f"{delivery.batch}: reading {len(delivery.files)} file(s), {delivery.size / 1e6:,.1f} MB")
    read = read_delivery(settings, contract, delivery, folder, log)
    _check_landing(settings, delivery)  # what was read is what was sent, at both ends of the reading
    if any(finding.severity == "blocking" for finding in read.findings):
        for parquet in folder.glob("*.parquet"):
            parquet.unlink()  # half a delivery is no batch; the files as sent stay in landing
        common = _record_inputs(delivery.batch, grounds.inputs)
        return Verdict(stage=_stage(read.stage), findings=read.findings, transport=read.transport, **common)
    manifest = _manifest(settings, contract, delivery, grounds.inputs, read)
    batches.write_manifest(settings, folder, manifest)
    return _judge(settings, contract, delivery, folder, manifest, read.findings, grounds, read.transport, log)


def _record_inputs(batch: str, inputs: dict[str, str]) -> dict[str, Any]:
    return {"batch": batch, "judged_at": datetime.now(UTC).isoformat(timespec="seconds"), "inputs": inputs}


def _check_landing(settings: Settings, delivery: Delivery) -> None:
    if damaged := landing.find_damaged_sent_files(settings, delivery):
        what = "is not the delivery that was taken over"
        raise Damaged(delivery.folder(settings), f"{what}: {'; '.join(damaged)}. {DELIVER_AGAIN}")


def _describe_verdict(delivery: Delivery, folder: Path, verdict: Verdict) -> dict[str, Any]:
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


def _stage(stage: str) -> Literal["types", "envelope"]:
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
    delivery: Delivery,
    folder: Path,
    manifest: Manifest,
    findings: tuple[Finding, ...],
    grounds: _Grounds,
    transport: str,
    log: Log,
) -> Verdict:
    from hims_pipeline.gates import judge

    before = grounds.before
    beside = f" beside {', '.join(predecessor.batch for predecessor in before)}" if before else " by its contract alone"
    log(f"{manifest.batch}: judging {manifest.rows:,} rows{beside}")
    tables = {name: entity.paths(folder) for name, entity in manifest.entities.items()}
    outcome = judge(settings, contract, manifest.period, tables, manifest.files, before, folder / batches.PROFILE)
    parted = None
    if not outcome.accepted:
        parted = set_rows_aside(settings, contract, delivery, folder, manifest, outcome, before)
    if parted:
        manifest, outcome, findings = parted.manifest, parted.outcome, (*findings, *parted.findings)
    return Verdict(
        stage="gate",
        manifest_sha256=manifest.sha256,
        files=manifest.files,
        findings=(*findings, *outcome.findings),
        declared=outcome.declared,
        evaluated=outcome.evaluated,
        canary=outcome.canary,
        rules=outcome.rules,
        compared_with=outcome.compared_with,
        profile_sha256=outcome.profile_sha256,
        set_aside=parted.set_aside if parted else (),
        transport=transport,
        versions={**outcome.versions, "hims": __version__, "python": sys.version.split()[0]},
        **_record_inputs(manifest.batch, grounds.inputs),
    )
