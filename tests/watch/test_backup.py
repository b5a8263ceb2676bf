"""Backups: what comes back is what was there, and what is not whole is not taken for it."""

import shutil
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from hims_pipeline import backup, intake, restore
from hims_pipeline.errors import HimsError
from hims_pipeline.lake import batches, landing, trail
from hims_pipeline.lake.files import sha256_of
from hims_pipeline.privacy.keys import create_key
from hims_pipeline.release import acts, store
from hims_pipeline.release.night_proof import prove
from hims_pipeline.staging.inputs import input_rows, inputs_sha256
from hims_pipeline.watch.backups import last_backup
from tests.lake.test_tampering import refuse
from tests.linkage.conftest import send
from tests.release.conftest import make


@pytest.fixture
def used(watched, tmp_path):
    """An installation under a key of its own, with accepted, refused and withdrawn deliveries and two releases."""
    shutil.rmtree(watched.home)
    create_key(tmp_path / "key")
    head = tmp_path / "elsewhere"
    head.mkdir()
    settings = replace(watched, key_file=tmp_path / "key", head_file=head / "audit.head")
    send(settings, "census", ["90000001", "90000002"])
    send(settings, "consulate", ["90000001"])
    refuse(settings, "census", "2023")
    intake.withdraw(settings, landing.deliveries(settings, "consulate")[0].batch, "another country's")
    make(settings, "r000001")
    make(settings, "r000002")
    acts.use_release(settings, "r000001", "a wrong figure")
    shutil.rmtree(settings.home / "sent")
    return settings


def elsewhere(settings, tmp_path: Path):
    """An empty machine: another home and another place for the head, the same key."""
    (tmp_path / "machine").mkdir()
    return replace(settings, home=tmp_path / "machine/home", head_file=tmp_path / "machine/audit.head")


def listed(settings) -> dict[str, tuple[str, int]]:
    left_out = ("installation.lock", "acts.lock", "backup.json")
    return {
        path.relative_to(settings.home).as_posix(): (sha256_of(path), stat.S_IMODE(path.stat().st_mode))
        for path in settings.home.rglob("*")
        if path.is_file() and path.name not in left_out and "scratch" not in path.parts
    }


def test_the_drill(used, tmp_path) -> None:
    backup.make_backup(used, tmp_path / "disk")
    there = elsewhere(used, tmp_path)
    assert restore.restore_backup(there, backup.find_backup(there, tmp_path / "disk")) == []
    assert listed(there) == listed(used)
    assert trail.check(there).damage == []
    assert store.verify_release(there, store.current_release(there)) == []
    assert [one.state for one in intake.states(there)] == [one.state for one in intake.states(used)]
    assert intake.find_pending(there) == []
    assert inputs_sha256(there, input_rows(there)) == inputs_sha256(used, input_rows(used))
    assert acts.disagreements(there) == []
    standing = [batches.prove_batch(there, one).batch is not None for one in landing.deliveries(there, "census")]
    assert sorted(standing) == [False, True]  # one was refused
    with pytest.raises(HimsError, match="does not hold tonight's deliveries"):
        prove(there)  # as at home: the small release was made of none
    send(there, "payroll", ["90000009"])  # and it goes on: key, counter and trail are whole


def test_no_key_is_in_a_backup(used, tmp_path) -> None:
    made = backup.make_backup(used, tmp_path / "disk")
    secret = (tmp_path / "key").read_bytes().strip()
    files = [path for path in made.folder.rglob("*") if path.is_file()]
    assert not [
        path for path in files if secret in path.read_bytes() or bytes.fromhex(secret.decode()) in path.read_bytes()
    ]
    assert stat.S_IMODE(made.folder.stat().st_mode) == 0o700


def test_what_two_backups_share_is_one_file(used, tmp_path, monkeypatch) -> None:
    first = backup.make_backup(used, tmp_path / "disk")
    name = "releases/r000001/public/warehouse.duckdb"
    monkeypatch.setattr(backup, "datetime", _Later)
    second = backup.make_backup(used, tmp_path / "disk", keep=2)
    assert (first.folder / "files" / name).stat().st_ino == (second.folder / "files" / name).stat().st_ino
    monkeypatch.setattr(_Later, "year", 2098)
    third = backup.make_backup(used, tmp_path / "disk", keep=1)
    assert [one.folder for one in backup.backups(used, tmp_path / "disk")] == [third.folder]
    assert backup.find_damaged(third) == []


class _Later(backup.datetime):
    """A clock far ahead."""

    year = 2097

    @classmethod
    def now(cls, tz=None):
        return backup.datetime.__mro__[1](cls.year, 1, 1, tzinfo=tz)


def test_a_damaged_backup_is_found_and_not_restored(used, tmp_path) -> None:
    made = backup.make_backup(used, tmp_path / "disk")
    file = made.folder / "files/releases/r000001/public/warehouse.duckdb"
    file.chmod(0o600)
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    assert backup.find_damaged(made) == [
        "releases/r000001/public/warehouse.duckdb is missing or is not what was written"
    ]
    with pytest.raises(HimsError, match="is not what was backed up"):
        restore.restore_backup(elsewhere(used, tmp_path), made)


def test_a_backup_without_its_record_is_none(used, tmp_path) -> None:
    made = backup.make_backup(used, tmp_path / "disk")
    record = made.folder / backup.RECORD
    record.write_text(record.read_text(encoding="utf-8").replace("r000001", "r000002", 1), encoding="utf-8")
    with pytest.raises(HimsError, match="no backup that was sealed with this key"):
        backup.find_backup(used, tmp_path / "disk")


def test_another_key_a_full_home_and_a_folder_within_are_refused(used, tmp_path) -> None:
    made = backup.make_backup(used, tmp_path / "disk")
    assert last_backup(used) is not None
    with pytest.raises(HimsError, match="is not empty"):
        restore.restore_backup(used, made)
    create_key(tmp_path / "other")
    with pytest.raises(HimsError, match="The key here is not that of the backup"):
        restore.restore_backup(replace(elsewhere(used, tmp_path), key_file=tmp_path / "other"), made)
    with pytest.raises(HimsError, match="lies within the installation"):
        backup.make_backup(used, used.home / "backups")


def test_a_restore_that_was_killed_goes_on(used, tmp_path, monkeypatch) -> None:
    made = backup.make_backup(used, tmp_path / "disk")
    there, put, left = elsewhere(used, tmp_path), restore._put_back, iter(range(5))

    def die(*args: object) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        put(*args)

    monkeypatch.setattr(restore, "_put_back", die)
    with pytest.raises(KeyboardInterrupt):
        restore.restore_backup(there, made)
    monkeypatch.setattr(restore, "_put_back", put)
    restore.restore_backup(there, made)
    assert listed(there) == listed(used)


def test_rules_that_are_others_by_now_are_told(used, tmp_path) -> None:
    made = backup.make_backup(used, tmp_path / "disk")
    with (used.data / "observatory.yml").open("a", encoding="utf-8") as file:
        file.write("# edited\n")
    (note,) = restore.restore_backup(elsewhere(used, tmp_path), made)
    assert "differs from that of the backup in 1 file(s), such as observatory.yml" in note
