"""What a build reads: the accepted batches that count, as data for dbt and for the release's manifest.

Every file is hashed when it is to be read, against the manifest that its verdict is chained to.
"""

from pathlib import Path
from typing import Any

from hims_pipeline.contracts.load import fingerprint, tree_fingerprint
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import Damaged
from hims_pipeline.lake import landing
from hims_pipeline.lake.batches import VERDICT, Batch, Manifest, find_current_batches, find_damaged_files, read_verdict
from hims_pipeline.lake.files import sha256_of
from hims_pipeline.lake.periods import covers
from hims_pipeline.provenance import BUILDING, PUBLISHING, provenance_of
from hims_pipeline.settings import Settings
from hims_pipeline.staging.in_force import find_in_force
from hims_pipeline.staging.render import state

FREQUENCY = {"year": "A", "quarter": "Q", "month": "M", "week": "W", "academic_year": "A", "date": "D"}
NOT_APPLICABLE = "_Z"
TO_READ = "what this build was to read. Nothing is published; the next run reads it again"
NO_CONTENT = ("path", "manifest_sha256", "verdict_sha256")


def current_batches(settings: Settings) -> list[Batch]:
    """All batches that count, by source and period; each of their files was read and is the one that was judged.

    One that is damaged is left out here, and told by `intake.problems`: it takes nothing else with it.
    """
    sent, contracts = landing.deliveries(settings), find_in_force(settings).contracts
    counted = [batch for contract in contracts.values() for batch in find_current_batches(settings, contract, sent)]
    return [batch for batch in counted if not find_damaged_files(batch)]


def input_rows(settings: Settings) -> list[dict[str, Any]]:
    """One row a Parquet file that counts: where it is, what every fact row made from it must carry, and the hashes of
    the manifest and the verdict that it counts by."""
    contracts = find_in_force(settings).contracts
    return [
        {
            "entity": name,
            "path": str(batch.folder / part.file),
            "sha256": part.sha256,
            "rows": part.rows,
            "delivery_sha256": batch.manifest.delivery_sha256,
            "manifest_sha256": batch.verdict.manifest_sha256,
            "verdict_sha256": batch.verdict.sha256,
        }
        | describe_batch(contracts[batch.manifest.source], batch.manifest, name)
        for batch in current_batches(settings)
        for name, entity in batch.manifest.entities.items()
        for part in entity.parts
    ]


def verify_inputs(settings: Settings, rows: list[dict[str, Any]]) -> None:
    """Hash every input again, as it lies on disk now: right before dbt reads, and once more after it has read.

    Raises:
        Damaged: a file is not the one that these rows name or stands elsewhere than among the accepted batches, or the
            verdict it counts by is another; nothing made from it may be published.
    """
    for row in rows:
        path = Path(row["path"])
        if not path.resolve().is_relative_to(settings.validated.resolve()):
            raise Damaged(path, "is no file of an accepted batch")
        if not path.is_file() or sha256_of(path) != row["sha256"]:
            raise Damaged(path, f"is not {TO_READ}")
        if read_verdict(settings, path.parent).sha256 != row["verdict_sha256"]:
            raise Damaged(path.parent / VERDICT, f"is not the verdict on {TO_READ}")


def describe_batch(contract: Contract, manifest: Manifest, entity_name: str) -> dict[str, Any]:
    """What every fact row made from an entity of a batch carries: source, period, days, edition, universe, design."""
    edition = contract.period.kind == "edition"
    first, last = covers(contract, manifest.period)
    entity = contract.entities[entity_name]
    design = entity.design or contract.design
    sent = contract.at(manifest.period).design_columns(entity_name)
    errors = design.published_errors_of(sent) if design else None
    return {
        "source": manifest.source,
        "period": manifest.period,
        "batch_id": manifest.batch,
        "layout": manifest.layout,
        "freq": FREQUENCY[contract.period.pattern],
        "period_start_date": first.isoformat(),
        "period_end_date": last.isoformat(),
        "vintage": manifest.period if edition else NOT_APPLICABLE,
        "data_kind": contract.data_kind,
        "ref_country": contract.country or NOT_APPLICABLE,
        "universe": entity.universe or contract.universe,
        "duration_rule": entity.duration_rule or contract.duration_rule,
        "measure_type": entity.measure_type or contract.measure_type,
        "reference_point": contract.reference_point_of(entity_name),
        "design_kind": design.kind if design else NOT_APPLICABLE,
        "expand_to_persons": design.expand_to if design else None,
        "sampling_fraction": design.fraction if design else None,
        "design_fallback": design.fallback_of(sent) if design else None,
        "lonely_units": design.lonely_units if design else None,
        "error_level": errors.level if errors else None,
        "error_slope": errors.slope if errors else None,
        "error_smallest": errors.smallest if errors else None,
        "error_largest": errors.largest if errors else None,
        "window_years": entity.window_years,
        "set_aside_share": manifest.entities[entity_name].set_aside_share,
    }


def inputs_sha256(settings: Settings, rows: list[dict[str, Any]]) -> str:
    """Hash of all that a release follows from: batches, what `data/` says, the suites, the code that builds and
    publishes, and the libraries under it.

    Which record says so is left out: the same delivery judged again, to the same files, is the same input.
    """
    plain = [{k: v for k, v in row.items() if k not in NO_CONTENT} for row in rows]
    own = provenance_of(*BUILDING, *PUBLISHING)
    return fingerprint(
        {
            "batches": sorted(plain, key=lambda row: (row["batch_id"], row["entity"])),
            "rendered": state(settings),
            "suites": tree_fingerprint(settings.expectations, suffixes=(".json", ".yml", ".sql")),
            "code": [own.code, own.libraries],
        }
    )
