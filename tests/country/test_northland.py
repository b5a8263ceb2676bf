"""A source added by YAML alone, in a country that no code knows, shows in all places that follow from contracts."""

import re
import shutil
from dataclasses import replace

import dagster as dg
import pytest

from hims_pipeline.authoring.figures import Figures, figures_of
from hims_pipeline.authoring.rehearsal import check_source
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.defs.assembly import build_definitions
from hims_pipeline.gates.judge import rules_of
from hims_pipeline.release import store
from hims_pipeline.release.reader import connect
from hims_pipeline.staging.render import ensure_rendered
from tests.northland import rows


def figures(here, indicator: str) -> dict[tuple[str, str], float]:
    con = connect(settings=here.settings)
    rows = con.execute(
        "select ref_area, sex, obs_value from indicator_value"
        " where indicator = ? and time_period = '2023' and cell in ('', 'sex')",
        [indicator],
    ).fetchall()
    con.close()
    return {(area, sex): value for area, sex, value in rows}


def test_a_dropped_file_ends_in_published_figures(northland_night) -> None:
    here, printed = northland_night
    assert "arrived: northland_survey/2023" in printed
    assert figures(here, "P01")["XNL", "_T"] == pytest.approx(80 * 10.25)
    assert figures(here, "A02")["XNL", "_T"] == pytest.approx(16 * 10.25)
    assert figures(here, "A17")["XNL-S", "_T"] == pytest.approx(20)
    assert figures(here, "A17")["XNL-S", "F"] is None  # would tell of the women of the other areas, who are too few
    assert figures(here, "A17")["XNL-N", "F"] is None  # two records, fewer than this observatory shows


def test_an_area_that_two_countries_claim_counts_once(northland_night) -> None:
    found = figures(northland_night[0], "P01")
    assert found["XNL-D", "_T"] == pytest.approx(10 * 10.25)  # as Northland counts it, not the 20 of Southland
    assert found["XNL", "_T"] == pytest.approx(sum(found[area, "_T"] for area in ("XNL-N", "XNL-S", "XNL-D")))
    assert found["XSL", "_T"] == found["XSL-H", "_T"] == 30
    assert len([area for area, sex in found if area == "XNL-D" and sex == "_T"]) == 1


def test_a_series_that_breaks_says_so_in_its_first_period_after(northland_night) -> None:
    con = connect(settings=northland_night[0].settings)
    found = con.execute(
        "select ref_area, time_period, obs_status, break_id from indicator_value"
        " where indicator = 'P01' and cell = '' and ref_area in ('XSL', 'XNL') order by all"
    ).fetchall()
    con.close()
    assert found == [("XNL", "2023", "A", None), ("XSL", "2022", "A", None), ("XSL", "2023", "B", "heath_drained")]


def test_a_known_error_is_mended_counted_and_told(northland_night) -> None:
    here, _ = northland_night
    con = connect(settings=here.settings, staff=True)
    done = con.execute(
        "select correction_id, period, rows_sent, rows_matched, rows_changed, measure_before, measure_after, reason_en"
        " from conformed.corrections_applied"
    ).fetchall()
    value = con.execute(
        "select obs_value from indicator_value"
        " where indicator = 'P01' and ref_area = 'XSL' and cell = '' and time_period = '2022'"
    ).fetchall()
    con.close()
    assert done == [("SOUTH-TWICE", "2022", 20, 1, 1, 20.0, 19.0, "The twentieth is the first again")]
    assert value == [(19.0,)]
    notes = (here.home / "releases/r000001/public/RELEASE_NOTES.md").read_text(encoding="utf-8")
    assert "SOUTH-TWICE (correction, agreed)" in notes
    assert "1 rows matched, 1 changed; records 20 -> 19. The twentieth is the first again" in notes


def test_an_observatory_of_one_language_publishes_in_it_alone(northland_night) -> None:
    con = connect(settings=northland_night[0].settings)
    names = con.execute(
        "select distinct ref_area, ref_area_name_en from v_residents_by_area order by ref_area"
    ).fetchall()
    labelled = con.execute(
        "select distinct column_name from information_schema.columns"
        " where regexp_matches(column_name, '(name|reason|definition|title|label)_[a-z]{2,3}$')"
    ).fetchall()
    con.close()
    assert ("XNL-D", "The Skerries") in names
    assert labelled
    assert [name for (name,) in labelled if not name.endswith("_en")] == []


def test_boundaries_are_dated_by_their_last_change(northland_night) -> None:
    con = connect(settings=northland_night[0].settings)
    found = con.execute("select distinct boundary_version from indicator_value where ref_area = 'XNL-S'").fetchall()
    con.close()
    assert found == [("1950-05-01",)]


def test_citizenship_was_not_asked_and_no_figure_pretends_so(northland_night) -> None:
    assert figures(northland_night[0], "A01") == {}


def test_reader_rules_models_graph_and_descriptions_follow(northland) -> None:
    settings, contract = northland.settings, load_contracts(northland.data)["northland_survey"]
    codes = {rule.code for rule in rules_of(settings, contract, "2023")}
    assert {"NORTHLAND-SURVEY-PERSONS-KEY", "NORTHLAND-SURVEY-PERSONS-COUNTY-XWALK"} <= codes
    tree = ensure_rendered(settings)
    assert (tree / "models/staging/stg_northland_survey__persons.sql").exists()
    assert "stg_northland_survey__persons" in (tree / "models/staging/feed_persons.sql").read_text()
    assert "House" in (tree / "models/staging/staging.yml").read_text()
    node = build_definitions(settings).resolve_asset_graph().get(dg.AssetKey(["landing", "northland_survey"]))
    assert "SYNTHETIC" in node.description
    assert "one row a person" in node.description


def test_the_schedule_keeps_the_observatorys_clock(northland) -> None:
    schedule = build_definitions(northland.settings).resolve_schedule_def("nightly_schedule")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("15 4 * * *", "Pacific/Auckland")


def test_dropped_again_byte_for_byte_says_so(northland_night, tmp_path) -> None:
    here = replace(northland_night[0], home=tmp_path / "home")
    shutil.copytree(northland_night[0].home, here.home)
    drop = here.home / "identified/landing/northland_survey/2023"
    (drop / "north_again.txt").write_text(rows(), encoding="utf-8")
    printed = here.hims("run")
    assert "delivered again, byte for byte: nothing to do" in printed
    assert "Nothing to build: r000001" in printed
    assert not (drop / "north_again.txt").exists()


def figures_in(night, source: str) -> Figures:
    settings = night.settings
    release = store.current_release(settings)
    assert release is not None
    contract = check_source(settings, source)
    return figures_of(settings, contract, release.staff / "warehouse.duckdb", ensure_rendered(settings))


def test_what_a_delivery_gives_and_why_not(northland_night) -> None:
    here, _ = northland_night
    found = figures_in(here, "northland_survey")
    assert found.areas["A02"] == 3  # of the other two every figure is withheld
    assert found.figures["P01"] > found.areas["P01"]
    assert found.absent["A01"] == "nothing feeds citizenship_status or country_of_citizenship_code"
    never_asked = "nothing feeds citizenship_status or country_of_citizenship_code, country_of_birth_code"
    assert found.absent["A03"] == never_asked
    assert found.absent["B05"] == "it also needs what feeds vital_events"
    assert "B04" not in found.absent  # reads facts that this source does not feed
    text = "\n".join(found.sentences())
    assert "A02" in text
    assert "for 3 areas" in text
    assert re.search(r"Not B05\b.*, because it also needs what feeds vital_events\.", text)


def test_a_count_without_questions_gives_the_population_alone(northland_night) -> None:
    here, _ = northland_night
    found = figures_in(here, "southland_count")
    assert list(found.areas) == ["P01"]
    assert "birth_status" in found.absent["A17"]
