"""Registers joined by number: the pairs of all batches that count become one delivery of `person_links`, gated as any.

Runs inside the identified zone, on pairs of pseudonyms that the readers left there; no number is seen again. Outside,
the pseudonyms of two registers differ, and only the table that comes of this joins them. The same pairs are the same
bytes, so nothing happens; other pairs supersede all that were made before, whatever day it is. Not here: making
pseudonyms (`readers.typing.links`), judging the delivery (`intake`), or linkage without a number, which would bring
pairs of its own with another `method`.
"""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from hims_pipeline import intake
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import HimsError
from hims_pipeline.lake import batches, journal, landing
from hims_pipeline.lake.batches import Batch
from hims_pipeline.lake.files import private_folder, remove_folder, sha256_of
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.periods import covers
from hims_pipeline.privacy.keys import load_key
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection, literal
from hims_pipeline.staging.in_force import find_in_force
from hims_pipeline.staging.inputs import current_batches

Log = Callable[[str], None]
SOURCE = "person_links"
METHOD = "DETERMINISTIC"
NOTHING_LEFT = "no batch that counts holds numbers any more"
NOT_PRESENT = "they are no longer the pairs of the batches that count"


def link_registers(settings: Settings, log: Log = lambda text: None, *, none_pending: bool = False) -> Delivery | None:
    """Put the present pairs into landing as a delivery; None where there is nothing to link. Lock held by the caller.

    Args:
        none_pending: every batch was just found to stand, and nothing was taken in since.

    Returns:
        The delivery that holds the present pairs, be it new or known; `intake.pending` says whether it is to be judged.

    Raises:
        HimsError: a batch of a register, or its pairs, is damaged or of another key: the links stay as they are, and
            the next run reads it again.
    """
    contracts = find_in_force(settings).contracts
    own = contracts.get(SOURCE)
    if own is None:
        return None
    sources = {name: one for name, one in contracts.items() if has_links(one) and one.data_kind == own.data_kind}
    for name in sorted(name for name, one in contracts.items() if has_links(one) and name not in sources):
        log(f"{name} is {contracts[name].data_kind}, the links are {own.data_kind}: it is not linked")
    if sources and not none_pending and (doubtful := intake.find_doubtful(settings, *sources)):
        reason = doubtful[0].sentence()
        raise HimsError(f"The links stay as they are: {reason}. `hims run` reads it again and links then.")
    for name in sources:
        for gone in batches.find_without_delivery(settings, name, landing.deliveries(settings, name)):
            batch = gone.relative_to(settings.validated)
            raise HimsError(f"The links stay as they are: the record of {batch} in landing is missing or damaged.")
    files = _files(settings, sources)
    if not files:
        log("no batch that counts holds numbers: nothing to link")
        _withdraw(settings, landing.deliveries(settings, SOURCE), NOTHING_LEFT, log)
        return None
    folder = Path(tempfile.mkdtemp(dir=private_folder(settings.scratch), prefix="link-"))
    try:
        target = folder / f"person_links{'_SYNTHETIC' if own.data_kind == 'synthetic' else ''}.parquet"
        _write(settings, files, target)
        delivery = _deliver(settings, own, _period(contracts, files), target, log)
    finally:
        remove_folder(folder)
    _record(settings, delivery, sorted({batch.manifest.batch for batch, _ in files}))
    return delivery


def _record(settings: Settings, delivery: Delivery, joined: list[str]) -> None:
    """Write down which batches' pairs a delivery holds: publishing asks whether one of them was withdrawn since."""
    facts = {"batch": delivery.batch, "batches": joined}
    known = [one for one in journal.entries(settings) if one["event"] == journal.LINKED][-1:]
    if [{name: one[name] for name in facts} for one in known] != [facts]:
        journal.record(settings, journal.LINKED, **facts)


def has_links(contract: Contract) -> bool:
    """Does some column of this source hold numbers by which registers are joined?"""
    return any(column.links for entity in contract.entities.values() for column in entity.columns)


def _has_links(contract: Contract, batch: Batch) -> bool:
    """Was a linking number asked for in the batch's period?"""
    entities = (contract.entity_in(name, batch.manifest.period) for name in batch.manifest.entities)
    return any(column.links for entity in entities for column in entity.columns)


def _files(settings: Settings, sources: dict[str, Contract]) -> list[tuple[Batch, Path]]:
    """The pairs of every batch that counts, of the linking sources."""
    paths, version = [], load_key(settings).version if sources else ""
    for batch in current_batches(settings):
        contract = sources.get(batch.manifest.source)
        if contract is None or not _has_links(contract, batch):
            continue
        if batches.find_damaged_links(settings, contract, batch) or batch.manifest.key_version != version:
            raise HimsError(
                f"{batch.manifest.batch} has no pairs under the present key. `hims run` reads it again and links then."
            )
        folder = settings.links.joinpath(*batch.manifest.batch.split("/"))
        names = [f"{entity}.parquet" for entity in batch.manifest.entities]
        paths += [(batch, folder / name) for name in names if (folder / name).exists()]
    return paths


def _write(settings: Settings, files: list[tuple[Batch, Path]], target: Path) -> None:
    pairs = " union ".join(
        f"select study_id, link_key, {literal(batch.manifest.source)} as register_source, domain as register_domain, "
        f"register_id, {literal(METHOD)} as method, {literal(batch.manifest.key_version)} as key_version "
        f"from read_parquet({literal(path)})"
        for batch, path in files
    )
    with connection(replace(settings, threads=1)) as con:  # one thread: the same rows are the same bytes
        con.execute(f"copy (select * from ({pairs}) order by all) to {literal(target)} (format parquet)")


def _period(contracts: dict[str, Contract], files: list[tuple[Batch, Path]]) -> str:
    """The last day that the linked batches cover: what is linked says it, and no clock."""
    return max(covers(contracts[one.manifest.source], one.manifest.period)[1] for one, _ in files).isoformat()


def _deliver(settings: Settings, contract: Contract, period: str, file: Path, log: Log) -> Delivery:
    """Make the pairs the last delivery, new or known; what a person withdrew stays withdrawn."""
    known = landing.deliveries(settings, SOURCE)
    same = [one for one in known if [sent.sha256 for sent in one.files] == [sha256_of(file)] and one.withdrawn]
    for one in same:
        if one.withdrawn not in (NOTHING_LEFT, NOT_PRESENT):
            log(f"{one.batch}: the present pairs, withdrawn by a person")
            _withdraw(settings, known, NOT_PRESENT, log)
            return one
    for one in same:
        if one.period == period:
            intake.reinstate(settings, one.batch)
    taken = landing.take_over_files(settings, contract, period, [file], "made")
    changed = taken.is_new or taken.is_last_word
    log(
        f"{taken.delivery.batch}: " + ("the pairs have changed" if changed else "the pairs are the same, nothing to do")
    )
    return taken.delivery


def _withdraw(settings: Settings, deliveries: list[Delivery], reason: str, log: Log) -> None:
    for delivery in deliveries:
        if not delivery.withdrawn:
            intake.withdraw(settings, delivery.batch, reason)
            log(f"{delivery.batch}: withdrawn, {reason}")
