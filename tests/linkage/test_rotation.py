"""The key: another one takes over whole or not at all, a lost or wrong one is told, a destroyed one is gone."""

import ast
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hims_pipeline import intake, rotation
from hims_pipeline.cli import main
from hims_pipeline.errors import HimsError
from hims_pipeline.lake import journal, landing, seal, trail, trail_file
from hims_pipeline.lake.lock import acts_lock, installation_lock
from hims_pipeline.privacy import key_record
from hims_pipeline.privacy.key_record import KeyMismatch
from hims_pipeline.privacy.keys import create_key, load_key
from hims_pipeline.settings import REPOSITORY, Settings
from tests.killed import homes_after_each_kill
from tests.linkage.conftest import link


def hims(settings: Settings, *words: str) -> Result:
    env = {"HIMS_HOME": settings.home, "HIMS_DATA": settings.data, "HIMS_EXPECTATIONS": settings.expectations}
    named = {name: str(value) for name, value in env.items()} | {"HIMS_ENV": "test"}
    return CliRunner(env=named | {"HIMS_KEY_FILE": str(settings.key_file)}).invoke(main, list(words))


def rotate(settings: Settings, new: Path, **more) -> rotation.RotationPlan:
    with installation_lock(settings, "test"), acts_lock(settings, "test"):
        return rotation.rotate(settings, new, "a test", **more)


def pseudonyms(settings: Settings) -> set[Path]:
    roots = (settings.validated, settings.quarantine, settings.bronze, settings.links)
    return {path for root in roots for path in root.rglob("*.parquet")}


def test_another_key_takes_over_whole(keyed, tmp_path) -> None:
    old, new = load_key(keyed).version, create_key(tmp_path / "third").version
    told = hims(keyed, "key", "rotate", str(tmp_path / "third"), "--plan").output
    assert "2 batches with pseudonyms" in told
    assert key_record.read_key_facts(keyed)["version"] == old
    done = hims(keyed, "key", "rotate", str(tmp_path / "third"), "--reason", "an officer left")
    assert done.exit_code == 0, done.output
    assert f"HIMS_KEY_FILE={tmp_path / 'third'}" in done.output
    fresh = replace(keyed, key_file=tmp_path / "third")
    assert pseudonyms(fresh) == set()  # none of the former key is left
    assert trail.check(fresh).damage == []
    assert sorted(one.delivery.source for one in intake.find_pending(fresh)) == ["census", "consulate"]
    for one in intake.find_pending(fresh):
        intake.take_in(fresh, one.delivery, print)
    assert len(link(fresh)) == 1
    shown = hims(fresh, "key", "show").output
    assert f"key {new}, in use since" in shown
    assert f"former key {old}" in shown
    assert load_key(fresh).secret.hex() not in shown
    with pytest.raises(KeyMismatch, match=new):
        load_key(keyed)


def test_killed_at_any_step_the_same_command_finishes_it(keyed, tmp_path) -> None:
    second = keyed.home.parent / "second"
    fresh, steps = replace(keyed, key_file=second), 0
    for step in homes_after_each_kill(keyed.home, lambda: rotate(keyed, second), every=7):
        steps = step
        if "rotating" in key_record.read_key_facts(keyed):
            for either in (keyed, fresh):
                with pytest.raises(KeyMismatch, match="was interrupted"):
                    load_key(either)
        if key_record.read_key_facts(keyed)["version"] == load_version(keyed):
            rotate(keyed, second)
        assert trail.check(fresh).damage == []
        assert pseudonyms(fresh) == set()
        assert [state for intent, state in journal.acts(fresh) if intent["event"] == rotation.ROTATED] == ["done"]
        assert len(intake.find_pending(fresh)) == 2
    assert steps > 8


def load_version(settings: Settings) -> str:
    with key_record.open_rotation(settings):
        return load_key(settings).version


def test_every_sealed_record_is_sealed_anew_and_an_edited_one_is_not(keyed, tmp_path) -> None:
    good, edited = keyed.home / "scrub.json", keyed.identified / "edited.json"
    seal.write_sealed(keyed, good, "scrub", {"seen": [1]})
    seal.write_sealed(keyed, edited, "scrub", {"seen": [1]})
    edited.write_text(edited.read_text().replace("1", "2"))
    assert rotate(keyed, keyed.home.parent / "second").damaged == [edited]
    fresh = replace(keyed, key_file=keyed.home.parent / "second")
    assert seal.read_sealed(fresh, good, "scrub") == {"seen": [1]}
    assert "2" in edited.read_text()


def kinds_sealed() -> set[str]:
    """Third arguments of `write_sealed` in the package, names resolved within their modules."""
    found = set()
    for path in (REPOSITORY / "hims_pipeline").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for kind in re.findall(r"write_sealed\([^,]+,[^,]+, ([A-Z]+|\"[^\"]+\")[,)]", text):
            lines = re.findall(rf"^(?:\w+, )*{kind}(?:, \w+)* = .+$", text, re.M)
            found.add(ast.literal_eval(kind) if kind[0] == '"' else _value(kind, lines[0]))
    return found


def _value(name: str, line: str) -> str:
    names, values = line.split(" = ")
    values = ast.literal_eval(values)
    return dict(zip(names.split(", "), [values] if isinstance(values, str) else values, strict=True))[name]


def test_every_kind_of_sealed_record_is_known_to_a_rotation() -> None:
    # Manifests of releases keep their seals, and a backup that of the key it was made under.
    assert kinds_sealed() - {trail_file.HEAD, "backup"} <= set(rotation.KINDS)
    assert {"findings", "tombstone", trail_file.HEAD} <= kinds_sealed()


def test_what_could_not_be_read_again_stops_a_rotation(keyed, tmp_path) -> None:
    sent = landing.deliveries(keyed, "census")[0]
    sent.paths(keyed)[0].unlink()
    with pytest.raises(HimsError, match=f"{sent.batch}.*--drop"):
        rotate(keyed, keyed.home.parent / "second")
    assert "rotating" not in key_record.read_key_facts(keyed)
    rotate(keyed, keyed.home.parent / "second", drop=True)


@pytest.mark.parametrize(("new", "words"), [("first", "Both files hold"), ("nowhere", "not a file")])
def test_a_key_that_cannot_take_over_changes_nothing(keyed, tmp_path, new: str, words: str) -> None:
    with pytest.raises(HimsError, match=words):
        rotate(keyed, keyed.home.parent / new)
    load_key(keyed)


def test_a_missing_key_is_to_be_put_back_and_never_made_anew(keyed, tmp_path) -> None:
    version = load_key(keyed).version
    (keyed.home.parent / "first").rename(tmp_path / "kept")
    for command in (("status",), ("key", "show"), ("batch", "withdraw", "census", "--reason", "x")):
        done = hims(keyed, *command)
        assert done.exit_code == 1
        assert f"rests on key {version}: put its sealed copy back" in done.output
        assert "key init" not in done.output
    (keyed.home / key_record.FILE).unlink()  # the records name it too
    assert version in hims(keyed, "status").output
    with pytest.raises(KeyMismatch, match="HIMS_KEY_FILE is not set"):
        load_key(replace(keyed, key_file=None, env="prod"))
    (tmp_path / "kept").rename(keyed.home.parent / "first")
    assert intake.find_pending(keyed) == []


def test_a_wrong_key_is_told_in_a_line_and_nothing_counts_as_damaged(keyed, tmp_path) -> None:
    before = {path: path.read_bytes() for path in keyed.home.rglob("*") if path.is_file()}
    wrong = replace(keyed, key_file=keyed.home.parent / "second")
    done = hims(wrong, "status")
    assert done.exit_code == 1
    assert f"rests on key {load_key(keyed).version}: set HIMS_KEY_FILE to that one" in done.output
    with pytest.raises(KeyMismatch):
        intake.find_pending(wrong)
    after = {path: path.read_bytes() for path in keyed.home.rglob("*") if path.is_file() and "lock" not in path.name}
    assert after == {path: before[path] for path in after}


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"version": "000000000000"}'])
def test_a_damaged_note_of_the_key_is_one_line_and_status_goes_on(keyed, content: bytes) -> None:
    note = keyed.home / key_record.FILE
    note.write_bytes(content)
    done = hims(keyed, "status")
    assert done.exit_code == 0, done.output
    assert f"damaged: {note} cannot be read. Delete it" in done.output
    assert done.output.count("accepted ") == 3
    assert hims(keyed, "audit", "verify").exit_code == 0
    for command in (("link",), ("key", "show"), ("scrub", "--all")):
        told = hims(keyed, *command)
        assert told.exit_code == 1
        assert f"{note} cannot be read" in told.output
    assert note.read_bytes() == content
    note.unlink()
    assert hims(keyed, "link").exit_code == 0
    wrong = replace(keyed, key_file=keyed.home.parent / "second")
    note.write_bytes(content)  # another key is told all the same
    assert f"rests on key {load_key(keyed).version}" in hims(wrong, "status").output


def test_a_destroyed_key_is_gone_and_said_to_be(keyed, tmp_path) -> None:
    version = load_key(keyed).version
    assert "nothing was destroyed" in hims(keyed, "key", "destroy", "abc", "--reason", "x").output
    file, content = keyed.home.parent / "first", (keyed.home.parent / "first").read_bytes()
    for _ in homes_after_each_kill(keyed.home, lambda: rotation.destroy_key(keyed, version, "the study ended")):
        if file.exists() and file.read_bytes() != content:
            with pytest.raises(KeyMismatch, match="was destroyed"):
                load_key(keyed)
        rotation.destroy_key(keyed, version, "the study ended")
        assert not file.exists()
        file.write_bytes(content)
        file.chmod(0o400)
    file.write_bytes(content)  # the last round went through
    file.chmod(0o400)
    done = hims(keyed, "key", "destroy", version, "--reason", "the study ended")
    assert not file.exists(), done.output
    told = hims(keyed, "status").output
    assert "was destroyed on" in told
    assert "key init" not in told
    lines = [json.loads(line) for line in keyed.trail.read_text().splitlines()]
    assert [one["key"] for one in lines if one["event"] == rotation.KEY_DESTROYED][-1] == version
