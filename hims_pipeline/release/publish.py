"""The order of publishing: pack, audit in a fresh process, hash, seal, make durable, rename, move the pointer.

Killed before the pointer moves, readers have the old release; after, the new one; nothing between. The verdict that
counts is bound to the hash of the candidate; what Dagster believes is not asked. Before the last step it is asked
again, under the acts' lock, whether somebody has forbidden this release while it was made. No earlier release is
needed: a damaged one is never a reason not to publish.
"""

import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from hims_pipeline.build import Build, closed_warehouse, discard_build, list_tables
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.dbt import find_not_built
from hims_pipeline.errors import Damaged, ReleaseError
from hims_pipeline.lake import decision_trail, journal, landing
from hims_pipeline.lake.lock import acts_lock, installation_lock
from hims_pipeline.processes import describe_ending, start_bound
from hims_pipeline.release import (
    acts,
    audit,
    disclosure,
    fallback,
    holds,
    leaks,
    proof,
    revision,
    rules,
    store,
    tables,
)
from hims_pipeline.release.describe import describe
from hims_pipeline.release.store import Release
from hims_pipeline.settings import Settings, quiet_environment
from hims_pipeline.sql import connection
from hims_pipeline.staging.inputs import input_rows, inputs_sha256

Log = Callable[[str], None]


def find_existing_release(settings: Settings, inputs: str, log: Log = lambda text: None) -> Release | None:
    """The current release, where it was made of these inputs and is still what was published. It is read whole for
    that: a damaged one does not stand, and is made again as a new release.

    Raises:
        ReleaseError: the release of these inputs was withdrawn.
        Damaged: neither WITHDRAWN.json nor the audit trail can tell what was withdrawn.
    """
    for release_id, why in acts.marks(settings).items():
        if why["inputs_sha256"] == inputs:
            raise ReleaseError(
                f"These inputs made {release_id}, which was withdrawn: {why['reason']}. Withdraw the batch or mend the"
                f" data behind it, or take the release back with `hims release use {release_id} --reason …`."
            )
    try:
        now = store.current_release(settings)
        if now is None or now.manifest("staff")["inputs_sha256"] != inputs:
            return None
    except Damaged as error:
        log(f"{error} It is made again.")
        return None
    if damaged := store.verify_release(settings, now):
        log(f"{now.id} is damaged ({'; '.join(damaged)}): it is made again, as a new release.")
        return None
    return now


def publish(settings: Settings, build: Build, log: Log = lambda text: None) -> Release:
    """Publish a whole build. The build folder is gone afterwards.

    Raises:
        ReleaseError: the build is not whole, its inputs changed meanwhile, the release's suite refuses it, or somebody
            withdrew a batch of it or used another release while it was made.
    """
    with installation_lock(settings, "publishing a release", wait_seconds=600, log=log):
        if missing := find_not_built(settings, build):
            raise ReleaseError(
                f"Not a whole build, so not published: {len(missing)} nodes without success, such as {missing[0]}."
            )
        refuse_overtaken(settings, build)
        if inputs_sha256(settings, input_rows(settings)) != build.inputs_sha256:
            raise ReleaseError("Batches, rules or code changed while this was built. Run `nightly` again.")
        if (done := find_existing_release(settings, build.inputs_sha256, log)) is not None:
            holds.let_go(settings)
            discard_build(build.folder)
            return done
        closed_warehouse(settings, build)
        rules.require_agreement(settings, rules.compare_with_last(settings, rules.take_rules(settings, build.tree)))
        previous = acts.newest_intact(settings, log)
        judged = fallback.settle_fallback(settings, build, previous, log)
        try:
            return _publish(settings, judged, previous, log)
        finally:
            discard_build(judged.build.folder)


def _publish(settings: Settings, judged: fallback.Judged, previous: Release | None, log: Log) -> Release:
    """Publish a build that the rules across sources let pass."""
    build = judged.build
    if (done := find_existing_release(settings, build.inputs_sha256, log)) is not None:
        holds.let_go(settings)  # without what was held back it is that
        return done
    closed_warehouse(settings, build)
    candidate = build.folder / "release"
    log("packing the public and the staff file")
    _pack(settings, build, candidate, log)
    closed_warehouse(settings, build)  # packing has read the very file
    log("auditing in a fresh process")
    with _start_drawing(settings, candidate) as drawing, _start_audit(settings, candidate) as auditing:
        # Meanwhile, since all three only read the candidate; whatever they find, the audit's word is waited for.
        log("attacking the public file, beside all earlier ones")
        disclosure.refuse_disclosing(settings, candidate, log)
        log("comparing with the last release")
        since = _revise(settings, build, candidate, previous)
        auditing.finish(log)
        drawing.finish()
    verdict = _read_verdict(candidate)
    _require_as_built(settings, build, verdict)
    words = holds.require_explained(
        settings, since, previous, candidate / "public/warehouse.duckdb", build.inputs_sha256
    )
    release_id = store.next_id(settings)
    describe(settings, build, candidate, release_id, verdict, previous, since, words, judged)
    leaks.check_files(settings, candidate)
    proof.make_durable(settings, candidate)
    with acts_lock(settings, f"publishing {release_id}"):
        refuse_overtaken(settings, build)
        acts.place(settings, candidate, release_id, build.inputs_sha256)
    rules.clear_hold(settings)
    holds.let_go(settings)
    acts.retire(settings, load_observatory(settings.data).policies.keep_releases)
    log(f"{release_id} is published")
    return store.get(settings, release_id)


def _revise(settings: Settings, build: Build, candidate: Path, previous: Release | None) -> revision.Revision:
    database = candidate / "public/warehouse.duckdb"
    return revision.revise(settings, previous, database, build.inputs(), revision.basis_of(settings, build.tree))


def refuse_overtaken(settings: Settings, build: Build) -> None:
    """Stop a release that a person has forbidden since its build began.

    Raises:
        ReleaseError: a batch of it or of its links was withdrawn, or `hims release use` chose another release.
    """
    chosen = [intent for intent in journal.done(settings, journal.USED) if intent["number"] > build.began]
    if chosen:
        raise ReleaseError(
            f"Not published: while this was built, {chosen[-1]['by']} made {chosen[-1]['release']} the current release "
            f"({chosen[-1]['reason']}). The next night decides anew."
        )
    withdrawn = {delivery.batch: delivery.withdrawn for delivery in landing.deliveries(settings) if delivery.withdrawn}
    batches = {row["batch_id"] for row in build.inputs()}
    for batch in sorted(batches & withdrawn.keys()):
        raise ReleaseError(
            f"Not published: {batch} was withdrawn while this was built ({withdrawn[batch]}). The next run builds "
            "without it."
        )
    for batch, text in decision_trail.find_rejected_since(settings, build.began).items():
        if batch in batches:
            raise ReleaseError(
                f"Not published: {batch} was rejected by {text.name} while this was built ({text.reason}). The next "
                "run builds without it."
            )
    linked = {one["batch"]: one["batches"] for one in journal.entries(settings) if one["event"] == journal.LINKED}
    for batch in sorted({one for links in batches & linked.keys() for one in linked[links]} & withdrawn.keys()):
        raise ReleaseError(
            f"Not published: the links between registers still hold {batch}, which was withdrawn ({withdrawn[batch]}). "
            "`hims run` or `hims link` makes them anew."
        )


def _pack(settings: Settings, build: Build, candidate: Path, log: Log) -> None:
    """Write both files, and the public one's tables as Parquet."""
    shutil.rmtree(candidate, ignore_errors=True)
    if build.warehouse.with_suffix(".duckdb.wal").exists():
        raise ReleaseError("The build's database was not closed: a write-ahead log lies beside it.")
    public, staff = (candidate / part / "warehouse.duckdb" for part in ("public", "staff"))
    with connection(settings, spill=build.folder / "spill") as con:
        tables.copy_schemas(con, build.warehouse, public, audit.PARTS["public"], log)
        tables.export_parquet(con, public, public.parent / "parquet", "published")
        tables.copy_for_staff(con, build.warehouse, staff, audit.PARTS["staff"])
    if left := list(candidate.rglob("*.wal")):
        raise ReleaseError(f"{left[0].name} was left by packing: the file is not whole.")


@dataclass(frozen=True)
class Started:
    """A fresh process beside this one.

    Args:
        what: it does to the candidate, for people.
    """

    what: str
    process: subprocess.Popen[str]
    errors: IO[str]

    def finish(self, log: Log = lambda text: None) -> None:
        """Wait for its end and tell what it said.

        Raises:
            ReleaseError: it failed.
        """
        assert self.process.stdout is not None
        for line in self.process.stdout:
            log(line.rstrip())
        if code := self.process.wait():
            self.errors.seek(0)
            text = f"{self.what} the candidate {describe_ending(code)}:\n{self.errors.read()[-3000:]}"
            raise ReleaseError(text.rstrip(":\n"))


@contextlib.contextmanager
def _start(settings: Settings, what: str, *words: str | Path) -> Iterator[Started]:
    command = [sys.executable, "-m", *map(str, words)]
    with (
        tempfile.TemporaryFile("w+") as errors,
        start_bound(command, quiet_environment(settings), errors=errors) as process,
    ):
        yield Started(what, process, errors)


def _start_drawing(settings: Settings, candidate: Path) -> contextlib.AbstractContextManager[Started]:
    """Make pictures, `public/plots/*.svg`: of the packed public file, so of nothing that is withheld."""
    public = candidate / "public"
    return _start(settings, "Drawing", "hims_pipeline.drawing.draw", public / "warehouse.duckdb", public / "plots")


def _start_audit(settings: Settings, candidate: Path) -> contextlib.AbstractContextManager[Started]:
    return _start(settings, "The audit of", "hims_pipeline.release.audit", candidate)


def _read_verdict(candidate: Path) -> dict[str, Any]:
    """What the audit found, when it accepts the candidate.

    Raises:
        ReleaseError: it refuses it.
    """
    result = audit.result_of(candidate)
    (candidate / "audit.json").unlink()
    verdict = result["verdict"]
    if not verdict["accepted"]:
        reasons = "\n  ".join(
            f"{f['rule']} [{f['entity']} {f['column']}]: {f['message']} ({f['count']})" for f in verdict["findings"]
        )
        raise ReleaseError(f"The release's suite refuses this candidate:\n  {reasons}")
    return result


def _require_as_built(settings: Settings, build: Build, audited: dict[str, Any]) -> None:
    """Every table that the fresh process read is the one that was built and proved.

    Raises:
        ReleaseError: one is another.
    """
    built = list_tables(settings, build)
    for part in audit.PARTS:
        for name, facts in audited[part]["tables"].items():
            if built.get(name) != facts:
                raise ReleaseError(f"Not published: {part}/warehouse.duckdb holds another {name} than was built.")
