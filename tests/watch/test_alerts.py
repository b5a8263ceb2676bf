"""What is found and told: each thing once, with what people need, and nothing that was sent by others."""

import json
import multiprocessing
import os
import re
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hims_pipeline import intake
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.errors import ContractError, HimsError
from hims_pipeline.lake import landing
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.scrub import scrub_parts
from hims_pipeline.settings import REPOSITORY
from hims_pipeline.watch import alert_book, channels, letters, nights
from hims_pipeline.watch.alert_kinds import KINDS
from hims_pipeline.watch.look import beat, look_for_trouble
from hims_pipeline.watch.tell import tell
from tests.lake.test_tampering import refuse
from tests.linkage.conftest import send
from tests.release.conftest import make
from tests.watch.conftest import LOG, NOW, alerts, kinds_told, night, told

DAY = timedelta(days=1)


def kinds(settings, now=NOW) -> list[str]:
    return sorted(one.kind for one in look_for_trouble(settings, now) if not one.over)


def test_each_kind_has_its_page_and_each_page_its_kind() -> None:
    pages = {path.stem for path in (REPOSITORY / "docs/runbooks").glob("*.md")}
    assert pages == set(KINDS)
    listed = (REPOSITORY / "docs/alerts.md").read_text(encoding="utf-8")
    for kind in KINDS:
        page = (REPOSITORY / f"docs/runbooks/{kind}.md").read_text(encoding="utf-8")
        assert f"[{kind}](runbooks/{kind}.md)" in listed
        assert {"**You see**", "**Do**"} <= set(re.findall(r"\*\*\w+(?: \w+)?\*\*", page)), kind
        assert len(page.splitlines()) < 45, f"{kind}: one page"


def test_all_is_well(watched) -> None:
    assert kinds(watched) == []
    assert tell(watched, now=NOW) == 0
    assert told(watched) == []


def test_a_failed_night_is_told_once_while_its_reasons_are_the_same(watched) -> None:
    night(watched, NOW, ("border_crossings: The disk has 12 MB left; process 4711 ended",))
    tell(watched, now=NOW + timedelta(hours=1))
    night(watched, NOW + DAY, ("border_crossings: The disk has 9 MB left; process 17 ended",))
    for hours in (25, 26):
        tell(watched, now=NOW + timedelta(hours=hours))
    assert kinds_told(watched) == ["night-failed"]
    night(watched, NOW + 2 * DAY, ("another reason",))
    tell(watched, now=NOW + timedelta(hours=49))
    assert kinds_told(watched) == ["night-failed", "night-failed"]
    night(watched, NOW + 3 * DAY)
    tell(watched, now=NOW + timedelta(hours=73))
    assert [one["kind"] for one in told(watched)[-1]["over"]] == ["night-failed"]
    assert alert_book.read(watched).outbox == []


def test_an_alert_says_what_people_need(watched) -> None:
    night(watched, NOW, ("The release's suite refuses this candidate",))
    tell(watched, now=NOW + timedelta(hours=1))
    (message,) = told(watched)
    (alert,) = message["alerts"]
    assert alert["what"] == "The release's suite refuses this candidate"
    assert datetime.fromisoformat(alert["since"]) == NOW + timedelta(minutes=5)
    assert all(alert[part] for part in ("blocks", "do", "id"))
    assert alert["page"] == "docs/runbooks/night-failed.md"
    assert message["subject"].startswith("[HIMS test] URGENT: A night failed")
    for part in ("What:", "Since:", "Blocks:", "Do:", "Page:", "== Code"):
        assert part in message["text"]


def _begin_and_die(settings) -> None:
    nights.begin(settings, "0badcafe-run", NOW)
    os._exit(9)


def test_a_night_that_was_killed_is_told_and_one_that_just_ended_is_not(watched) -> None:
    child = multiprocessing.get_context("fork").Process(target=_begin_and_die, args=(watched,))
    child.start()
    child.join()
    assert kinds(watched, NOW + timedelta(minutes=5)) == []
    (found,) = look_for_trouble(watched, NOW + timedelta(minutes=11))
    assert (found.kind, "process is gone" in found.what) == ("night-failed", True)
    assert nights.last_due(watched, NOW).hour == 2


def test_each_missed_night_is_told_once_also_when_it_was_made_up_for(watched) -> None:
    alerts(watched, channels=[LOG], disk_free_percent=0, schedule_on_in=["test"])
    for day in range(1, 31):  # at 02:30 in Tunis; days 7, 8 and 20 have no night, on day 8 nobody looks
        at = datetime(2026, 3, 9, 1, 31, tzinfo=UTC) + day * DAY
        if day not in (7, 8, 20):
            night(watched, at)
        if day != 8:
            tell(watched, now=at + timedelta(hours=3))
            tell(watched, now=at + timedelta(hours=4))
    found = [one for message in told(watched) for one in message["alerts"]]
    missed = [one["since"][:10] for one in found if one["kind"] == "night-missed"]
    assert missed == ["2026-03-16", "2026-03-17", "2026-03-29"]
    assert {one["kind"] for one in found} == {"night-missed"}
    assert not [one for one in alert_book.read(watched).alerts if one.is_open]


def test_a_refusal_carries_its_letter_and_not_a_word_of_the_sender(watched) -> None:
    path = watched.expectations / "census__people.json"
    suite = json.loads(path.read_text(encoding="utf-8"))
    suite["expectations"][0]["meta"]["message"]["fr"] = "Trop de lignes."
    path.write_text(json.dumps(suite), encoding="utf-8")
    send(watched, "census", ["90000001"], period="2024")
    refused = refuse(watched, "census", "2025")
    tell(watched, now=NOW)
    tell(watched, now=NOW + DAY)
    (message,) = told(watched)
    (alert,) = message["alerts"]
    assert (alert["kind"], alert["class"]) == ("delivery-refused", "data")
    assert refused.batch in alert["what"]
    (letter,) = message["letters"]
    assert letter["name"].endswith(".fr.html")
    for said in ("Refusé", "CENSUS-001", "Trop de lignes.", "renvoyer l&#39;envoi entier."):
        assert said in letter["text"]
    written = (watched.alerts / "told.jsonl").read_text() + (watched.alerts / alert_book.BOOK).read_text()
    assert not re.search(r"refused\.csv|9000000\d", written)


@pytest.mark.parametrize(("country", "language"), [("", "fr"), ("TUN", "fr"), ("FRA", "en")])
def test_a_sender_is_written_to_in_its_language(watched, country: str, language: str) -> None:
    contract = load_contracts(watched.data)["census"]
    owner = contract.owner.model_copy(update={"country": country})
    assert letters.language_of(watched, contract.model_copy(update={"owner": owner})) == language


def test_a_refusal_is_over_when_its_period_is_mended_or_withdrawn(watched) -> None:
    refuse(watched, "census", "2025")
    refuse(watched, "census", "2024")
    assert kinds(watched) == ["delivery-refused"] * 2
    send(watched, "census", ["90000001"], period="2025")
    assert kinds(watched) == ["delivery-refused"]
    batch = next(one.batch for one in landing.deliveries(watched, "census") if one.period == "2024")
    intake.withdraw(watched, batch, "the file of another country")
    assert kinds(watched) == []


@pytest.mark.parametrize(("day", "late"), [("2026-12-30", False), ("2027-01-01", True)])
def test_a_source_is_overdue_by_its_cadence(watched, day: str, late: bool) -> None:
    send(watched, "census", ["90000001"], period="2024")
    now = datetime.fromisoformat(f"{day}T12:00:00+00:00")
    assert ("source-overdue" in [one.kind for one in look_for_trouble(watched, now)]) is late
    send(watched, "census", ["90000001"], period="2025")
    assert "source-overdue" not in [one.kind for one in look_for_trouble(watched, now)]


def test_a_damaged_release_is_told_until_a_whole_scrub_finds_nothing(watched) -> None:
    file = make(watched, "r000002").public / "warehouse.duckdb"
    before = file.read_bytes()
    put(file, before[:-1] + bytes([before[-1] ^ 1]))
    scrub_parts(watched)
    (found,) = look_for_trouble(watched, NOW)
    assert found.kind == "release-damaged"
    assert "releases/r000002" in found.what
    put(file, before)
    scrub_parts(watched, budget=1)
    assert kinds(watched) == ["release-damaged"]
    scrub_parts(watched)
    assert kinds(watched) == []


def put(file: Path, content: bytes) -> None:
    """Change a file that is read-only."""
    mode = file.stat().st_mode
    file.chmod(0o600)
    file.write_bytes(content)
    file.chmod(mode)


def test_a_current_release_that_is_gone_is_told(watched) -> None:
    shutil.rmtree(watched.releases / "r000001")
    assert kinds(watched) == ["release-damaged"]


def test_no_release(watched) -> None:
    (watched.releases / "CURRENT").unlink()
    assert kinds(watched) == ["no-release"]


def test_a_held_release_is_told_with_its_rules(watched) -> None:
    folder = watched.home / "approvals"
    folder.mkdir()
    waiting = {"difference": "a" * 64, "since": "2026-03-09", "rules": ["CENSUS-001 (census): gone"], "not_by": []}
    (folder / "held.json").write_text(json.dumps(waiting), encoding="utf-8")
    (found,) = look_for_trouble(watched, NOW)
    assert (found.kind, "CENSUS-001" in found.what) == ("release-held", True)


def test_a_disk_that_fills_up_is_told_and_over_only_after_an_hour(watched, monkeypatch) -> None:
    free = [10**8]
    monkeypatch.setattr(shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(10**11, 10**11, free[0]))
    tell(watched, now=NOW)
    free[0] = 10**10
    tell(watched, now=NOW + timedelta(minutes=10))
    free[0] = 10**8
    tell(watched, now=NOW + timedelta(minutes=20))
    assert kinds_told(watched) == ["disk-filling"]
    free[0] = 10**10
    for minutes in (30, 95):
        tell(watched, now=NOW + timedelta(minutes=minutes))
    assert len(told(watched)[-1]["over"]) == 1


def test_a_source_that_does_not_hold_is_told(watched) -> None:
    path = watched.data / "contracts/payroll.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("annual", "yearly"), encoding="utf-8")
    (found,) = look_for_trouble(watched, NOW)
    assert found.kind == "source-broken"
    assert found.what.startswith("payroll: ")


def test_who_holds_the_installation_too_long_is_told(watched) -> None:
    with installation_lock(watched, "testing"):
        assert kinds(watched) == []
        os.utime(watched.lock_file, (NOW.timestamp(), NOW.timestamp()))
        (found,) = look_for_trouble(watched, NOW + timedelta(hours=7))
        assert (found.kind, "testing" in found.what) == ("lock-held", True)
    assert kinds(watched, NOW + timedelta(hours=7)) == []


def test_a_daemon_that_was_there_and_is_silent_is_told_where_nights_are_due(watched) -> None:
    watched.dagster_home.mkdir()
    beat(watched)
    later = datetime.fromtimestamp(time.time(), NOW.tzinfo) + timedelta(minutes=20)
    assert "daemon-silent" not in [one.kind for one in look_for_trouble(watched, later)]
    alerts(watched, channels=[LOG], disk_free_percent=0, schedule_on_in=["test"])
    assert "daemon-silent" in [one.kind for one in look_for_trouble(watched, later)]


def test_what_cannot_be_looked_at_is_told(watched, monkeypatch) -> None:
    monkeypatch.setattr(landing, "deliveries", lambda *_: (_ for _ in ()).throw(HimsError("the key is gone")))
    assert set(kinds(watched)) == {"installation-unusable"}


def test_an_alert_is_taken_note_of(watched) -> None:
    night(watched, NOW, ("a reason",))
    tell(watched, now=NOW)
    (one,) = alert_book.read(watched).alerts
    alert_book.acknowledge_alert(watched, one.id, "calling the data centre", NOW)
    tell(watched, now=NOW + DAY)
    assert alert_book.read(watched).alerts[0].acknowledged["note"] == "calling the data centre"
    assert len(told(watched)) == 1
    with pytest.raises(HimsError, match="no open alert a9999"):
        alert_book.acknowledge_alert(watched, "a9999", "", NOW)


def test_an_alerter_that_dies_loses_nothing_and_tells_nothing_twice(watched, monkeypatch) -> None:
    night(watched, NOW, ("a reason",))
    sent = channels._append

    def die_behind_sending(*args: object) -> None:
        sent(*args)
        raise KeyboardInterrupt  # killed: what was sent is not written down

    monkeypatch.setattr(channels, "_append", die_behind_sending)
    with pytest.raises(KeyboardInterrupt):
        tell(watched, now=NOW)
    assert len(alert_book.read(watched).outbox) == 1
    monkeypatch.setattr(channels, "_append", sent)
    tell(watched, now=NOW + timedelta(minutes=1))
    assert kinds_told(watched) == ["night-failed"]
    assert alert_book.read(watched).outbox == []


def test_a_book_that_cannot_be_read_says_so(watched) -> None:
    watched.alerts.mkdir()
    (watched.alerts / alert_book.BOOK).write_text("{", encoding="utf-8")
    with pytest.raises(HimsError, match="Move it away"):
        tell(watched, now=NOW)


@pytest.mark.parametrize(
    "channel",
    [
        {"kind": "email", "host": "mail.example", "security": "none", "sender": "a@b.c", "to": ["d@e.f"]},
        {"kind": "email", "host": "mail.example", "sender": "a@b.c", "to": ["d@e.f"], "user": "x"},
        {"kind": "email", "host": "mail.example", "sender": "a@b.c\nBcc: x@y.z", "to": ["d@e.f"]},
        {"kind": "email", "host": "m", "sender": "a@b.c", "to": ["d@e.f"], "user": "x", "password_env": "hunter2"},
        {"kind": "webhook", "url": "http://chat.example/hook"},
        {"kind": "webhook", "url": "https://chat.example/hook?token=1"},
        {"kind": "webhook"},
        {"kind": "webhook", "url": "https://chat.example/h", "password": "hunter2"},
    ],
)
def test_a_channel_in_the_open_or_with_a_secret_in_it_does_not_load(watched, channel) -> None:
    alerts(watched, channels=[{"name": "here", **channel}])
    with pytest.raises(ContractError):
        tell(watched, now=NOW)
