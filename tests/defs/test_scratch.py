"""A part of the warehouse started by hand: any number of models, or checks alone; nothing counts as materialised."""

from types import SimpleNamespace

import dagster as dg
import pytest

from hims_pipeline.commands.runs import prepare_instance
from hims_pipeline.defs import scratch
from hims_pipeline.defs.instance import open_instance
from tests.linkage.conftest import installation

MODELS = {"first": [], "second": ["first"], "third": ["second"]}


@pytest.fixture
def settings(tmp_path):
    made = installation(tmp_path)
    prepare_instance(made)
    return made


def part_of(settings):
    """Three models, each with a check and read by the next, in place of dbt's."""
    specs = [
        dg.AssetSpec(["published", name], deps=[["published", one] for one in parents], skippable=True)
        for name, parents in MODELS.items()
    ]
    checks = [dg.AssetCheckSpec(f"holds_{name}", asset=["published", name]) for name in MODELS]

    @dg.multi_asset(name="dbt", specs=specs, check_specs=checks, can_subset=True)
    def warehouse(context: dg.AssetExecutionContext):
        yield from scratch.try_part(context, settings)

    return dg.Definitions(assets=[warehouse], executor=dg.in_process_executor)


@pytest.fixture
def selected(settings, monkeypatch) -> list[list[str]]:
    """What dbt is asked for; it builds all of it, and runs the checks of what it built."""
    asked: list[list[str]] = []
    built = SimpleNamespace(folder=settings.build / "run")
    monkeypatch.setattr(scratch.build, "prepare", lambda *_, **__: built)
    monkeypatch.setattr(scratch, "run_dbt", lambda *_, select, **__: asked.append(select))
    monkeypatch.setattr(scratch, "seconds", lambda _: dict.fromkeys(MODELS, 1.0))
    monkeypatch.setattr(scratch, "list_tests_run", lambda _: {f"holds_{name}" for name in MODELS})
    return asked


@pytest.mark.parametrize(
    ("assets", "checks", "asked"),
    [
        (["third", "first", "second"], [], ["+first", "+second", "+third"]),
        (["second"], ["second"], ["+second"]),
        ([], ["second"], ["+holds_second"]),
    ],
)
def test_what_is_chosen_is_tried_and_nothing_is_materialised(settings, selected, assets, checks, asked) -> None:
    job = part_of(settings).resolve_implicit_global_asset_job_def()
    keys = {dg.AssetKey(["published", name]) for name in assets}
    check_keys = {dg.AssetCheckKey(dg.AssetKey(["published", name]), f"holds_{name}") for name in checks}
    part = job.get_subset(asset_selection=keys, asset_check_selection=check_keys)
    with open_instance(settings) as instance:
        result = part.execute_in_process(instance=instance)
        kinds = [one.event_type_value for one in result.all_events]
        assert result.success
        assert "ASSET_MATERIALIZATION" not in kinds
        assert (kinds.count("ASSET_OBSERVATION"), kinds.count("ASSET_CHECK_EVALUATION")) == (len(assets), len(checks))
        assert instance.get_latest_materialization_event(dg.AssetKey(["published", "first"])) is None
    assert selected == [asked]
