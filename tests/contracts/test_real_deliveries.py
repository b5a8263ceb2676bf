"""The contracts against the real files: read whole, accepted by the gate, every code known, the known figures met.

Figures are computed from the batches as read, so that what a contract gets wrong shows here and not in an indicator.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from hims_pipeline.contracts.deliveries import load_deliveries
from hims_pipeline.gates.judge import judge
from hims_pipeline.settings import REPOSITORY
from hims_pipeline.sql import connection, literal, quote, read_parquet

pytestmark = pytest.mark.real_data

ROWS = {
    "argentina_eph/2021Q2": {"persons": 47085, "households": 15620},
    "argentina_eph/2021Q3": {"persons": 48668, "households": 16285},
    "argentina_eph/2021Q4": {"persons": 50154, "households": 17037},
    "argentina_eph/2022Q1": {"persons": 49706, "households": 16898},
    "argentina_eph/2022Q2": {"persons": 50614, "households": 17367},
    "chile_census/2024": {"persons": 25000, "households": 10000, "dwellings": 5000},
    "undesa_migrant_stock/2020": {"stocks": 170618},
    "undesa_migrant_stock/2024": {"stocks": 153296},
    "unhcr_population/2025": {"population": 138893},
    "unhcr_asylum/2025": {"applications": 120597, "decisions": 113929},
    "iom_missing_migrants/2025": {"incidents": 19669},
    "un_wpp/2024": {"components": 21978, "net_migration": 21978},
    "worldbank_wdi/2024": {"series": 92435},
    "eurostat_population/2025": {"population": 57328, "immigration": 133311},
    "eurostat_permits/2025": {"first_permits": 387, "valid_permits": 70857},
    "eurostat_asylum/2025": {"applicants": 1080, "first_time": 43896},
    "eurostat_enforcement/2025": {
        "illegally_present": 2535,
        "illegally_present_by_citizenship": 23861,
        "illegally_present_by_reason": 8531,
        "refused_entry": 327,
        "ordered_to_leave": 12892,
    },
    "frontex_detections/2025-06": {"detections": 34273},
    # Cells of matrices of 217 by 217 and 215 by 215, World and remainders included.
    "worldbank_bilateral/2013": {"stocks": 47089},
    "worldbank_bilateral/2017": {"stocks": 47089, "remittances": 46225},
    "worldbank_gbmd/2011": {"stocks": 535920},
}
# Columns whose codes a crosswalk covers only where another column says so; elsewhere they hold communes.
PARTLY = {
    "chile_census/2024": [
        ("M49", "select p25_lug_nacimiento_esp from persons where p25_lug_nacimiento = 3"),
        ("M49", "select p24_lug_resid5_esp from persons where p24_lug_resid5 = 4"),
    ],
    "iom_missing_migrants/2025": [("IOM_MMP", "select unnest(string_split(nat, ',')) from incidents")],
}
# Feed columns and the batch's own figure that they come from, as the publishers give it.
FIGURES = {
    "argentina_eph/2021Q2": [
        ("select sum(PONDERA) from persons", 28_872_439),
        ("select sum(PONDERA) from persons where CH16 in (4, 5)", 164_948),
        ("select round(100.0 * sum(PONDERA) filter (where CH15 in (4, 5)) / sum(PONDERA), 2) from persons", 3.99),
    ],
    "argentina_eph/2022Q1": [
        ("select sum(PONDERA) from persons", 29_073_215),
        ("select sum(PONDERA) from persons where CH16 in (4, 5)", 230_782),
        ("select round(100.0 * sum(PONDERA) filter (where CH15 in (4, 5)) / sum(PONDERA), 2) from persons", 4.55),
    ],
    "undesa_migrant_stock/2020": [("select sum(n) from stocks where \"from\" = 'TUN' and t = 2020", 902_268)],
    "undesa_migrant_stock/2024": [
        ("select sum(n) from stocks where \"from\" = 'TUN' and t = 2020", 674_089),
        ("select sum(n) from stocks where \"from\" = 'TUN' and t = 2024", 715_249),
        ("select sum(n) from stocks where \"from\" = 'TUN' and geo = 'FRA' and t = 2024", 444_223),
        ("select sum(n) from stocks where geo = 'TUN' and t = 2024", 63_201),
    ],
    "unhcr_population/2025": [
        ("select sum(refugees) from population where coa_iso = 'TUN' and year = 2023", 3_994),
        ("select sum(asylum_seekers) from population where coa = 'TUN' and year = 2023", 11_093),
        ("select count(*) from population where oip is null", 138_738),
    ],
    "unhcr_asylum/2025": [
        ("select sum(applied) from applications where coa = 'TUN' and year = 2023 and app_type = 'N'", 7_141),
        ("select sum(dec_recognized) from decisions where coa = 'TUN' and year = 2023 and dec_level = 'FI'", 219),
    ],
    "iom_missing_migrants/2025": [
        ("select count(*) from incidents where geo = 'TUN'", 284),
        ("select count(*) from incidents where surv < 0", 5),
    ],
    "un_wpp/2024": [
        ("select births from components where country_code = 788 and year = 2023", Decimal("167.729")),
        ("select deaths from components where country_code = 788 and year = 2023", Decimal("74.071")),
        ("select mig from net_migration where country_code = 788 and year = 2023", Decimal("-14.001")),
        ("select PopChange from components where country_code = 900 and year = 1950", 43337.6910000001),
    ],
    "eurostat_asylum/2025": [
        ("select sum(n) from first_time where nat = 'TUN' and t = 2022 and geo = 'EU27'", 21_695),
        ("select sum(n) from first_time where nat = 'TUN' and t = 2022 and geo = 'AUT'", 13_125),
        ("select sum(n) from first_time where nat = 'TUN' and t = 2022 and geo = 'ITA'", 5_515),
        ("select sum(n) from first_time where nat = 'TUN' and t = 2022", 43_785),
    ],
    "frontex_detections/2025-06": [
        ("select sum(n) from detections where nat = 'TUN' and route like 'Central Med%'", 124_452),
    ],
    "worldbank_bilateral/2017": [
        ("select persons from stocks where source = 'Tunisia' and destination = 'World'", 785_623),
        ("select persons from stocks where source = 'Tunisia' and destination = 'France'", 394_748),
        ("select persons from stocks where source = 'Tunisia' and destination = 'United States'", 118_931),
        ("select persons from stocks where source = 'Tunisia' and destination = 'Italy'", 104_396),
        ("select round(million_usd, 2) from remittances where receiving = 'Tunisia' and sending = 'WORLD'", 1903.37),
        ("select round(million_usd, 2) from remittances where receiving = 'Tunisia' and sending = 'France'", 1118.77),
    ],
    "worldbank_wdi/2024": [
        ("select round(v, -1) from series where geo = 'TUN' and var = 'pop' and t = 2023", 12_200_430),
        ("select v from series where geo = 'TUN' and var = 'nmig' and t = 2023", -14_001),
    ],
}


def ask(delivery: Any, query: str) -> list[tuple]:
    """Rows of a query over the tables of a delivery, and over `crosswalks` with scheme and code."""
    with connection(delivery.settings) as con:
        for name, files in delivery.tables.items():
            con.execute(f"create view {quote(name)} as from {read_parquet(files)}")
        lists = [str(delivery.settings.data / "codelists" / f"xwalk_{kind}.csv") for kind in ("country", "area")]
        files = ", ".join(literal(path) for path in lists)
        con.execute(
            f"create view crosswalks as select scheme, code from"
            f" read_csv([{files}], header = true, all_varchar = true, union_by_name = true)"
        )
        return con.execute(query).fetchall()


def test_every_pinned_delivery_is_looked_at() -> None:
    pinned = {f"{one.source}/{one.period}" for one in load_deliveries(REPOSITORY / "data")}
    assert pinned == {*ROWS, "argentina_eph/2021Q1"}


@pytest.mark.parametrize("key", ROWS)
def test_a_real_delivery_is_read_whole(real: dict, key: str) -> None:
    result = real[key].result
    assert result.findings == ()
    assert {name: (entity.rows, entity.rejected) for name, entity in result.entities.items()} == {
        name: (rows, 0) for name, rows in ROWS[key].items()
    }


@pytest.mark.parametrize("key", ROWS)
def test_the_gate_accepts_it(real: dict, key: str) -> None:
    delivery = real[key]
    outcome = judge(delivery.settings, delivery.contract, delivery.period, delivery.tables)
    assert outcome.accepted
    assert outcome.findings == ()
    assert outcome.evaluated == outcome.declared


def test_the_truncated_archive_is_refused_and_named(real: dict) -> None:
    delivery = real["argentina_eph/2021Q1"]
    assert not delivery.tables
    (finding,) = delivery.result.findings
    assert finding.severity == "blocking"
    assert "TRUNCATED.zip" in finding.full_text()
    assert "TRUNCATED" not in finding.sentence()
    assert "incomplete" in finding.message


@pytest.mark.parametrize("key", ROWS)
def test_every_code_that_occurs_is_in_its_list(real: dict, key: str) -> None:
    delivery = real[key]
    asked = list(PARTLY.get(key, []))
    missing: set[str] = set()
    for name in delivery.tables:
        for column in delivery.contract.entity_in(name, delivery.period).columns:
            missing |= {str(code) for code in column.missing}
            if column.crosswalk:
                asked.append((column.crosswalk, f"select {quote(column.name)} from {quote(name)}"))
    for scheme, query in asked:
        lost = ask(
            delivery,
            f"select distinct code from ({query}) as sent (given), lateral (select cast(given as varchar) as code)"
            f" where given is not null and code not in (select code from crosswalks where scheme = {literal(scheme)})",
        )
        assert {row[0] for row in lost} <= missing, (scheme, query)


@pytest.mark.parametrize("key", FIGURES)
def test_the_known_figures_come_out(real: dict, key: str) -> None:
    for query, expected in FIGURES[key]:
        assert ask(real[key], query) == [(expected,)], query


def test_countries_of_birth_follow_the_question(real: dict, codelist: Callable[[str], list[dict[str, str]]]) -> None:
    """Who is born in Argentina has a province there, whatever a stray country code says; abroad has a country."""
    to = {row["code"]: row["country_code"] for row in codelist("xwalk_country") if row["scheme"] == "INDEC"}
    for key in (key for key in ROWS if key.startswith("argentina")):
        pairs = ask(real[key], "select distinct CH15, CH15_COD from persons where CH15_COD is not null")
        assert all(to[code] != "ARG" for asked, code in pairs if asked in (4, 5))
        assert {asked for asked, _ in pairs} == {3, 4, 5}
