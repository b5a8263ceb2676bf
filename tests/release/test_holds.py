"""A held release: its page, the word that lets it out, and what that word is good for."""

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from hims_pipeline.cli import main
from hims_pipeline.commands import releases
from hims_pipeline.errors import Damaged, HimsError, ReleaseError
from hims_pipeline.lake import journal
from hims_pipeline.release import held_page, holds, movements, rules
from hims_pipeline.release.causes import BatchChange, Changes
from hims_pipeline.release.movements import Movement
from hims_pipeline.release.revision import Revision, revision_notes
from hims_pipeline.release.store import Release
from hims_pipeline.watch.look import _find_held
from tests.release.figures import CENSUS, scaled, write

CHANGES = Changes((BatchChange("corrected_delivery", "rgph", "2024", "rgph/2024/b", "rgph/2024/a"),))


def moved(after: float = 1_700.0, indicator: str = "A01") -> Movement:
    return Movement(
        "total", indicator, "rgph", "TUN", "", "2024", "_Z", 2_000.0, after, 15.0, 5.0, "corrected_delivery",
        ("rgph/2024/b",),
    )  # fmt: skip


@pytest.fixture
def hold(settings, tmp_path: Path):
    """Brings movements to the door; returns the words that they pass by."""
    settings.home.mkdir()
    previous = Release("r000001", tmp_path / "r000001")
    write(previous.public / "warehouse.duckdb", CENSUS)
    database = write(tmp_path / "new/warehouse.duckdb", scaled(CENSUS, 0.85, indicator="A01", year=2024))

    def bring(*found: Movement):
        return holds.require_explained(settings, Revision("r000001", CHANGES, found), previous, database, "inputs")

    return bring


def test_what_moved_too_far_is_held_until_exactly_that_is_accepted(settings, hold) -> None:
    assert hold() == []
    with pytest.raises(
        ReleaseError, match=r"(?s)^Held: more moved since r000001.*: 1\).*2,000 became 1,700.*release accept"
    ):
        hold(moved())
    with pytest.raises(HimsError, match="Say why"):
        holds.accept_held(settings, " ")
    holds.accept_held(settings, "the census office confirms it")
    (word,) = hold(moved())
    assert (word["uid"], word["reason"]) == (os.getuid(), "the census office confirms it")
    assert journal.entries(settings)[-1]["event"] == "movements accepted"
    with pytest.raises(ReleaseError):  # another value is another thing
        hold(moved(1_600.0))
    with pytest.raises(ReleaseError):  # and so is one movement more
        hold(moved(), moved(indicator="A02"))
    holds.let_go(settings)
    assert holds.read_hold(settings) is None
    with pytest.raises(ReleaseError):  # a word that was used is gone
        hold(moved())


def test_a_word_is_no_link_and_no_ruin(settings, hold, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError):
        hold(moved())
    elsewhere = tmp_path / "word.json"
    elsewhere.write_text(json.dumps({"movements": [moved().digest], "reason": "mine"}))
    (settings.approvals / "movements-a-0.json").symlink_to(elsewhere)
    (settings.approvals / "movements-b-0.json").write_text("{")
    (settings.approvals / "movements-c-0.json").write_text(json.dumps({"movements": [moved().digest], "reason": " "}))
    with pytest.raises(ReleaseError):
        hold(moved())


def test_the_page_says_what_moved_in_three_languages_and_needs_nothing_beside_itself(settings, hold) -> None:
    with pytest.raises(ReleaseError):
        hold(moved())
    page = (settings.approvals / holds.PAGE).read_text(encoding="utf-8")
    assert [*re.findall(r'<section id="(\w+)" lang="\w+" dir="(\w+)"', page)] == [
        ("fr", "ltr"),
        ("ar", "rtl"),
        ("en", "ltr"),
    ]
    assert not re.search(r'(src|href)="(?!#)', page)
    assert "<script" not in page
    for text in ("2,000", "1,700", "-15.0", "rgph/2024/b &lt;- rgph/2024/a"):
        assert page.count(text) >= 3, text
    assert page.count("<svg") == 3
    assert "Étrangers résidents" in page
    assert "une livraison corrigée: <bdi>rgph" in page
    assert "الأجانب المقيمون" in page
    assert oct((settings.approvals / holds.PAGE).stat().st_mode & 0o777) == "0o640"


def test_what_people_typed_does_nothing_on_the_page(settings, hold) -> None:
    strange = Movement(
        "missing", "A01", "rgph", "", 'citizenship=<img src="x">', "2024", "_Z", 9.0, 0.0, 100, 0, "nothing", ("<b>",)
    )
    page = held_page.page(
        settings, {"since": "r1", "held_at": "now", "changed": [["new_rules", "<script>"]]}, [strange], {}
    )
    assert "<img" not in page
    assert "<script" not in page
    assert "<b>&lt;" not in page


def test_status_show_and_alert_tell_it_and_its_page(settings, hold, monkeypatch) -> None:
    with pytest.raises(ReleaseError):
        hold(moved())
    monkeypatch.setenv("HIMS_HOME", str(settings.home))
    monkeypatch.setenv("HIMS_ENV", "test")
    said = CliRunner().invoke(main, ["release", "show", "--held", "--language", "fr"])
    assert said.exit_code == 0, said.output
    assert "Étrangers résidents, rgph, 2024, TUN: 2,000 est devenu 1,700 (-15.0 %, limite 5 %)" in said.output
    from datetime import UTC, datetime

    (condition,) = _find_held(settings, datetime.now(UTC))
    assert condition.kind == "release-held"
    assert holds.PAGE in condition.what
    assert "2,000 became 1,700" in condition.what


@pytest.mark.parametrize("content", ["null", "[]", "{", '{"since": "r000001"}', None], ids=str)
@pytest.mark.parametrize(("name", "read"), [(holds.RECORD, holds.read_hold), (rules.HELD, rules.read_rules_hold)])
def test_what_lies_in_the_place_of_its_record_is_told_and_goes(settings, name: str, read, content: str | None) -> None:
    path = settings.approvals / name
    path.parent.mkdir(parents=True)
    path.mkdir() if content is None else path.write_text(content, encoding="utf-8")
    with pytest.raises(Damaged, match=f"{name} is no record of a held release: remove it"):
        read(settings)
    (told,) = _find_held(settings, datetime.now(UTC))
    assert (told.kind, told.subject) == ("record-damaged", name)
    holds.let_go(settings)
    rules.clear_hold(settings)
    assert not path.exists()
    assert list(_find_held(settings, datetime.now(UTC))) == []


def test_a_movement_without_a_value_before_is_told(settings) -> None:
    one = Movement("total", "A01", "s", "", "", "2024", "_Z", 0, 5, 1e6, 5, "nothing")
    assert "0 became 5" in held_page.page_line(settings, one)
    assert movements.movement_evidence([moved()])[0].value == 15.0


def test_the_notes_say_what_changed_and_who_accepted_what() -> None:
    word = {"account": "amina", "uid": 1000, "reason": "confirmed by *them*"}
    text = revision_notes(Revision("r000001", CHANGES, (moved(),)), [word])
    assert "- a corrected delivery: rgph/2024/b &lt;- rgph/2024/a" in text
    assert "Accepted by amina: confirmed by \\*them\\*" in text
    assert "Movements beyond their limits: 1 (REVISION-TOTAL)" in text
    assert revision_notes(Revision("", Changes()), []) == ""


def test_who_runs_the_nights_publishes_by_accepting_and_another_account_waits(settings, hold, monkeypatch) -> None:
    with pytest.raises(ReleaseError):
        hold(moved())
    monkeypatch.setenv("HIMS_HOME", str(settings.home))
    monkeypatch.setenv("HIMS_ENV", "test")
    built: list[dict] = []
    monkeypatch.setattr(releases, "_build", lambda _, **options: built.append(options))
    monkeypatch.setattr(releases, "open_installation", lambda: settings)
    assert CliRunner().invoke(main, ["release", "accept"]).exit_code != 0  # a reason is asked for
    said = CliRunner().invoke(main, ["release", "accept", "--reason", "confirmed"])
    assert "Accepted: what moved since r000001 (movements: 1)" in said.output
    assert built == [{"draft": False, "full": False}]
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    said = CliRunner().invoke(main, ["release", "accept", "--reason", "I agree"])
    assert "The next night publishes" in said.output
    assert len(built) == 1
