"""However dbt ends, a build is whole and closed, or it is an error that says why and quotes no data."""

import json
from types import SimpleNamespace

import dagster as dg
import pytest

from hims_pipeline import build
from hims_pipeline.dbt import Finished, describe_error, run_dbt, stream_dbt
from hims_pipeline.defs.warehouse import _events
from hims_pipeline.errors import Damaged, HimsError, ReleaseError
from tests.stand_in import GOOD

VALUE = "Salma-4711"
CONVERSION = (
    f"Runtime Error in model m (models/m.sql)\\n  Conversion Error: Could not convert string '{VALUE}' to INT32"
)
DEATHS = {
    "killed for memory": ("start('model.hims.m'); os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL.* while it built"),
    "crashed": ("os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
    "killed after its results": (GOOD + "os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
    "no results": ("", "ended with code 0 and left no results"),
    "no results, and says why": ("print('a bad project file'); sys.exit(2)", "code 2 .*\na bad project"),
    "results cut": (GOOD + "f = target / 'run_results.json'; f.write_text(f.read_text()[:-20])", "cannot be read"),
    "results without what we read": (GOOD + "(target / 'run_results.json').write_text('{}')", "cannot be read"),
    "results of another run": (GOOD + "write_results(nodes(), of='r2')", "results of another run"),
    "a node is missing": (GOOD + "write_results(nodes()[1:])", "did not build everything: 1 node"),
    "nothing was built": (GOOD + "write_results([])", "did not build everything"),
    "all was skipped": (GOOD + "write_results(nodes(), 'skipped')", "did not build everything"),
    "a test failed": (
        GOOD + "write_results(nodes(), 'fail', 'Got 3 results, configured to fail if != 0'); sys.exit(1)",
        "Got 3 results, configured to fail if != 0",
    ),
    "a failure and code 0": (GOOD + "write_results(nodes(), 'error', 'x')", "dbt build failed"),
    "good results and code 1": (GOOD + "sys.exit(1)", "dbt build failed"),
    "not closed": (GOOD + "pathlib.Path(str(warehouse) + '.wal').write_text('')", "write-ahead log"),
    "no warehouse": ("write_results(nodes())", "warehouse.duckdb"),
    "the tree changed": (GOOD + "(tree / 'dbt_project.yml').write_text('{')", "changed while dbt ran: dbt_project.yml"),
    "the manifest was cut": (
        GOOD + "f = tree / 'target/manifest.json'; f.write_bytes(f.read_bytes()[:-50])",
        "did not build everything: .*manifest.json cannot be read",
    ),
    "the inputs changed": (GOOD + "(warehouse.parent / 'inputs.json').write_text('[]')", "other inputs"),
}  # fmt: skip


@pytest.mark.parametrize("death", DEATHS)
def test_a_dbt_that_dies_is_an_error_that_says_how(settings, prepared, stand_in, death: str) -> None:
    program, reason = DEATHS[death]
    kept = {name: (prepared.tree / name).read_bytes() for name in ("dbt_project.yml", "target/manifest.json")}
    stand_in(program)
    try:
        with pytest.raises(HimsError, match=f"(?s){reason}"):
            run_dbt(settings, prepared, lambda text: None)
        with pytest.raises(ReleaseError, match="Not published"):
            build.closed_warehouse(settings, prepared)
    finally:
        for name, content in kept.items():
            (prepared.tree / name).write_bytes(content)


def test_only_the_file_that_dbt_closed_is_taken(settings, prepared, stand_in) -> None:
    stand_in(GOOD)
    run_dbt(settings, prepared, lambda text: None)
    assert build.closed_warehouse(settings, prepared) == prepared.warehouse
    assert build.closed_warehouse(settings, build.reopen_build(settings, "a-run")) == prepared.warehouse
    for changed in (
        prepared.warehouse,
        prepared.results,
        prepared.folder / "inputs.json",
        prepared.folder / "build.json",
    ):
        kept = changed.read_bytes()
        changed.write_bytes(kept[: len(kept) // 2])
        with pytest.raises(ReleaseError, match="Not published"):
            build.closed_warehouse(settings, prepared)
        changed.write_bytes(kept)
    assert build.closed_warehouse(settings, prepared) == prepared.warehouse
    prepared.warehouse.unlink()
    with pytest.raises(ReleaseError, match="Not published"):
        build.closed_warehouse(settings, prepared)


def test_a_record_of_another_build_is_not_taken(settings, prepared) -> None:
    other = settings.build / "b-run"
    other.mkdir()
    (other / "build.json").write_bytes((prepared.folder / "build.json").read_bytes())
    with pytest.raises(Damaged, match="another build"):
        build.reopen_build(settings, "b-run")


def test_no_value_is_told_whatever_dbt_prints(settings, prepared, stand_in) -> None:
    stand_in(
        f"start('model.hims.m'); print('Traceback: {VALUE}'); say('RunResultError', '{VALUE}');"
        f"write_results(nodes()[:1], 'error', {CONVERSION!r}.replace('\\\\n', chr(10))); sys.exit(1)"
    )
    heard: list[str] = []
    with pytest.raises(HimsError, match="Conversion Error") as raised:
        run_dbt(settings, prepared, heard.append)
    assert VALUE not in str(raised.value) + "".join(heard)
    assert "START model.hims.m" in heard


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ('Runtime Error in model m (models/m.sql)\n  Binder Error: Referenced column "x" not found', 'column "x" not'),
        ("Compilation Error in model m (models/m.sql)\n  Model 'm' depends on 'n'", "'m' depends on 'n'"),
        (f"Conversion Error: Could not convert '{VALUE}'", "Conversion Error (its text"),
        (f"Runtime Error in model m (models/m.sql)\n  Constraint Error: key '{VALUE}'", "Constraint Error"),
        (f"Runtime Error in model m (models/m.sql)\n  {VALUE}: Conversion Error", "Runtime Error in model m"),
        (f"{VALUE}\nBinder", "an error whose text"),
        ("Runtime Error in model m (models/m.sql)\n  Out of Memory Error: failed to allocate", "HIMS_MEMORY_LIMIT"),
        ("Runtime Error in seed s (seeds/s.csv)\n  IO Error: x: No space left on device", "No space left"),
    ],
)  # fmt: skip
def test_of_an_error_the_kind_is_told_and_only_what_speaks_of_sql(message: str, shown: str) -> None:
    assert shown in describe_error(message)
    assert VALUE not in describe_error(message)


def test_each_node_is_told_when_it_is_done(settings, prepared, stand_in) -> None:
    event = "say('LogTestResult', '', node_info={'unique_id': 'test.hims.t.1', 'node_status': 'warn'}, num_failures=2)"
    stand_in(GOOD + event)
    (node,) = stream_dbt(settings, prepared, lambda text: None)
    assert (node.unique_id, node.status, node.failures) == ("test.hims.t.1", "warn", 2)


def test_a_failed_preparation_leaves_no_folder(settings, monkeypatch) -> None:
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build, "write_json", full)
    with pytest.raises(OSError, match="No space"):
        build.prepare(settings, "b-run")
    assert not (settings.build / "b-run").exists()
    assert build._owned == {}


def test_results_are_those_of_the_manifest(settings, prepared, stand_in) -> None:
    stand_in(GOOD)
    run_dbt(settings, prepared, lambda text: None)
    names = {result["unique_id"] for result in json.loads(prepared.results.read_text())["results"]}
    assert {name.split(".")[0] for name in names} == {"model", "seed", "test", "unit_test"}


def test_an_asset_that_dbt_did_not_tell_of_is_an_error_in_its_step(prepared) -> None:
    """Its output would be missing, what follows skipped, and the run a success."""
    shown = {dg.AssetKey(["conformed", "dim_area"]), dg.AssetKey(["conformed", "dim_country"])}
    context = SimpleNamespace(selected_asset_check_keys=set(), selected_asset_keys=shown)
    events = _events(context, prepared, iter([Finished("model.hims.dim_area", "success", 0.1, None)]))
    assert next(events).asset_key == dg.AssetKey(["conformed", "dim_area"])
    with pytest.raises(HimsError, match="dbt built no conformed/dim_country, which the graph shows"):
        next(events)
