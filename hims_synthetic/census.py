"""The census of the synthetic country, wave by wave: each in its own layout, residents in households.

Persons are those of the country, and what they say of themselves is true but for some answers that are missing; only
households are made up here. A wave is written in parts, some governorates at a time, so that memory stays small. Not
here: the queries (`census_sql`), or names and codes of the waves (`census_layouts`).
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from hims_pipeline.contracts.basics import Text
from hims_pipeline.sql import literals
from hims_synthetic import census_layouts as layouts
from hims_synthetic import census_sql as sql
from hims_synthetic.country import Country
from hims_synthetic.formats import CsproRecord, Variable, write_cspro, write_fixed_width
from hims_synthetic.labelled import contract
from hims_synthetic.sample import Sample
from hims_synthetic.streams import MARK, write_csv

ONE_IN_FIVE = "rgph_one_in_five"
CHUNK = 700_000  # residents whose households are made at a time
SPECIAL = {"_U": "MISSING", "_Z": "NOTAPPL"}
Files = dict[str, Path]  # the path of the whole file by the name of a part


@dataclass(frozen=True)
class Wave:
    """One wave.

    Args:
        day, before: census day, and the day five years before.
        household_size: mean persons a household.
        left_until: last day of departure of the emigrants asked about; empty where nobody was asked.
        merged: code of a governorate -> code that held for it on census day.
        has_fifth: one questionnaire in five is processed before the others, and delivered.
    """

    year: str
    day: str
    before: str
    household_size: float
    left_until: str
    merged: tuple[tuple[str, str], ...] = ()
    has_fifth: bool = False


WAVES = (
    # La Manouba was made out of Ariana in 2000. The mean household is assumed.
    Wave("1994", "1994-04-20", "1989-04-20", 5.15, "", (("14", "12"),)),
    # 9,910,872 residents in 2,185,800 households are published. Emigrants had been away for six months.
    Wave("2004", "2004-04-28", "1999-04-28", 4.53, "2003-10-28"),
    # 10,982,754 residents in 2,712,976 households are published; the size of 2024 follows from about 3.3 million.
    Wave("2014", "2014-04-23", "2009-04-23", 4.05, "2014-04-23", has_fifth=True),
    Wave("2024", "2024-11-06", "2019-11-06", 3.60, "2024-11-06"),
)
WIDTHS = {
    "MENAGE": 8,
    "GOUV": 2,
    "GOUVNAIS": 2,
    "GOUV89": 2,
    "P09_GOUVNAIS": 2,
    "P12_GOUV99": 2,
    "E05_ANNEE": 4,
} | dict.fromkeys(("AGE", "PAYSNAT", "PAYSNAIS", "PAYS89", "P04_AGE", "P06_PAYSNAT", "P08_PAYSNAIS", "P11_PAYS99"), 3)
WIDTHS |= {"E03_AGE": 3, "E04_PAYS": 3, "PERS": 2, "P01_NUM": 2, "E01_NUM": 2}


def write(country: Country, out: Path) -> list[Sample]:
    """One delivery a wave under `out/rgph/<year>/`, and what is processed first of it under `out/rgph_one_in_five/`."""
    samples = []
    for wave in WAVES:
        files = write_wave(country, wave, out / "rgph" / wave.year)
        samples.append(Sample("rgph", wave.year, [file for file in files if ONE_IN_FIVE not in file.parts]))
        if fifth := [file for file in files if ONE_IN_FIVE in file.parts]:
            samples.append(Sample(ONE_IN_FIVE, wave.year, fifth))
    return samples


def write_wave(country: Country, wave: Wave, out: Path) -> list[Path]:
    """Write the files of one wave into `out`, those of its one-in-five sample beside; returns their paths."""
    con = country.con
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    con.execute(f"create or replace temp table residents as {sql.RESIDENTS.format_map(asdict(wave))}")
    if wave.left_until:
        _make_leavers(country, wave)
    if wave.has_fifth:
        fifth = out.parent.parent / ONE_IN_FIVE / wave.year
        shutil.rmtree(fifth, ignore_errors=True)
        fifth.mkdir(parents=True)
    files: list[Path] = []
    for places in chunks(con):
        for name, query in (
            ("people", sql.PEOPLE),
            ("heads", sql.HEADS),
            ("couples", sql.COUPLES),
            ("members", sql.MEMBERS),
            ("answers", sql.ANSWERS),
            *([("emigrants", sql.EMIGRANTS)] if wave.left_until else []),
        ):
            con.execute(f"create or replace temp table {name} as {query.format(places=places, **asdict(wave))}")
        first = not files
        for path, append in WRITE[wave.year](con, wave, out, first):
            files += [path] if first else []
            _append(path, append)
    con.execute("drop table residents")
    return files


def _make_leavers(country: Country, wave: Wave) -> None:
    """Tables `reported` (country, sex, n) and `leavers`, the persons whom households report."""
    flows = next(flow for flow in country.flows if flow.to_date.isoformat() == wave.day)
    rows = ", ".join(f"('{place}', '{sex}', {n})" for (place, sex), n in flows.reported.items())
    country.con.execute(f"create or replace temp table reported as select * from (values {rows}) as t(country, sex, n)")
    country.con.execute(f"create or replace temp table leavers as {sql.LEAVERS.format_map(asdict(wave))}")


def chunks(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """SQL lists of governorates, in order, with about `CHUNK` residents each."""
    sizes = con.execute("select governorate, count(*) from residents group by all order by 1").fetchall()
    held: list[str] = []
    reached = 0
    for place, persons in sizes:
        held.append(place)
        reached += persons
        if reached >= CHUNK:
            yield literals(held)
            held, reached = [], 0
    if held:
        yield literals(held)


def _append(path: Path, part: Path) -> None:
    if part == path:
        return
    with part.open("rb") as source, path.open("ab") as target:
        shutil.copyfileobj(source, target, 1 << 24)
    part.unlink()


Written = Iterator[tuple[Path, Path]]  # the whole file, and what is to be appended to it


def _csv(con: duckdb.DuckDBPyConnection, wave: Wave, out: Path, first: bool) -> Written:
    form = {"delimiter": ";", "encoding": "windows-1256"} if wave.year == "2014" else {}
    for name in ("persons", "emigrants"):
        path = out / f"rgph_{name}_{wave.year}_{MARK}.csv"
        query = getattr(layouts, f"{name.upper()}_{wave.year}")
        yield path, write_csv(con, query, path.with_suffix(".part"), header=first, **form)
    if wave.has_fifth:
        path = out.parent.parent / ONE_IN_FIVE / wave.year / f"rgph_un_sur_cinq_{wave.year}_{MARK}.csv"
        yield path, write_csv(con, layouts.ONE_IN_FIVE, path.with_suffix(".part"), header=first, delimiter=";")


def _fixed_width(con: duckdb.DuckDBPyConnection, wave: Wave, out: Path, first: bool) -> Written:
    path = out / f"rgph_{wave.year}_{MARK}.txt"
    merged = {
        f"merged_{name}": "case named.{0} {1} else named.{0} end".format(
            name, " ".join(f"when '{old}' then '{new}'" for old, new in wave.merged)
        )
        for name in ("governorate", "governorate_of_birth", "governorate_of_residence_5y")
    }
    query = layouts.PERSONS_1994.format(**merged)
    book = path.with_suffix(".xml") if first else None
    part = write_fixed_width(con, query, path.with_suffix(".part"), variables("persons", wave), book, title=MARK)
    yield path, part
    if book:
        # The codebook names the data file, not the part of it that was written first.
        book.write_text(book.read_text(encoding="utf-8").replace(part.name, path.name), encoding="utf-8")
        yield book, book


def _cspro(con: duckdb.DuckDBPyConnection, wave: Wave, out: Path, first: bool) -> Written:
    path = out / f"rgph_{wave.year}_{MARK}.dat"
    ids = [variable for variable in variables("persons", wave) if variable.name in ("GOUV", "MENAGE")]
    records = [
        CsproRecord(
            record, kind, getattr(layouts, f"{entity.upper()}_{wave.year}"),
            [variable for variable in variables(entity, wave) if variable.name not in ("GOUV", "MENAGE")], label,
        )
        for entity, record, kind, label in (
            ("persons", "PERSONNE", "1", "Personnes"), ("emigrants", "EMIGRE", "2", "Émigrés"),
        )
    ]  # fmt: skip
    book = path.with_suffix(".dcf")
    yield path, write_cspro(con, path.with_suffix(".part"), book, "RGPH_DICT", ids, records)
    if first:
        yield book, book


WRITE: dict[str, Callable[[duckdb.DuckDBPyConnection, Wave, Path, bool], Written]] = {
    "1994": _fixed_width,
    "2004": _cspro,
    "2014": _csv,
    "2024": _csv,
}


def variables(entity: str, wave: Wave) -> list[Variable]:
    """The columns of an entity as fields of a line; labels and codes are those of the contract."""
    census = contract("rgph")
    names = census.sent_names(entity, wave.year)
    return [
        Variable(
            names.get(column.name, column.name),
            WIDTHS.get(names.get(column.name, column.name), 1),
            column.label.get("fr") if isinstance(column.label, Text) else column.label,
            values={str(code): label for code, label in (column.codes or {}).items()},
            special={str(code): SPECIAL[to] for code, to in column.missing.items()},
        )
        for column in census.entity_in(entity, wave.year).kept_columns
    ]
