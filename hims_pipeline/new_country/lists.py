"""The code lists of another country's `data/`: those of the world as they are, and its own areas.

Not here: indicators, contracts and the observatory's record (`folder`).
"""

import csv
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from hims_pipeline.new_country.world import Row, WorldCountry, read_world_rows, territory_name

# Lists that speak of one country's areas and breaks: another country begins with its own.
OWN = ("areas.csv", "area_hierarchies.csv", "area_successors.csv", "series_breaks.csv", "xwalk_area.csv")
LEVEL = "subdivision"
_WORLD = "001"  # in CLDR


def write_lists(world: Path, folder: Path, country: WorldCountry, languages: tuple[str, ...]) -> Iterator[str]:
    """Write the code lists into a new folder; yields what has no name in which language.

    Args:
        world: the project's own lists.
    """
    folder.mkdir(parents=True)
    for path in sorted(world.glob("*.csv")):
        if path.name in OWN:
            _write(folder / path.name, _header(path), ())
        else:
            shutil.copyfile(path, folder / path.name)
    more = tuple(one for one in languages if f"name_{one}" not in _header(world / "countries.csv"))
    if more:
        yield from _name_countries(folder / "countries.csv", more)
    rows = list(_areas(country, languages))
    plain = [name for name in _header(world / "areas.csv") if not name.startswith("name_")]
    _write(folder / "areas.csv", [*plain, *(f"name_{one}" for one in languages)], rows)
    codes = [
        {"scheme": scheme_of(country), "code": area["iso_code"], "area_code": area["iso_code"]}
        for area in country.areas
    ]
    _write(folder / "xwalk_area.csv", _header(world / "xwalk_area.csv"), codes)
    yield from _find_unnamed(rows, languages)
    lists = [path for path in sorted(folder.glob("*.csv")) if path.name not in OWN]
    for language in languages:
        lacking = [path.name for path in lists if _lacks(path, language)]
        if lacking:
            yield f"{language}: English stands for the labels of {', '.join(lacking)} in data/codelists"


def scheme_of(country: WorldCountry) -> str:
    """Name of the scheme by which a contract translates the country's ISO 3166-2 codes."""
    return f"ISO_{country.code}"


def _areas(country: WorldCountry, languages: tuple[str, ...]) -> Iterator[Row]:
    names = {f"name_{language}": name for language, name in country.names.items()}
    yield {"area_code": country.code, "level": "country", "country_code": country.code} | names
    for area in country.areas:
        names = {f"name_{language}": area.get(f"name_{language}", "") for language in languages}
        code = area["iso_code"]
        yield (
            {"area_code": code, "level": LEVEL, "country_code": country.code, "parent_code": country.code}
            | {"iso_code": code}
            | names
        )


def _find_unnamed(rows: Sequence[Row], languages: tuple[str, ...]) -> Iterator[str]:
    if len(rows) == 1:
        yield "ISO 3166-2 knows no areas of this country; write them into data/codelists/areas.csv and xwalk_area.csv"
    for language in languages:
        lost = sum(not row.get(f"name_{language}") for row in rows)
        if lost:
            yield (
                f"{language}: {lost} of {len(rows)} areas have no name and are called as in English; fill in "
                f"name_{language} of data/codelists/areas.csv"
            )


def _lacks(path: Path, language: str) -> bool:
    """Does a list have labels, and none in this language?"""
    labels = [name.removesuffix("_en") for name in _header(path) if name.endswith("_en") and name != "description_en"]
    return any(f"{label}_{language}" not in _header(path) for label in labels)


def _name_countries(path: Path, languages: tuple[str, ...]) -> Iterator[str]:
    """Names from CLDR; yields how many of the list (former countries, codes that stand for none) have none there."""
    rows = read_world_rows(path)
    for row in rows:
        code = _WORLD if row["country_code"] == "_W" else row["alpha_2"]
        row |= {f"name_{language}": territory_name(code, language) for language in languages}
    _write(path, [*_header(path), *(f"name_{language}" for language in languages)], rows)
    for language in languages:
        if lost := sum(not row[f"name_{language}"] for row in rows):
            yield (
                f"{language}: {lost} of {len(rows)} countries and codes beside them have no name and are called as in "
                f"English; fill in name_{language} of data/codelists/countries.csv"
            )


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))


def _write(path: Path, header: Sequence[str], rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
