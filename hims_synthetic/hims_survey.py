"""A wave of the migration survey over the synthetic country: a listing, the households drawn, and a file a population.

The people are the country's. Weights are raked to the published totals in the recipe (`hims_margins.csv`), as far down
as the country's scale; of small countries a larger share is interviewed, so that there is something to estimate from.
Not here: the SQL (`hims_survey_sql`), or how weights are raked (`raking`).
"""

from pathlib import Path

import duckdb
import pandas as pd

from hims_synthetic import hims_survey_sql as sql
from hims_synthetic.country import Country
from hims_synthetic.formats import write_spss
from hims_synthetic.labelled import column_labels, contract, countries, value_labels
from hims_synthetic.raking import rake, scale_parts
from hims_synthetic.sample import Sample
from hims_synthetic.streams import HOME, MARK

SOURCE, PERIOD, DAY = "hims_survey", "2021", "2020-12-31"
LISTED, LISTED_AT_LEAST = 150_000, 4_000
DISTRICTS, DISTRICTS_AT_LEAST = 1_860, 240
URBAN_SHARE, UNANSWERED, HOUSEHOLD_SIZE = 0.68, 0.012, 3.7
STAYED_FACTOR = 4  # drawn from so many times the non-migrants that are needed
FILE_OF = {
    "screening": "ratissage",
    "households": "menages",
    "current_migrants": "migrants_actuels",
    "return_migrants": "migrants_retour",
    "non_migrants": "non_migrants",
    "foreign_residents": "residents_etrangers",
}
POPULATION = {
    "current_migrants": "current",
    "return_migrants": "return",
    "non_migrants": "non",
    "foreign_residents": "foreign",
}


def write(country: Country, out: Path) -> list[Sample]:
    """Write the wave's six SPSS files under `out/<source>/<period>/`; the same country gives the same bytes."""
    con = country.con
    _make_lists(country)
    _make_people(con, country.scale)
    _make_weights(country)
    con.execute(f"create or replace temp table hims_dreams as {sql.DREAMS}")
    homes = con.execute("select count(distinct id_menage) from hims_people").fetchall()[0][0]
    residents = con.execute(f"select count(*) from hims_here where country = '{HOME}'").fetchall()[0][0]
    weight = round(residents / HOUSEHOLD_SIZE / homes, 4)
    files = []
    for entity, name in FILE_OF.items():
        query = sql.FILES[entity].format(household_weight=weight)
        if entity in POPULATION:
            query += sql.PERSONS.format(population=POPULATION[entity])
        columns = contract(SOURCE).entities[entity].columns
        path = out / SOURCE / PERIOD / f"Tunisia-HIMS_{name}_{PERIOD}_{MARK}.sav"
        files.append(write_spss(con, query, path, value_labels(columns), column_labels(columns)))
    return [Sample(SOURCE, PERIOD, files)]


def _make_lists(country: Country) -> None:
    """The recipe's tables; sizes of the samples follow from the scale."""
    con, scale = country.con, country.scale
    listed = max(round(LISTED * scale), LISTED_AT_LEAST)
    groups = pd.DataFrame(country.recipe.tables["hims_groups"]).astype(
        {"class": int, "interviews": int, "at_least": int}
    )
    groups["interviews"] = [
        max(round(n * scale), at_least) for n, at_least in zip(groups["interviews"], groups["at_least"], strict=True)
    ]
    groups["listed_per_drawn"] = groups["listed_per_drawn"].astype(float)
    groups["listed"] = [listed if name == "non" else 0 for name in groups["population"]]
    tables = {
        "hims_groups": groups,
        "hims_countries": pd.DataFrame(countries())[["country_code", "m49", "region_m49"]],
        "hims_country_groups": pd.DataFrame(country.recipe.tables["hims_country_groups"]),
    }
    for name, frame in tables.items():
        con.register("made", frame)
        con.execute(f"create or replace temp table {name} as from made")
        con.unregister("made")


def _make_people(con: duckdb.DuckDBPyConnection, scale: float) -> None:
    residents = con.execute(
        f"select count(*) from stays where country = '{HOME}' and from_date <= date '{DAY}'"
        f" and (to_date is null or to_date > date '{DAY}')"
    ).fetchall()[0][0]
    needed = max(round(LISTED * scale), LISTED_AT_LEAST) * STAYED_FACTOR
    values = {
        "home": HOME,
        "day": DAY,
        "urban_share": URBAN_SHARE,
        "unanswered": UNANSWERED,
        "stayed_steps": round(1_000_003 * min(1.0, needed / max(residents, 1))),
        "districts": max(round(DISTRICTS * scale), DISTRICTS_AT_LEAST),
    }
    for name, query in (
        ("hims_here", sql.HERE),
        ("hims_left_home", sql.LEFT_HOME),
        ("hims_came_back", sql.CAME_BACK),
        ("hims_stayed", sql.STAYED),
        ("hims_candidates", sql.CANDIDATES),
        ("hims_drawn", sql.DRAWN),
        ("hims_people", sql.HOUSEHOLDS),
        ("hims_answers", sql.ANSWERS),
    ):
        con.execute(f"create or replace temp table {name} as {query.format_map(values)}")


def _make_weights(country: Country) -> None:
    """One weight a person interviewed, by population raked to the margins of the recipe."""
    con, scale = country.con, country.scale
    margins: dict[str, dict[str, dict[str, float]]] = {}
    for row in country.recipe.tables["hims_margins"]:
        of = margins.setdefault(row["population"], {}).setdefault(row["variable"], {})
        of[row["category"]] = float(row["persons"])
    frames = []
    for population, variables in margins.items():
        frame = con.execute(sql.CATEGORIES.format(population=population)).df()
        if frame.empty:
            continue
        targets = {
            name: {k: float(v) for k, v in scale_parts(parts, scale).items()} for name, parts in variables.items()
        }
        weight = rake({name: frame[name].to_numpy() for name in targets}, targets, frame["start"].to_numpy())
        frames.append(pd.DataFrame({"person_no": frame["person_no"], "weight": weight}))
    con.register("made", pd.concat(frames))
    con.execute("create or replace temp table hims_weights as from made")
    con.unregister("made")
