"""A whole `data/` and `expectations/` for another country, from the project's own: lists of the world, indicators, and
the sources that speak of every country. What only people can say, and what has no name in a language, is told.
"""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.yaml_records import read_yaml
from hims_pipeline.errors import HimsError
from hims_pipeline.new_country.lists import LEVEL, scheme_of, write_lists
from hims_pipeline.new_country.world import WorldCountry, find_country, is_language, read_world_rows
from hims_pipeline.settings import REPOSITORY

DATA, EXPECTATIONS = REPOSITORY / "data", REPOSITORY / "expectations"
OBSERVATORY = {
    "en": "Migration observatory: {}",
    "fr": "Observatoire de la migration : {}",
    "ar": "مرصد الهجرة: {}",
}
COUNTRY = {"en": "Country", "fr": "Pays", "ar": "البلد"}
SUBDIVISION = {
    "en": "First level of ISO 3166-2",
    "fr": "Premier niveau de l'ISO 3166-2",
    "ar": "المستوى الأول (ISO 3166-2)",
}
README = """# {name}

Written by `hims init`. To run it:

```sh
export HIMS_DATA=$PWD/data HIMS_EXPECTATIONS=$PWD/expectations HIMS_HOME=$PWD/home
hims source draft FILE > data/contracts/SOURCE.yml        # areas by their ISO code: `crosswalk: {scheme}`
hims source check FILE --source SOURCE --period PERIOD
hims deliver FILE --source SOURCE --period PERIOD
hims run
```

`data/contracts` begins with the sources that speak of every country. An indicator of your own is a record in
`data/indicators/Z-own.yml` with a code of that letter (Z01): an estimate over a fact by its `formula`, any other with a
model of its own, `data/models/z01_<what>.sql`.

What to look after:

{notes}
"""


def write_country(
    out: Path, code: str, languages: Sequence[str], time_zone: str | None = None, currency: str | None = None
) -> list[str]:
    """Write `data/`, `expectations/` and a README into a folder that is empty or not there; returns what to look after.

    Args:
        code: ISO 3166-1 alpha-3.
        languages: ISO 639 codes; English, the working language, is added where it is not named.

    Raises:
        HimsError: all that is wrong with what was asked.
    """
    asked = tuple(dict.fromkeys(languages))
    spoken = asked if "en" in asked else (*asked, "en")
    country = _check_country(out, code, spoken, time_zone, currency)
    notes = ["English (en) is added, the working language of reports"] * ("en" not in asked)
    notes += _country_files(country, time_zone, currency)
    data, expectations = out / "data", out / "expectations"
    notes += write_lists(DATA / "codelists", data / "codelists", country, spoken)
    notes += _write_indicators(data / "indicators", spoken)
    (data / "models").mkdir()
    sources = world_sources()
    _write_sources(data, expectations, sources)
    _write_shapes(data)
    (data / "observatory.yml").write_text(_observatory(country, spoken, time_zone, currency), encoding="utf-8")
    notes.append(
        "areas.csv: those of ISO 3166-2, which may lag behind the country's last changes; compare them with its own"
    )
    notes.append("observatory.yml: `contact` is to be filled in; look at name, schedule, levels and policies")
    notes.append(
        f"data/contracts has {len(sources)} sources that speak of every country, and none of this one's own yet"
    )
    text = README.format(
        name=OBSERVATORY["en"].format(country.names["en"]),
        scheme=scheme_of(country),
        notes="\n".join(f"- {note}" for note in notes),
    )
    (out / "README.md").write_text(text, encoding="utf-8")
    return notes


def _check_country(
    out: Path, code: str, languages: tuple[str, ...], time_zone: str | None, currency: str | None
) -> WorldCountry:
    wrong, country = [], None
    try:
        country = find_country(code, languages, read_world_rows(DATA / "codelists/countries.csv"))
    except HimsError as error:
        wrong.append(str(error))
    wrong += [
        f"{language!r} is no ISO 639 code of a language, such as fr."
        for language in languages
        if not is_language(language)
    ]
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        wrong.append(f"{out} is not empty. Name a new folder: nothing is written over.")
    if country and not (time_zone or country.time_zones):
        wrong.append(f"No time zone of {code} is known: say --time-zone.")
    if country and not (currency or country.currency):
        wrong.append(f"No currency of {code} is known: say --currency.")
    if wrong or country is None:
        raise HimsError("\n".join(wrong))
    return country


def _country_files(country: WorldCountry, time_zone: str | None, currency: str | None) -> Iterator[str]:
    if time_zone is None and len(country.time_zones) > 1:
        yield (
            f"observatory.yml: of {len(country.time_zones)} time zones {country.time_zones[0]} was taken; --time-zone"
            " names another"
        )
    if currency is None:
        yield f"observatory.yml: the currency is {country.currency}"


def world_sources() -> dict[str, Contract]:
    """The sources of the project that speak of every country: aggregates as published, whose files anybody can get."""
    return {
        source: contract
        for source, contract in load_contracts(DATA).items()
        if contract.country is None and contract.data_kind == "aggregate" and not contract.personal
    }


def _write_sources(data: Path, expectations: Path, sources: dict[str, Contract]) -> None:
    for folder in (data / "contracts", data / "corrections", expectations):
        folder.mkdir(parents=True)
    for name in ("release.json", "warehouse.json", "revisions.yml"):
        shutil.copyfile(EXPECTATIONS / name, expectations / name)
    shutil.copytree(EXPECTATIONS / "warehouse", expectations / "warehouse")
    _write_comparisons(expectations, sources)
    (expectations / "references").mkdir()
    for source in sources:
        for reference in (EXPECTATIONS / "references").glob(f"{source}@*.csv"):
            shutil.copyfile(reference, expectations / "references" / reference.name)
        shutil.copyfile(DATA / f"contracts/{source}.yml", data / f"contracts/{source}.yml")
        if (known := DATA / f"corrections/{source}.yml").exists():
            shutil.copyfile(known, data / f"corrections/{source}.yml")
        for suite in EXPECTATIONS.glob(f"{source}__*.json"):
            shutil.copyfile(suite, expectations / suite.name)
    pinned = [one for one in read_yaml(DATA / "deliveries.yml")["deliveries"] if one["source"] in sources]
    head = "# Public deliveries of HIMS_REAL_DATA; paths are relative to it.\n"
    (data / "deliveries.yml").write_text(head + _as_yaml({"deliveries": pinned}), encoding="utf-8")


def _write_comparisons(expectations: Path, sources: dict[str, Contract]) -> None:
    """How far a delivery may differ from what is known: the limits for all, and what is said of these sources."""
    known, name = read_yaml(EXPECTATIONS / "comparisons.yml"), "comparisons.yml"
    limits_for_all = (EXPECTATIONS / name).read_text(encoding="utf-8").partition("\nsources:")[0]
    own = {
        **{key: value for key, value in known.items() if key != "limits"},
        "sources": {about: one for about, one in known["sources"].items() if about.split("/")[0] in sources},
        "exceptions": [one for one in known["exceptions"] if one["source"] in sources],
    }
    (expectations / name).write_text(f"{limits_for_all}\n{_as_yaml(own)}", encoding="utf-8")


def _write_shapes(data: Path) -> None:
    """Shapes of identifiers: those of no country alone; its own are to be added."""
    lines = (DATA / "identifier_shapes.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    general = [line for line in lines[1:] if line.split(",")[1] == ""]
    (data / "identifier_shapes.csv").write_text("".join([lines[0], *general]), encoding="utf-8")
    named = {line.split(",")[0] for line in general}
    lines = (DATA / "identifier_lookalikes.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines[1:] if line.split(",")[1] in {*named, "KNOWN_PERSON"}]
    (data / "identifier_lookalikes.csv").write_text("".join([lines[0], *kept]), encoding="utf-8")


def _write_indicators(folder: Path, languages: tuple[str, ...]) -> Iterator[str]:
    """The catalogue; a language that it lacks has the English names, which the list of notes says."""
    folder.mkdir(parents=True)
    named: dict[str, int] = {}
    for path in sorted((DATA / "indicators").glob("*.yml")):
        records = read_yaml(path)
        lost = 0
        for record in next(iter(records.values())):
            text = record["name"] if isinstance(record.get("name"), dict) else record.get("label")
            for language in [one for one in languages if not text.get(one)]:
                for shown in (text, record.get("definition", text)):
                    shown[language] = shown["en"]
                named[language] = named.get(language, 0) + 1
                lost += 1
        if lost:
            (folder / path.name).write_text(_as_yaml(records), encoding="utf-8")
        else:
            shutil.copyfile(path, folder / path.name)
    for language, count in named.items():
        yield f"{language}: {count} indicators and breakdowns have their English names in data/indicators"


def _observatory(country: WorldCountry, languages: tuple[str, ...], time_zone: str | None, currency: str | None) -> str:
    def text(words: dict[str, str], *values: str) -> dict[str, str]:
        return {language: words.get(language, words["en"]).format(*values) for language in languages}

    name = {
        language: OBSERVATORY.get(language, OBSERVATORY["en"]).format(country.names.get(language, country.names["en"]))
        for language in languages
    }
    levels: list[dict[str, Any]] = [{"code": "country", "title": text(COUNTRY)}]
    if country.areas:
        levels.append({"code": LEVEL, "title": text(SUBDIVISION), "parent": "country"})
    return _as_yaml(
        {
            "name": name,
            "reference_country": country.code,
            "languages": list(languages),
            "time_zone": time_zone or country.time_zones[0],
            "currency": currency or country.currency,
            "contact": "?",
            "schedule": {"cron": "30 2 * * *", "on_in": ["prod"]},
            "levels": levels,
            "policies": {"minimum_count": 10},
            "headline": ["P01", "A02", "A01", "A17", "A07", "A18", "A11", "B04", "D03"],
        }
    )


def _as_yaml(value: Any) -> str:
    return yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=120)
