"""What a watchdog, a collector of metrics and a reader of the digest get."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from hims_pipeline.cli import main
from hims_pipeline.errors import HimsError
from hims_pipeline.watch import alert_book, digest
from hims_pipeline.watch.health import measure_health
from hims_pipeline.watch.metrics import collect_metrics
from hims_pipeline.watch.tell import tell
from tests.lake.test_tampering import refuse
from tests.watch.conftest import LOG, NOW, alerts, night, told


@pytest.fixture
def hims(watched, monkeypatch):
    """`hims …` in this process, on the installation that is watched."""
    monkeypatch.setenv("HIMS_HOME", str(watched.home))
    monkeypatch.setenv("HIMS_DATA", str(watched.data))
    monkeypatch.setenv("HIMS_EXPECTATIONS", str(watched.expectations))
    monkeypatch.setenv("HIMS_ENV", "test")
    return lambda *words: CliRunner().invoke(main, words)


def test_exit_codes(watched, hims) -> None:
    assert hims("health").exit_code == 0
    refuse(watched, "census", "2025")
    done = hims("health")
    assert done.exit_code == 0  # the senders' matter, and shown
    assert "delivery-refused" in done.output
    night(watched, datetime.now(UTC) - timedelta(hours=1), ("a reason",))
    done = hims("health", "--json")
    assert done.exit_code == 2
    found = json.loads(done.output)
    assert (found["status"], found["release"], found["last_night"]["well"]) == ("CRITICAL", "r000001", False)
    assert hims("alert", "check").exit_code == 0
    alert = next(one for one in alert_book.read(watched).alerts if one.kind == "night-failed")
    assert hims("alert", "ack", alert.id, "--note", "on it").exit_code == 0
    assert hims("health").exit_code == 1
    assert "on it" in hims("alert", "list").output


def test_health_knows_when_there_is_nothing_and_writes_nothing(watched, hims, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HIMS_HOME", str(tmp_path / "none"))
    done = hims("health")
    assert (done.exit_code, "no-release" in done.output) == (2, True)
    assert not (tmp_path / "none").exists()
    monkeypatch.setenv("HIMS_ENV", "nowhere")
    assert hims("health").exit_code == 3


def test_health_answers_without_the_key(watched, hims, monkeypatch, tmp_path) -> None:
    refuse(watched, "census", "2025")
    monkeypatch.setenv("HIMS_KEY_FILE", str(tmp_path / "gone"))
    done = hims("health")
    assert (done.exit_code, "installation-unusable" in done.output) == (2, True)


def test_metrics_are_in_the_text_format_and_go_into_a_file(watched, hims, tmp_path) -> None:
    refuse(watched, "census", "2025")
    out = tmp_path / "hims.prom"
    assert hims("metrics", "--out", str(out)).exit_code == 0
    assert out.stat().st_mode & 0o777 == 0o644
    lines = [line for line in out.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    values = dict(line.rsplit(" ", 1) for line in lines)
    assert float(values["hims_night_well"]) == 1
    assert float(values['hims_deliveries{state="refused"}']) == 1
    assert float(values['hims_conditions{kind="delivery-refused",class="data"}']) == 1
    assert float(values['hims_release_published_timestamp_seconds{release="r000001"}']) > 0
    assert len(values) == len(lines)


def test_metrics_of_nothing(watched, tmp_path) -> None:
    from dataclasses import replace

    none = replace(watched, home=tmp_path / "none")
    assert "hims_health_code 2\n" in collect_metrics(none, measure_health(none))


def test_the_digest_comes_once_a_week(watched) -> None:
    alerts(watched, channels=[LOG], disk_free_percent=0, digest="monday")
    night(watched, datetime(2026, 3, 14, 1, 31, tzinfo=UTC), ("a reason",))
    for hours in range(0, 24 * 15, 12):  # from Sunday on
        tell(watched, now=datetime(2026, 3, 15, 8, tzinfo=UTC) + timedelta(hours=hours))
    weeks = [one for one in told(watched) if "The week of" in one["subject"]]
    assert [one["at"][:10] for one in weeks] == ["2026-03-16", "2026-03-23"]
    assert "1 well, 1 failed, 0 missed" in weeks[0]["text"]
    assert "A night failed, since 2026-03-14" in weeks[0]["text"]


def test_the_digest_can_be_read_at_any_time(watched, hims) -> None:
    assert "Nights:" in hims("alert", "digest").output
    assert digest.write_digest(watched, alert_book.Book(), NOW)[1].count("\n") > 5


def test_a_run_that_cannot_begin_is_a_failed_night_and_is_told(watched, hims, monkeypatch) -> None:
    def full(settings) -> None:
        raise HimsError("The disk is full.")

    monkeypatch.setattr("hims_pipeline.commands.runs.require_parts", full)
    done = hims("run")
    assert done.exit_code == 1
    assert done.output.splitlines()[-1] == "Error: The disk is full."
    assert [one["what"] for one in told(watched)[0]["alerts"] if one["kind"] == "night-failed"] == ["The disk is full."]
