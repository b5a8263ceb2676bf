"""Retention that acts: which deliveries are past the legal term of their contract, and destroying them with a record.

The term is counted from the day a delivery was received. Destroyed are its files as sent, rejects, quarantine,
microdata and pairs of pseudonyms; what stays are a sealed tombstone, lines of the audit trail, a draft of the protocol,
and the aggregates that were published. Its figures leave the next release, whose notes say so. Not here: releases
beyond `keep_releases` (`release.acts.retire`), and the key (`rotation`).
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hims_pipeline import linkage
from hims_pipeline.carry.last_build import forget
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.errors import HimsError
from hims_pipeline.lake import batches, journal, landing, reports, tombstone
from hims_pipeline.lake.files import private_folder, remove_folder, write_text
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.tombstone import Tombstone
from hims_pipeline.privacy.key_record import current_time
from hims_pipeline.settings import Settings
from hims_pipeline.staging.in_force import find_in_force

DESTROYED, FORGOTTEN = "delivery destroyed", "links removed"
DERIVED = "made of deliveries that were destroyed or read under another key; the next run makes them anew"
POLICY = "policies.destroy_at_term of observatory.yml"
PROTOCOLS = "protocols"
Log = Callable[[str], None]


@dataclass(frozen=True)
class Due:
    """A delivery whose term has ended, and the day on which it did."""

    delivery: Delivery
    contract: Contract
    day: date

    def sentence(self) -> str:
        legal = self.contract.legal
        return (
            f"{self.delivery.batch}: received {self.delivery.received_at[:10]}, term of {legal.retention_years} years "
            f"ended {self.day}. {len(self.delivery.files)} file(s), {self.delivery.size / 1e6:,.1f} MB. {legal.basis}"
        )


def today(settings: Settings) -> date:
    """The present day where the observatory is."""
    return datetime.now(ZoneInfo(load_observatory(settings.data).time_zone)).date()


def term_ends(contract: Contract, delivery: Delivery) -> date:
    """The day from which on a delivery must be gone."""
    received = date.fromisoformat(delivery.received_at[:10])
    year = received.year + contract.legal.retention_years
    if (received.month, received.day) == (2, 29):
        return date(year, 3, 1)
    return received.replace(year=year)


def plan_retention(settings: Settings, day: date | None = None) -> list[Due]:
    """Deliveries past their term on a day, today without one; withdrawn and refused ones too."""
    day, contracts, due = day or today(settings), find_in_force(settings).contracts, []
    for delivery in landing.deliveries(settings):
        contract = contracts.get(delivery.source)
        if contract is not None and (ends := term_ends(contract, delivery)) <= day:
            due.append(Due(delivery, contract, ends))
    return due


def act_on_terms(settings: Settings, due: Sequence[Due], reason: str, log: Log = lambda text: None) -> Path | None:
    """Destroy deliveries whose term has ended. The caller holds the installation's lock.

    Each is an act of the audit trail: killed halfway, the next start destroys the rest of it.

    Returns:
        The draft of the protocol; None where nothing was due.

    Raises:
        HimsError: no reason was given.
    """
    if not reason.strip():
        raise HimsError("Say on whose decision, with --reason: it stands in the audit trail and the protocol.")
    stones = []
    for one in due:
        stone = _stone(settings, one, reason.strip())
        with journal.act(settings, DESTROYED, batch=stone.batch, stone=_facts(stone)):
            destroy(settings, stone)
        log(f"destroyed: {stone.batch}")
        stones.append(stone)
    if any(linkage.has_links(one.contract) for one in due):
        forget_links(settings, log)
    return _protocol(settings, stones) if stones else None


def _stone(settings: Settings, due: Due, reason: str) -> Tombstone:
    delivery, legal = due.delivery, due.contract.legal
    accepted = batches.find_accepted_batch(settings, delivery)
    return Tombstone(
        source=delivery.source,
        period=delivery.period,
        id=delivery.id,
        sha256=delivery.sha256,
        received_at=delivery.received_at,
        file_hashes=tuple(file.sha256 for file in delivery.files),
        bytes=delivery.size,
        rows={name: entity.rows for name, entity in accepted.manifest.entities.items()} if accepted else {},
        key_version=accepted.manifest.key_version if accepted else "",
        basis=legal.basis,
        term_years=legal.retention_years,
        due=due.day.isoformat(),
        destroyed_at=current_time(),
        reason=reason,
    )


def _facts(stone: Tombstone) -> dict[str, Any]:
    return dict(stone.__dict__)


def finish_destruction(settings: Settings, intent: dict[str, Any]) -> None:
    """Destroy what a kill left of a delivery; the intent in the audit trail says all that is needed."""
    destroy(settings, Tombstone(**{**intent["stone"], "file_hashes": tuple(intent["stone"]["file_hashes"])}))


def places(settings: Settings, batch: str) -> list[Path]:
    """Every folder that holds something of a delivery; its files as sent come last."""
    identified = settings.identified
    roots = [settings.links, settings.validated, settings.bronze, settings.quarantine]
    roots += [identified / reports.REJECTS, identified / reports.REPORTS]
    return [root.joinpath(*batch.split("/")) for root in (*roots, settings.landing)]


def destroy(settings: Settings, stone: Tombstone) -> None:
    """Leave the tombstone and nothing else of a delivery. Twice is the same as once."""
    tombstone.write_tombstone(settings, stone)
    forget(settings)  # blocks of its file may hold what tables held that were dropped
    for folder in places(settings, stone.batch):
        for trash in folder.parent.glob(f".trash-{folder.name}-*"):  # a kill came between its rename and its end
            remove_folder(trash)
        remove_folder(folder)


def forget_links(settings: Settings, log: Log = lambda text: None) -> None:
    """Remove every delivery of the linkage: each holds the pseudonyms of all registers of its day."""
    for delivery in landing.deliveries(settings, linkage.SOURCE):
        with journal.act(settings, FORGOTTEN, batch=delivery.batch, reason=DERIVED):
            remove_all(settings, delivery.batch)
        log(f"removed, to be made anew: {delivery.batch}")


def remove_all(settings: Settings, batch: str) -> None:
    """Remove every folder in which something of a batch is kept."""
    forget(settings)
    for folder in places(settings, batch):
        remove_folder(folder)


def _protocol(settings: Settings, stones: list[Tombstone]) -> Path:
    """A draft for the officers who sign; the law asks for a record of each destruction."""
    folder = private_folder(private_folder(settings.identified) / PROTOCOLS)
    path = folder / f"{stones[0].destroyed_at[:10]}-{uuid.uuid4().hex[:8]}.md"
    people = journal.acting_account()
    lines = [
        "# Protocol of a destruction (draft)",
        "",
        f"{load_observatory(settings.data).name.en}. Carried out {stones[0].destroyed_at} by account {people['by']}"
        f"{', logged in as ' + people['login'] if 'login' in people else ''}. Reason: {stones[0].reason}",
        "",
        "Files as sent, rejects, quarantine, pseudonymised records and pairs of pseudonyms of these deliveries were"
        " deleted. Copies on backups and at the senders are not covered. Published aggregates stay.",
        "",
        "| delivery | received | term | ended | legal basis | files | bytes | rows | SHA-256 |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in stones:
        rows = ", ".join(f"{name} {count:,}" for name, count in one.rows.items()) or "not read"
        basis = one.basis.replace("|", "/").replace("\n", " ")
        lines.append(
            f"| {one.batch} | {one.received_at[:10]} | {one.term_years} years | {one.due} | {basis} | "
            f"{len(one.file_hashes)} | {one.bytes:,} | {rows} | {one.sha256} |"
        )
    lines += ["", "Signed: ______________________  Witness: ______________________  Date: ____________", ""]
    write_text(path, "\n".join(lines), mode=0o600)
    return path
