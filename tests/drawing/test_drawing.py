"""Pictures of a release: from its public file alone, in each language, the same bytes each time, in the manifest."""

import copy
import json
import re
import shutil
import subprocess
import sys

import duckdb
import pytest

from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.drawing import charts, rows
from hims_pipeline.drawing.draw import GEOMETRY, draw_release, load_words
from hims_pipeline.errors import HimsError
from hims_pipeline.settings import REPOSITORY, Settings


@pytest.fixture(scope="module")
def public(brief_night):
    return brief_night[0].home / "releases/r000001/public"


def test_each_picture_is_in_each_language_and_in_the_manifest(public) -> None:
    drawn = {path.name for path in (public / "plots").glob("*.svg")}
    names = {name.split(".")[0] for name in drawn}
    assert {name.split("_")[0] for name in names} >= {"map", "controls"}
    assert drawn == {f"{name}.{language}.svg" for name in names for language in ("ar", "en", "fr")}
    listed = json.loads((public / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert {f"plots/{name}" for name in drawn} <= listed.keys()
    assert sum(path.stat().st_size for path in (public / "plots").iterdir()) < 3_000_000


def test_what_is_invented_says_so(public) -> None:
    for path in (public / "plots").glob("*.svg"):
        language = path.name.split(".")[1]
        word = load_words()[language]["synthetic"].split(":")[0].split(" ")[0]
        is_invented = not path.name.startswith("ladder_abroad")  # which has claims of others alone in this night
        assert (word in path.read_text(encoding="utf-8")) == is_invented


def test_drawn_again_they_are_the_same_bytes_with_no_date(brief_night, public, tmp_path) -> None:
    command = [
        sys.executable,
        "-m",
        "hims_pipeline.drawing.draw",
        str(public / "warehouse.duckdb"),
        str(tmp_path / "p"),
    ]
    subprocess.run(command, env=brief_night[0].environment | {"PYTHONPATH": str(REPOSITORY)}, check=True)
    first = {path.name: path.read_bytes() for path in (public / "plots").iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "p").iterdir()} == first
    assert not [name for name, svg in first.items() if re.search(rb"20\d\d-\d\d-\d\dT", svg)]


def test_a_withheld_figure_is_no_part_of_a_picture(public) -> None:
    with duckdb.connect(str(public / "warehouse.duckdb"), read_only=True) as con:
        con.execute("use published")
        rows.hold_tables(con, "TUN")
        picture = rows.take_map(con, "governorate", "en")
        withheld = {area for (area,) in con.execute(
            "select distinct ref_area from indicator_value where indicator = ? and cell = '' and level = 'governorate'"
            " and time_period = (select max(time_period) from headline where indicator = $1 and cell = '')"
            " and conf_status = 'C'", [picture.name.removeprefix("map_")]
        ).fetchall()}  # fmt: skip
    assert picture is not None
    assert not withheld & {row["area_code"] for row in picture.rows}
    assert all(row["value"] is not None for row in picture.rows)


def test_boundaries_without_codes_are_refused_by_name(brief_night, public, tmp_path) -> None:
    shutil.copytree(REPOSITORY / "data", tmp_path / "data", ignore=shutil.ignore_patterns("samples"))
    path = tmp_path / "data" / GEOMETRY / "governorate.geojson"
    geometry = json.loads(path.read_text(encoding="utf-8"))
    del geometry["features"][0]["properties"]["area_code"]
    path.write_text(json.dumps(geometry), encoding="utf-8")
    settings = Settings(REPOSITORY, tmp_path / "data", REPOSITORY / "expectations", tmp_path / "home", env="test")
    with pytest.raises(HimsError, match=r"governorate\.geojson is no GeoJSON"):
        draw_release(settings, public / "warehouse.duckdb", tmp_path / "plots")


def test_every_language_has_every_word() -> None:
    words = load_words()
    assert words.keys() >= set(load_observatory(REPOSITORY / "data").languages)
    assert len({frozenset(of_language) for of_language in words.values()}) == 1


def test_right_to_left_turns_axes_titles_and_bars() -> None:
    row = {"age": "Y15T29", "sex": "M", "persons": 5.0, "age_name": "a", "sex_name": "m", "data_kind": "real"}
    picture = rows.Picture("ages", "t", [row, row | {"sex": "F", "sex_name": "f"}], False)
    left, right = (charts.draw_ages(copy.deepcopy(picture), load_words()[one], one) for one in ("en", "ar"))
    assert [one["title"]["anchor"] for one in (left, right)] == ["start", "end"]
    assert [one["encoding"]["x"]["scale"]["reverse"] for one in (left, right)] == [False, True]
    assert [one["encoding"]["y"]["axis"]["orient"] for one in (left, right)] == ["left", "right"]
    assert left["title"]["subtitle"] == []


def test_a_line_stops_at_a_break_that_is_drawn() -> None:
    row = {"country": "a", "value": 1.0, "segment": 0, "is_break": False, "data_kind": "synthetic"}
    points = [row | {"year": 2020}, row | {"year": 2021, "segment": 1, "is_break": True}]
    drawn = charts.draw_destinations(rows.Picture("d", "t", points, True), load_words()["en"], "en")
    rule, line = drawn["layer"]
    assert rule["data"]["values"] == [{"year": 2021}]
    assert line["encoding"]["detail"]["field"] == "segment"
    assert "SYNTHETIC" in drawn["title"]["subtitle"][0]
