"""What a candidate says of itself: notes, verdicts, the inventory of its rules and, last, its manifests, which list the
other files. Not here: the words of the notes (`notes`), and how manifests are sealed (`proof`)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hims_pipeline import __version__
from hims_pipeline.build import Build
from hims_pipeline.carry.plan import read_plan
from hims_pipeline.contracts.load import tree_fingerprint
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.errors import ReleaseError
from hims_pipeline.intake import find_destroyed, states
from hims_pipeline.lake.files import sha256_of, write_json, write_text
from hims_pipeline.lake.held_back import read_held_back
from hims_pipeline.release import (
    audit,
    caveats,
    compare,
    data_docs,
    deliveries,
    disclosure,
    fallback,
    notes,
    proof,
    revision,
    rules,
    tables,
)
from hims_pipeline.release.store import Release
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.staging.in_force import find_in_force
from hims_pipeline.staging.inputs import current_batches


def describe(
    settings: Settings,
    build: Build,
    candidate: Path,
    release_id: str,
    audited: dict[str, Any],
    previous: Release | None,
    since: revision.Revision,
    words: list[dict[str, Any]],
    judged: fallback.Judged,
) -> None:
    """Manifests, verdicts and notes; the manifests come last, since they list the other files."""
    batches, contracts = current_batches(settings), find_in_force(settings).contracts
    back, batch_caveats = read_held_back(settings), caveats.caveats_of(settings, batches)
    for part in audit.PARTS:
        if sha256_of(candidate / part / "warehouse.duckdb") != audited[part]["sha256"]:
            raise ReleaseError("The candidate is not the one that was audited.")
    for batch in batches:
        write_json(
            candidate / "staff/verdicts" / f"{batch.manifest.batch.replace('/', '__')}.json", batch.verdict.as_json()
        )
    known = [*states(settings, hashed=True), *find_destroyed(settings)]
    common = {
        "release": release_id,
        "published_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "observatory": load_observatory(settings.data).name.model_dump(),
        "previous": previous.id if previous else None,
        "contains_synthetic_data": any(b.manifest.data_kind == "synthetic" for b in batches),
        "sources": notes.sources_of(batches, contracts),
        "batches": deliveries.list_batches(batches, build.inputs()),
        "left_out": deliveries.list_left_out(known, contracts),
        "caveats": batch_caveats,
        "held_back": {batch: why["codes"] for batch, why in back.items()},
        "code": {
            "version": __version__,
            "lock": sha256_of(REPOSITORY / "requirements.lock"),
            "engine": read_plan(settings, build.folder).engine,
        },
    }
    held_to = rules.take_rules(settings, build.tree)
    rules.write_rules(settings, candidate / "staff", release_id, held_to)
    changes = compare.summarise(settings, previous, candidate / "public")
    staff = candidate / "staff/warehouse.duckdb"
    mended, controls = notes.correction_notes(settings, staff), notes.controls_of(settings, staff)
    text = notes.write_notes(common, known, mended, controls, changes)
    text += caveats.caveat_notes(batch_caveats)
    text += notes.cross_source_notes(judged.broken, back)
    text += revision.revision_notes(since, words)
    text += rules.rule_notes(rules.compare_with_last(settings, held_to))
    write_text(candidate / "public/RELEASE_NOTES.md", text)
    disclosure.write_cost(settings, candidate)
    judgements = {"warehouse": judged.verdict, "revision": since.verdict, "release": audited["verdict"]}
    data_docs.write_release_pages(settings, candidate / "staff" / data_docs.FOLDER, release_id, judgements)
    private = {
        "inputs_sha256": build.inputs_sha256,
        "inputs": build.inputs(),
        "dbt_tree": build.tree.name,
        "suites": tree_fingerprint(settings.expectations, suffixes=(".json", ".yml", ".sql")),
        "verdict": audited["verdict"],
        "basis": revision.basis_of(settings, build.tree),
        "revision": {"since": since.since, "verdict": since.verdict, "accepted": words},
        "warehouse": judged.verdict,
    }
    facts = {"storage_version": tables.STORAGE_VERSION}
    proof.write_manifests(
        settings,
        candidate,
        {
            "public": common | facts | {"tables": audited["public"]["tables"]},
            "staff": common | facts | {"tables": audited["staff"]["tables"]} | private,
        },
    )
