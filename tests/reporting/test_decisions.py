"""What people may decide on a refused delivery: as far as its rules allow, with a name and a reason, undone at will."""

import errno
import shutil
import subprocess
import sys

import pytest

from hims_pipeline import intake
from hims_pipeline.errors import HimsError
from hims_pipeline.lake import batches, journal
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.reporting import page
from hims_pipeline.scrub import scrub_parts
from hims_pipeline.staging.inputs import input_rows
from tests.reporting.conftest import SPITE, csv, rows

HOLDING = "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.flock(f, 2); print('held', flush=True); input()"


def counted(settings) -> set[str]:
    return {row["batch_id"] for row in input_rows(settings)}


def judge_pending(settings) -> list[str]:
    with installation_lock(settings, "test"):
        found = intake.find_pending(settings)
        for one in found:
            intake.take_in(settings, one.delivery, lambda text: None)
    return [one.why for one in found]


def test_accepted_against_the_gate_and_rejected_again(settings, deliver) -> None:
    delivery, verdict = deliver(csv(rows(women=0.1)))
    assert (verdict.status, verdict.forbidding) == ("refused", ())
    assert counted(settings) == set()
    _, counts = intake.accept(settings, delivery.batch, "Amel B.", f"A camp of men\nopened {SPITE}")
    assert (counts, counted(settings)) == (True, {delivery.batch})
    assert intake.find_pending(settings) == []
    (state,) = intake.states(settings)
    assert state.state == "accepted"
    assert "against the gate by Amel B." in state.note
    (line,) = journal.done(settings, journal.ACCEPTED)
    assert (line["name"], line["rules"]) == ("Amel B.", ["ARRIVALS-001"])
    assert line["by"]
    assert "\n" not in line["reason"]
    page = (batches.folder_of(settings.validated, delivery) / "report.fr.html").read_text()
    assert "<script" not in page
    assert "contre le contrôle" in page
    assert "Amel B." in page

    intake.reject(settings, delivery.batch, "Amel B.", "It was a mistake")
    assert (counted(settings), intake.find_pending(settings)) == (set(), [])
    assert intake.states(settings)[0].state == "refused"


def test_judging_anew_keeps_what_was_decided_while_the_same_rules_refuse(settings, deliver) -> None:
    delivery, _ = deliver(csv(rows(women=0.1)))
    intake.accept(settings, delivery.batch, "Amel B.", "A camp of men")
    suite = settings.expectations / "arrivals__people.json"
    suite.write_text(suite.read_text().replace("0.3 and 0.7", "0.4 and 0.7"))
    assert judge_pending(settings) == ["changed since the last verdict: gate:suites"]
    assert counted(settings) == {delivery.batch}
    suite.write_text(suite.read_text().replace("ARRIVALS-001", "ARRIVALS-003"))
    judge_pending(settings)
    assert counted(settings) == set(), "the word was given for another rule"
    suite.write_text(
        suite.read_text()
        .replace("ARRIVALS-003", "ARRIVALS-001")
        .replace('"may_be_accepted": true', '"may_be_accepted": false')
    )
    judge_pending(settings)
    assert counted(settings) == set(), "the rule allows it no longer"


def test_what_cannot_be_accepted(settings, deliver) -> None:
    refused, _ = deliver(csv(rows(women=0.1)))
    keyed, verdict = deliver(csv([*rows(women=0.1), *rows(3)]), "2022")
    unread, _ = deliver(b"\x00\x01nothing", "2021")
    good, _ = deliver(csv(rows()), "2020")
    assert verdict.forbidding == ("ARRIVALS-PEOPLE-KEY",)
    for batch, name, reason, why in (
        ("arrivals/1999/0123", "A", "why", "0 batches are called"),
        (keyed.batch, "A", "why", "ARRIVALS-PEOPLE-KEY"),
        (unread.batch, "A", "why", "cannot be accepted against ENVELOPE"),
        (good.batch, "A", "why", "is accepted already"),
        (refused.batch, " \n", "why", "--name"),
        (refused.batch, "A", "\t\n ", "--reason"),
    ):
        with pytest.raises(HimsError, match=why):
            intake.accept(settings, batch, name, reason)
    with pytest.raises(HimsError, match="accepted by the gate"):
        intake.reject(settings, good.batch, "A", "why")
    intake.withdraw(settings, refused.batch, "wrong file")
    with pytest.raises(HimsError, match="is withdrawn"):
        intake.accept(settings, refused.batch, "A", "why")
    assert journal.done(settings, journal.ACCEPTED) == []
    assert counted(settings) == {good.batch}


def test_accepting_what_was_superseded_meanwhile_changes_nothing(settings, deliver) -> None:
    former, _ = deliver(csv(rows(women=0.1)))
    later, _ = deliver(csv(rows()))
    with pytest.raises(HimsError, match=f"superseded by {later.batch}"):
        intake.accept(settings, former.batch, "A", "why")
    assert counted(settings) == {later.batch}


def test_accepting_while_a_night_runs_waits_for_the_next(settings, deliver) -> None:
    delivery, _ = deliver(csv(rows(women=0.1)))
    lock = settings.lock_file
    with subprocess.Popen([sys.executable, "-c", HOLDING, str(lock)], stdin=-1, stdout=-1, text=True) as night:
        assert night.stdout.readline() == "held\n"
        _, counts = intake.accept(settings, delivery.batch, "A", "why")
        assert (counts, counted(settings)) == (False, set())
        night.communicate("go\n")
    assert intake.problems(settings) == [], "no fault of a night's"
    assert judge_pending(settings) == ["a person has decided on it since"]
    assert counted(settings) == {delivery.batch}


def test_a_decision_that_the_trail_does_not_tell_of_counts_for_nothing(settings, deliver, tmp_path) -> None:
    delivery, _ = deliver(csv(rows(women=0.1)))
    intake.accept(settings, delivery.batch, "A", "why")
    accepted = batches.folder_of(settings.validated, delivery)
    shutil.copytree(accepted, tmp_path / "kept")
    intake.reject(settings, delivery.batch, "A", "why")
    shutil.rmtree(batches.folder_of(settings.quarantine, delivery))
    shutil.copytree(tmp_path / "kept", accepted)
    assert counted(settings) == set(), "an accepting verdict that was put back"
    trail = settings.home / "audit.jsonl"
    forged = trail.read_text().replace("batch rejected", "batch accepted")
    trail.write_text(forged)
    assert counted(settings) == set(), "its line's seal does not hold"


def test_sending_again_corrected(settings, deliver, tmp_path) -> None:
    delivery, _ = deliver(csv(rows(women=0.1)))
    file = tmp_path / "corrected.csv"
    file.write_text(csv(rows(women=0.1)))
    with pytest.raises(HimsError, match="byte for byte"):
        intake.resubmit(settings, delivery.batch, [file], "")
    file.write_text(csv(rows()))
    former, taken = intake.resubmit(settings, delivery.batch, [file], "women were missing")
    assert (former, taken.delivery.period) == (delivery, delivery.period)
    assert judge_pending(settings) == ["new"]
    assert counted(settings) == {taken.delivery.batch}


@pytest.mark.parametrize("written", range(4))
def test_a_report_that_is_cut_short_by_the_disk_leaves_nothing_behind(settings, deliver, monkeypatch, written) -> None:
    """Of the three pages and their record so many are written; the verdict, and what people decide, stand."""
    count = 0

    def cut_short(write):
        def attempt(*given):
            nonlocal count
            if count == written:
                raise OSError(errno.EIO, "Input/output error")
            count += 1
            return write(*given)

        return attempt

    for name in ("write_text", "write_sealed"):
        monkeypatch.setattr(page, name, cut_short(getattr(page, name)))
    delivery, verdict = deliver(csv(rows(women=0.1)))
    assert verdict.status == "refused"
    assert (count, scrub_parts(settings).damage) == (written, ())
    count = 0
    intake.accept(settings, delivery.batch, "Amel B.", "A camp of men")
    assert counted(settings) == {delivery.batch}
    assert (count, scrub_parts(settings).damage) == (written, ())
    assert [path.name for path in batches.settled_folder(settings, delivery).glob("report*")] == []
