"""An installation looked over: each fault is named with what to do."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hims_pipeline import doctor
from hims_pipeline.commands.runs import prepare_instance
from hims_pipeline.errors import HimsError
from hims_pipeline.privacy.keys import create_key
from hims_pipeline.scrub import scrub_parts
from hims_pipeline.watch.look import beat
from tests.watch.conftest import LOG, NOW, alerts, night


def wrong(settings, now=None) -> dict[str, str]:
    return {
        one.name: f"{one.text} {one.todo}" for one in doctor.examine_installation(settings, now) if one.state == "wrong"
    }


@pytest.fixture
def whole(watched, tmp_path):
    """An installation at which nothing is to be mended."""
    prepare_instance(watched)
    (watched.home / "sent").rmdir()
    watched.build.chmod(0o700)
    watched.home.chmod(0o711)
    create_key(tmp_path / "key")
    return watched


def test_nothing_is_to_be_mended(whole) -> None:
    assert wrong(whole) == {}
    doctor.require_well(doctor.examine_installation(whole))
    kept = [one.text for one in doctor.examine_installation(whole) if one.name == "kept"]
    assert any("180 days (`policies.keep_runs_days`)" in text for text in kept)
    assert any(text.startswith("releases: ") for text in kept)


def test_what_is_open_to_others(whole) -> None:
    whole.identified.chmod(0o755)
    assert "chmod" in wrong(whole)["modes"] or "mode" in wrong(whole)["modes"]
    assert "staff-nobody" in wrong(replace(whole, staff_group="staff-nobody"))["modes"]


def test_a_key_that_is_not_there_or_another_one(whole, tmp_path) -> None:
    assert "key" in wrong(replace(whole, key_file=tmp_path / "gone"))
    assert "key" in wrong(replace(whole, key_file=tmp_path / "key"))


def test_packages_that_are_not_the_locked_ones(whole, monkeypatch) -> None:
    monkeypatch.setattr(doctor, "_version_of", lambda name: None if name == "duckdb" else "0.1")
    assert (
        "duckdb missing instead of"
        in " ".join(one.text for one in doctor.examine_installation(replace(whole)) if one.name == "versions")
        or "packages are not the locked ones" in wrong(whole)["versions"]
    )


def test_a_clock_that_went_back(whole) -> None:
    assert "Set the clock right" in wrong(whole, NOW - timedelta(days=400))["clock"]


def test_compute_logs_that_are_kept_and_monitoring_that_is_off(whole) -> None:
    path = whole.dagster_home / "dagster.yaml"
    path.write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    assert {"compute logs", "dagster"} <= wrong(whole).keys()


def test_a_silent_daemon_and_a_failed_night(whole) -> None:
    alerts(whole, channels=[LOG], schedule_on_in=["test"])
    beat(whole)
    night(whole, NOW, ("a reason",))
    found = wrong(whole, NOW + timedelta(days=400))
    assert "daemon-silent.md" in found["daemon"]
    assert "hims alert list" in found["nights"]


def test_damage_and_old_backups(whole) -> None:
    alerts(whole, channels=[LOG], backup_within_days=2)
    assert "hims backup make" in wrong(whole)["backup"]
    (whole.releases / "r000001/public/RELEASE_NOTES.md").unlink(missing_ok=True)
    file = whole.releases / "r000001/public/warehouse.duckdb"
    file.chmod(0o600)
    file.write_bytes(b"other")
    scrub_parts(whole)
    assert "hims scrub" in wrong(whole)["scrub"]


def test_alerts_whose_secret_is_not_there(whole, monkeypatch) -> None:
    monkeypatch.delenv("HIMS_ALERT_URL", raising=False)
    alerts(whole, channels=[{"name": "chat", "kind": "webhook", "url_env": "HIMS_ALERT_URL"}])
    assert "HIMS_ALERT_URL is not set" in wrong(whole)["alerts"]


def test_a_check_that_cannot_be_made_is_wrong(whole, monkeypatch) -> None:
    monkeypatch.setattr(doctor, "load_key", lambda settings: (_ for _ in ()).throw(HimsError("the key is gone")))
    assert wrong(whole)["key"].startswith("the key is gone")
