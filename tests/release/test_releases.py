"""Releases as files: proving, rolling back, reading; what is damaged, and what stands in its place."""

import json
import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from hims_pipeline.carry.content import content_of
from hims_pipeline.cli import main
from hims_pipeline.errors import Damaged, ReleaseError
from hims_pipeline.lake import journal, trail
from hims_pipeline.privacy import key_record
from hims_pipeline.privacy.keys import create_key, load_key
from hims_pipeline.reconcile import reconcile
from hims_pipeline.release import acts, compare, store
from hims_pipeline.release.publish import find_existing_release
from hims_pipeline.release.reader import connect
from tests.release.conftest import make


def rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Change a published file as somebody with the right to do so would: its mode stays."""
    mode = path.stat().st_mode
    path.chmod(0o600)
    path.write_bytes(change(path.read_bytes()))
    path.chmod(stat.S_IMODE(mode))


def flip(path: Path, position: int) -> None:
    rewrite(path, lambda content: content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])


def test_an_untouched_release_is_intact(settings) -> None:
    release = make(settings, "r000001")
    assert store.verify_release(settings, release) == store.find_unchecked(settings, release) == []


@pytest.mark.parametrize("part", ["public", "staff"])
def test_a_flipped_bit_a_missing_and_an_added_file_are_found(settings, part: str) -> None:
    release = make(settings, "r000001")
    path = release.folder / part / "warehouse.duckdb"
    flip(path, path.stat().st_size // 2)
    (release.folder / part / "extra.txt").write_text("x")
    (release.folder / part / "extra.txt").chmod(0o440)
    assert store.verify_release(settings, release) == [
        f"{part}/warehouse.duckdb is not what was published",
        f"{part}/extra.txt was added",
    ]
    path.unlink()
    assert f"{part}/warehouse.duckdb is missing" in store.verify_release(settings, release)
    path.symlink_to("/etc/hostname")
    assert f"{part}/warehouse.duckdb is missing" in store.verify_release(settings, release)


def test_rights_that_grew_are_found(settings) -> None:
    release = make(settings, "r000001")
    (release.public / "warehouse.duckdb").chmod(0o644)
    (release.staff / "warehouse.duckdb").chmod(0o444)
    release.staff.chmod(0o755)
    assert store.verify_release(settings, release) == [
        "public/warehouse.duckdb is open to more than a published file is (mode 644)",
        "staff/warehouse.duckdb is open to more than a published file is (mode 444)",
        "staff/ is open to others (mode 755)",
    ]


@pytest.mark.parametrize("part", ["public", "staff"])
def test_every_flipped_byte_of_a_manifest_is_found(settings, part: str) -> None:
    release = make(settings, "r000001")
    path = release.folder / part / "manifest.json"
    whole = path.read_bytes()
    for position in range(0, len(whole), 3):
        flip(path, position)
        assert store.verify_release(settings, release), position
        rewrite(path, lambda _: whole)
    assert store.verify_release(settings, release) == []


def change_of(**facts: object) -> Callable[[bytes], bytes]:
    return lambda content: json.dumps(json.loads(content) | facts, indent=1).encode()


def test_what_a_manifest_says_cannot_be_edited(settings) -> None:
    """Each of its three bonds finds the edit by itself: the seal, the staff manifest, the audit trail."""
    release = make(settings, "r000001")
    rewrite(release.public / "manifest.json", change_of(contains_synthetic_data=False))
    assert store.verify_release(settings, release) == [
        "public/manifest.json was changed: its seal does not hold",
        "public/manifest.json is not the one that the staff manifest knows",
        "public/manifest.json is not the one that the audit trail tells of",
    ]
    rewrite(release.public / "manifest.json", change_of(key_version="another key"))
    assert "public/manifest.json is not the one that the audit trail tells of" in store.verify_release(
        settings, release
    )


def test_manifests_cannot_be_exchanged_or_removed(settings) -> None:
    first, second = make(settings, "r000001"), make(settings, "r000002")
    for part in ("public", "staff"):
        rewrite(
            second.folder / part / "manifest.json", lambda _, p=part: (first.folder / p / "manifest.json").read_bytes()
        )
        assert f"{part}/manifest.json is the manifest of another release or part" in store.verify_release(
            settings, second
        )
    rewrite(first.staff / "manifest.json", lambda _: (first.public / "manifest.json").read_bytes())
    assert any("staff/manifest.json" in text for text in store.verify_release(settings, first))
    (first.public / "manifest.json").unlink()
    assert "public/manifest.json cannot be read (FileNotFoundError)" in store.verify_release(settings, first)


def test_a_release_that_nobody_published_or_that_a_cut_trail_forgot_is_found(settings) -> None:
    make(settings, "r000001")
    shutil.copytree(settings.releases / "r000001", settings.releases / "r000009")
    assert store.verify_release(settings, store.get(settings, "r000009"))
    settings.trail.unlink()
    settings.trail_head.unlink()
    assert store.verify_release(settings, store.get(settings, "r000001")) == [
        "no line of the audit trail tells of its publication",
    ]


def test_a_trail_put_back_to_an_earlier_day_is_found_by_a_later_release(settings, tmp_path) -> None:
    journal.record(settings, "tried")
    shutil.copy(settings.trail, tmp_path / "trail")
    shutil.copy(settings.trail_head, tmp_path / "head")
    journal.record(settings, "to be forgotten")
    release = make(settings, "r000001")
    shutil.copy(tmp_path / "trail", settings.trail)
    shutil.copy(tmp_path / "head", settings.trail_head)
    assert trail.check(settings).damage == []  # both are ours
    assert store.verify_release(settings, release) == ["no line of the audit trail tells of its publication"]
    assert store.next_id(settings) == "r000002"


def test_without_the_key_files_are_checked_and_the_rest_is_told(settings, tmp_path) -> None:
    release = make(settings, "r000001")
    copy = replace(settings, home=tmp_path / "copy", env="prod")
    shutil.copytree(settings.releases, copy.releases)
    copied = store.get(copy, "r000001")
    assert store.verify_release(copy, copied) == []
    assert store.find_unchecked(copy, copied) == [
        "seal not checked: no key here",
        "audit trail not checked: it cannot be read here",
    ]
    assert store.find_unchecked(replace(settings, env="prod"), release) == ["seal not checked: no key here"]
    flip(copied.public / "warehouse.duckdb", 5000)
    assert store.verify_release(copy, copied) == ["public/warehouse.duckdb is not what was published"]


def test_rolling_back_needs_a_reason_and_an_intact_release(settings) -> None:
    first = make(settings, "r000001")
    make(settings, "r000002")
    with pytest.raises(ReleaseError, match="--reason"):
        acts.use_release(settings, "r000001", " ")
    acts.use_release(settings, "r000001", "a wrong figure")
    assert store.current_release(settings) == first
    assert store.withdrawn_releases(settings)["r000002"]["reason"] == "a wrong figure"
    assert store.withdrawn_releases(settings) == acts.marks(settings) == acts.follow_trail(settings)[1]
    (first.public / "warehouse.duckdb").unlink()
    with pytest.raises(ReleaseError, match="damaged"):
        acts.use_release(settings, "r000001", "again")


def test_inputs_of_a_withdrawn_release_are_blocked(settings) -> None:
    make(settings, "r000001")
    make(settings, "r000002")
    acts.use_release(settings, "r000001", "a wrong figure")
    for damage in (lambda path: None, lambda path: rewrite(path, lambda _: b"{}"), Path.unlink):
        damage(settings.releases / "WITHDRAWN.json")
        with pytest.raises(ReleaseError, match="withdrawn: a wrong figure"):
            find_existing_release(settings, "inputs of r000002")
    acts.use_release(settings, "r000002", "it was right after all")
    assert find_existing_release(settings, "inputs of r000002") == store.get(settings, "r000002")


def test_the_current_release_stands_for_its_inputs_only(settings) -> None:
    make(settings, "r000001")
    second = make(settings, "r000002")
    assert find_existing_release(settings, "inputs of r000002") == second
    assert find_existing_release(settings, "inputs of r000001") is None
    assert find_existing_release(settings, "other inputs") is None


DAMAGE: dict[str, Callable[[store.Release], object]] = {
    "garbage for a manifest": lambda one: rewrite(one.staff / "manifest.json", lambda _: b"\x00\xff{"),
    "another word in a manifest": lambda one: rewrite(one.public / "manifest.json", change_of(published_at="2020")),
    "a manifest of too little": lambda one: rewrite(one.staff / "manifest.json", lambda _: b'{"inputs_sha256": "x"}'),
    "a flipped byte": lambda one: flip(one.public / "warehouse.duckdb", 4000),
    "a missing file": lambda one: (one.staff / "warehouse.duckdb").unlink(),
    "no folder any more": lambda one: shutil.rmtree(one.folder),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_release_does_not_stand_and_stops_nothing(settings, monkeypatch, how: str) -> None:
    first, second = make(settings, "r000001"), make(settings, "r000002")
    DAMAGE[how](second)
    said: list[str] = []
    assert find_existing_release(settings, "inputs of r000002", said.append) is None
    assert "made again" in said[0]
    assert acts.newest_intact(settings, said.append) == first
    assert reconcile(settings) == []
    for name, value in {"HIMS_HOME": settings.home, "HIMS_ENV": "test"}.items():
        monkeypatch.setenv(name, str(value))
    shown = CliRunner().invoke(main, ["status"])
    assert (shown.exit_code, "current release: r000002" in shown.output) == (0, True)
    listed = CliRunner().invoke(main, ["release", "list"])
    assert (listed.exit_code, "r000001" in listed.output) == (0, True)
    proved = CliRunner().invoke(main, ["release", "verify"])
    assert (proved.exit_code, "r000001: intact" in proved.output, "r000002: " in proved.output) == (1, True, True)
    third = make(settings, "r000003")
    assert store.current_release(settings) == third
    used = CliRunner().invoke(main, ["release", "use", "r000001", "--reason", "to be sure"])
    assert (used.exit_code, store.current_release(settings)) == (0, first)
    assert set(store.withdrawn_releases(settings)) >= {"r000003"}


def test_a_hand_that_edits_the_pointer_or_the_marks_is_put_right(settings) -> None:
    make(settings, "r000001")
    make(settings, "r000002")
    make(settings, "r000003")
    acts.use_release(settings, "r000002", "a wrong figure")
    old = (settings.releases / "WITHDRAWN.json").read_bytes()
    acts.use_release(settings, "r000001", "two wrong figures")
    for name, content in (
        ("CURRENT", b"r000003\n"),
        ("CURRENT", b"\xff"),
        ("WITHDRAWN.json", b"{}"),
        ("WITHDRAWN.json", old),  # ours, of an earlier day
    ):
        (settings.releases / name).write_bytes(content)
        assert acts.disagreements(settings)
        assert "put right from the audit trail" in reconcile(settings)[0]
        assert (store.pointer(settings), set(acts.marks(settings))) == ("r000001", {"r000002", "r000003"})
        assert reconcile(settings) == acts.disagreements(settings) == []


def test_a_pointer_that_names_nothing_says_what_to_do(settings) -> None:
    make(settings, "r000001")
    (settings.releases / "CURRENT").write_text("r00001; drop\n")
    with pytest.raises(Damaged, match="hims release use"):
        store.current_release(settings)


def test_old_releases_retire_but_never_the_current_one(settings) -> None:
    for number in range(1, 6):
        make(settings, f"r00000{number}", number)
    acts.use_release(settings, "r000001", "the first was best")
    assert acts.retire(settings, 2) == ["r000002", "r000003"]
    assert [one.id for one in store.releases(settings)] == ["r000001", "r000004", "r000005"]
    assert store.find_lost(settings) == []
    shutil.rmtree(settings.releases / "r000004")
    assert store.find_lost(settings) == ["r000004"]
    shutil.rmtree(settings.releases / "r000005")
    assert store.next_id(settings) == "r000006"  # a number is never given twice


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
    found = [content_of(con, "main", name) for name in "abc"]
    assert found[0] == found[1] != found[2]
    assert not any(one.content_hash.isdecimal() for one in found)  # the look for identifiers would take it for one


def test_differences_between_two_releases(settings) -> None:
    old, new = make(settings, "r000001", 100), make(settings, "r000002", 110)
    paths = [one.public / "warehouse.duckdb" for one in (old, new)]
    assert compare.find_differences(settings, paths[0], paths[0]) == []
    assert compare.find_differences(settings, *paths) == [compare.Change("P01", "census", 0, 0, 1, 10.0)]
    near = make(settings, "r000003", 100 * (1 + 1e-13)).public / "warehouse.duckdb"
    assert compare.find_differences(settings, paths[0], near) == []


def test_releases_of_a_former_key_are_bound_by_the_trail_alone(settings, tmp_path) -> None:
    release = make(settings, "r000001")
    make(settings, "r000002")
    acts.use_release(settings, "r000001", "a wrong figure")
    create_key(tmp_path / "key")
    rotated = replace(settings, key_file=tmp_path / "key")
    with key_record.open_rotation(settings):
        trail.reseal(rotated, former=settings)
    key_record.note(settings, {"version": load_key(replace(rotated, home=tmp_path)).version})
    (mended,) = reconcile(rotated)
    assert mended.startswith("WITHDRAWN.json is not the releases taken back that this installation wrote")
    assert mended.endswith("put right from the audit trail")
    assert set(acts.marks(rotated)) == {"r000002"}
    assert store.verify_release(rotated, release) == []
    assert store.find_unchecked(rotated, release)[0].startswith("seal not checked: it is of key demonstration-")
    rewrite(release.public / "manifest.json", change_of(contains_synthetic_data=False))
    assert "public/manifest.json is not the one that the audit trail tells of" in store.verify_release(rotated, release)


PLACED: dict[str, Callable[[Path], object]] = {
    "a folder": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
    "nesting without end": lambda path: path.write_text("[" * 100_000),
    "no UTF-8": lambda path: path.write_bytes(b"\xff\xfe"),
}


@pytest.mark.parametrize("put", PLACED)
@pytest.mark.parametrize(
    "name", ["CURRENT", "WITHDRAWN.json", "r000002/public/manifest.json", "r000002/staff/manifest.json"]
)
def test_whatever_lies_in_a_records_place_is_named_and_stops_nothing_else(settings, monkeypatch, name, put) -> None:
    make(settings, "r000001")
    make(settings, "r000002", 2.0)
    acts.use_release(settings, "r000002", "tried")
    path = settings.releases / name
    path.parent.chmod(0o755)
    path.unlink(missing_ok=True)
    PLACED[put](path)
    monkeypatch.setattr("hims_pipeline.commands.releases.load_settings", lambda: settings)
    told = CliRunner().invoke(main, ["release", "verify"])
    assert told.exit_code == 1
    assert Path(name).name in told.output
    assert "defect of ours" not in told.output
    now, _, damaged = store.read_state(settings)
    assert now == (None if name == "CURRENT" else "r000002")
    assert damaged or "staff" in name
    assert connect("r000001", settings=settings).execute("select count(*) from indicator_value").fetchall() == [(1,)]
    acts.use_release(settings, "r000001", "tried")
    assert store.current_release(settings).id == "r000001"


def test_a_folder_made_by_hand_takes_no_number_but_its_own(settings) -> None:
    make(settings, "r000001")
    for name in ("r000002", "r999999"):
        (settings.releases / name).mkdir()
    (settings.releases / "r000000").write_text("x")
    assert store.next_id(settings) == "r000003"
    foreign = settings.releases / "r999999"
    foreign.rmdir()
    shutil.copytree(settings.releases / "r000001", foreign)
    manifest = foreign / "public/manifest.json"
    manifest.chmod(0o600)
    manifest.write_text(manifest.read_text().replace("r000001", "r999999"))
    with pytest.raises(ReleaseError, match="no number after r999999: `hims release verify` tells which"):
        store.next_id(settings)


def test_a_release_or_a_part_that_is_a_link_is_told(settings, tmp_path) -> None:
    make(settings, "r000001")
    release = make(settings, "r000002")
    release.folder.chmod(0o755)
    release.public.rename(tmp_path / "moved")
    release.public.symlink_to(tmp_path / "moved")
    assert "public/ is a link to another folder, where others may change it" in store.verify_release(settings, release)
    first = store.get(settings, "r000001")
    first.folder.rename(tmp_path / "first")
    first.folder.symlink_to(tmp_path / "first")
    assert store.verify_release(settings, first) == ["it is a link to another folder, where others may change it"]
