"""What is known of every country: its names, currency, time zones and first subdivisions. See the README beside."""

import csv
from dataclasses import dataclass
from pathlib import Path

from babel import Locale, UnknownLocaleError

from hims_pipeline.errors import HimsError

HERE = Path(__file__).parent
Row = dict[str, str]


@dataclass(frozen=True)
class WorldCountry:
    """A country to start from.

    Args:
        names: language -> its name; languages without one are left out.
        time_zones: the main one first.
        areas: rows of its first subdivisions: `iso_code`, `kind`, `name_<language>`.
    """

    code: str
    alpha_2: str
    names: dict[str, str]
    currency: str
    time_zones: tuple[str, ...]
    areas: tuple[Row, ...]


def read_world_rows(path: Path) -> list[Row]:
    """Rows of a list of the world, one a line of the file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def find_country(code: str, languages: tuple[str, ...], countries: list[Row]) -> WorldCountry:
    """The country of an ISO 3166-1 alpha-3 code.

    Args:
        countries: rows of the list of the world's countries.

    Raises:
        HimsError: there is no such country today.
    """
    row = next(
        (country for country in countries if country["country_code"] == code and country["status"] == "current"), None
    )
    if row is None:
        raise HimsError(f"{code!r} is no ISO 3166-1 alpha-3 code of a country of today, such as MAR.")
    alpha_2 = row["alpha_2"]
    about = next((one for one in read_world_rows(HERE / "territories.csv") if one["alpha_2"] == alpha_2), {})
    areas = [one for one in read_world_rows(HERE / "subdivisions.csv") if one["iso_code"].split("-")[0] == alpha_2]
    names = {language: row.get(f"name_{language}") or territory_name(alpha_2, language) for language in languages}
    return WorldCountry(
        code,
        alpha_2,
        {language: name for language, name in names.items() if name},
        about.get("currency", ""),
        tuple(about.get("time_zones", "").split()),
        tuple(areas),
    )


def is_language(code: str) -> bool:
    """Is this a language whose names of countries are known?"""
    try:
        return code.islower() and bool(Locale.parse(code).territories)
    except (UnknownLocaleError, ValueError):
        return False


def territory_name(alpha_2: str, language: str) -> str:
    """The name of a country in a language; empty where none is known."""
    return Locale.parse(language).territories.get(alpha_2, "") if is_language(language) else ""
