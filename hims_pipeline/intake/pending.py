"""What is to be judged: deliveries without a verdict that still holds, and batches that are not what was written.

A delivery is pending while no verdict on it rests on the present delivery, contract, reader, suites, code lists and
time zone. So a new delivery, an edited contract and a changed rule are one case, and a second run has nothing to do.

What a verdict rests on has two parts: what decides what is read, and beside it what the gate adds (`gate:…`). Where
only the latter changed, a delivery that came to the gate is judged again as it was read, and one refused before is
let be.

Whether a batch is what was written is decided while nobody can replace it: under the installation's lock.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hims_pipeline.contracts.load import fingerprint, load_contracts
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import Damaged, HimsError
from hims_pipeline.lake import batches, journal, landing, reports
from hims_pipeline.lake.batches import Batch, ProvenBatch
from hims_pipeline.lake.decision_trail import acceptances
from hims_pipeline.lake.files import sha256_of
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.lake.verdict import Verdict
from hims_pipeline.plain_file import read_json
from hims_pipeline.privacy import identifier_search
from hims_pipeline.privacy.key_record import KeyMismatch
from hims_pipeline.privacy.keys import load_key
from hims_pipeline.provenance import READING, Provenance, provenance_of
from hims_pipeline.settings import Settings
from hims_pipeline.sources import broken_sources
from hims_pipeline.sql import time_zone

GATE = "gate:"
PATIENCE_SECONDS = 3600  # as long as another run may build
DECIDED = "a person has decided on it since"
LEFT = "left_in_landing.json"
"""What lies in landing and makes no delivery, by name, in the identified zone; written each night."""
DELIVER_AGAIN = "Deliver the same files again, or put them back from a backup"


def reader_provenance(contract: Contract, period: str) -> Provenance:
    """The code that turns files of this source and period into rows, and the libraries under it: when either changes,
    these deliveries are read again. Formats that the contract does not name have no part in it."""
    from hims_pipeline.readers.formats import opener_of

    types = sorted({contract.format_in(name, period).type for name in contract.entities})
    return provenance_of(*READING, *(f"{opener_of(one)}:open_table" for one in types))


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
    """Everything that a verdict on this delivery rests on, by name, as hashes; what the gate adds as `gate:<name>`."""
    from hims_pipeline.gates import gate_inputs

    reader = reader_provenance(contract, delivery.period)
    own = {
        "delivery": delivery.sha256,
        "contract": contract_sha256(contract, delivery.period),
        "reader": reader.code,
        "libraries of the reader": reader.libraries,
        "time zone": time_zone(settings),  # days of instants follow from it
    }
    if (shapes := settings.data / identifier_search.FILE).exists():
        own["identifier_shapes"] = sha256_of(shapes)
    if version := _key_version(settings, contract):
        own["key"] = version  # another key makes other pseudonyms, which must not stand beside the former ones
    return own | {f"{GATE}{name}": value for name, value in gate_inputs(settings, contract, delivery.period).items()}


def inputs_of_reading(inputs: dict[str, str]) -> dict[str, str]:
    """Of what a verdict rests on, that which decides what is read."""
    return {name: value for name, value in inputs.items() if not name.startswith(GATE)}


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


def find_pending(settings: Settings, *sources: str, log: Callable[[str], None] = lambda text: None) -> list[Pending]:
    """Deliveries of these sources, or of all, without a verdict that still holds, by source in the order of arrival:
    each is compared with what came before it. Another run that takes in or builds is waited for.

    Raises:
        Busy: it did not end within the hour.
    """
    with installation_lock(settings, "looking for what is pending", PATIENCE_SECONDS, log):
        pending = list(_iterate_pending(settings, sources))
    return sorted(pending, key=lambda one: (one.delivery.source, one.delivery.sequence))


def _iterate_pending(settings: Settings, sources: tuple[str, ...]) -> Iterator[Pending]:
    contracts, held_out = load_contracts(settings.data), broken_sources(settings)
    verdicts, accepted = last_verdicts(settings), acceptances(settings)
    for delivery in (one for source in sources or (None,) for one in landing.deliveries(settings, source)):
        if delivery.withdrawn or delivery.source not in contracts or delivery.source in held_out:
            continue
        known = batches.prove_batch(settings, delivery)
        decided = known.verdict is not None and known.verdict.stage == "gate"
        decided = decided and known.verdict.acceptance != accepted.get(delivery.batch)  # type: ignore[union-attr]
        why = DECIDED if decided else _explain_pending(settings, contracts[delivery.source], delivery, known)
        if not why and known.verdict and known.verdict.sha256 != verdicts.get(delivery.batch):
            why = "damaged on disk: its verdict is not the last one that the audit trail tells of"
        if why:
            yield Pending(delivery, why, known.holds_place or bool(known.damage))


def last_verdicts(settings: Settings) -> dict[str, str | None]:
    """Batch -> hash of the last verdict on it that the audit trail tells of."""
    return {one["batch"]: one.get("verdict_sha256") for one in journal.done(settings, journal.JUDGED)}


def _explain_pending(settings: Settings, contract: Contract, delivery: Delivery, known: ProvenBatch) -> str:
    """Why a delivery is to be taken in (again); `""` while its verdict holds."""
    if known.damage:
        return f"damaged on disk: {known.damage}"
    if known.verdict is None:
        return "new"
    now, then = inputs_of(settings, contract, delivery), known.verdict.inputs
    if known.verdict.stage != "gate":  # the gate had no part in it
        now, then = inputs_of_reading(now), inputs_of_reading(then)
    if changed := sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name)):
        return f"changed since the last verdict: {', '.join(changed)}"
    if beside := _find_damaged_beside(settings, delivery):
        return f"damaged on disk: {beside}"
    if lost := _find_lapsed(settings, known.verdict):
        return f"was compared with what no longer counts: {', '.join(lost)}"
    if not known.verdict.accepted:
        return ""
    if known.batch is None:
        return "was withdrawn and counts again"
    if not _names_the_rules(settings, contract, known.batch):
        return "damaged on disk: the rules in its verdict are not those that its inputs declare"
    profile = known.batch.folder / batches.PROFILE
    if known.verdict.profile_sha256 and not (profile.is_file() and sha256_of(profile) == known.verdict.profile_sha256):
        return f"damaged on disk: {profile.relative_to(settings.home)}"
    if damaged := batches.find_damaged_files(known.batch):
        return f"damaged on disk: {', '.join(damaged)} in {known.batch.folder.relative_to(settings.home)}"
    if lost := batches.find_damaged_links(settings, contract, known.batch):
        return f"its pairs for the linkage are missing or damaged: {', '.join(lost)}"
    return ""


def _find_damaged_beside(settings: Settings, delivery: Delivery) -> str:
    """What of a reading is kept in the closed zone alone and is not what was written: findings, lines set aside."""
    try:
        damaged = reports.damaged_rejects(settings, delivery)
    except Damaged as error:
        return f"{error.path.relative_to(settings.home)} {error.what}"
    return f"lines that were set aside ({', '.join(damaged)})" if damaged else ""


def _find_lapsed(settings: Settings, verdict: Verdict) -> list[str]:
    """Batches that a verdict was given beside, and that are not accepted any more, or look otherwise."""
    if not verdict.compared_with:
        return []
    sent = {delivery.batch: delivery for delivery in landing.deliveries(settings, verdict.batch.split("/")[0])}
    lapsed = []
    for batch, profile in verdict.compared_with.items():
        if batch.startswith("reference/"):  # by its hash among the inputs
            continue
        stands = batches.find_accepted_batch(settings, sent[batch]) if batch in sent else None
        if stands is None or stands.verdict.profile_sha256 != profile:
            lapsed.append(batch)
    return lapsed


def _names_the_rules(settings: Settings, contract: Contract, batch: Batch) -> bool:
    """A verdict on the present inputs has a result of each rule that they declare, and of no other."""
    from hims_pipeline.gates import rules_of

    declared = rules_of(settings, contract, batch.manifest.period)
    wanted = sorted((rule.code, rule.severity) for rule in declared if rule.entity in batch.manifest.entities)
    return wanted == sorted((rule["code"], rule["severity"]) for rule in batch.verdict.rules)


def find_doubtful(settings: Settings, *sources: str) -> list[Pending]:
    """Batches among the accepted ones, of these sources or of all, that are to be read or judged anew before a release
    may rest on them."""
    return [one for one in find_pending(settings, *sources) if one.stood]


def problems(
    settings: Settings, log: Callable[[str], None] = lambda text: None, *, none_pending: bool = False
) -> list[str]:
    """What is wrong with deliveries and batches once the night has taken in what it could: a line each, with the place
    and what to do. Bad data are no problem of ours, and stand in `states`. Another run is waited for.

    Args:
        none_pending: every batch was just found to stand, and nothing was taken in since.
    """
    with installation_lock(settings, "looking at what was written", PATIENCE_SECONDS, log):
        pending = [] if none_pending else _tell_pending(settings)
        return [*pending, *_tell_untaken(settings), *_tell_without_record(settings)]


def _tell_pending(settings: Settings) -> list[str]:
    return [
        f"{one.sentence()}. The next run reads it again; if its files in landing are damaged too, put them back from"
        " a backup or deliver them again."
        for one in find_pending(settings)
        if one.why != DECIDED  # while a night ran: the next one carries it out
    ]


def _tell_untaken(settings: Settings) -> list[str]:
    """What was dropped, and our own failure kept out."""
    path = settings.identified / LEFT
    left = read_json(path) if path.exists() else []
    failed = [one["reason"] for one in left if one.get("is_failure")]
    return [f"{reason} It stays in landing, and the next run takes it over." for reason in failed]


def _tell_without_record(settings: Settings) -> list[str]:
    damaged = landing.damaged_records(settings)
    lines = [f"{landing.batch_of(one)}: {one} {mending_advice(one)}" for one in damaged]
    told_batches = {landing.batch_of(one) for one in damaged}
    for source in load_contracts(settings.data):
        gone = batches.find_without_delivery(settings, source, landing.deliveries(settings, source))
        lines += [
            f"{batch}: its record in landing is gone, so it does not count. {DELIVER_AGAIN}."
            if batches.was_ours(settings, folder)
            else f"validated/{batch}: no delivery ever made this batch, so it does not count. Move it away."
            for folder in gone
            if (batch := folder.relative_to(settings.validated).as_posix()) not in told_batches
        ]
    return lines


def mending_advice(damaged: Damaged) -> str:
    """What to do about a delivery's record that is not what was written."""
    return (
        "Put it back from a backup or, if you know that it is right, `hims batch reseal "
        f"{landing.batch_of(damaged)}`; else deliver its files again."
    )
