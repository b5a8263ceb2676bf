"""The two household surveys: their samples are accepted without a word, reach the published totals, and each judgement
rule is broken by some spoilt batch."""

from pathlib import Path

import pyreadstat
import pytest

from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.gates.judge import judge
from hims_pipeline.gates.suites import judgement_rules
from hims_pipeline.lake import landing
from hims_pipeline.readers import read_delivery
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sql import ParquetFiles, connection, literal, read_parquet
from hims_synthetic import hims_survey, lfs_migration
from hims_synthetic.country import open_country
from hims_synthetic.raking import scale_parts
from hims_synthetic.recipe import load_recipe
from hims_synthetic.sample import Sample

SCALE = 0.002
Tables = dict[str, ParquetFiles]
# What spoils a delivery: entity -> statements on `t`, the entity's table.
SPOILT = {
    "hims_survey": [
        {
            "screening": ["update t set V010 = 4, V014 = 1 where V010 = 2", "update t set V003 = '111001'"],
            "households": ["update t set Poids_Final = 1, V011 = 2"],
            "current_migrants": [
                "update t set V101 = 2, V303 = 1950, V108 = 20, V713_A = 1, V702 = 9",
                "update t set Poids_Final = 1000000 where _line = (select min(_line) from t)",
            ],
            "return_migrants": ["update t set V101 = 2, V503 = 1950, V108 = 20, V713_A = 7, V702 = 1, V509 = 1"],
            "non_migrants": ["update t set V702 = 8, V713_A = 1, V704 = 250 where _line % 2 = 0",
                "update t set V702 = 1 where V702 = 2"],
            "foreign_residents": ["update t set V110 = 998", "update t set V110 = 788 where _line % 10 = 0"],
        },
        {
            "screening": ["delete from t where V003 != (select min(V003) from t)"],
            "households": ["update t set V010 = 1 + V010 % 4"],
        },
        {
            "households": ["update t set Poids_Final = Poids_Final * 10000"],
            **{
                entity: ["update t set Poids_Final = 1 + hash(Id_Ind) % 1000"]
                for entity in ("current_migrants", "return_migrants", "non_migrants", "foreign_residents")
            },
        },
    ],
    "lfs_migration": [
        {
            "households": [
                "update t set district = '111001', sortis = 0, listes = 9 where sortis > 0",
                "update t set sortis = 8, listes = 7 where _line % 50 = 0",
            ],
            "departures": ["update t set annee = 2020, sexe = 2, pays = 788, poids = 3 * poids"],
        },
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def samples(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    out = tmp_path_factory.mktemp("surveys")
    with open_country(settings, scale=SCALE) as country:
        return hims_survey.write(country, out) + lfs_migration.write(country, out)


@pytest.fixture(scope="module")
def read(settings: Settings, samples: list[Sample], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tables]:
    """The tables of one delivery of each source, as the reader leaves them, without a finding."""
    found = {}
    for sample in samples:
        contract = load_contracts(settings.data)[sample.source]
        delivery, _ = landing.take_over(settings, contract, sample.period, sample.files)
        target = tmp_path_factory.mktemp(sample.source)
        result = read_delivery(settings, contract, delivery, target, lambda text: None)
        assert not result.findings
        found[sample.source] = {name: entity.paths(target) for name, entity in result.entities.items()}
    return found


PERIODS = {"hims_survey": "2021", "lfs_migration": "2023"}


@pytest.mark.parametrize("source", PERIODS)
def test_good_samples_are_accepted_without_a_warning(settings: Settings, read: dict[str, Tables], source: str) -> None:
    outcome = judge(settings, load_contracts(settings.data)[source], PERIODS[source], read[source])
    assert outcome.accepted
    assert [one["code"] for one in outcome.rules if not one["success"]] == []


@pytest.mark.parametrize("source", SPOILT)
def test_each_judgement_rule_can_fail(settings: Settings, read: dict[str, Tables], source: str, tmp_path: Path) -> None:
    contract, period = load_contracts(settings.data)[source], PERIODS[source]
    declared = {one.code for one in judgement_rules(REPOSITORY / "expectations", contract, period)}
    broken = set()
    for number, spoilt in enumerate(SPOILT[source]):
        tables = dict(read[source])
        for entity, statements in spoilt.items():
            with connection(settings) as con:
                con.execute(f"create table t as from {read_parquet(tables[entity])}")
                for statement in statements:
                    con.execute(statement)
                tables[entity] = tmp_path / f"{number}-{entity}.parquet"
                con.execute(f"copy t to {literal(tables[entity])} (format parquet)")
        outcome = judge(settings, contract, period, tables)
        assert not outcome.accepted
        broken |= {one["code"] for one in outcome.rules if not one["success"]} & declared
    assert broken == declared, sorted(declared - broken)


def test_weights_reach_the_published_totals(settings: Settings, read: dict[str, Tables]) -> None:
    recipe = load_recipe(settings.data / "samples/recipe")
    margins: dict[str, dict[str, dict[str, float]]] = {}
    for row in recipe.tables["hims_margins"]:
        margins.setdefault(row["population"], {}).setdefault(row["variable"], {})[row["category"]] = float(
            row["persons"]
        )
    tables = read["hims_survey"]
    with connection(settings) as con:
        for entity, population in (("current_migrants", "current"), ("return_migrants", "return")):
            found = con.execute(
                f"select if(V101 = 1, 'M', 'F'), sum(Poids_Final) from {read_parquet(tables[entity])} group by 1"
            ).fetchall()
            assert {sex: float(persons) for sex, persons in found} == scale_parts(margins[population]["sex"], SCALE)
        # Rounded to whole persons at this scale, a share is no nearer than half a person in a hundred.
        wish = "select 100 * sum(Poids_Final) filter (where V702 = 1) / sum(Poids_Final) filter (where V702 in (1, 2))"
        source = f"from {read_parquet(tables['non_migrants'])}"
        for where, published in (
            ("true", 19.9),
            ("V101 = 1", 25.6),
            ("V101 = 2", 14.7),
            ("V108 < 30", 39.5),
            ("V108 between 60 and 97", 2.2),
        ):
            value = con.execute(f"{wish} {source} where {where}").fetchall()[0][0]
            assert value == pytest.approx(published, abs=0.35), where


def test_the_file_says_what_its_codes_mean(samples: list[Sample]) -> None:
    file = next(one for one in samples[0].files if "migrants_actuels" in one.name)
    _, meta = pyreadstat.read_sav(str(file), metadataonly=True)
    assert meta.variable_value_labels["V702"][9] == "Refuse de répondre"
    assert meta.variable_value_labels["V713_A"][7] == "Non concerné"
    assert meta.column_names[:2] == ["id_menage", "Id_Ind"]


def test_totals_at_a_scale_add_up() -> None:
    assert scale_parts({"M": 388_000, "F": 178_000}, 1.0) == {"M": 388_000, "F": 178_000}
    assert scale_parts({"a": 1, "b": 1, "c": 1}, 1 / 3) == {"a": 1, "b": 0, "c": 0}
