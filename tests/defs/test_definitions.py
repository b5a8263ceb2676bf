"""What Dagster shows: the graph, and what a night has left on the partitions."""

import dagster as dg
import pytest

from hims_pipeline import intake
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.defs.assembly import build_definitions
from hims_pipeline.defs.checks import read_shown, set_checks_right, wrong_checks
from hims_pipeline.defs.intake import POOL, partition_set
from hims_pipeline.staging.inputs import input_rows


@pytest.fixture(scope="module")
def definitions(small_night) -> dg.Definitions:
    return build_definitions(small_night[0].settings)


@pytest.fixture
def instance(small_night):
    with dg.DagsterInstance.from_config(str(small_night[0].settings.dagster_home)) as opened:
        yield opened


def test_each_source_has_its_three_layers_and_its_gate(small_night, definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for name in load_contracts(small_night[0].data):
        for layer in ("landing", "bronze", "validated"):
            node = graph.get(dg.AssetKey([layer, name]))
            assert node.group_name == layer
            assert "Grain:" in (node.description or "")
        assert dg.AssetCheckKey(dg.AssetKey(["landing", name]), "gate") in graph.asset_check_keys


def test_groups_are_the_layers(definitions) -> None:
    groups = {node.group_name for node in definitions.resolve_asset_graph().asset_nodes}
    assert groups == {
        "landing",
        "bronze",
        "validated",
        "reference",
        "staging",
        "conformed",
        "indicators",
        "published",
        "release",
    }


def test_staging_follows_the_intake_and_the_accepted_batches(definitions) -> None:
    node = definitions.resolve_asset_graph().get(dg.AssetKey(["staging", "stg_rgph__persons"]))
    assert {dg.AssetKey(["landing", "take_in"]), dg.AssetKey(["validated", "rgph"])} <= node.parent_keys


def test_staging_waits_for_no_period(definitions) -> None:
    """Else a backfill of all would build in parts, and nothing where one period is refused."""
    graph = definitions.resolve_asset_graph()
    node = graph.get(dg.AssetKey(["staging", "stg_rgph__persons"]))
    mapping = graph.get_partition_mapping(node.key, dg.AssetKey(["validated", "rgph"]))
    assert mapping == dg.SpecificPartitionsPartitionMapping([])


def test_what_judges_and_what_builds_run_one_at_a_time(definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for path in (["validated", "rgph"], ["validated", "border_crossings"], ["conformed", "dim_area"]):
        assert graph.get(dg.AssetKey(path)).pools == {POOL}


OPEN = {("published_claim", "fct_claims")}  # no figures of ours: nothing is estimated between the two


def test_asset_keys_look_to_the_left(definitions) -> None:
    order = ["landing", "bronze", "validated", "staging", "conformed", "indicators", "published", "release"]
    for node in definitions.resolve_asset_graph().asset_nodes:
        own = node.key.path[0]
        for parent in node.parent_keys:
            layer = parent.path[0]
            if "reference" in (own, layer) or parent.path == ["landing", "take_in"]:
                continue
            if (node.key.path[-1], parent.path[-1]) in OPEN:
                continue
            assert order.index(own) - order.index(layer) in (0, 1), f"{node.key} reads {parent}"


def test_schedule_is_the_observatorys_and_off_in_tests(definitions) -> None:
    schedule = definitions.resolve_schedule_def("nightly_schedule")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 2 * * *", "Africa/Tunis")
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED


def test_refused_periods_are_red_and_accepted_ones_green(instance) -> None:
    found = instance.get_event_records(dg.EventRecordsFilter(dg.DagsterEventType.ASSET_CHECK_EVALUATION), limit=1000)
    gate = {}
    for record in found:
        one = record.event_log_entry.dagster_event.asset_check_evaluation_data
        if one.asset_key == dg.AssetKey(["landing", "border_crossings"]) and one.partition:
            gate.setdefault(one.partition, one)
    assert not gate["2024-05"].passed
    assert "HTML page" in str(gate["2024-05"].metadata["reasons"].value)
    assert not gate["2024-04"].passed
    assert gate["2024-01"].passed


def test_a_check_that_the_gate_did_not_report_counts_for_nothing(small_night, instance) -> None:
    settings = small_night[0].settings
    before, states = input_rows(settings), intake.states(settings)
    forged = dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(["landing", "border_crossings"]), check_name="gate", partition="2024-05", passed=True
    )
    assert list(wrong_checks(settings, read_shown(settings, instance))) == []
    instance.report_runless_asset_event(forged)
    assert (input_rows(settings), intake.states(settings)) == (before, states)
    ((truth, _),) = wrong_checks(settings, read_shown(settings, instance))
    assert (truth.partition, truth.passed) == ("2024-05", False)

    @dg.op
    def mend(context: dg.OpExecutionContext) -> None:
        set_checks_right(context, settings)

    @dg.job
    def next_night() -> None:
        mend()

    assert next_night.execute_in_process(instance=instance).success
    assert list(wrong_checks(settings, read_shown(settings, instance))) == []


def test_validated_is_missing_where_refused(instance) -> None:
    done = instance.get_materialized_partitions(dg.AssetKey(["validated", "border_crossings"]))
    assert {"2024-01", "2024-02"} <= done
    assert "2024-05" not in done
    assert list(instance.get_dynamic_partitions(partition_set("rgph"))) == ["1994", "2004", "2014", "2024"]


def test_an_ingest_without_a_partition_is_an_error(definitions, instance) -> None:
    job = definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(["bronze", "rgph"]), dg.AssetKey(["validated", "rgph"])],
        raise_on_error=False,
    )
    assert not result.success


def test_an_ingest_of_a_refused_period_is_red_and_of_an_accepted_one_green(definitions, instance) -> None:
    keys = [dg.AssetKey(["bronze", "border_crossings"]), dg.AssetKey(["validated", "border_crossings"])]
    job = definitions.resolve_implicit_global_asset_job_def()
    for period, success in (("2024-01", True), ("2024-05", False)):
        result = job.execute_in_process(
            instance=instance, asset_selection=keys, partition_key=period, raise_on_error=False
        )
        assert result.success is success


def test_one_model_alone_is_built_and_not_published(small_night, definitions, instance) -> None:
    job = definitions.resolve_implicit_global_asset_job_def()
    before = sorted(path.name for path in (small_night[0].home / "releases").iterdir())
    result = job.execute_in_process(
        instance=instance, asset_selection=[dg.AssetKey(["conformed", "dim_area"])], raise_on_error=False
    )
    assert result.success
    held = {one.check_name: one.passed for one in result.get_asset_check_evaluations()}
    assert held == {"not_null_dim_area_area_code": True, "unique_dim_area_area_code": True}
    assert sorted(path.name for path in (small_night[0].home / "releases").iterdir()) == before


def test_a_check_that_reads_beyond_the_chosen_part_is_told_as_not_run(definitions, instance) -> None:
    job = definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=instance, asset_selection=[dg.AssetKey(["conformed", "fct_incidents"])], raise_on_error=False
    )
    assert result.success
    held = {one.check_name: one.passed for one in result.get_asset_check_evaluations()}
    assert not held["relationships_fct_incidents_country_code__country_code__ref_dim_country_"]
    assert any(held.values())


def test_publishing_alone_says_why_not(definitions, instance) -> None:
    job = definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=instance, asset_selection=[dg.AssetKey(["release", "current"])], raise_on_error=False
    )
    assert not result.success
