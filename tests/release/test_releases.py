"""Releases as files: verifying, rolling back, reading; and the order of steps around a kill."""

import shutil
from pathlib import Path

import duckdb
import pytest

from hims_pipeline.errors import ReleaseError
from hims_pipeline.lake.files import sha256_of, write_json
from hims_pipeline.release import compare, proof, store, tables
from hims_pipeline.release.publish import standing
from hims_pipeline.release.reader import connect
from hims_pipeline.settings import REPOSITORY, Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", tmp_path / "home", env="test")


def make(settings: Settings, release_id: str, value: float = 1.0) -> store.Release:
    """A small release as `publish` leaves it, with one figure."""
    folder = settings.releases / release_id
    for part in ("public", "staff"):
        (folder / part).mkdir(parents=True)
        con = duckdb.connect(str(folder / part / "warehouse.duckdb"))
        con.execute("create schema published")
        con.execute(
            f"""create table published.indicator_value as select 'P01.1' as series_key, '2024' as time_period,
                '_Z' as vintage, 'P01' as indicator, 'census' as source, {value}::double as obs_value,
                'A' as obs_status, 'F' as conf_status, null::double as standard_error"""
        )
        con.close()
        files = {p.name: {"sha256": sha256_of(p), "bytes": p.stat().st_size} for p in (folder / part).iterdir()}
        write_json(
            folder / part / "manifest.json",
            {"files": files, "inputs_sha256": f"inputs of {release_id}", "published_at": "2026"},
        )
    release = store.get(settings, release_id)
    store.point_to(settings, release)
    return release


def test_an_untouched_release_is_intact(settings) -> None:
    assert store.verify(make(settings, "r000001")) == []


@pytest.mark.parametrize("part", ["public", "staff"])
def test_a_flipped_bit_a_missing_and_an_added_file_are_found(settings, part: str) -> None:
    release = make(settings, "r000001")
    path = release.folder / part / "warehouse.duckdb"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    (release.folder / part / "extra.txt").write_text("x")
    assert store.verify(release) == [
        f"{part}/warehouse.duckdb is not what was published",
        f"{part}/extra.txt was added",
    ]
    path.unlink()
    assert f"{part}/warehouse.duckdb is missing" in store.verify(release)


def test_rolling_back_needs_a_reason_and_an_intact_release(settings) -> None:
    first = make(settings, "r000001")
    make(settings, "r000002")
    with pytest.raises(ReleaseError, match="--reason"):
        store.use(settings, "r000001", " ")
    store.use(settings, "r000001", "a wrong figure")
    assert store.current(settings) == first
    assert store.withdrawn(settings)["r000002"]["reason"] == "a wrong figure"
    (first.public / "warehouse.duckdb").unlink()
    with pytest.raises(ReleaseError, match="damaged"):
        store.use(settings, "r000001", "again")


def test_inputs_of_a_withdrawn_release_are_blocked(settings) -> None:
    make(settings, "r000001")
    make(settings, "r000002")
    store.use(settings, "r000001", "a wrong figure")
    with pytest.raises(ReleaseError, match="withdrawn: a wrong figure"):
        standing(settings, "inputs of r000002")


def test_killed_between_rename_and_pointer_the_next_start_moves_the_pointer(settings) -> None:
    first = make(settings, "r000001")
    second = make(settings, "r000002")
    store.point_to(settings, first)
    assert standing(settings, "inputs of r000002") == second
    assert store.current(settings) == second
    assert standing(settings, "other inputs") is None


def test_a_night_is_proven_by_an_intact_release_of_the_present_inputs(settings, monkeypatch) -> None:
    with pytest.raises(ReleaseError, match="Nothing has been published"):
        proof.prove(settings)
    first = make(settings, "r000001")
    monkeypatch.setattr(proof, "inputs_sha256", lambda settings, rows: "inputs of r000001")
    assert proof.prove(settings).release == first
    monkeypatch.setattr(proof, "inputs_sha256", lambda settings, rows: "inputs of tonight")
    with pytest.raises(ReleaseError, match=r"The release r000001 of \d+ stays; it does not hold tonight's deliveries"):
        proof.prove(settings)
    (first.staff / "warehouse.duckdb").unlink()
    with pytest.raises(ReleaseError, match="r000001, is damaged: staff/warehouse"):
        proof.prove(settings)


def test_a_release_that_was_chosen_stands_and_says_why(settings, monkeypatch) -> None:
    first = make(settings, "r000001")
    make(settings, "r000002")
    store.use(settings, "r000001", "a wrong figure")
    monkeypatch.setattr(proof, "inputs_sha256", lambda settings, rows: "inputs of r000002")
    proven = proof.prove(settings)
    assert proven.release == first
    assert "`hims release use` chose it: r000002" in proven.why
    assert "a wrong figure" in proven.why


def test_old_releases_retire_but_never_the_current_one(settings) -> None:
    for number in range(1, 6):
        make(settings, f"r00000{number}", number)
    store.point_to(settings, store.get(settings, "r000001"))
    assert store.retire(settings, 2) == ["r000002", "r000003"]
    assert [one.id for one in store.releases(settings)] == ["r000001", "r000004", "r000005"]


def test_a_reader_keeps_its_release_and_cannot_leave_it(settings, tmp_path) -> None:
    make(settings, "r000001", 1)
    con = connect(settings=settings)
    make(settings, "r000002", 2)
    assert con.execute("select obs_value from indicator_value").fetchall() == [(1.0,)]
    (tmp_path / "secret.csv").write_text("a\n1\n")
    for sql in (
        f"from read_csv('{tmp_path}/secret.csv')",
        "create table t as select 1",
        "set enable_external_access = true",
    ):
        with pytest.raises(duckdb.Error):
            con.execute(sql)
    shutil.rmtree(settings.releases / "r000001")
    assert con.execute("select obs_value from indicator_value").fetchall() == [(1.0,)]
    con.close()


def test_nothing_published_yet_says_what_to_do(settings) -> None:
    with pytest.raises(ReleaseError, match="make run"):
        connect(settings=settings)


def test_a_fingerprint_sees_values_and_not_their_order() -> None:
    con = duckdb.connect()
    con.execute("create table a as from (values (1, 'x'), (2, null), (2, null)) t (n, s)")
    con.execute("create table b as from (values (2, null), (1, 'x'), (2, null)) t (n, s)")
    con.execute("create table c as from (values (2, null), (1, 'x'), (1, 'x')) t (n, s)")
    found = [tables.fingerprint(con, "main", name) for name in "abc"]
    assert found[0] == found[1] != found[2]


def test_differences_between_two_releases(settings) -> None:
    old, new = make(settings, "r000001", 100), make(settings, "r000002", 110)
    paths = [one.public / "warehouse.duckdb" for one in (old, new)]
    assert compare.differences(settings, paths[0], paths[0]) == []
    assert compare.differences(settings, *paths) == [compare.Change("P01", "census", 0, 0, 1, 10.0)]
