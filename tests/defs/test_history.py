"""Dagster's history: it ends after its time, and what people look at is shown again."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from hims_pipeline import intake
from hims_pipeline.commands.runs import prepare_instance
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.defs.checks import find_forgotten, read_shown, set_checks_right
from hims_pipeline.defs.history import clear_history
from hims_pipeline.defs.instance import migrate, open_instance
from hims_pipeline.defs.intake import add_partitions
from hims_pipeline.defs.sources import assets_of
from hims_pipeline.defs.watching import watching_hooks, watching_sensors
from hims_pipeline.watch import nights
from hims_pipeline.watch.look import heartbeat
from tests.lake.test_tampering import SUITE, refuse
from tests.linkage.conftest import installation, send


@pytest.fixture
def settings(tmp_path: Path):
    made = installation(tmp_path)
    prepare_instance(made)
    return made


def test_what_was_forgotten_is_shown_again_and_only_then(settings) -> None:
    send(settings, "census", ["90000001"])

    @dg.op
    def show(context: dg.OpExecutionContext) -> None:
        set_checks_right(context, settings)

    @dg.job
    def night() -> None:
        show()

    with open_instance(settings) as instance:
        add_partitions(instance, settings, list(load_contracts(settings.data)))
        forgotten = find_forgotten(settings, read_shown(settings, instance))
        assert [delivery.source for delivery, _ in forgotten] == ["census"]
        assert night.execute_in_process(instance=instance).success
        assert list(find_forgotten(settings, read_shown(settings, instance))) == []
        assert instance.get_materialized_partitions(dg.AssetKey(["validated", "census"])) == {"2024"}


def test_runs_past_their_time_go_with_what_they_left_and_the_newest_stays(settings) -> None:
    @dg.op
    def give() -> int:
        return 4711

    @dg.op
    def take(number: int) -> None:
        assert number

    @dg.job(executor_def=dg.in_process_executor)
    def handing_on() -> None:
        take(give())

    with open_instance(settings) as instance:
        runs = [
            handing_on.execute_in_process(instance=instance, run_id=f"0000000{n}-0000-4000-8000-000000000000").run_id
            for n in range(3)
        ]
        left = settings.dagster_home / "storage" / runs[0]
        left.mkdir(parents=True, exist_ok=True)
        now = datetime.now(UTC)
        assert clear_history(settings, instance, now + timedelta(days=179)) == []
        assert clear_history(settings, instance, now + timedelta(days=181)) == runs[:2]
        assert [run.run_id for run in instance.get_runs()] == runs[2:]
        assert not left.exists()
    migrate(settings, lambda text: None)


def test_steps_of_a_night_leave_a_sign_and_their_reason(settings) -> None:
    @dg.op
    def well() -> None:
        pass

    @dg.op
    def fails() -> None:
        raise dg.Failure("the disk is full", allow_retries=False)

    @dg.job(hooks=watching_hooks(settings))
    def nightly() -> None:
        well()
        fails()

    with open_instance(settings) as instance:
        run = "00000009-0000-4000-8000-000000000000"
        nights.begin(settings, run)
        nightly.execute_in_process(instance=instance, run_id=run, raise_on_error=False)
    (night,) = nights.nights(settings)
    assert (night.reasons, night.ended) == (("the disk is full",), "")
    assert night.last_sign


def test_the_daemons_sensors_tell_and_are_off_where_no_schedule_is(settings) -> None:
    @dg.op
    def nothing() -> None:
        pass

    @dg.job
    def nightly() -> None:
        nothing()

    sensors = {one.name: one for one in watching_sensors(settings, nightly)}
    assert {one.default_status for one in sensors.values()} == {dg.DefaultSensorStatus.STOPPED}
    with open_instance(settings) as instance, dg.build_sensor_context(instance=instance) as context:
        (skipped,) = [sensors["tell"](context)]
    assert "all was told" in skipped.skip_message
    assert heartbeat(settings) is not None
    with open_instance(settings) as instance:
        result = nightly.execute_in_process(instance=instance)
        event = next(one for one in result.all_events if one.event_type == dg.DagsterEventType.RUN_SUCCESS)
        context = dg.build_run_status_sensor_context("night_ended_success", event, instance, result.dagster_run)
        sensors["night_ended_success"](context)
    (night,) = nights.nights(settings)
    assert night.well


def test_executing_the_gate_reads_nothing_and_shows_each_period_on_its_own(settings, monkeypatch) -> None:
    (settings.expectations / "census__people.json").write_text(json.dumps(SUITE), encoding="utf-8")
    send(settings, "census", ["90000001"])
    refuse(settings, "census", "2023")
    contract = load_contracts(settings.data)["census"]
    assets, gate = assets_of(settings, contract)
    whole = dg.Definitions(assets=assets, asset_checks=[gate], executor=dg.in_process_executor)
    key = dg.AssetCheckKey(dg.AssetKey(["landing", "census"]), "gate")
    job = whole.resolve_implicit_global_asset_job_def().get_subset(asset_selection=set(), asset_check_selection={key})
    monkeypatch.setattr(intake, "take_in", None)  # nobody may
    monkeypatch.setattr(duckdb, "connect", None)
    with open_instance(settings) as instance:
        add_partitions(instance, settings, ["census"])
        instance.report_runless_asset_event(dg.AssetMaterialization(key.asset_key, partition="2024"))  # as a night does
        for chosen, shown in (
            ({"partition_key": "2023"}, {("2023", False)}),
            ({"partition_key": "2024"}, {("2024", True)}),
            ({}, {("2023", False), ("2024", True), (None, False)}),
        ):
            result = job.execute_in_process(instance=instance, **chosen)
            found = [
                one.asset_check_evaluation_data for one in result.all_events if "CHECK_EVAL" in one.event_type_value
            ]
            assert {(one.partition, one.passed) for one in found} == shown
        (summary,) = [one for one in found if one.partition is None]
        assert "2023: census/2023/" in summary.description
        assert "CENSUS-001" in summary.description
