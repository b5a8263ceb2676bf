"""`hims source check` tells of every kind of error that a night would stumble over, and what a delivery would give."""

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from hims_pipeline import intake
from hims_pipeline.authoring.check import rehearse_files
from hims_pipeline.authoring.rehearsal import Rehearsal, check_source, guess_period
from hims_pipeline.cli import main
from hims_pipeline.contracts.periods import PATTERNS
from hims_pipeline.errors import HimsError
from hims_pipeline.lake import landing
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.lake.periods import covers, today_of
from hims_pipeline.settings import REPOSITORY
from tests.installation import Installation
from tests.northland import CONTRACT, CORRECTION, SOUTHLAND, rows, south_rows

Edit = Callable[[Installation], None]


@pytest.fixture
def here(northland: Installation, tmp_path: Path) -> Installation:
    """Northland's `data/`, to be edited, and a home of its own."""
    for name in ("data", "expectations"):
        shutil.copytree(getattr(northland, name), tmp_path / name)
    return Installation(tmp_path / "home", tmp_path / "data", tmp_path / "expectations")


def written(text: str, old: str, new: str, source: str = "northland_survey") -> Edit:
    def edit(here: Installation) -> None:
        assert old in text
        (here.data / f"contracts/{source}.yml").write_text(text.replace(old, new), encoding="utf-8")

    return edit


def corrected(old: str, new: str) -> Edit:
    def edit(here: Installation) -> None:
        assert old in CORRECTION
        (here.data / "corrections/southland_count.yml").write_text(CORRECTION.replace(old, new), encoding="utf-8")

    return edit


def judged(column: str) -> Edit:
    def edit(here: Installation) -> None:
        rule = {
            "type": "expect_column_mean_to_be_between",
            "kwargs": {"column": column, "min_value": 0},
            "severity": "warning",
            "meta": {"code": "NORTH-001", "message": {"en": "Low."}},
        }
        suite = {"name": "northland_survey__persons", "expectations": [rule]}
        (here.expectations / "northland_survey__persons.json").write_text(json.dumps(suite))

    return edit


def without_scheme(here: Installation) -> None:
    path = here.data / "codelists/xwalk_area.csv"
    path.write_text(path.read_text().replace("NORTH,S,XNL-S", "NORTH,S,XNL-Q"))


def rehearsed(here: Installation, source: str, file: Path) -> Rehearsal:
    contract = check_source(here.settings, source)
    return rehearse_files(here.settings, contract, [file], "2023", lambda text: None, build=False)


REFERENCE = "references: [{columns: [house], entity: houses}]"
STANDS: dict[str, tuple[Edit, str]] = {
    "a key": (written(CONTRACT, "grain:", "grains:"), "grains"),
    "a universe": (written(CONTRACT, "universe: resident_population", "universe: all"), "no universe all"),
    "a reference point": (written(CONTRACT, "clock:", "reference_point: NOON\nclock:"), "no reference_point NOON"),
    "a country": (written(CONTRACT, "country: XNL", "country: XXL"), "countries.csv has no XXL"),
    "a scheme": (written(CONTRACT, "crosswalk: NORTH}\n          sex", "crosswalk: WEST}\n          sex"), "WEST"),
    "a list": (without_scheme, "areas.csv has no XNL-Q"),
    "a fact": (written(CONTRACT, "fact: persons", "fact: people"), "no such fact"),
    "a fact's column": (written(CONTRACT, "birth_status:", "birth:"), "birth is no column"),
    "a fact's code": (written(CONTRACT, "a: FOREIGN", "a: ABROAD"), "'ABROAD' is no value"),
    "an unmapped code": (written(CONTRACT, "{k: F, m: M}}\n          birth", "{k: F}}\n          birth"), "not mapped"),
    "a code of a country": (
        written(CONTRACT, "weight_persons:", "country_of_birth_code: {value: XQQ}\n          weight_persons:"),
        "countries.csv has no XQQ",
    ),
    "a reference": (
        written(CONTRACT, "key: [house, line]", f"key: [house, line]\n    {REFERENCE}"),
        "references houses, which is no entity",
    ),
    "a join": (written(CONTRACT, "{from: weight}", "{from: weight, of: houses}"), "houses is no reference"),
    "a design": (written(CONTRACT, "weight: weight,", "weight: wheat,"), "wheat"),
    "a regular expression": (
        written(CONTRACT, "type: text, required: true, label: House", "type: text, required: true, pattern: '(?=H).*'"),
        "no regular expression of RE2",
    ),
    "a layout": (
        written(
            CONTRACT, "entities:\n  persons:",
            "layouts:\n  - {name: old, periods: ['2001'], entities: {persons: {names: {born_in: B}}}}\n"
            "entities:\n  persons:",
        ),
        "`names` renames no column: born_in",
    ),
    "a suite": (judged("no_such_column"), "NORTH-001"),
}  # fmt: skip


@pytest.mark.parametrize("kind", STANDS)
def test_what_does_not_hold_is_told(here: Installation, tmp_path: Path, kind: str) -> None:
    edit, said = STANDS[kind]
    edit(here)
    (file := tmp_path / "north_2023.txt").write_text(rows())
    with pytest.raises(HimsError, match=said):
        rehearsed(here, "northland_survey", file)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [("entity: persons", "entity: houses", "no entity houses"), ("{person: [20]}", "{pers: [20]}", "no column pers")],
)
def test_corrections_that_do_not_hold_are_told(here: Installation, old: str, new: str, said: str) -> None:
    corrected(old, new)(here)
    with pytest.raises(HimsError, match=said):
        check_source(here.settings, "southland_count")


REFUSED = {
    "PERSONS-KEY": south_rows(20) + "20,1\n",
    "PLACE-XWALK": south_rows(20) + "21,9\n",
    "TYPE": south_rows(20) + "x,1\n",
    "ENVELOPE-HEADER": south_rows(20).replace("place", "area"),
    "PERSONS-PERIOD": "",
}


@pytest.mark.parametrize("rule", REFUSED)
def test_what_the_gate_would_refuse_is_told(here: Installation, tmp_path: Path, rule: str) -> None:
    text = REFUSED[rule]
    if rule == "PERSONS-PERIOD":
        more = "      - {name: year, type: integer, required: true}\n    period: {year: year}\n    feeds"
        written(SOUTHLAND, "    feeds", more, "southland_count")(here)
        text = "person,place,year\n1,1,2022\n"
    (file := tmp_path / "south_2023.csv").write_text(text)
    found = rehearsed(here, "southland_count", file)
    assert any(rule in line for line in found.refusals), found.refusals


def test_it_is_compared_with_what_was_accepted_as_the_night_does(here: Installation, tmp_path: Path) -> None:
    """The year before had ten times as many: by its contract alone the delivery would pass."""
    (before := tmp_path / "south_2022.csv").write_text(south_rows(4000))
    (file := tmp_path / "south_2023.csv").write_text(south_rows(400))
    shutil.copyfile(REPOSITORY / "expectations/comparisons.yml", here.expectations / "comparisons.yml")
    settings, contract = here.settings, check_source(here.settings, "southland_count")
    (here.data / "corrections/southland_count.yml").unlink()
    assert rehearsed(here, "southland_count", file).refusals == []
    with installation_lock(settings, "test"):
        delivery, _ = landing.take_over(settings, contract, "2022", [before])
        assert intake.take_in(settings, delivery, lambda text: None).accepted
    told = rehearsed(here, "southland_count", file).refusals
    with installation_lock(settings, "test"):
        delivery, _ = landing.take_over(settings, contract, "2023", [file])
        verdict = intake.take_in(settings, delivery, lambda text: None)
    refused = [finding.full_text() for finding in verdict.findings if finding.severity == "blocking"]
    assert any("PROFILE-SIZE" in line for line in refused)
    assert told == refused
    assert rehearsed(here, "southland_count", file).refusals == refused  # also once it is there


def test_the_command_ends_as_the_night_would(here: Installation, tmp_path: Path, monkeypatch) -> None:
    for name, value in here.environment.items():
        monkeypatch.setenv(name, value)
    (good := tmp_path / "south_2022.csv").write_text(south_rows(20))
    (bad := tmp_path / "south_2021.csv").write_text(REFUSED["PERSONS-KEY"])
    words = ["source", "check", "--source", "southland_count", "--no-figures"]
    passed = CliRunner().invoke(main, [*words, str(good)])
    assert passed.exit_code == 0
    assert "Taken for a delivery of 2022" in passed.output
    assert "southland_count/2022 would be accepted" in passed.output
    refused = CliRunner().invoke(main, [*words, str(bad), "--period", "2021"])
    assert refused.exit_code == 1
    assert "southland_count/2021 would be refused" in refused.output
    assert [path.name for path in here.settings.scratch.iterdir()] in ([], ["spill"])
    assert not here.settings.landing.exists()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_of_every_pattern_the_last_period_that_is_over_is_taken(here: Installation, tmp_path, pattern: str) -> None:
    written(SOUTHLAND, "{pattern: year}", f"{{pattern: {pattern}}}", "southland_count")(here)
    contract = check_source(here.settings, "southland_count")
    first, last = covers(contract, guess_period(here.settings, contract, [tmp_path / "south.csv"]))
    today = today_of(here.settings)
    assert last <= today < last + 2 * (last - first) + timedelta(2)


@pytest.mark.parametrize(
    ("place", "period"), [("2020/south.csv", "2020"), ("south_2019.csv", "2019"), ("south_20191.csv", None)]
)
def test_a_period_is_that_of_the_folder_or_of_the_name(here: Installation, tmp_path, place, period) -> None:
    contract = check_source(here.settings, "southland_count")
    guessed = guess_period(here.settings, contract, [tmp_path / place])
    assert guessed == period if period else guessed >= "2025"


def test_what_nothing_reads_is_no_contract_and_no_correction(here: Installation) -> None:
    """A file whose name ends otherwise would lie there as if it held."""
    check_source(here.settings, "southland_count")
    corrections = here.data / "corrections/southland_count.yml"
    corrections.rename(corrections.with_suffix(".yaml"))
    with pytest.raises(HimsError, match=r"southland_count\.yaml: its name must end in \.yml"):
        check_source(here.settings, "southland_count")
    check_source(here.settings, "northland_survey")


def test_a_contract_in_another_encoding_is_told_with_its_line(here: Installation) -> None:
    text = SOUTHLAND.replace("Southland count", "Dénombrement")
    (here.data / "contracts/southland_count.yml").write_bytes(text.encode("cp1252"))
    with pytest.raises(HimsError, match="line 3 is not in UTF-8"):
        check_source(here.settings, "southland_count")


@pytest.mark.parametrize(
    ("name", "stated", "told"),
    [("south_2022.csv", "", True), ("south_2023.csv", "", False), ("south_2022_2023.csv", "", False),
     ("south.csv", "", False),
     ("south_2022.csv", "      - {name: year, type: integer}\n    period: {year: year}\n", False)],
)  # fmt: skip
def test_a_name_of_another_period_is_told_where_nothing_else_can(
    here: Installation, tmp_path: Path, name: str, stated: str, told: bool
) -> None:
    text = south_rows(20)
    if stated:
        written(SOUTHLAND, "    feeds", f"{stated}    feeds", "southland_count")(here)
        text = text.replace("\n", ",2023\n").replace("place,2023", "place,year")
    (file := tmp_path / name).write_text(text)
    rehearsal = rehearsed(here, "southland_count", file)
    assert rehearsal.refusals == []
    assert any("its name says 2022, it was sent for 2023" in line for line in rehearsal.warnings) is told


def test_a_period_that_is_not_over_is_told(here: Installation, tmp_path: Path) -> None:
    (file := tmp_path / "south.csv").write_text(south_rows(20))
    contract, year = check_source(here.settings, "southland_count"), today_of(here.settings).year
    for period, told in ((str(year), True), (str(year - 1), False)):
        rehearsal = rehearse_files(here.settings, contract, [file], period, lambda text: None, build=False)
        assert any(f"{period} is not over" in line for line in rehearsal.warnings) is told
