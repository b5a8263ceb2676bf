"""A night on the synthetic sample: what a person meets on the command line, and what stays where it belongs."""

import csv
import io
import json
import subprocess

import dagster as dg

from hims_pipeline.docs.dictionary import columns_built, read_tables
from hims_pipeline.settings import REPOSITORY
from hims_synthetic import make_broken
from tests.installation import Installation

EVALUATED = dg.DagsterEventType.ASSET_CHECK_EVALUATION


def test_summary_tells_what_arrived_and_what_was_refused(small_night) -> None:
    _, printed = small_night
    assert "12  (10 accepted, 2 refused)" in printed
    assert "border_crossings_2024-05_SYNTHETIC.csv" not in printed
    assert "HTML page" in printed
    assert "holds 0 rows" in printed
    assert "SYNTHETIC data" in printed
    assert len([line for line in printed.splitlines() if line.startswith("  ") and "SYNTHETIC)" in line]) == 5


def test_query_in_three_formats(small_night) -> None:
    here, _ = small_night
    sql = """select time_period, obs_value from indicator_value
             where indicator = 'P01' and ref_area = 'TUN' and cell = '' order by 1"""
    run = subprocess.run(
        here.command("query", sql, "--format", "json"), env=here.environment, capture_output=True, text=True, check=True
    )
    assert [row["obs_value"] for row in json.loads(run.stdout)] == [17571.0, 19822.0, 21966.0, 23944.0]
    run = subprocess.run(
        here.command("query", sql, "--format", "csv"), env=here.environment, capture_output=True, text=True, check=True
    )
    assert list(csv.reader(io.StringIO(run.stdout)))[3] == ["2014", "21966.0"]
    assert "r000001" in run.stderr
    assert "SYNTHETIC" in run.stderr
    assert "21966.0" in here.hims("query", sql)


def test_the_dictionary_lists_what_is_built(small_night) -> None:
    here, _ = small_night
    built = columns_built(here.settings, here.home / "releases/r000001/staff/warehouse.duckdb")
    assert read_tables(REPOSITORY / "docs/dictionary/tables.csv") == built, "make run, then hims docs --counted"


def test_the_public_file_holds_no_person(small_night) -> None:
    here, _ = small_night
    schemas = here.hims(
        "query", "select distinct table_schema s from information_schema.tables order by 1", "--format", "csv"
    )
    assert [line for line in schemas.splitlines() if line in ("conformed", "indicators", "staging")] == []
    assert "fct_persons" in here.hims(
        "query", "select table_name from information_schema.tables", "--staff", "--format", "csv"
    )


def test_small_counts_are_withheld_with_their_flags(small_night) -> None:
    here, _ = small_night
    sql = """select count(*) filter (obs_value is not null or obs_status != 'Q') wrong, count(*) withheld
             from indicator_value where conf_status = 'C'"""
    rows = here.hims("query", sql, "--format", "json")
    found = json.loads(next(line for line in rows.splitlines() if line.startswith("[")))[0]
    assert found["wrong"] == 0
    assert found["withheld"] > 0


def test_identified_zone_is_closed(small_night) -> None:
    here, _ = small_night
    for name in ("identified", "identified/landing", "identified/quarantine"):
        assert (here.home / name).stat().st_mode & 0o077 == 0


def test_no_identifier_leaves_the_identified_zone(small_night) -> None:
    """Every national number of the sample, looked for in every byte outside the zone, also as an unkeyed hash."""
    import hashlib

    here, _ = small_night
    sent = next((here.home / "identified/landing/rgph/2024").glob("*/*.csv")).read_text(encoding="utf-8")
    numbers = [row["national_id"] for row in csv.DictReader(io.StringIO(sent)) if row.get("national_id")][:50]
    assert len(numbers) == 50
    wanted = [n.encode() for n in numbers] + [hashlib.sha256(n.encode()).hexdigest().encode() for n in numbers]
    leaks = []
    for path in here.home.rglob("*"):
        if path.is_file() and "identified" not in path.relative_to(here.home).parts:
            content = path.read_bytes()
            leaks += [str(path.relative_to(here.home)) for needle in wanted if needle in content]
    assert leaks == []


def unanswered_checks(here: Installation) -> set[str]:
    """Checks that the last run was to make, and of which it told nothing."""
    with dg.DagsterInstance.from_config(str(here.settings.dagster_home)) as instance:
        run = instance.get_runs(limit=1)[0].run_id
        events = [one.dagster_event for one in instance.all_logs(run) if one.dagster_event]
    planned = {
        f"{event.event_specific_data.asset_key.to_user_string()} {event.event_specific_data.check_name}"
        for event in events
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
    }
    told = [event.asset_check_evaluation_data for event in events if event.event_type is EVALUATED]
    assert planned
    return planned - {f"{one.asset_key.to_user_string()} {one.check_name}" for one in told}


def test_broken_deliveries_are_refused_and_good_ones_still_go_out(small_night, tmp_path) -> None:
    here, _ = small_night
    chosen = {}
    for one in make_broken(here.settings, tmp_path):
        if one.refused and one.source == "border_crossings":
            chosen.setdefault(one.expected_rule.split("-")[0], one)
    for one in chosen.values():
        here.hims("deliver", *map(str, one.files), "--source", one.source, "--period", "2024-05")
    printed = here.hims("run")
    for one in chosen.values():
        assert one.expected_rule in printed, one.why
    states = json.loads(here.hims("status", "--format", "json"))
    assert states["current"] == "r000001"  # refused deliveries change no figure
    assert unanswered_checks(here) == set()  # and what was built of the same still holds, and is told
    withdrawn = next(one["batch"] for one in states["batches"] if one["batch"].startswith("border_crossings/2024-03"))
    here.hims("batch", "withdraw", withdrawn, "--reason", "the file of another month")
    assert "B14" in here.hims("build", "--draft")
    assert "Release r000002" in here.hims("run")
    page = (here.home / "releases/r000002/staff/data_docs/revision.html").read_text(encoding="utf-8")
    assert "REVISION-GONE" in page
    here.hims("release", "use", "r000001", "--reason", "trying the way back")
    printed = here.hims("run")
    assert "r000001 stands, since `hims release use` chose it: r000002" in printed
    assert "was withdrawn (trying the way back)" in printed
