"""What is carried over and what is not, and that it is found when something is not what it should be."""

import random

import duckdb
import pytest

from hims_pipeline import retention
from hims_pipeline.carry import fingerprints
from hims_pipeline.carry.last_build import read_kept
from hims_pipeline.carry.plan import nodes_of
from hims_pipeline.dbt import find_not_built, finish_build
from hims_pipeline.errors import Damaged, HimsError
from tests.carry.walk import CHANGES, walk
from tests.carry.world import World

UNPROVED = {"model.hims.stg_batches", "test.hims.of_a_past_day"}  # the list of batches lies elsewhere each night


def models(built: list[str]) -> set[str]:
    return {name.split(".")[2] for name in built if name.startswith(("model", "seed"))} - {"stg_batches"}


def test_a_new_delivery_builds_what_is_behind_it_and_nothing_else(world: World) -> None:
    first, everything = world.build()
    again, anew = world.build()
    assert again == first
    assert set(anew) == UNPROVED
    assert f"{len(everything) - len(UNPROVED)} of {len(everything)} nodes" in world.told[-1]
    world.sent["a", "2021"] = [("z", 7)]
    changed, anew = world.build()
    assert models(anew) == {
        "stg_a__rows", "feed_counts", "fct_counts", "dim_batch", "ind_counts", "ind_values", "indicator_value",
        "v_values",
    }  # fmt: skip
    assert "unit_test.hims.ind_counts.sums_by_code" not in anew  # of rows that are given with it
    assert changed["model.hims.fct_others"] == first["model.hims.fct_others"]
    assert changed == world.build(full=True, keep_it=False)[0]


def test_a_walk_of_changes_gives_what_full_builds_give(world: World) -> None:
    told = walk(world, 6, seed=3)
    assert [one for one in told if "DIFFER" in one] == []
    assert len(told) == 6 <= len(CHANGES)


def test_a_carried_table_that_dbt_changed_is_found(world: World) -> None:
    world.build()
    with world.prepared(full=False) as (made, _):
        world.run_dbt(made)
        with duckdb.connect(str(made.warehouse)) as con:
            con.execute("update conformed.fct_others set n = n + 1")
        with pytest.raises(Damaged, match=r"holds another model.hims.fct_others"):
            finish_build(world.settings, made)
        with duckdb.connect(str(made.warehouse)) as con:
            con.execute("drop table conformed.fct_others")
        with pytest.raises(Damaged, match=r"does not hold conformed.fct_others"):
            finish_build(world.settings, made)
        plan = made.folder / "plan.json"
        plan.write_text(plan.read_text(encoding="utf-8").replace("success", "sucess", 1), encoding="utf-8")
        assert find_not_built(world.settings, made)[0].startswith("everything: ")


def test_a_full_build_that_differs_from_what_was_carried_stops_and_names_the_node(world: World, monkeypatch) -> None:
    hidden = world.settings.home.parent / "hidden.csv"
    hidden.write_text("n\n1\n", encoding="utf-8")
    world.files["models/indicators/ind_others.sql"] = (
        "select 'others' as indicator, 'x' as code, '2020' as time_period, 'u' as universe, n as obs_value "
        f"from read_csv('{hidden}')"
    )
    monkeypatch.setattr(fingerprints, "_asks_for_more", lambda text: False)  # a way to a file that nobody thought of
    world.build()
    hidden.write_text("n\n2\n", encoding="utf-8")
    with pytest.raises(HimsError, match=r"dbt made another model.hims.ind_others, model.hims.ind_values"):
        world.build(full=True)
    kept = read_kept(world.settings)
    assert kept is not None
    assert kept.since_full == 0


def test_every_so_many_builds_one_is_full(world: World) -> None:
    path = world.settings.data / "observatory.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("full_build_every: 7", "full_build_every: 2"), encoding="utf-8")
    counts = [len(world.build()[1]) for _ in range(3)]
    assert counts[1] == len(UNPROVED) < counts[0] == counts[2]
    assert "everything is built anew, and compared" in world.told[0]


@pytest.mark.parametrize("what", ["damaged file", "lost record"])
def test_what_is_kept_and_damaged_is_told_and_not_used(world: World, what: str) -> None:
    first, everything = world.build()
    CHANGES[what](world, random.Random(1))  # noqa: S311
    again, anew = world.build()
    assert (again, anew) == (first, everything)
    assert any("everything is built anew" in one for one in world.told)


def test_what_destroys_data_removes_what_is_kept(world: World) -> None:
    """Blocks of its file that tables were dropped from still hold their rows."""
    world.settings.kept.mkdir(parents=True)
    (world.settings.kept / "warehouse-0.duckdb").write_bytes(b"rows")
    retention.remove_all(world.settings, "a/2020/x")
    assert not world.settings.kept.exists()


def test_what_is_read_as_a_source_is_built_each_time(world: World) -> None:
    """dbt names no file that such a table comes from: nothing tells when it changed."""
    world.files["models/staging/feed_others.sql"] = "select * from {{ source('validated', 'b__rows') }}"
    with world.prepared(full=True) as (made, _):
        nodes = nodes_of(world.settings, made.folder, made.tree)
    unproved = {name for name, node in nodes.items() if node.fingerprint is None and node.kind == "model"}
    behind = ("feed_others", "fct_others", "ind_others", "ind_values", "indicator_value", "v_values")
    assert unproved == {f"model.hims.{name}" for name in behind}
