"""Running dbt in a process of its own, and reading what it says.

dbt is believed by its results file alone: it must be there, be of this build, and cover every node. What dbt prints is
filtered, since an error of conversion quotes a value: its kind is told, and the text only where it speaks of SQL.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from hims_pipeline.build import Build, Log, close_build
from hims_pipeline.carry.last_build import read_kept
from hims_pipeline.carry.plan import find_unproven, nodes_of, read_plan
from hims_pipeline.errors import Damaged, HimsError
from hims_pipeline.plain_file import read_json
from hims_pipeline.processes import describe_ending, start_bound
from hims_pipeline.settings import Settings
from hims_pipeline.staging import render
from hims_pipeline.staging.render import MANIFEST

GOOD = ("success", "pass", "warn")  # `warn` is a finding of a test that was declared to warn only
RESULT_EVENTS = ("LogSeedResult", "LogModelResult", "LogTestResult")
WHERE = re.compile(r"^(\w+ Error in (?:\w+ )?\w+ \w+ \([\w./ -]+\))", re.MULTILINE)
FINDINGS = re.compile(r"Got \d+ results?, configured to (?:fail|warn) if [!=<>]+ ?\d+")
ABOUT_SQL = ("Binder Error", "Catalog Error", "Parser Error", "Compilation Error")
KINDS = (
    *ABOUT_SQL,
    "Conversion Error", "Constraint Error", "Database Error", "Dependency Error", "INTERNAL Error", "IO Error",
    "Invalid Error", "Invalid Input Error", "Mismatch Type Error", "Not implemented Error", "Out of Memory Error",
    "Out of Range Error", "Permission Error", "Serialization Error", "Syntax Error", "TransactionContext Error",
)  # fmt: skip
SPARK_KIND = re.compile(r"\[([A-Z][A-Z_]+(?:\.[A-Z_]+)?)\]")
KIND = re.compile(rf"^\s*({'|'.join(KINDS)})\b(?! in )", re.MULTILINE)
FULL_DISK = "No space left on device"
MEMORY_HINT = "Give it more with HIMS_MEMORY_LIMIT, where the machine has more."


@dataclass(frozen=True)
class Finished:
    """A node that dbt has done with."""

    unique_id: str
    status: str
    seconds: float
    failures: int | None  # rows that a test found
    carried: bool = False  # it was built, or tested, in an earlier build from the same inputs

    @property
    def kind(self) -> str:
        """`model`, `seed`, `test`, …"""
        return self.unique_id.split(".")[0]

    @property
    def name(self) -> str:
        """The name in dbt's project."""
        return self.unique_id.split(".")[2]


def nodes_that_stand(settings: Settings, inputs_sha256: str) -> list[Finished]:
    """The nodes of the last whole build, where it was made of exactly these inputs: what it built and tested still
    holds. None where nothing is kept of it."""
    try:
        kept = read_kept(settings)
    except Damaged:  # the next build tells, and carries nothing over
        return []
    if kept is None or kept.inputs_sha256 != inputs_sha256:
        return []
    return [Finished(name, node["status"], 0.0, node["failures"], True) for name, node in kept.nodes.items()]


def run_dbt(
    settings: Settings, build: Build, log: Log, select: list[str] | None = None, *, keep_it: bool = True
) -> None:
    """Build and test every model, or a part.

    Raises:
        HimsError: as `stream_dbt`.
    """
    for _ in stream_dbt(settings, build, log, select, keep_it=keep_it):
        pass


class Carried:
    """The nodes that a build carries over, each told as soon as all that it reads has been: Dagster takes results in no
    other order. One may read what is built tonight, as facts read the list of batches."""

    def __init__(self, tree: Path, carried: Mapping[str, Mapping[str, Any]]):
        manifest = read_json(tree / MANIFEST)
        nodes = {**manifest["nodes"], **manifest["unit_tests"]}
        self._reads = {
            name: {one for one in node["depends_on"].get("nodes", ()) if one in nodes} for name, node in nodes.items()
        }
        self._carried, self._told = carried, set[str]()
        self._left = [name for name in TopologicalSorter(self._reads).static_order() if name in carried]

    def follow(self, done: str = "") -> Iterator[Finished]:
        """What may be told now that `done` was."""
        self._told.add(done)
        left = []
        for name in self._left:
            if self._reads[name] <= self._told:
                self._told.add(name)
                facts = self._carried[name]
                yield Finished(name, facts["status"], 0.0, facts["failures"], True)
            else:
                left.append(name)
        self._left = left


def stream_dbt(
    settings: Settings, build: Build, log: Log, select: list[str] | None = None, *, keep_it: bool = True
) -> Iterator[Finished]:
    """Build and test with dbt what the build does not carry over; yields each node when it is done. A whole build is
    closed at the end.

    Args:
        select: names of models in dbt's syntax; all without it.
        keep_it: the next build may carry over from this one.

    Raises:
        HimsError: a model or test failed, says which; dbt died, left no results, or did not build everything.
    """
    carried = Carried(build.tree, {} if select else read_plan(settings, build.folder).carried)
    yield from carried.follow()
    for node in follow_command(settings, build, build_command(settings, build, select), log):
        yield node
        yield from carried.follow(node.unique_id)
    if not select:
        finish_build(settings, build, keep_it=keep_it)


def follow_command(settings: Settings, build: Build, command: list[str], log: Log) -> Iterator[Finished]:
    """Run one of dbt's commands in a build's folder; yields each node when it is done.

    Raises:
        HimsError: a model or test failed, says which; dbt died or left no results.
    """
    log("dbt build")
    began, messages = "", []
    with start_bound(command, build.environment(settings) | {"DBT_LOG_FORMAT": "json"}, inherit=[build.lock]) as dbt:
        build.share(dbt.pid)
        assert dbt.stdout is not None
        for line in dbt.stdout:
            name, message, data = _event(line)
            if name == "LogStartLine":
                began = data["node_info"]["unique_id"]
                log(message)
            elif name in RESULT_EVENTS:
                yield _read_finished(data)
            elif not began and name in ("", "MainEncounteredError"):
                messages.append(message)  # nothing has read data yet: what goes wrong now is about the project
        code = dbt.wait()
    _judge(build, code, began, "\n".join(messages)[-2000:])


def build_command(settings: Settings, build: Build, select: list[str] | None = None) -> list[str]:
    """What dbt is told: to build a part, or all that is not carried over."""
    command = [*render.parsed_dbt(build.tree), "build", "--project-dir", str(build.tree)]
    if select:
        # Tests that read models outside the part are left out: what they read is not there.
        return [*command, "--select", *select, "--indirect-selection", "buildable"]
    carried = read_plan(settings, build.folder).carried
    nodes = nodes_of(settings, build.folder, build.tree)
    anew = [node.selector for name, node in nodes.items() if name not in carried]
    return [*command, "--select", *anew, "--indirect-selection", "empty"] if carried and anew else command


def finish_build(settings: Settings, build: Build, *, keep_it: bool = True) -> None:
    """Close a whole build, once every node is proved to be of tonight or rightly carried over.

    Raises:
        HimsError: a node is neither.
        Damaged: as `build.close_build`.
    """
    if missing := find_not_built(settings, build):
        raise HimsError(f"dbt did not build everything: {len(missing)} nodes without success, such as {missing[0]}.")
    close_build(settings, build, {one["unique_id"]: one for one in _results(build)}, keep_it=keep_it)


def _event(line: str) -> tuple[str, str, dict[str, Any]]:
    """Name, message and data of one line of dbt's log; no name where it is not one."""
    try:
        event = json.loads(line)
        return event["info"]["name"], event["info"]["msg"], event["data"]
    except (ValueError, KeyError, TypeError):
        return "", line.strip(), {}


def _read_finished(data: dict[str, Any]) -> Finished:
    failures = data.get("num_failures")
    return Finished(
        data["node_info"]["unique_id"], data["node_info"]["node_status"], round(data.get("execution_time", 0.0), 3),
        None if failures is None else int(failures),
    )  # fmt: skip


def _judge(build: Build, code: int, began: str, text: str) -> None:
    """Hold dbt's ending against its own results."""
    where = f" while it built {began}" if began else ""
    how = f"dbt {describe_ending(code)}{where}"
    if code < 0:
        raise HimsError(f"{how}. Nothing of this build is used.")
    try:
        results = _results(build)
    except Damaged as error:
        if not build.results.exists():
            raise HimsError(f"{how} and left no results." + (f"\n{text}" if text else "")) from None
        raise HimsError(f"{how}, but {error}") from None
    failed = [
        f"{result['unique_id']}: {result['status']}: {describe_error(result['message'] or '')}"
        for result in results
        if result["status"] not in (*GOOD, "skipped", "no-op")  # an exposure is listed, and has nothing to do
    ]
    if code or failed:
        raise HimsError("dbt build failed:\n  " + "\n  ".join(failed or [how, text]))


def describe_error(message: str) -> str:
    """Of an error of dbt what may be told: where, its kind, and its text where that speaks of SQL, never of data."""
    where, kind, findings = (pattern.search(message) for pattern in (WHERE, KIND, FINDINGS))
    parts = [where[1]] if where else []
    if findings:
        parts.append(findings[0])
    elif kind and kind[1] not in ABOUT_SQL:
        parts.append(f"{kind[1]} (its text may quote data, and is not told)")
        if kind[1] == "Out of Memory Error":
            parts.append(MEMORY_HINT)
        if FULL_DISK in message:
            parts.append(FULL_DISK)
    elif kind:
        parts.append(_lines(message[kind.start(1) :]))
    elif kind := SPARK_KIND.search(message):
        parts.append(f"{kind[1]} (its text may quote data, and is not told)")
    elif where and where[1].startswith(ABOUT_SQL):
        parts.append(_lines(message[where.end() :]))
    return " ".join(parts) or "an error whose text may quote data, and is not told"


def _lines(text: str) -> str:
    return " ".join([line.strip() for line in text.splitlines() if line.strip()][:4])


def _results(build: Build) -> list[dict[str, Any]]:
    """Results of dbt's run of this build, a node each.

    Raises:
        Damaged: there are none, they cannot be read, or they are of another run.
    """
    try:
        record = read_json(build.results)
        of_build = record["metadata"]["env"].get("HIMS_BUILD")
        results = [
            {"unique_id": str(r["unique_id"]), "status": str(r["status"]), "message": r.get("message"),
             "execution_time": float(r["execution_time"]), "failures": r.get("failures")}
            for r in record["results"]
        ]  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Damaged(build.results, f"cannot be read as dbt's results ({type(error).__name__})") from None
    if of_build != build.folder.name:
        raise Damaged(build.results, "holds the results of another run of dbt")
    return results


def seconds(build: Build) -> dict[str, float]:
    """Model -> seconds, of what dbt has built."""
    return {result["unique_id"].split(".")[-1]: round(result["execution_time"], 3) for result in _results(build)}


def list_tests_run(build: Build) -> set[str]:
    """Names of the data tests that dbt has run."""
    return {r["unique_id"].split(".")[2] for r in _results(build) if r["unique_id"].startswith("test.")}


def find_not_built(settings: Settings, build: Build) -> list[str]:
    """What a whole build has and this one has not: models, seeds and tests that neither have a good result of dbt's nor
    were carried over with the fingerprint that they have tonight.

    Dagster's word is not asked: dbt's own results and the sealed plan are held against dbt's own manifest.
    """
    try:
        good = {result["unique_id"] for result in _results(build) if result["status"] in GOOD}
        return find_unproven(nodes_of(settings, build.folder, build.tree), read_plan(settings, build.folder), good)
    except Damaged as error:
        return [f"everything: {error}"]
