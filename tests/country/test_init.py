"""Another country in an afternoon: `hims init`, a contract for a file of its own, one night, a release."""

import csv
import random
from pathlib import Path

import pytest
import yaml

from hims_pipeline.contracts.load import broken_contracts, load_contracts, read_yaml
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.errors import HimsError
from hims_pipeline.gates.comparisons import load_comparison_limits
from hims_pipeline.new_country.folder import world_sources, write_country
from hims_pipeline.release.reader import connect
from hims_pipeline.required_files import missing_parts, require_parts
from hims_pipeline.settings import Settings
from tests.installation import Installation
from tests.northland import drop

CONTRACT = """
source: census
title: {{en: Census}}
description: SYNTHETIC census of an invented town.
data_kind: synthetic
country: {country}
owner: {{institution: Office, contact: nobody@example.org}}
licence: {{name: CC0, attribution: None, redistributable: true}}
purpose: Tests
legal: {{basis: none, retention_years: 1}}
cadence: decennial
period: {{pattern: year}}
clock: 1 July
universe: resident_population
duration_rule: 12M
measure_type: stock
design: {{kind: census}}
entities:
  persons:
    title: {{en: Persons}}
    grain: one row a person
    files: ["persons*.csv"]
    key: [house, line]
    period: {{none: "No column has the year of the census"}}
    references: [{{columns: [house], entity: households}}]
    columns:
      - {{name: house, type: integer, required: true}}
      - {{name: line, type: integer, required: true}}
      - {{name: sex, type: text, required: true, codes: {{f: women, m: men}}}}
      - {{name: born, type: text, required: true, crosswalk: ISO3}}
    feeds:
      - fact: persons
        columns:
          area_code: {{from: region, of: households, crosswalk: ISO_{country}}}
          sex: {{from: sex, codes: {{f: F, m: M}}}}
          country_of_birth_code: {{from: born, crosswalk: ISO3}}
  households:
    title: {{en: Households}}
    grain: one row a household
    files: ["households*.csv"]
    key: [house]
    period: {{none: "No column has the year of the census"}}
    columns:
      - {{name: house, type: integer, required: true}}
      - {{name: region, type: text, required: true, crosswalk: ISO_{country}}}
"""
OWN_RECORD = """
indicators:
  - code: Z01
    name: {en: Women among residents, fr: Femmes parmi les résidents, ar: النساء بين المقيمين}
    definition: {en: Women per 100 residents., fr: Femmes pour 100 résidents., ar: النساء لكل 100 مقيم.}
    unit_measure: PERCENT
    measure_type: ratio
    framework: Own
    universe: resident_population
    sources: [census]
    ref_area_side: country
    ref_area: Country, or area of it
    status: computed
    publish: true
    cells: [[]]
"""
OWN_MODEL = "{{ estimates('Z01', 'fct_persons', [[], ['ref_area']], kind='share', measure=\"sex = 'F'\") }}\n"
LANGUAGES = {"MAR": ("fr", "ar", "en"), "GHA": ("en",)}
AREAS = {"MAR": ("MA-01", "MA-06"), "GHA": ("GH-AA", "GH-AH")}


def started(root: Path, country: str) -> Installation:
    write_country(root / "out", country, LANGUAGES[country])
    here = Installation(root / "home", root / "out/data", root / "out/expectations")
    (here.data / "contracts/census.yml").write_text(CONTRACT.format(country=country), encoding="utf-8")
    (here.data / "indicators/Z-own.yml").write_text(OWN_RECORD, encoding="utf-8")
    (here.data / "models/z01_women.sql").write_text(OWN_MODEL, encoding="utf-8")
    return here


def send(here: Installation, country: str) -> None:
    """Two households of two hundred persons each, in two areas; a third of them was born in France."""
    first, second = AREAS[country]
    drop(here, "census", "2024", "households_2024.csv", f"house,region\n1,{first}\n2,{second}\n")
    dice, rows = random.Random(3), []  # noqa: S311 - in no order: blocks that come again are refused
    for house in (1, 2):
        born = dice.sample([*["FRA"] * 67, *[country] * 133], 200)
        rows += [f"{house},{n},{sex},{born[n]}" for n, sex in enumerate(dice.sample("fm" * 100, 200))]
    drop(here, "census", "2024", "persons_2024.csv", "\n".join(["house,line,sex,born", *rows]) + "\n")


@pytest.mark.parametrize("country", ["MAR", pytest.param("GHA", marks=pytest.mark.slow)])
def test_a_new_country_publishes_its_first_night(tmp_path: Path, country: str) -> None:
    here = started(tmp_path, country)
    observatory = here.data / "observatory.yml"
    observatory.write_text(observatory.read_text(encoding="utf-8") + "settle_seconds: 0\n", encoding="utf-8")
    assert load_observatory(here.data).languages == LANGUAGES[country]
    assert broken_contracts(here.data) == {}
    assert missing_parts(here.settings) == []
    send(here, country)
    here.hims("run")
    con = connect(settings=here.settings)
    query = "select indicator, ref_area, obs_value from indicator_value where source = 'census' and cell = ''"
    found = {(code, area): value for code, area, value in con.execute(query).fetchall()}
    # From the household's record: the area. From the country of birth: who was born abroad.
    assert found["P01", country] == 400
    assert found["A02", country] == 134
    assert found["P01", AREAS[country][0]] == 200
    assert found["Z01", AREAS[country][1]] == 50
    labels = [row[0] for row in con.execute("describe v_indicator_values").fetchall()]
    con.close()
    for language in ("fr", "ar", "en"):
        assert any(name.endswith(f"_{language}") for name in labels) == (language in LANGUAGES[country])


def test_areas_and_labels_come_from_the_lists(tmp_path: Path) -> None:
    notes = write_country(tmp_path, "MAR", ["fr", "ar", "en"])
    with (tmp_path / "data/codelists/areas.csv").open(encoding="utf-8", newline="") as file:
        areas = {row["area_code"]: row for row in csv.DictReader(file)}
    assert len(areas) == 13
    assert (areas["MAR"]["name_fr"], areas["MAR"]["name_ar"]) == ("Maroc", "المغرب")
    assert (areas["MA-03"]["name_en"], areas["MA-03"]["name_fr"], areas["MA-03"]["parent_code"]) == (
        "Fès-Meknès", "Fès-Meknès", "MAR",
    )  # fmt: skip
    assert any("ar: 12 of 13 areas have no name" in note for note in notes)
    assert not any(note.startswith("fr:") for note in notes)
    assert set(load_contracts(tmp_path / "data")) == set(world_sources()) >= {"undesa_migrant_stock", "unhcr_asylum"}
    limits = load_comparison_limits(tmp_path / "expectations")
    assert limits is not None  # what a source sends is compared with what it sent before, from the first night on
    assert {one.split("/")[0] for one in limits.sources} <= set(world_sources())
    assert (tmp_path / "expectations/references/undesa_migrant_stock@2020.csv").is_file()
    text = "\n".join(path.read_text(encoding="utf-8") for path in (tmp_path / "data").rglob("*.yml"))
    assert "reference_country: MAR" in text
    assert all(note in (tmp_path / "README.md").read_text(encoding="utf-8") for note in notes)


def test_a_language_that_the_lists_lack_is_told_and_does_not_stop(tmp_path: Path) -> None:
    notes = write_country(tmp_path / "out", "ARG", ["es"])
    assert "English (en) is added, the working language of reports" in notes
    assert any("indicators and breakdowns have their English names" in note for note in notes)
    assert any("time zones America/Argentina/Buenos_Aires was taken" in note for note in notes)
    with (tmp_path / "out/data/codelists/countries.csv").open(encoding="utf-8", newline="") as file:
        names = {row["country_code"]: row["name_es"] for row in csv.DictReader(file)}
    assert (names["DEU"], names["TUN"], names["_W"]) == ("Alemania", "Túnez", "Mundo")
    lost = sum(not name for name in names.values())
    assert any(f"es: {lost} of {len(names)} countries and codes beside them have no name" in note for note in notes)
    settings = Settings(tmp_path, tmp_path / "out/data", tmp_path / "out/expectations", tmp_path / "home", env="test")
    assert missing_parts(settings) == []


@pytest.mark.parametrize("country", ["AUS", "FRA", "MCO", "SGP", "PSE", "VAT", "NAM"])
def test_any_country_can_begin(tmp_path: Path, country: str) -> None:
    write_country(tmp_path / "out", country, ["en"])
    settings = Settings(tmp_path, tmp_path / "out/data", tmp_path / "out/expectations", tmp_path / "home", env="test")
    assert missing_parts(settings) == []
    assert broken_contracts(settings.data) == {}


def test_what_is_wrong_with_the_request_is_told_together(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HimsError) as error:
        write_country(tmp_path, "MAA", ["xx", "ES", "en"])
    assert all(word in str(error.value) for word in ("'MAA' is no", "'xx' is no", "'ES' is no", "is not empty"))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_a_night_needs_is_told_at_once(tmp_path: Path) -> None:
    write_country(tmp_path / "out", "GHA", ["en"])
    data, expectations = tmp_path / "out/data", tmp_path / "out/expectations"
    here = Installation(tmp_path / "home", data, expectations)
    (data / "codelists/areas.csv").unlink()
    (data / "codelists/series_breaks.csv").write_text("break_id,source\n")
    (data / "models/ind_values.sql").write_text("select 1")
    (expectations / "release.json").unlink()
    observatory = read_yaml(data / "observatory.yml") | {"reference_country": "XGH", "languages": ["en", "tw"]}
    (data / "observatory.yml").write_text(yaml.safe_dump(observatory))
    with pytest.raises(HimsError) as error:
        require_parts(here.settings)
    said = str(error.value)
    for word in (
        "areas.csv is missing", "series_breaks.csv lacks the columns indicator, from_date", "ind_values.sql is called",
        "release.json is missing", "XGH stands in no row", "A01: no name in tw",
    ):  # fmt: skip
        assert word in said, word
    told = here.hims("run", check=False)
    assert "Traceback" not in told
    assert "areas.csv is missing" in told
    assert not (here.home / "rendered").exists()
    empty = Settings(tmp_path, tmp_path / "none", tmp_path / "none", tmp_path / "home", env="test")
    assert "data/observatory.yml is missing" in missing_parts(empty)[0]


AREA = "GH-XX,subdivision,GHA,GHA,GH-XX,,,,,Oti"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: b"\xef\xbb\xbf" + text, "areas.csv begins with a byte order mark"),
        (lambda text: text + f"{AREA}, new\n".encode(), "areas.csv, line 19: not as many fields as the header's 10"),
        (lambda text: text + b"GH-XX,subdivision\n", "areas.csv, line 19: not as many fields"),
        (lambda text: text + text.splitlines()[-1] + b"\n", "areas.csv: area_code GH-WP stands twice"),
        (lambda text: text + AREA.replace(",,,,Oti", ",,2019-02-30,,Oti").encode(), "line 19: valid_from is no day"),
        (lambda text: text + f'"{AREA}\n'.encode(), "areas.csv, line 19: is no CSV"),
        (lambda text: text + "Côte\n".encode("latin-1"), "areas.csv, line 19: is not in UTF-8"),
    ],
)
def test_a_list_that_cannot_be_read_as_it_stands_is_told_before_a_night(tmp_path: Path, change, said: str) -> None:
    write_country(tmp_path / "out", "GHA", ["en"])
    here = Installation(tmp_path / "home", tmp_path / "out/data", tmp_path / "out/expectations")
    areas = here.data / "codelists/areas.csv"
    areas.write_bytes(change(areas.read_bytes()))
    assert any(said in one for one in missing_parts(here.settings)), missing_parts(here.settings)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("time_zone", "Africa/Acra", "is no time zone"),
        ("time_zone", "../Accra", "is no time zone"),
        ("time_zone", "Africa", "is no time zone"),
        ("schedule", {"cron": "61 2 * * *"}, "is no line of cron"),
        ("schedule", {"cron": "2 o'clock"}, "is no line of cron"),
    ],
)
def test_a_clock_that_nothing_could_keep_is_told_before_a_night(tmp_path: Path, key: str, value, said: str) -> None:
    write_country(tmp_path / "out", "GHA", ["en"])
    here = Installation(tmp_path / "home", tmp_path / "out/data", tmp_path / "out/expectations")
    observatory = here.data / "observatory.yml"
    observatory.write_text(yaml.safe_dump(read_yaml(observatory) | {key: value}), encoding="utf-8")
    assert any(said in one for one in missing_parts(here.settings))


def test_limits_and_shapes_that_do_not_hold_are_told_before_a_night(tmp_path: Path) -> None:
    write_country(tmp_path / "out", "GHA", ["en"])
    here = Installation(tmp_path / "home", tmp_path / "out/data", tmp_path / "out/expectations")
    (here.expectations / "comparisons.yml").write_text("limits: {rows: NO}\n")
    (here.data / "identifier_shapes.csv").write_text("shape,country,pattern,check\nCARD,GHA,[0-9,\n")
    (here.data / "deliveries.yml").write_text("- a\n")
    told = "\n".join(missing_parts(here.settings))
    assert all(word in told for word in ("comparisons.yml", "CARD is no regular expression", "deliveries.yml"))
