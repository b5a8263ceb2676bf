"""A small neutral country that no code knows: its own currency, clock, languages and three levels of areas."""

import shutil

import pytest

from hims_pipeline.settings import REPOSITORY
from tests.conftest import Installation

OBSERVATORY = """
name: {en: Observatory of Northland, fr: Observatoire du Nordland, ar: مرصد نوردلاند}
reference_country: XNL
languages: [en, fr, ar]
time_zone: Pacific/Auckland
currency: XNK
contact: nobody@example.org
schedule: {cron: "15 4 * * *", on_in: [prod]}
levels:
  - {code: country, title: {en: Country}}
  - {code: province, title: {en: Province}, parent: country}
  - {code: county, title: {en: County}, parent: province}
policies: {minimum_count: 3}
headline: [P01, A02]
settle_seconds: 0
"""
CONTRACT = """
source: northland_survey
title: {en: Northland survey, fr: Enquête du Nordland, ar: مسح نوردلاند}
description: SYNTHETIC survey of an invented country.
data_kind: synthetic
country: XNL
owner: {institution: Office of Northland, contact: nobody@example.org}
licence: {name: CC0, attribution: None, redistributable: true}
purpose: Tests
legal: {basis: none, retention_years: 1}
cadence: annual
period: {pattern: year}
clock: 1 July
universe: resident_population
duration_rule: 12M
measure_type: stock
design: {kind: sample, weight: weight, psu: [house], fallback: "The house stands for the sampling unit."}
format: {delimiter: "|", encoding: utf-8, decimal: ","}
entities:
  persons:
    title: {en: Persons}
    grain: one row a person
    files: ["north*.txt"]
    key: [house, line]
    columns:
      - {name: house, type: text, required: true, label: House}
      - {name: line, type: integer, required: true}
      - {name: county, type: text, required: true, crosswalk: NORTH}
      - {name: sex, type: text, required: true, codes: {k: kona, m: madur}}
      - {name: born, type: text, required: true, codes: {h: at home, a: abroad}}
      - {name: weight, type: decimal, scale: 2, required: true, minimum: 0}
    feeds:
      - fact: persons
        columns:
          area_code: {from: county, crosswalk: NORTH}
          sex: {from: sex, codes: {k: F, m: M}}
          birth_status: {from: born, codes: {h: NATIVE, a: FOREIGN}}
          weight_persons: {from: weight}
          psu: {from: house}
"""


def rows() -> str:
    lines = ["house|line|county|sex|born|weight"]
    for house in range(40):
        for line in (1, 2):
            lines.append(
                f"H{house}|{line}|{'N' if house < 10 else 'S'}|{'km'[line - 1]}|{'a' if house % 5 == 0 else 'h'}|10,25"
            )
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="session")
def northland(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation whose `data/` is Northland's: our world-wide lists, and nothing of any real country's sources."""
    root = tmp_path_factory.mktemp("northland")
    data = root / "data"
    for name in ("codelists", "indicators"):
        shutil.copytree(REPOSITORY / "data" / name, data / name)
    lists = data / "codelists"
    with (lists / "countries.csv").open("a", encoding="utf-8") as file:
        header = (REPOSITORY / "data/codelists/countries.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
        values = {
            "country_code": "XNL",
            "name_en": "Northland",
            "name_fr": "Nordland",
            "name_ar": "نوردلاند",
            "status": "current",
        }
        file.write(",".join(values.get(name, "") for name in header) + "\n")
    areas = "area_code,level,name_en,name_fr,name_ar,country_code,parent_code,iso_code,ins_code,valid_from,valid_to\n"
    areas += "XNL-P,province,Mainland,Terre,بر,XNL,XNL,,P,1901-01-01,\n"
    areas += (
        "XNL-N,county,North,Nord,شمال,XNL,XNL-P,,N,1950-05-01,\nXNL-S,county,South,Sud,جنوب,XNL,XNL-P,,S,1901-01-01,\n"
    )
    (lists / "areas.csv").write_text(areas, encoding="utf-8")
    (lists / "xwalk_area.csv").write_text("scheme,code,area_code\nNORTH,N,XNL-N\nNORTH,S,XNL-S\n", encoding="utf-8")
    (data / "observatory.yml").write_text(OBSERVATORY, encoding="utf-8")
    (data / "contracts").mkdir()
    (data / "contracts/northland_survey.yml").write_text(CONTRACT, encoding="utf-8")
    expectations = root / "expectations"
    expectations.mkdir()
    shutil.copyfile(REPOSITORY / "expectations/release.json", expectations / "release.json")
    return Installation(root / "home", data, expectations)


@pytest.fixture(scope="session")
def northland_night(northland: Installation) -> tuple[Installation, str]:
    drop = northland.home / "identified/landing/northland_survey/2023"
    drop.mkdir(parents=True)
    (drop / "north_2023.txt").write_text(rows(), encoding="utf-8")
    return northland, northland.hims("run")
