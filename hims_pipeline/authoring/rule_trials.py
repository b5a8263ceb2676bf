"""What changed rules would make of the batches on disk: each is judged by them, and nothing is written down."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from hims_pipeline.authoring.threshold_book import read_thresholds
from hims_pipeline.authoring.thresholds import change
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.errors import HimsError
from hims_pipeline.gates import judge
from hims_pipeline.gates.comparisons import FILE as LIMITS
from hims_pipeline.gates.predecessor_evidence import Predecessor
from hims_pipeline.gates.suites import load_suite
from hims_pipeline.lake import batches, landing
from hims_pipeline.lake.batches import PROFILE, Batch
from hims_pipeline.lake.files import private_folder, sha256_of
from hims_pipeline.settings import Settings

Log = Callable[[str], None]


@dataclass(frozen=True)
class Difference:
    """What becomes of a batch: rules that it breaks anew, and those that it breaks no longer."""

    batch: str
    was: str
    would_be: str
    broken: tuple[str, ...]
    mended: tuple[str, ...]

    def sentence(self) -> str:
        effects = [f"would break {', '.join(self.broken)}"] if self.broken else []
        effects += [f"would break no longer {', '.join(self.mended)}"] if self.mended else []
        status = f"{self.was} -> {self.would_be}" if self.was != self.would_be else f"stays {self.was}"
        return f"{self.batch}: {status}; {'; '.join(effects) or 'nothing else'}"


def try_rules(settings: Settings, changed: Path, source: str | None, log: Log) -> Iterator[Difference | None]:
    """Judge every past batch by the rules with a changed suite, `comparisons.yml` or workbook of thresholds in place.

    Yields:
        One for each batch that was judged again: what differs, None where nothing does.

    Raises:
        HimsError: the file is none of these, or has mistakes.
    """
    folder = Path(tempfile.mkdtemp(dir=private_folder(settings.scratch), prefix="rules-"))
    try:
        shutil.copytree(settings.expectations, folder / "expectations")
        files = _put_in_place(folder / "expectations", changed)
        tried = replace(settings, expectations=folder / "expectations")
        sources = {file.split("__")[0] for file in files} if LIMITS not in files else None
        for batch in _judge_batches(settings, source):
            if sources is None or batch.manifest.source in sources:
                log(f"judging {batch.manifest.batch}")
                yield _try_on(tried, batch)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put_in_place(expectations: Path, changed: Path) -> set[str]:
    """Put changed rules into a copy of `expectations/`; returns the names of the files that are others."""
    if changed.suffix.lower() in (".xlsx", ".csv"):
        edited = read_thresholds(expectations, changed)
        change(expectations, edited)
        return {one.file for one in edited}
    if changed.name != LIMITS and "__" not in changed.stem:
        raise HimsError(f"{changed.name} is no suite `<source>__<entity>.json`, no {LIMITS} and no workbook.")
    target = expectations / changed.name
    try:
        shutil.copyfile(changed, target)
    except OSError as error:
        raise HimsError(f"{changed} cannot be read: {error.strerror}.") from None
    if changed.name != LIMITS:
        load_suite(target)
    return {changed.name}


def _judge_batches(settings: Settings, source: str | None) -> Iterator[Batch]:
    contracts = load_contracts(settings.data)
    for delivery in sorted(landing.deliveries(settings, source), key=lambda one: (one.source, one.sequence)):
        batch = batches.find_judged_batch(settings, delivery) if delivery.source in contracts else None
        if batch is not None:
            yield batch


def _try_on(tried: Settings, batch: Batch) -> Difference | None:
    manifest, verdict = batch.manifest, batch.verdict
    tables = {name: batch.parquet(name) for name in manifest.entities}
    contract = load_contracts(tried.data)[manifest.source]
    outcome = judge(tried, contract, manifest.period, tables, None, _find_predecessors(tried, batch))
    was = {rule["code"] for rule in verdict.rules if not rule["success"] or rule["blind"]}
    now = {rule["code"] for rule in outcome.rules if not rule["success"] or rule["blind"]}
    blocked = [one for one in verdict.found_in_reading if one.severity == "blocking"]
    would_be = "accepted" if outcome.accepted and not blocked else "refused"
    if was == now and would_be == verdict.status:
        return None
    return Difference(manifest.batch, verdict.status, would_be, tuple(sorted(now - was)), tuple(sorted(was - now)))


def _find_predecessors(settings: Settings, batch: Batch) -> list[Predecessor]:
    """The batches that it was compared with, as far as their profiles are still there."""
    places = {
        name: (settings.validated.joinpath(*name.split("/")) / PROFILE, sha256)
        for name, sha256 in batch.verdict.compared_with.items()
    }
    return [
        Predecessor(name, name.split("/")[1], path, sha256)
        for name, (path, sha256) in places.items()
        if path.is_file() and sha256_of(path) == sha256
    ]
