"""Norway begins with `hims init` and one language. Its counties were merged in 2020 and split again in 2024, and its
figures stand under those of their day; the weights of its survey are next to nothing, which changes no figure."""

import random
from pathlib import Path

import pytest
import yaml

from hims_pipeline.contracts.load import read_yaml
from hims_pipeline.new_country.folder import write_country
from hims_pipeline.release.reader import connect
from tests.installation import Installation
from tests.northland import drop

# Level, code, first and last day of what became of Viken: https://www.ssb.no/klass/klassifikasjoner/104
COUNTIES = """NO-01,subdivision,NOR,NOR,,01,,,2020-01-01,Østfold (to 2019)
NO-02,subdivision,NOR,NOR,,02,,,2020-01-01,Akershus (to 2019)
NO-06,subdivision,NOR,NOR,,06,,,2020-01-01,Buskerud (to 2019)
NO-30,subdivision,NOR,NOR,NO-30,30,,2020-01-01,2024-01-01,Viken
NO-31,subdivision,NOR,NOR,NO-31,31,,2024-01-01,,Østfold
NO-32,subdivision,NOR,NOR,NO-32,32,,2024-01-01,,Akershus
NO-33,subdivision,NOR,NOR,NO-33,33,,2024-01-01,,Buskerud
"""
MERGED = "".join(f"NO-{code},NO-30,2020-01-01,1,The whole of it,SSB\n" for code in ("01", "02", "06"))
SPLIT = "".join(f"NO-30,NO-{code},2024-01-01,,,SSB\n" for code in (31, 32, 33))
CODES = ("01", "02", "03", "06", "30", "31", "32", "33")
WAVES = {"2019": ("01", "02", "03", "06"), "2022": ("03", "30"), "2024": ("03", "31", "32", "33")}
CONTRACT = """
source: {source}
title: {{en: Survey}}
description: SYNTHETIC survey of an invented sample.
data_kind: synthetic
country: NOR
owner: {{institution: Office, contact: nobody@example.org}}
licence: {{name: CC0, attribution: None, redistributable: true}}
purpose: Tests
legal: {{basis: none, retention_years: 1}}
cadence: annual
period: {{pattern: year}}
clock: 1 July
universe: resident_population
duration_rule: 12M
measure_type: stock
design: {{kind: sample, strata: [county], psu: [village], weight: weight}}
format: {{delimiter: ";", decimal: ","}}
entities:
  persons:
    title: {{en: Persons}}
    grain: one row a person
    files: ["persons*.csv"]
    key: [person]
    period: {{year: year}}
    columns:
      - {{name: person, type: integer, required: true}}
      - {{name: year, type: integer, required: true}}
      - {{name: county, type: text, required: true, crosswalk: SSB_COUNTY}}
      - {{name: village, type: integer, required: true}}
      - {{name: sex, type: text, required: true, codes: {{K: women, M: men}}}}
      - {{name: born, type: text, required: true, crosswalk: ISO3}}
      - {{name: weight, type: number, required: true, minimum: 0}}
    feeds:
      - fact: persons
        columns:
          area_code: {{from: county, crosswalk: SSB_COUNTY}}
          sex: {{from: sex, codes: {{K: F, M: M}}}}
          country_of_birth_code: {{from: born, crosswalk: ISO3}}
          weight_persons: {{from: weight}}
"""
OWN = """
indicators:
  - code: Z01
    name: {en: Foreign-born among residents}
    definition: {en: Residents born abroad per 100 residents.}
    unit_measure: PERCENT
    measure_type: ratio
    framework: Own
    universe: resident_population
    sources: [small_weights, large_weights]
    ref_area_side: country
    ref_area: Country, or area of it
    status: computed
    publish: true
    cells: [[], [sex]]
    formula:
      - fact: persons
        kind: share
        measure: is_foreign_born
        asked: birth_status
        cells: [[], [sex], [ref_area]]
"""
KNOWN = {
    "periods": ["2022", "2024"],
    "reason": "Counties were merged in 2020 and split again in 2024.",
    "limits": {"shares county": 1, "shift county": 1000, "size": 1},
}
SMALL, LARGE = 1e-9, 1e3  # 10^12 times as large


def persons(wave: str, scale: float) -> str:
    """Sixty persons a county in twelve villages, of whom a third were born in Poland."""
    dice, lines = random.Random(int(wave)), ["person;year;county;village;sex;born;weight"]  # noqa: S311
    for county in WAVES[wave]:
        born = dice.sample([*["POL"] * 20, *["NOR"] * 40], 60)
        for n, sex in enumerate(dice.sample("KM" * 30, 60)):
            weight = f"{scale * dice.uniform(0.5, 2):.12g}".replace(".", ",")
            lines.append(f"{len(lines)};{wave};{county};{n % 12};{sex};{born[n]};{weight}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def norway(tmp_path_factory: pytest.TempPathFactory, untested_code: Path) -> Installation:
    root = tmp_path_factory.mktemp("norway")
    write_country(root / "out", "NOR", ["en"])
    here = Installation(root / "home", root / "out/data", root / "out/expectations", code=untested_code)
    lists = here.data / "codelists"
    areas = (lists / "areas.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    assert areas[0].startswith("area_code,level,country_code,parent_code,iso_code,national_code,claimed_by,valid_from")
    dated = {line.split(",")[0] for line in COUNTIES.splitlines()}
    kept = "".join(line for line in areas if line.split(",")[0] not in dated)
    (lists / "areas.csv").write_text(kept + COUNTIES, encoding="utf-8")
    (lists / "area_successors.csv").write_text(
        "former_code,successor_code,date,weight,weight_basis,source\n" + MERGED + SPLIT, encoding="utf-8"
    )
    with (lists / "xwalk_area.csv").open("a", encoding="utf-8") as file:
        file.write("".join(f"SSB_COUNTY,{code},NO-{code},\n" for code in CODES))
    observatory = read_yaml(here.data / "observatory.yml") | {"settle_seconds": 0}
    (here.data / "observatory.yml").write_text(yaml.safe_dump(observatory), encoding="utf-8")
    (here.data / "indicators/Z-own.yml").write_text(OWN, encoding="utf-8")
    for source, scale in (("small_weights", SMALL), ("large_weights", LARGE)):
        (here.data / f"contracts/{source}.yml").write_text(CONTRACT.format(source=source), encoding="utf-8")
        for wave in WAVES:
            drop(here, source, wave, f"persons_{wave}.csv", persons(wave, scale))
    limits = here.expectations / "comparisons.yml"
    known = [{**KNOWN, "source": source, "entity": "persons"} for source in ("small_weights", "large_weights")]
    limits.write_text(yaml.safe_dump({**read_yaml(limits), "exceptions": known}), encoding="utf-8")
    here.hims("run")
    return here


def test_figures_stand_under_the_counties_of_their_day(norway: Installation) -> None:
    con = connect(settings=norway.settings)
    rows = con.execute(
        "select time_period, ref_area from indicator_value where source = 'large_weights' and indicator = 'P01'"
        " and sex = '_T' and ref_area != 'NOR'"
    ).fetchall()
    con.close()
    # Of Viken in 2019 three counties are parts, none of which is its figure.
    assert sorted(rows) == [(wave, f"NO-{code}") for wave, codes in WAVES.items() for code in codes]


def test_the_size_of_weights_changes_no_figure(norway: Installation) -> None:
    con = connect(settings=norway.settings)
    amounts = "obs_value, standard_error, ci_lower, ci_upper"
    rest = f"* exclude (source, series_key, series_no, numerator, denominator, cv_percent, {amounts})"
    small, large = (
        con.execute(
            f"select cv_percent, {amounts}, {rest} from indicator_value where source = '{source}_weights'"
            f" order by {rest}, obs_value"
        ).fetchall()
        for source in ("small", "large")
    )
    units = [name for name, *_ in con.description].index("unit_measure")
    con.close()
    shown = 0
    for one, other in zip(small, large, strict=True):
        assert one[5:] == other[5:]
        factor = 1 if one[units] == "PERCENT" else LARGE / SMALL
        assert other[0] == pytest.approx(one[0], rel=1e-4) if one[0] else other[0] is None
        for value, larger in zip(one[1:5], other[1:5], strict=True):
            assert larger == (None if value is None else pytest.approx(value * factor, rel=1e-8))
            shown += bool(value)
    assert shown > 200  # what is withheld, or is nobody, proves nothing
