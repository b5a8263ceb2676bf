"""The order of publishing: pack, audit in a fresh process, hash, make durable, rename, move the pointer.

Killed before the pointer moves, readers have the old release; after, the new one; nothing between. The verdict that
counts is bound to the hash of the candidate; what Dagster believes is not asked.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hims_pipeline import __version__
from hims_pipeline.build import Build, give_up, not_built
from hims_pipeline.contracts.load import load_contracts, tree_fingerprint
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.errors import ReleaseError
from hims_pipeline.intake import states
from hims_pipeline.lake import journal
from hims_pipeline.lake.files import move_folder, sha256_of, sync, write_json, write_text
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.release import audit, compare, notes, rules, store, tables
from hims_pipeline.release.store import Release
from hims_pipeline.settings import REPOSITORY, Settings, quiet_environment
from hims_pipeline.sql import connection
from hims_pipeline.staging.inputs import current_batches, input_rows, inputs_sha256

Log = Callable[[str], None]


def standing(settings: Settings, inputs: str) -> Release | None:
    """The release that was already made of these inputs, if it may be the current one; the pointer is moved to it where
    a kill came between the rename and the pointer.

    Raises:
        ReleaseError: the release of these inputs was withdrawn.
    """
    for release_id, why in store.withdrawn(settings).items():
        if why["inputs_sha256"] == inputs:
            raise ReleaseError(
                f"These inputs made {release_id}, which was withdrawn: {why['reason']}. Withdraw the batch or mend the"
                f" data behind it, or take the release back with `hims release use {release_id} --reason …`."
            )
    newest = store.releases(settings)[-1:]
    if not newest or newest[0].manifest("staff")["inputs_sha256"] != inputs:
        return None
    now = store.current(settings)
    if now is None or now.id != newest[0].id:
        store.point_to(settings, newest[0])
        journal.record(settings, "release published", release=newest[0].id, note="pointer moved after an interruption")
    return newest[0]


def publish(settings: Settings, build: Build, log: Log = lambda text: None) -> Release:
    """Publish a whole build. The build folder is gone afterwards.

    Raises:
        ReleaseError: the build is not whole, its inputs changed meanwhile, or the release's suite refuses it.
    """
    with installation_lock(settings, "publishing a release", wait_seconds=600, log=log):
        if missing := not_built(build):
            raise ReleaseError(
                f"Not a whole build, so not published: {len(missing)} nodes without success, such as {missing[0]}."
            )
        if inputs_sha256(settings, input_rows(settings)) != build.inputs_sha256:
            raise ReleaseError("Batches, rules or code changed while this was built. Run `nightly` again.")
        if (done := standing(settings, build.inputs_sha256)) is not None:
            give_up(build.folder)
            return done
        rules.require_agreement(settings, rules.since_last(settings, rules.take(settings, build.tree)))
        candidate = build.folder / "release"
        log("packing the public and the staff file")
        _pack(settings, build, candidate, log)
        log("auditing in a fresh process")
        verdict = _audit(settings, candidate, log)
        release_id = store.next_id(settings)
        _describe(settings, build, candidate, release_id, verdict)
        _make_durable(candidate)
        move_folder(candidate, settings.releases / release_id)
        release = store.get(settings, release_id)
        store.point_to(settings, release)
        rules.release_hold(settings)
        journal.record(settings, "release published", release=release_id, inputs_sha256=build.inputs_sha256)
        store.retire(settings, load_observatory(settings.data).policies.keep_releases)
        give_up(build.folder)
        log(f"{release_id} is published")
        return release


def _pack(settings: Settings, build: Build, candidate: Path, log: Log) -> None:
    shutil.rmtree(candidate, ignore_errors=True)
    if build.warehouse.with_suffix(".duckdb.wal").exists():
        raise ReleaseError("The build's database was not closed: a write-ahead log lies beside it.")
    with connection(settings, spill=build.folder / "spill") as con:
        for part, schemas in audit.PARTS.items():
            tables.copy_schemas(con, build.warehouse, candidate / part / "warehouse.duckdb", schemas, log)
        public = candidate / "public"
        tables.export_parquet(con, public / "warehouse.duckdb", public / "parquet", "published")
    if left := list(candidate.rglob("*.wal")):
        raise ReleaseError(f"{left[0].name} was left by packing: the file is not whole.")


def _audit(settings: Settings, candidate: Path, log: Log) -> dict[str, Any]:
    command = [sys.executable, "-m", "hims_pipeline.release.audit", str(candidate)]
    with tempfile.TemporaryFile("w+") as errors:
        running = subprocess.Popen(
            command, env=quiet_environment(settings), stdout=subprocess.PIPE, stderr=errors, text=True
        )
        assert running.stdout is not None
        for line in running.stdout:
            log(line.rstrip())
        if running.wait():
            errors.seek(0)
            raise ReleaseError(f"The audit of the candidate failed:\n{errors.read()[-3000:]}")
    result = audit.result_of(candidate)
    (candidate / "audit.json").unlink()
    verdict = result["verdict"]
    if not verdict["accepted"]:
        reasons = "\n  ".join(f"{f['rule']}: {f['message']} ({f['count']})" for f in verdict["findings"])
        raise ReleaseError(f"The release's suite refuses this candidate:\n  {reasons}")
    return result


def _files(folder: Path) -> dict[str, dict[str, Any]]:
    return {
        str(path.relative_to(folder)): {"sha256": sha256_of(path), "bytes": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


def _describe(settings: Settings, build: Build, candidate: Path, release_id: str, audited: dict[str, Any]) -> None:
    """Manifests, verdicts and notes; the manifests come last, since they list the other files."""
    batches, contracts = current_batches(settings), load_contracts(settings.data)
    for part in audit.PARTS:
        if sha256_of(candidate / part / "warehouse.duckdb") != audited[part]["sha256"]:
            raise ReleaseError("The candidate is not the one that was audited.")
    for batch in batches:
        write_json(
            candidate / "staff/verdicts" / f"{batch.manifest.batch.replace('/', '__')}.json", batch.verdict.as_json()
        )
    previous = store.current(settings)
    common = {
        "release": release_id,
        "published_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "observatory": load_observatory(settings.data).name.model_dump(),
        "previous": previous.id if previous else None,
        "contains_synthetic_data": any(b.manifest.data_kind == "synthetic" for b in batches),
        "sources": notes.sources_of(batches, contracts),
        "code": {"version": __version__, "lock": sha256_of(REPOSITORY / "requirements.lock")},
    }
    held_to = rules.take(settings, build.tree)
    rules.write(settings, candidate / "staff", release_id, held_to)
    changes = compare.summary(settings, previous, candidate / "public")
    staff = candidate / "staff/warehouse.duckdb"
    mended, controls = notes.corrections_of(settings, staff), notes.controls_of(settings, staff)
    text = notes.write(settings, common, states(settings, hashed=True), mended, controls, changes) + rules.notes(
        rules.since_last(settings, held_to)
    )
    write_text(candidate / "public/RELEASE_NOTES.md", text)
    private = {
        "inputs_sha256": build.inputs_sha256,
        "inputs": build.inputs(),
        "dbt_tree": build.tree.name,
        "suites": tree_fingerprint(settings.expectations, suffixes=(".json",)),
        "verdict": audited["verdict"],
    }
    for part, more in (("public", {}), ("staff", private)):
        own = {"tables": audited[part]["tables"], "storage_version": tables.STORAGE_VERSION}
        write_json(candidate / part / "manifest.json", common | own | more | {"files": _files(candidate / part)})


def _make_durable(candidate: Path) -> None:
    """Read-only for all, staff files for our group only; everything on disk before the rename."""
    for path in sorted(candidate.rglob("*")):
        staff = path.relative_to(candidate).parts[0] == "staff"
        if path.is_file():
            path.chmod(0o440 if staff else 0o444)
        else:
            path.chmod(0o750 if staff else 0o755)
        sync(path)
    candidate.chmod(0o755)
    sync(candidate)
