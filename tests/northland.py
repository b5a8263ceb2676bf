"""A small neutral country that no code knows: its own currency and clock, one language, three levels of areas, and an
area that its neighbour claims too and counts as well."""

import shutil
from pathlib import Path

import yaml

from hims_pipeline.contracts.load import read_yaml
from hims_pipeline.settings import REPOSITORY
from tests.installation import Installation

OBSERVATORY = """
name: {en: Observatory of Northland}
reference_country: XNL
languages: [en]
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
AREAS = """area_code,level,name_en,country_code,parent_code,iso_code,national_code,claimed_by,valid_from,valid_to
XNL-P,province,Mainland,XNL,XNL,,P,,1901-01-01,
XNL-N,county,North,XNL,XNL-P,,N,,1950-05-01,
XNL-S,county,South,XNL,XNL-P,,S,,1901-01-01,
XNL-D,county,The Skerries,XNL,XNL-P,,D,XSL,1901-01-01,
XSL-H,county,Heath,XSL,XSL,,H,,1901-01-01,
"""
HIERARCHIES = "hierarchy,child_code,parent_code,valid_from,valid_to\n"
SUCCESSORS = "former_code,successor_code,date,weight,weight_basis,source\n"
XWALK_AREA = """scheme,code,area_code
NORTH,N,XNL-N
NORTH,S,XNL-S
NORTH,D,XNL-D
SOUTH,1,XSL-H
SOUTH,2,XNL-D
"""
BREAKS = """break_id,source,indicator,from_date,name_en,stated_by
heath_drained,southland_count,,2023-02-01,The heath was drained,Office of Southland
other_indicator,southland_count,A02,2023-01-01,Another question,Office of Southland
"""
NEIGHBOURS = ({"country_code": "XNL", "name_en": "Northland"}, {"country_code": "XSL", "name_en": "Southland"})
CONTRACT = """
source: northland_survey
title: {en: Northland survey}
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
design: {kind: sample, weight: weight, fallback: {name: HOUSE_AS_UNIT, psu: [house], reason: No strata are drawn.}}
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
"""
SOUTHLAND = """
source: southland_count
title: {en: Southland count}
description: SYNTHETIC count of an invented neighbour that claims the Skerries.
data_kind: synthetic
country: XSL
owner: {institution: Office of Southland, contact: nobody@example.org}
licence: {name: CC0, attribution: None, redistributable: true}
purpose: Tests
legal: {basis: none, retention_years: 1}
cadence: annual
period: {pattern: year}
clock: 1 July
universe: resident_population
duration_rule: 12M
measure_type: stock
design: {kind: census}
entities:
  persons:
    title: {en: Persons}
    grain: one row a person
    files: ["south*.csv"]
    key: [person]
    columns:
      - {name: person, type: integer, required: true}
      - {name: place, type: text, required: true, crosswalk: SOUTH}
    feeds:
      - fact: persons
        columns:
          area_code: {from: place, crosswalk: SOUTH}
"""


CORRECTION = """
corrections:
  - id: SOUTH-TWICE
    kind: correction
    entity: persons
    periods: ["2022"]
    matches: {person: [20]}
    drop: true
    reason: {en: The twentieth is the first again}
    provided_by: Office of Southland
    status: agreed
    guard: {minimum: 1, maximum: 1}
"""


def add_countries(path: Path) -> None:
    """Append both countries to the list of the world."""
    lines = path.read_text(encoding="utf-8").splitlines()
    header = lines[0].split(",")
    rows = [",".join({**row, "status": "current"}.get(name, "") for name in header) for row in NEIGHBOURS]
    path.write_text("\n".join([*lines, *rows]) + "\n", encoding="utf-8")


def keep_english(folder: Path) -> None:
    """Take the names in other languages out of the catalogue: nothing may ask for one."""
    for path in folder.glob("*.yml"):
        records = read_yaml(path)
        for record in next(iter(records.values())):
            for field in ("name", "label", "definition"):
                if isinstance(record.get(field), dict):
                    record[field] = {"en": record[field]["en"]}
        path.write_text(yaml.safe_dump(records, allow_unicode=True, sort_keys=False), encoding="utf-8")


def south_rows(persons: int) -> str:
    """Persons of Southland; those after the thirtieth live on the Skerries."""
    return "person,place\n" + "".join(f"{person},{1 if person <= 30 else 2}\n" for person in range(1, persons + 1))


def county_of(house: int) -> str:
    return "N" if house < 10 else "D" if house >= 35 else "S"


def rows() -> str:
    lines = ["house|line|county|sex|born|weight"]
    for house in range(40):
        for line in (1, 2):
            lines.append(f"H{house}|{line}|{county_of(house)}|{'km'[line - 1]}|{'a' if house % 5 == 0 else 'h'}|10,25")
    return "\n".join(lines) + "\n"


def northland_at(root: Path) -> Installation:
    """The installation of Northland in a folder."""
    return Installation(root / "home", root / "data", root / "expectations")


def make_northland(root: Path) -> Installation:
    """An installation whose `data/` is Northland's: our world-wide lists, and nothing of any real country's sources."""
    data = root / "data"
    for name in ("codelists", "indicators"):
        shutil.copytree(REPOSITORY / "data" / name, data / name)
    lists = data / "codelists"
    add_countries(lists / "countries.csv")
    keep_english(data / "indicators")
    (lists / "areas.csv").write_text(AREAS, encoding="utf-8")
    (lists / "area_hierarchies.csv").write_text(HIERARCHIES, encoding="utf-8")
    (lists / "area_successors.csv").write_text(SUCCESSORS, encoding="utf-8")
    (lists / "series_breaks.csv").write_text(BREAKS, encoding="utf-8")
    (lists / "xwalk_area.csv").write_text(XWALK_AREA, encoding="utf-8")
    (data / "observatory.yml").write_text(OBSERVATORY, encoding="utf-8")
    (data / "contracts").mkdir()
    (data / "contracts/northland_survey.yml").write_text(CONTRACT, encoding="utf-8")
    (data / "contracts/southland_count.yml").write_text(SOUTHLAND, encoding="utf-8")
    (data / "corrections").mkdir()
    (data / "corrections/southland_count.yml").write_text(CORRECTION, encoding="utf-8")
    expectations = root / "expectations"
    expectations.mkdir()
    shutil.copyfile(REPOSITORY / "expectations/release.json", expectations / "release.json")
    return northland_at(root)


DROPPED = (
    ("northland_survey", "2023", "north_2023.txt", rows()),
    ("southland_count", "2022", "south_2022.csv", south_rows(20)),
    ("southland_count", "2023", "south_2023.csv", south_rows(50)),
)


def drop(here: Installation, source: str, period: str, name: str, text: str) -> None:
    """Put a file into landing, as a sender does."""
    place = here.home / "identified/landing" / source / period
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_text(text, encoding="utf-8")


def deliver_northland(root: Path) -> Installation:
    """Northland with what its offices have sent."""
    here = make_northland(root)
    for delivery in DROPPED:
        drop(here, *delivery)
    return here
