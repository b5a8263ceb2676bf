"""What the pages' buttons send, to the webserver, daemon and code server of `hims ui`, with real runs behind them: each
starts what it says, ends as it says, and leaves an installation that the next night finds in order.

One browser test of a button is in tests/browser; single assets and checks in this process are in tests/defs.
"""

import http.client
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hims_pipeline.release import store
from tests.installation import Installation
from tests.northland import drop, south_rows

pytestmark = pytest.mark.slow
PATIENCE_SECONDS = 600
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on PythonError { message }
  }
}"""
BACKFILL = """
mutation ($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
LOCATIONS = """{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus
    locationOrLoadError {
        __typename ... on RepositoryLocation { repositories { name } } ... on PythonError { message }
    } } } } }"""


class Pages:
    """A running `hims ui`, as an operator's browser asks it."""

    def __init__(self, here: Installation, host: str, cookie: str) -> None:
        self.here, self.host, self.cookie = here, host, cookie

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        connection = http.client.HTTPConnection(self.host, timeout=120)
        headers = {"Content-Type": "application/json", "Origin": f"http://{self.host}", "Cookie": self.cookie}
        connection.request("POST", "/graphql", json.dumps({"query": query, "variables": variables}), headers)
        answer = json.loads(connection.getresponse().read())
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def location(self) -> dict[str, Any]:
        (only,) = self.ask(LOCATIONS)["workspaceOrError"]["locationEntries"]
        return only

    def selector(self, **more: Any) -> dict[str, Any]:
        found = self.location()
        (repository,) = found["locationOrLoadError"]["repositories"]
        return {"repositoryLocationName": found["name"], "repositoryName": repository["name"], **more}

    def launch(self, job: str = "__ASSET_JOB", config: Any = None, **chosen: Any) -> dict[str, Any]:
        """What `Materialize`, `Execute` and the launchpad send."""
        params = {
            "selector": self.selector(pipelineName=job, **chosen),
            "mode": "default",
            "runConfigData": config or {},
        }
        return self.ask(LAUNCH, params=params)["launchPipelineExecution"]

    def status(self, run: str) -> str:
        found = self.ask("query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }", id=run)
        return found["runOrError"]["status"]

    def wait(self, run: str, states: set[str] = ENDED) -> str:
        return wait_until(lambda: (now := self.status(run)) in states and now)


def wait_until(asked: Callable[[], Any]) -> Any:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if answer := asked():
            return answer
        time.sleep(0.5)
    pytest.fail(f"not within {PATIENCE_SECONDS} s")


def key(*path: str) -> dict[str, list[str]]:
    return {"path": list(path)}


@pytest.fixture(scope="module")
def pages(northland_night, untested_code: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """`hims ui` on an installation of the module's own, after one night."""
    night, _ = northland_night
    root = tmp_path_factory.mktemp("pages")
    for name in ("home", "data", "expectations"):
        shutil.copytree(night.home.parent / name, root / name)
    here = replace(
        night, home=root / "home", data=root / "data", expectations=root / "expectations", code=untested_code
    )  # fmt: skip
    process = subprocess.Popen(
        here.command("ui", "--port", "0"), env=here.environment, stdout=subprocess.PIPE, text=True, cwd=untested_code
    )  # fmt: skip
    for line in process.stdout:
        if "Ctrl-C" in line:
            break
    link = json.loads((here.home / "dagster/door.json").read_text(encoding="utf-8"))["operator"]
    host, _, path = link.removeprefix("http://").partition("/")

    def come_in() -> str | None:
        connection = http.client.HTTPConnection(host, timeout=60)
        try:
            connection.request("GET", f"/{path}")
            return (connection.getresponse().getheader("set-cookie") or "").split(";")[0]
        except OSError:  # the door opens once the definitions are loaded
            return None

    opened = Pages(here, host, wait_until(come_in))
    wait_until(lambda: opened.location()["loadStatus"] == "LOADED")
    yield opened
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=120)


def assert_success(pages: Pages, launched: dict[str, Any]) -> None:
    assert launched["__typename"] == "LaunchRunSuccess", launched
    assert pages.wait(launched["run"]["runId"]) == "SUCCESS"


def release_ids(pages: Pages) -> list[str]:
    return [one.id for one in store.releases(pages.here.settings)]


def test_several_models(pages) -> None:
    chosen = [key("conformed", name) for name in ("fct_persons", "dim_area", "dim_batch")]
    assert_success(pages, pages.launch(assetSelection=chosen, assetCheckSelection=[]))
    assert release_ids(pages) == ["r000001"]


def test_one_check_and_all_checks_of_a_gate(pages) -> None:
    before = sorted(path.name for path in (pages.here.home / "validated").rglob("*"))
    gates = [
        {"assetKey": key("landing", name), "name": "gate"} for name in ("southland_count", "northland_survey")
    ]  # fmt: skip
    for chosen in (gates[:1], gates):
        assert_success(pages, pages.launch(assetSelection=[], assetCheckSelection=chosen))
    assert sorted(path.name for path in (pages.here.home / "validated").rglob("*")) == before
    assert release_ids(pages) == ["r000001"]


def backfill(pages: Pages, **params: Any) -> str:
    """Launch a backfill; returns how it ended."""
    launched = pages.ask(BACKFILL, params=params)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    query = "query ($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"
    return wait_until(
        lambda: (
            now := pages.ask(query, id=launched["backfillId"])["partitionBackfillOrError"]["status"]
        ) not in ("REQUESTED", "CANCELING") and now
    )  # fmt: skip


def test_a_backfill(pages) -> None:
    chosen = [key(layer, "southland_count") for layer in ("bronze", "validated")]
    assert backfill(pages, assetSelection=chosen, partitionNames=["2022", "2023"]) == "COMPLETED_SUCCESS"


def test_a_config_that_cannot_be(pages) -> None:
    runs = "{ runsOrError { ... on Runs { count } } }"
    before = pages.ask(runs)["runsOrError"]["count"]
    launched = pages.launch("nightly", {"ops": {"nothing_like_it": {"config": {"a": 1}}}})
    assert launched["__typename"] == "RunConfigValidationInvalid", launched
    assert "nothing_like_it" in launched["errors"][0]["message"]
    assert pages.ask(runs)["runsOrError"]["count"] == before


def test_terminated_in_the_middle_and_the_next_night_publishes(pages) -> None:
    drop(pages.here, "southland_count", "2024", "south_2024.csv", south_rows(60))
    first = pages.launch("nightly")["run"]["runId"]
    wait_until(lambda: list((pages.here.home / "build").glob("*/warehouse.duckdb")))  # dbt is at work
    done = pages.ask(
        "mutation ($id: String!) { terminateRun(runId: $id) { __typename ... on PythonError { message } } }", id=first
    )
    assert done["terminateRun"]["__typename"] == "TerminateRunSuccess", done
    assert pages.wait(first) == "CANCELED"
    wait_until(lambda: not list((pages.here.home / "build").glob("*/warehouse.duckdb")))
    assert release_ids(pages) == ["r000001"]
    assert_success(pages, pages.launch("nightly"))
    assert release_ids(pages) == ["r000001", "r000002"]


def test_a_reload_with_a_contract_that_does_not_hold(pages) -> None:
    path = pages.here.data / "contracts/southland_count.yml"
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace("cadence: annual", "cadence: anual"), encoding="utf-8")
    try:
        reload = "mutation ($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) { __typename } }"
        pages.ask(reload, name=pages.location()["name"])
        entry = wait_until(lambda: (now := pages.location())["loadStatus"] == "LOADED" and now)
        assert entry["locationOrLoadError"]["__typename"] == "RepositoryLocation", entry
        check = {"assetKey": key("landing", "southland_count"), "name": "holds"}
        launched = pages.launch(assetSelection=[], assetCheckSelection=[check])
        pages.wait(launched["run"]["runId"])
        query = """query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
            assetChecksOrError { ... on AssetChecks { checks { name executionForLatestMaterialization {
                status evaluation { success description } } } } } } } }"""
        node = pages.ask(query, key=check["assetKey"])["assetNodeOrError"]
        (holds,) = [one for one in node["assetChecksOrError"]["checks"] if one["name"] == "holds"]
        evaluation = holds["executionForLatestMaterialization"]["evaluation"]
        assert evaluation["success"] is False
        assert "cadence" in evaluation["description"]
        assert_success(pages, pages.launch(assetSelection=[key("conformed", "dim_area")], assetCheckSelection=[]))
    finally:
        path.write_text(whole, encoding="utf-8")


def test_everything_at_once(pages) -> None:
    """`Materialize all` of the job: a night."""
    drop(pages.here, "southland_count", "2025", "south_2025.csv", south_rows(61))
    before = release_ids(pages)
    assert_success(pages, pages.launch("nightly"))
    assert len(release_ids(pages)) == len(before) + 1


def materialize_all(pages: Pages) -> str:
    """What `Materialize all…` of the graph sends where sources have periods of their own: a backfill of all assets."""
    nodes = pages.ask("{ assetNodes { assetKey { path } isExecutable isObservable } }")["assetNodes"]
    chosen = [node["assetKey"] for node in nodes if node["isExecutable"] and not node["isObservable"]]
    return backfill(pages, assetSelection=chosen, allPartitions=True)


def test_all_of_the_graph(pages) -> None:
    """A night; a refused period makes the backfill red that judges it again, and stops nothing else."""
    drop(pages.here, "southland_count", "2021", "south_2021.csv", south_rows(59))
    drop(pages.here, "southland_count", "2020", "south_2020.csv", "person,place\n1,1\n1,1\n")
    before = len(release_ids(pages))
    assert materialize_all(pages) == "COMPLETED_SUCCESS"
    assert len(release_ids(pages)) == before + 1
    drop(pages.here, "southland_count", "2021", "south_2021b.csv", south_rows(58))
    assert materialize_all(pages) == "COMPLETED_FAILED"
    assert len(release_ids(pages)) == before + 2
