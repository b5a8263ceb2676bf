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
    """P01 residents, A01 foreign citizens, A02 born abroad, by governorate and sex: waves of 2014 and 2024."""
    is_early = period == "2014"
    columns = (
        ("GOUV", "SEXE", "NAT_TN", "LIEU_NAISS") if is_early else ("governorate", "sex", "citizenship", "birthplace")
    )
    reading = (";", "windows-1256") if is_early else (",", "utf-8")
    counts: Counter[Key] = Counter()
    for row in read_rows(next(folder.glob("rgph_persons_*.csv")), *reading):
        area, sex, citizenship, birthplace = (row[name] for name in columns)
        met = ["P01", *(["A01"] if citizenship == "2" else []), *(["A02"] if birthplace == "2" else [])]
        for indicator in met:
            for place in ("TUN", GOVERNORATES[area]):
                for by in ("_T", SEXES[sex]):
                    counts[Key(indicator, "rgph", "_Z", "resident_population", period, place, "_Z", by)] += 1
    return dict(counts)


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
