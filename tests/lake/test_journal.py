"""The audit trail: whole whatever is killed, and whatever is done to it by hand is found."""

import json
import multiprocessing
import os
import pwd
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from hims_pipeline.cli import main
from hims_pipeline.errors import Damaged, HimsError
from hims_pipeline.lake import journal, trail
from hims_pipeline.privacy import key_record
from hims_pipeline.privacy.keys import create_key
from hims_pipeline.settings import REPOSITORY, Settings
from tests.killed import homes_after_each_kill


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", tmp_path / "home", env="test")


@pytest.fixture
def five(settings: Settings) -> Settings:
    """An installation whose trail has five lines."""
    for turn in range(5):
        journal.record(settings, "tried", turn=turn)
    assert trail.check(settings) == trail.Checked(5)
    return settings


Lines = list[bytes]
TAMPERED: dict[str, Callable[[Lines], Lines]] = {
    "edited": lambda lines: [*lines[:2], lines[2].replace(b'"turn": 2', b'"turn": 7'), *lines[3:]],
    "last edited": lambda lines: [*lines[:4], lines[4].replace(b'"turn": 4', b'"turn": 7')],
    "first edited": lambda lines: [lines[0].replace(b'"turn": 0', b'"turn": 7'), *lines[1:]],
    "cut": lambda lines: [*lines[:2], *lines[3:]],
    "first cut": lambda lines: lines[1:],
    "last cut": lambda lines: lines[:-1],
    "all cut": lambda lines: [],
    "reordered": lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
    "last two reordered": lambda lines: [*lines[:3], lines[4], lines[3]],
    "duplicated": lambda lines: [*lines[:2], lines[1], *lines[2:]],
    "last duplicated": lambda lines: [*lines, lines[4]],
    "unreadable": lambda lines: [*lines[:2], b"\xff\x00", *lines[3:]],
    "nested without end": lambda lines: [*lines[:2], b"[" * 100_000, *lines[3:]],
    "a list": lambda lines: [*lines[:2], b"[]", *lines[3:]],
    "two more": lambda lines: [*lines, b"x", b"y"],
    "empty lines between": lambda lines: [*lines[:2], b"", *lines[2:]],
}


@pytest.mark.parametrize("how", TAMPERED)
def test_what_was_done_by_hand_is_found_and_stays_found(five: Settings, how: str) -> None:
    lines = five.trail.read_bytes().splitlines()
    five.trail.write_bytes(b"".join(line + b"\n" for line in TAMPERED[how](lines)))
    assert trail.check(five).damage
    journal.record(five, "went on")
    assert trail.check(five).damage, "writing on has hidden it"


def test_a_chained_line_that_we_did_not_write_is_found(five: Settings) -> None:
    lines = five.trail.read_bytes().splitlines()
    forged = json.loads(lines[-1]) | {"number": 6, "before": trail.hash_of(lines[-1])}
    five.trail.write_bytes(five.trail.read_bytes() + json.dumps(forged).encode() + b"\n")
    assert trail.check(five).damage == ["what stands behind line 5 was not written by this installation"]
    assert not trail.is_ours(five, forged)


def test_every_flipped_byte_is_found(five: Settings) -> None:
    whole = five.trail.read_bytes()
    for position in range(len(whole)):
        flipped = bytearray(whole)
        flipped[position] ^= 1
        five.trail.write_bytes(flipped)
        assert trail.check(five).damage, position


def test_a_head_that_is_edited_gone_or_of_an_earlier_day_is_found(five: Settings) -> None:
    head = five.trail_head.read_bytes()
    journal.record(five, "tried")
    journal.record(five, "tried")
    five.trail_head.write_bytes(head)
    assert "not written by this installation" in trail.check(five).damage[0]
    five.trail_head.write_bytes(head.replace(b'"number": 5', b'"number": 7'))
    assert "its seal does not hold" in trail.check(five).damage[0]
    with pytest.raises(Damaged, match="its seal does not hold"):
        journal.record(five, "tried")
    five.trail_head.unlink()
    assert "is missing" in trail.check(five).damage[0]
    with pytest.raises(Damaged, match="hims audit renew"):
        journal.record(five, "tried")


def test_damage_that_somebody_answers_for_stays_as_a_note(five: Settings) -> None:
    with pytest.raises(HimsError, match="is whole"):
        journal.renew(five, "for no reason")
    lines = five.trail.read_bytes().splitlines()
    five.trail.write_bytes(b"\n".join([*lines[:2], *lines[3:4]]))
    five.trail_head.unlink()
    assert journal.renew(five, "the disk lost them") == 5
    journal.record(five, "went on")
    found = trail.check(five)
    assert found.damage == []
    assert "lines 3 to 3 are missing before line 3" in "".join(found.notes)
    whole = five.trail.read_bytes()
    five.trail.write_bytes(whole.replace(b'"turn": 0', b'"turn": 7'))  # behind what was answered for
    assert trail.check(five).damage == ["line 1 was changed after it was written"]
    five.trail.write_bytes(whole.replace(b'"turn": 3', b'"turn": 7'))  # the line that the renewal is chained to
    assert trail.check(five).damage == ["line 3 was changed after it was written"]
    five.trail.write_bytes(whole)
    five.trail.write_bytes(five.trail.read_bytes().replace(b"lost them", b"lost it.."))
    assert trail.check(five).damage


def test_a_torn_line_is_replaced_and_told(settings: Settings, tmp_path: Path) -> None:
    journal.record(settings, "tried")
    before = settings.trail.read_bytes(), settings.trail_head.read_bytes()
    journal.record(settings, "tried", word="né")
    after = settings.trail.read_bytes()
    whole = len(after)
    for end in (*range(len(before[0]), whole, 9), whole - 2, whole - 1):
        for rest in (b"", b"\0" * (len(after) - end)):  # what a file system leaves: cut short, or filled with zeros
            settings.trail.write_bytes(after[:end] + rest)
            settings.trail_head.write_bytes(before[1])
            assert trail.check(settings).damage == []
            torn = len(rest) + end - len(before[0])
            assert bool(trail.mend(settings)) == (torn > 0 and (rest != b"" or end < len(after) - 1))
            journal.record(settings, "went on")
            assert trail.check(settings).damage == []
            assert journal.entries(settings)[0]["event"] == "tried"


def test_killed_at_any_step_the_trail_is_whole_and_writes_on(settings: Settings) -> None:
    steps = 0
    journal.record(settings, "tried")
    for steps in homes_after_each_kill(settings.home, lambda: journal.record(settings, "tried")):  # noqa: B007
        assert trail.check(settings).damage == []
        journal.record(settings, "went on")
        assert trail.check(settings).damage == []
    assert steps >= 3


def test_killed_at_its_very_first_line_a_trail_begins_all_the_same(settings: Settings) -> None:
    settings.home.mkdir()
    for _ in homes_after_each_kill(settings.home, lambda: journal.record(settings, "tried")):
        if settings.trail.exists() and settings.trail.stat().st_size and not settings.trail_head.exists():
            pytest.fail("a line without a head")
        journal.record(settings, "went on")
        assert trail.check(settings).damage == []


def _write_many(settings: Settings) -> None:
    for turn in range(20):
        journal.record(settings, "tried", turn=turn)


def test_processes_that_write_at_once_take_turns(settings: Settings) -> None:
    writers = [multiprocessing.get_context("fork").Process(target=_write_many, args=(settings,)) for _ in range(3)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    assert trail.check(settings) == trail.Checked(60)


def test_the_author_is_the_account_and_not_what_the_environment_says(settings: Settings, monkeypatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER", "SUDO_UID"):
        monkeypatch.setenv(name, "somebody_else")
    journal.record(settings, "tried")
    assert journal.entries(settings)[0]["by"] == pwd.getpwuid(os.getuid()).pw_name


def test_an_act_says_that_it_began_and_what_came_of_it(settings: Settings) -> None:
    with journal.act(settings, "tried", batch="a") as outcome:
        assert [state for _, state in journal.acts(settings)] == ["begun"]
        outcome["rows"] = 3
    with pytest.raises(ZeroDivisionError), journal.act(settings, "tried", batch="b"):
        raise ZeroDivisionError
    assert [(one["batch"], state) for one, state in journal.acts(settings)] == [("a", "done"), ("b", "failed")]
    assert journal.entries(settings)[1]["rows"] == 3
    with pytest.raises(ValueError, match="by itself"):
        journal.record(settings, "tried", by="me")


def test_the_head_may_lie_on_another_disk_which_must_be_there(settings: Settings, tmp_path: Path) -> None:
    apart = replace(settings, head_file=tmp_path / "disk" / "audit.head")
    with pytest.raises(HimsError, match="Mount its disk"):
        journal.record(apart, "tried")
    (tmp_path / "disk").mkdir()
    journal.record(apart, "tried")
    assert not (settings.identified / "audit.head").exists()
    shutil.rmtree(settings.home)  # trail and all that lies beside it: the head elsewhere still knows
    assert "lines 1 to 1 are missing at the end" in trail.check(apart).damage


def test_a_new_key_takes_the_trail_over(five: Settings, tmp_path: Path) -> None:
    create_key(tmp_path / "key")
    rotated = replace(five, key_file=tmp_path / "key")
    with pytest.raises(HimsError, match="rests on the demonstration key"):
        journal.record(rotated, "another key")
    with key_record.open_rotation(five):
        trail.reseal(rotated, former=five)
        journal.record(rotated, "went on")
        assert trail.check(rotated) == trail.Checked(6)


def test_without_the_key_the_chain_is_checked_and_the_rest_told(five: Settings) -> None:
    keyless = replace(five, env="prod")
    assert trail.check(keyless).notes == ["its end was not checked: no key here"]
    five.trail.write_bytes(five.trail.read_bytes().replace(b'"turn": 2', b'"turn": 7'))
    assert trail.check(keyless).damage == ["line 3 was changed after it was written"]


def test_people_read_prove_and_renew_the_trail(five: Settings, monkeypatch) -> None:
    monkeypatch.setenv("HIMS_HOME", str(five.home))
    monkeypatch.setenv("HIMS_ENV", "test")

    def hims(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["audit", *words])
        told = [line for line in done.output.splitlines(True) if not line.startswith(("closed ", "PUBLIC KEY"))]
        return done.exit_code, "".join(told)

    assert hims("verify") == (0, "5 lines: whole\n")
    code, shown = hims("show", "--last", "2")
    assert (code, len(shown.splitlines()), "turn=4" in shown, "turn=2" in shown) == (0, 2, True, False)
    five.trail.write_bytes(b"".join(five.trail.read_bytes().splitlines(keepends=True)[:4]))
    code, said = hims("verify")
    assert (code, "lines 5 to 5 are missing at the end" in said, "hims audit renew" in said) == (1, True, True)
    assert hims("renew", "--reason", "a disk was put back") == (
        0,
        "Line 6 answers for the damage; the trail goes on from there.\n",
    )
    code, said = hims("verify")
    assert (code, "answered for by" in said) == (0, True)
