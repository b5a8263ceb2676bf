"""The registers of the synthetic country: accepted as sent, with the published totals and the quirks of real registers.

That each judgement rule can fail is shown on the same batches, spoilt.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from hims_pipeline import intake
from hims_pipeline.gates.judge import judge
from hims_pipeline.gates.suites import judgement_rules
from hims_pipeline.lake import landing
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.lake.verdict import Verdict
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sql import connection, literal
from hims_synthetic import (
    Sample,
    consular_register,
    foreign_students,
    open_country,
    residence_cards,
    students_abroad,
    work_authorisations,
)
from tests.synthetic.conftest import settings_at

SCALE = 0.01
WRITERS = (consular_register, foreign_students, residence_cards, students_abroad, work_authorisations)
ENTITY = {
    "consular_register": "registrations", "foreign_students": "enrolments", "residence_cards": "cards",
    "students_abroad": "students", "student_departures": "departures", "work_authorisations": "contracts",
}  # fmt: skip
# What spoils a batch: statements on `t`, the entity's table. Together those of a source break each of its rules.
SPOILT = {
    ("consular_register", "2014-12-31"): [
        "update t set SEXE = 'F', TRANCHE_AGE = '1', BINATIONAL = 'O', DATE_INSCRIPTION = date '2015-01-01'",
        "update t set PAYS = 'Libye', DATE_NAISSANCE = date '1890-01-01', CIN = (select any_value(CIN) from t)",
        "update t set PAYS = 'Italie' where _line % 2 = 0",
    ],
    ("foreign_students", "2020-21"): [
        "update t set SECTEUR = 'PUB', NATIONALITE = 'Tunisie', DOMAINE = null, DATE_NAISSANCE = date '2015-01-01'",
        "update t set NUM_ETUDIANT = (select any_value(NUM_ETUDIANT) from t)",
    ],
    ("foreign_students", "2012-13"): ["update t set SECTEUR = 'PRI' where _line < 9"],
    ("residence_cards", "2023"): [
        "update t set \"TITRE / OPERATION\" = 'P', \"TITULAIRE / NATIONALITE\" = 'Tunisie'",
        "update t set \"TITULAIRE / DOSSIER\" = (select any_value(\"TITULAIRE / DOSSIER\") from t)",
        "update t set \"ADRESSE / DELEGATION\" = '9951'",
        "update t set \"TITRE / VALABLE AU\" = date '2030-01-01' where \"TITRE / MOTIF\" = 'ETU'",
        "update t set \"TITRE / VALABLE DU\" = date '2031-01-01' where _line < 20",
        "update t set \"TITRE / DELIVRE LE\" = date '2024-01-01' where _line between 20 and 30",
    ],
    ("students_abroad", "2022"): [
        "update t set PAYS = 'Tunisie', ANNEE_NAISSANCE = 2015, BOURSE = 'O', CIN = (select any_value(CIN) from t)"
    ],
    ("student_departures", "2022-23"): [
        "update t set PAYS = 'Tunisie', NIVEAU = 'Doctorat'",
    ],
    ("work_authorisations", "2012"): [
        "update t set DECISION = 'R', NATIONALITE = 'Tunisie', PROFESSION = null, DATE_NAISSANCE = date '2010-01-01'",
        "update t set MATRICULE_EMPLOYEUR = (select any_value(MATRICULE_EMPLOYEUR) from t)",
        "update t set FIN = DEBUT, DATE_DECISION = date '2013-01-01'",
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """One delivery after the door: what was sent, the verdict, and the entity's table."""

    sample: Sample
    verdict: Verdict
    table: Path


@dataclass(frozen=True)
class World:
    settings: Settings
    con: duckdb.DuckDBPyConnection
    taken: dict[tuple[str, str], Taken]

    def ask(self, source: str, period: str, query: str) -> list[tuple]:
        table = self.taken[source, period].table
        return duckdb.execute(query.replace("{t}", f"read_parquet({literal(str(table))})")).fetchall()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A small country, what its registers send, and what became of it."""
    settings, out = settings_at(tmp_path_factory.mktemp("home")), tmp_path_factory.mktemp("sent")
    with open_country(settings, scale=SCALE) as country, installation_lock(settings, "test"):
        taken = {}
        for sample in (one for writer in WRITERS for one in writer.write(country, out)):
            contract = intake.contract_of(settings, sample.source)
            delivery, _ = landing.take_over(settings, contract, sample.period, sample.files)
            verdict = intake.take_in(settings, delivery, lambda text: None)
            table = settings.home / "validated" / delivery.batch / f"{ENTITY[sample.source]}.parquet"
            taken[sample[:2]] = Taken(sample, verdict, table)
        yield World(settings, country.con, taken)


def test_every_register_is_accepted_without_a_finding(world: World) -> None:
    assert {source for source, _ in world.taken} == set(ENTITY)
    for key, one in world.taken.items():
        assert (one.verdict.status, one.verdict.findings) == ("accepted", ()), key
        assert one.verdict.declared == one.verdict.evaluated > 10
        assert all("SYNTHETIC" in file.name for file in one.sample.files)


@pytest.mark.parametrize("source", ENTITY)
def test_each_judgement_rule_can_fail(world: World, source: str, tmp_path: Path) -> None:
    broken, declared = set(), set()
    contract = intake.contract_of(world.settings, source)
    for _, period in (key for key in SPOILT if key[0] == source):
        path = tmp_path / f"{period}.parquet"
        with connection(world.settings) as con:
            con.execute(f"create table t as from read_parquet({literal(str(world.taken[source, period].table))})")
            for statement in SPOILT[source, period]:
                con.execute(statement)
            con.execute(f"copy t to {literal(str(path))} (format parquet)")
        outcome = judge(world.settings, contract, period, {ENTITY[source]: path})
        rules = {one.code for one in judgement_rules(REPOSITORY / "expectations", contract, period)}
        broken |= {one["code"] for one in outcome.rules if not one["success"]} & rules
        declared |= rules
    assert len(declared) >= 3
    assert broken == declared, f"never failed: {sorted(declared - broken)}"


@pytest.mark.parametrize(("day", "persons"), [("2008-12-31", 10_578), ("2014-12-31", 12_824), ("2024-02-29", 17_316)])
def test_the_consular_register_has_the_published_persons_and_more_registrations(
    world: World, day: str, persons: int
) -> None:
    ((found, registrations),) = world.ask(
        "consular_register", day, "select count(distinct coalesce(CIN, PASSEPORT)), count(*) from {t}"
    )
    assert found == persons
    assert 1.005 < registrations / persons < 1.03


def test_nobody_is_struck_off_the_consular_register(world: World) -> None:
    later = world.taken["consular_register", "2024-02-29"].table
    ((gone,),) = world.ask(
        "consular_register", "2008-12-31",
        f"select count(*) from {{t}} anti join read_parquet({literal(str(later))}) using (NUM_INSCRIPTION)",
    )  # fmt: skip
    assert gone == 0
    passports = [row[0] for row in world.con.execute(
        "select passport_no from persons where death_date is not null and citizenship = 'TUN'").fetchall()]  # fmt: skip
    sent = world.taken["consular_register", "2024-02-29"].sample.files[0].read_text(encoding="utf-8-sig")
    assert sum(number in sent for number in passports[:300]) > 0  # some of them are dead


def test_men_women_and_countries_left_out_are_those_published_for_2014(world: World) -> None:
    found = dict(world.ask("consular_register", "2014-12-31", """
        select SEXE, count(distinct coalesce(CIN, PASSEPORT)) from {t} group by SEXE"""))  # fmt: skip
    assert found == {"M": 8_028, "F": 4_796}
    assert world.ask("consular_register", "2014-12-31", "from {t} where PAYS in ('Libye', 'Yémen')") == []
    ((libya,),) = world.ask("consular_register", "2024-02-29", "select count(*) from {t} where PAYS = 'Libye'")
    assert libya > 100


def test_students_are_as_many_as_published_by_sector(world: World) -> None:
    for period, public, private in (("2020-21", 46, 31), ("2021-22", 44, 33)):
        found = dict(world.ask("foreign_students", period, """
            select SECTEUR, count(distinct NUM_ETUDIANT) from {t}
            where NATIONALITE in (select name_fr from places where subregion_m49 = '202') group by SECTEUR""".replace(
            "places", "read_csv('data/samples/recipe/places.csv', all_varchar = true)")))  # fmt: skip
        assert found == {"PUB": public, "PRI": private}
    assert world.ask("foreign_students", "2023-24", "select count(distinct NUM_ETUDIANT) from {t}") == [(90,)]
    assert world.ask("foreign_students", "2012-13", "select distinct SECTEUR from {t}") == [("PUB",)]


def test_two_counts_of_students_abroad(world: World) -> None:
    (found,) = world.ask("students_abroad", "2022", """
        select count(distinct NUM_DOSSIER), count(*) filter (PAYS = 'France'), count(*) filter (PAYS = 'Allemagne')
        from {t}""")  # fmt: skip
    assert found == (767, 444, 85)
    assert world.ask("student_departures", "2022-23", "select sum(EFFECTIF) from {t}") == [(173,)]


def test_contracts_approved_are_those_published(world: World) -> None:
    found = dict(world.ask("work_authorisations", "2012", """
        select NATIONALITE, count(*) from {t} where DECISION = 'A' group by NATIONALITE"""))  # fmt: skip
    assert sum(found.values()) == 53
    assert (found["France"], found["Maroc"]) == (12, 7)


def test_renewals_of_residence_cards_look_like_arrivals(world: World) -> None:
    ((first, late, student_months),) = world.ask("residence_cards", "2024", """
        select count(*) filter ("TITRE / OPERATION" = 'P'), count(*) filter ("TITRE / OPERATION" = 'R'),
            max(datesub('month', "TITRE / VALABLE DU", "TITRE / VALABLE AU" + 1)) filter ("TITRE / MOTIF" = 'ETU')
        from {t}""")  # fmt: skip
    arrived = world.con.execute("""
        select count(*) from stays join persons using (person_no)
        where citizenship != 'TUN' and country = 'TUN' and from_date between date '2023-07-01' and date '2024-12-31'
        """).fetchall()[0][0]  # fmt: skip
    assert first > arrived  # more first issues in a year than persons who came in a year and a half
    assert late > first
    assert student_months == 9


def test_the_same_seed_gives_the_same_bytes(world: World, tmp_path: Path) -> None:
    with open_country(world.settings, scale=SCALE) as country:
        for writer in WRITERS:
            for sample in writer.write(country, tmp_path):
                assert sample.files[0].read_bytes() == world.taken[sample[:2]].sample.files[0].read_bytes(), sample
