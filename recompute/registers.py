"""Counts from registers and censuses: one function a source, from the folder of one delivery to its figures."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from recompute.figures import Key
from recompute.places import COUNTRIES, GOVERNORATES

SEXES = {"1": "M", "2": "F", "M": "M", "F": "F", "9": "_U", "X": "_U", "": "_U"}
Figures = dict[Key, float]


def read_rows(path: Path, delimiter: str, encoding: str) -> Iterator[dict[str, str]]:
    """Records of a delimited file, by the names of its header."""
    with path.open(encoding=encoding, newline="") as file:
        yield from csv.DictReader(file, delimiter=delimiter)


def count_census(folder: Path, period: str) -> Figures:
    """P01 residents, A01 foreign citizens, A02 born abroad, by governorate and sex; C05 and C06, the employment and
    unemployment rates of those born abroad, by sex: waves of 2014 and 2024."""
    is_early = period == "2014"
    columns = (
        ("GOUV", "SEXE", "NAT_TN", "LIEU_NAISS", "AGE", "ACTIVITE")
        if is_early
        else ("governorate", "sex", "citizenship", "birthplace", "age", "activity")
    )
    reading = (";", "windows-1256") if is_early else (",", "utf-8")
    employed, unemployed, *outside = "ACI" if is_early else "123456"
    counts, met, among = Counter[Key](), Counter[Key](), Counter[Key]()
    for row in read_rows(next(folder.glob("rgph_persons_*.csv")), *reading):
        area, sex, citizenship, birthplace, age, activity = (row[name] for name in columns)
        places, sexes = ("TUN", GOVERNORATES[area]), ("_T", SEXES[sex])
        cells = [
            Key("", "rgph", "_Z", "resident_population", period, place, "_Z", by) for place in places for by in sexes
        ]
        for indicator, is_one in (("P01", True), ("A01", citizenship == "2"), ("A02", birthplace == "2")):
            counts.update(key._replace(indicator=indicator) for key in cells if is_one)
        if birthplace != "2":
            continue
        in_force = activity in (employed, unemployed)
        for indicator, is_met, is_among in (
            ("C05", activity == employed, 15 <= int(age) <= 64 and (in_force or activity in outside)),
            ("C06", activity == unemployed, int(age) >= 15 and in_force),
        ):
            shown = [key._replace(indicator=indicator) for key in cells if key.area == "TUN"]
            among.update(shown if is_among else [])
            met.update(shown if is_among and is_met else [])
    return dict(counts) | {key: 100 * met[key] / persons for key, persons in among.items()}


def count_vital_events(folder: Path, period: str) -> Figures:
    """P02 births and P03 deaths of a year, by governorate and sex."""
    counts: Counter[Key] = Counter()
    for indicator, files in (("P02", "naissances_*.csv"), ("P03", "deces_*.csv")):
        for row in read_rows(next(folder.glob(files)), ",", "utf-8"):
            for place in ("TUN", GOVERNORATES[row["GOUVERNORAT"]]):
                for sex in ("_T", SEXES[row["SEXE"]]):
                    key = Key(indicator, "civil_registration", "_Z", "registered_events", period, place, "_Z", sex)
                    counts[key] += 1
    return dict(counts)


def count_passages(folder: Path, period: str) -> Figures:
    """B14 passages of a month, by direction and sex."""
    counts: Counter[Key] = Counter()
    for row in read_rows(next(folder.glob("border_crossings_*.csv")), ",", "utf-8"):
        direction = {"E": "ENTRY", "S": "EXIT"}[row["direction"]]
        for sex in ("_T", SEXES[row["sex"]]):
            counts[Key("B14", "border_crossings", "_Z", "passages", period, "TUN", "_Z", sex, direction)] += 1
    return dict(counts)


def count_registered(folder: Path, period: str) -> Figures:
    """A06 persons registered abroad, by country and sex. Who is registered twice counts once, and once a country."""
    persons: defaultdict[Key, set[str]] = defaultdict(set)
    encoding = "windows-1256" if period == "2008-12-31" else "utf-8-sig"
    for row in read_rows(next(folder.glob("registre_consulaire_*.csv")), ";", encoding):
        person = next(f"{name}:{row[name]}" for name in ("CIN", "PASSEPORT", "NUM_INSCRIPTION") if row[name])
        for country in ("_T", COUNTRIES[row["PAYS"]]):
            for sex in ("_T", SEXES[row["SEXE"]]):
                key = Key("A06", "consular_register", "_Z", "registered_abroad", period, "TUN", country, sex)
                persons[key].add(person)
    return {key: len(numbers) for key, numbers in persons.items()}
