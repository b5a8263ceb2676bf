"""One build: a new DuckDB file under `build/<run>/`, made by dbt from the accepted batches and nothing else.

Nothing is built in place. A build folder belongs to the process that holds its lock file; folders of dead processes are
cleared away by the next start.
"""

import fcntl
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.errors import HimsError
from hims_pipeline.lake import landing, trail
from hims_pipeline.lake.files import private_folder, read_json, write_json
from hims_pipeline.settings import Settings
from hims_pipeline.staging import render
from hims_pipeline.staging.inputs import input_rows, inputs_sha256

Log = Callable[[str], None]
_owned: dict[str, IO[str]] = {}  # folder -> its open lock file: closed, and so given up, when the process ends


@dataclass(frozen=True)
class Build:
    """A build folder and what it is made from."""

    folder: Path
    tree: Path
    inputs_sha256: str

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse.duckdb"

    @property
    def target(self) -> Path:
        return self.folder / "target"

    def inputs(self) -> list[dict[str, Any]]:
        return read_json(self.folder / "inputs.json")

    def environment(self, settings: Settings) -> dict[str, str]:
        return render.dbt_environment(settings, self.tree, self.folder)


def prepare(settings: Settings, run: str, log: Log = lambda text: None) -> Build:
    """Make the folder of a new build and write down its inputs. The caller holds the installation's lock.

    Raises:
        HimsError: a source that the observatory requires has no accepted batch, or the disk is too full.
    """
    began = trail.last(settings).number  # before the inputs are read: what a person forbids from now on is seen
    rows = input_rows(settings)
    _require(settings, {row["source"] for row in rows})
    folder = private_folder(settings.build) / run
    if folder.exists():
        shutil.rmtree(folder)
    (folder / "spill").mkdir(parents=True)
    _own(folder)
    _preflight(settings)
    write_json(folder / "inputs.json", rows)
    build = Build(folder, render.rendered(settings, log), inputs_sha256(settings, rows))
    facts = {"tree": build.tree.name, "inputs_sha256": build.inputs_sha256, "trail": began}
    write_json(folder / "build.json", facts)
    return build


def reopen(settings: Settings, run: str) -> Build:
    """The build that an earlier step of the same run prepared.

    Raises:
        HimsError: there is none: the step was started alone.
    """
    folder = settings.build / run
    if not (folder / "build.json").exists():
        raise HimsError(
            "This run has built no warehouse. Start the job `nightly`: only a whole build can be published."
        )
    known = read_json(folder / "build.json")
    return Build(folder, settings.rendered / known["tree"], known["inputs_sha256"])


def _own(folder: Path) -> None:
    file = (folder / "alive.lock").open("w")
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    _owned[str(folder)] = file


def give_up(folder: Path) -> None:
    """Delete a build folder and let go of its lock."""
    file = _owned.pop(str(folder), None)
    shutil.rmtree(folder, ignore_errors=True)
    if file is not None:
        file.close()


def _is_alive(folder: Path) -> bool:
    path = folder / "alive.lock"
    if not path.exists():
        return False
    with path.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def clear_leftovers(settings: Settings) -> list[str]:
    """Remove what killed runs left: builds, half-rendered trees, half-made deliveries, scratch. Lock held by caller."""
    cleared = []
    for folder in sorted(settings.build.glob("*")) if settings.build.exists() else []:
        if str(folder) not in _owned and not _is_alive(folder):
            shutil.rmtree(folder)
            cleared.append(f"build/{folder.name}")
    if settings.scratch.exists():
        shutil.rmtree(settings.scratch)
        cleared.append("scratch")
    cleared += [f"{n} half-made deliveries" for n in [landing.clear_leftovers(settings)] if n]
    for root in (settings.bronze, settings.validated, settings.quarantine, settings.releases):
        for trash in root.rglob(".trash-*") if root.exists() else ():
            shutil.rmtree(trash, ignore_errors=True)
            cleared.append(trash.name)
    render.clear_leftovers(settings)
    return cleared


def _require(settings: Settings, present: set[str]) -> None:
    required = load_observatory(settings.data).policies.required_sources
    if unknown := set(required) - set(load_contracts(settings.data)):
        raise HimsError(f"observatory.yml requires {', '.join(sorted(unknown))}, for which there is no contract.")
    if missing := [source for source in required if source not in present]:
        raise HimsError(f"No release without {', '.join(missing)}: observatory.yml requires an accepted batch of each.")


def _preflight(settings: Settings) -> None:
    last = (
        sum(f.stat().st_size for f in settings.releases.rglob("*") if f.is_file()) if settings.releases.exists() else 0
    )
    need = max(3 * last // max(1, len(list(settings.releases.glob("r*")))), 200_000_000)
    free = shutil.disk_usage(settings.home).free
    if free < need:
        raise HimsError(
            f"The disk of {settings.home} has {free / 1e6:,.0f} MB left; a build needs {need / 1e6:,.0f} MB."
        )


def run_dbt(settings: Settings, build: Build, log: Log, select: list[str] | None = None) -> None:
    """Build and test every model with dbt in a process of its own.

    Raises:
        HimsError: a model or test failed; says which.
    """
    command = [render.dbt_executable(), "build", "--project-dir", str(build.tree)]
    if select:
        # Tests that read models outside the part are left out: what they read is not there.
        command += ["--select", *select, "--indirect-selection", "buildable"]
    log("dbt build")
    done = subprocess.run(
        command,
        env=build.environment(settings) | {"DBT_LOG_LEVEL": "warn"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        failed = failures(build)
        raise HimsError("dbt build failed:\n  " + "\n  ".join(failed or [done.stdout[-3000:] + done.stderr[-1000:]]))


ABOUT_SQL = ("Binder Error", "Catalog Error", "Parser Error", "Compilation Error", "Got ")


def failures(build: Build) -> list[str]:
    """Nodes of the dbt run that did not succeed, with dbt's words where they speak of SQL: a conversion or constraint
    error quotes data, and only its kind is told."""
    path = build.target / "run_results.json"
    if not path.exists():
        return []
    return [
        f"{result['unique_id']}: {result['status']}: {_told(result['message'] or '')}"
        for result in read_json(path)["results"]
        if result["status"] not in ("success", "pass", "warn", "skipped")
    ]


def _told(message: str) -> str:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    if lines and any(lines[0].startswith(kind) for kind in ABOUT_SQL):
        return " ".join(lines[:4])
    told = [line if line.startswith(ABOUT_SQL) else line.split(":")[0] for line in lines[1:2]]
    return " ".join([*lines[:1], *told, *(lines[2:5] if told and told[0].startswith(ABOUT_SQL) else [])])


def results(build: Build) -> dict[str, float]:
    """Model -> seconds, of what dbt has built."""
    found = read_json(build.target / "run_results.json")["results"]
    return {result["unique_id"].split(".")[-1]: round(result["execution_time"], 3) for result in found}


def tested(build: Build) -> set[str]:
    """Names of the data tests that dbt has run."""
    found = read_json(build.target / "run_results.json")["results"]
    return {result["unique_id"].split(".")[2] for result in found if result["unique_id"].startswith("test.")}


def not_built(build: Build) -> list[str]:
    """What a whole build has and this one has not: models, seeds and tests without a good result.

    Dagster's word is not asked: dbt's own results are held against dbt's own manifest.
    """
    results = build.target / "run_results.json"
    if not results.exists():
        return ["everything: dbt has not run"]
    # `warn` is a finding of a test that was declared to warn only.
    good = {r["unique_id"] for r in read_json(results)["results"] if r["status"] in ("success", "pass", "warn")}
    manifest = read_json(build.tree / "target/manifest.json")
    wanted = {
        name
        for kind in ("nodes", "unit_tests")
        for name, node in manifest[kind].items()
        if node["resource_type"] in ("model", "seed", "test", "unit_test", "snapshot")
        and node.get("config", {}).get("enabled", True)
    }
    return sorted(wanted - good)
