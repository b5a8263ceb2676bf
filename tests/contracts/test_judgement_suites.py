"""The judgement rules on the real sources: written so that the gate can use them, and able to say no.

That each rule can fail is shown on the real deliveries, spoilt so that one batch breaks all rules of its source.
"""

import json
import re
from pathlib import Path

import pytest

from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import ContractError
from hims_pipeline.gates.judge import judge
from hims_pipeline.gates.suites import judgement_rules, load_suite, suite_file
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sources import broken_sources
from hims_pipeline.sql import connection, literal, read_parquet

EXPECTATIONS = REPOSITORY / "expectations"
SOURCES = (
    "argentina_eph", "chile_census", "undesa_migrant_stock", "unhcr_population", "unhcr_asylum", "iom_missing_migrants",
    "un_wpp", "worldbank_wdi", "eurostat_population", "eurostat_permits", "eurostat_asylum", "eurostat_enforcement",
    "frontex_detections", "worldbank_bilateral", "worldbank_gbmd",
)  # fmt: skip
# What spoils a delivery: entity -> statements on `t`, the entity's table. One row is told apart by its _line.
SPOILT = {
    "argentina_eph/2021Q2": {
        "persons": [
            "update t set PONDERA = 3 * PONDERA, CH04 = 2, CH15 = 4, CH15_COD = null, TRIMESTRE = 3, ANO4 = 2020",
            "update t set CH16 = 5, CH06 = 1, CH03 = 2 where _line < 20",
            "update t set PONDERA = 1, AGLOMERADO = 2 where _line % 2 = 0",
        ],
        "households": [
            "delete from t where AGLOMERADO = 33",
            "update t set PONDERA = 3 * PONDERA, IX_TOT = IX_TOT + 1, ANO4 = 2020",
        ],
    },
    "argentina_eph/2022Q1": {"persons": ["update t set ANO4 = 2021, TRIMESTRE = 4"]},
    "argentina_eph/2021Q3": {"persons": ["update t set TRIMESTRE = 4"]},
    "argentina_eph/2021Q4": {"persons": ["update t set TRIMESTRE = 1"]},
    "chile_census/2024": {
        "persons": [
            "update t set sexo = 2, p25_lug_nacimiento = 3, p25_lug_nacimiento_esp = 1101, p26_llegada_periodo = null",
            "update t set region = 13, p24_lug_resid5 = 1, edad = 40",
            "delete from t where id_persona = 2",
        ],
        "households": ["update t set region = 1", "delete from t where id_hogar = 2"],
        "dwellings": ["update t set region = 2"],
    },
    "undesa_migrant_stock/2020": {
        "stocks": ["update t set n = 3 * n, t = 2019", "update t set \"from\" = geo, sex = 'male' where _line < 9"]
    },
    "undesa_migrant_stock/2024": {"stocks": ["update t set t = 2020 where t = 2024"]},
    "unhcr_population/2025": {
        "population": [
            "update t set coo = coo_iso, coa = coa_iso",
            "update t set coo = 'ARE' where _line < 9",
            "update t set refugees = 0 where year = 2010",
            "delete from t where year = 2025",
        ]
    },
    "unhcr_asylum/2025": {
        "applications": [
            "update t set coo = coo_iso, coa = coa_iso",
            "update t set coo = 'ARE' where _line < 9",
            "update t set applied = 0 where year = 2010",
            "update t set app_type = 'V', dec_level = 'NA' where year = 2020",
        ],
        "decisions": [
            "update t set coo = coo_iso, coa = coa_iso",
            "update t set dec_total = dec_total + 5 where _line % 9 = 0",
            "update t set dec_rejected = 0, dec_recognized = 0, dec_other = 0 where year = 2010",
        ],
    },
    "iom_missing_migrants/2025": {
        "incidents": [
            "update t set nat = 'XYZ,UNK', m = date '2020-02-02', dead = 1 where _line < 3000",
            "insert into t select * from t where t < date '2018-01-01'",
            "delete from t where t >= date '2025-01-01'",
        ]
    },
    "un_wpp/2024": {
        "components": ["update t set births = 2 * births where country_code <> 900", "delete from t where _line = 99"],
        "net_migration": [
            "update t set mig = mig + 5 where country_code = 900",
            "delete from t where country_code = 788",
        ],
    },
    "worldbank_wdi/2024": {
        "series": [
            "update t set v = 4 * v where var in ('pop', 'remin')",
            "update t set v = -1 where var = 'gdp' and t = 2000",
            "delete from t where var = 'nmig'",
        ]
    },
    "eurostat_population/2025": {
        "population": [
            """update t set "number of citizens in country" = 3 * "number of citizens in country"
               where citizen = 'Foreign country and stateless'""",
            "update t set year = 2029 where year = 2024",
            """update t set "number of citizens in country" = 1 where citizen = 'Total'""",
            "delete from t where geo > 'I'",
        ],
        "immigration": [
            """update t set "Migrants number" = 9 * "Migrants number"
               where "Country of citizenship" = 'Foreign country and stateless'""",
            "update t set year = 2029 where year = 2023",
            "delete from t where geo > 'I'",
        ],
    },
    "eurostat_permits/2025": {
        "first_permits": [
            "update t set CONF_STATUS = 'C', TIME_PERIOD = TIME_PERIOD + 5 where TIME_PERIOD > 2018",
            "delete from t where geo = 'Germany' or geo = 'Poland'",
            "update t set OBS_VALUE = 10 * OBS_VALUE where TIME_PERIOD = 2017",
        ],
        "valid_permits": [
            'update t set "Migrants number" = Population, year = year - 9 where _line % 2 = 0',
            "update t set Population = Population + 1 where _line < 99",
            "delete from t where year > 2022",
        ],
    },
    "eurostat_asylum/2025": {
        "applicants": [
            "update t set OBS_VALUE = OBS_VALUE + 99999999 where citizen = 'UA'",
            "update t set CONF_STATUS = 'C', TIME_PERIOD = TIME_PERIOD - 9",
        ],
        "first_time": [
            "update t set n = 2 * n + 1 where geo = 'EU27'",
            "update t set sex = 'unknown' where sex = 'male' and t = 2015",
            "update t set t = t - 9",
            "update t set t = t + 7 where t < 2010",
        ],
    },
    "eurostat_enforcement/2025": {
        "illegally_present": [
            "update t set OBS_VALUE = 3 * OBS_VALUE + 1 where reason = 'Overstay'",
            "update t set CONF_STATUS = 'C'",
            "update t set TIME_PERIOD = 2027 where TIME_PERIOD = 2019",
        ],
        "illegally_present_by_citizenship": [
            'update t set "Illegal Third Country Nationals" = 9 * "Illegal Third Country Nationals" + 1',
            "update t set year = 2027 where year = 2013",
        ],
        "illegally_present_by_reason": [
            """update t set "Illegal Third Country Nationals" = 2 * "Illegal Third Country Nationals" + 1
               where reason = 'Overstay'""",
            "update t set year = 2027 where year = 2020",
        ],
        "refused_entry": [
            "update t set OBS_VALUE = OBS_VALUE + 101 where geo like 'European%'",
            "update t set TIME_PERIOD = 2027 where TIME_PERIOD = 2014",
        ],
        "ordered_to_leave": [
            """update t set "Third Country Nationals Ordered to Leave" =
               3 * "Third Country Nationals Ordered to Leave" + 1 where year = 2017""",
            "update t set year = 2027 where year = 2014",
        ],
    },
    "frontex_detections/2025-06": {
        "detections": [
            "delete from t where t > date '2024-01-01' or t = date '2015-03-01'",
            "update t set t = date '2016-05-02', n = 100 * n where t = date '2016-05-01'",
            "update t set type = 'Land' where route like 'Central%'",
        ]
    },
    "worldbank_bilateral/2017": {
        "stocks": [
            # Sent the other way round, with its totals doubled and one country lost.
            "update t set source = destination, destination = source",
            "delete from t where source = 'France' and destination = 'Italy'",
            "update t set persons = 9999 where source = destination and source = 'Italy'",
            "update t set persons = 2 * persons where source = 'World' and destination = 'World'",
        ],
        "remittances": [
            "update t set sending = receiving, receiving = sending",
            "delete from t where sending = 'France' and receiving = 'Italy'",
            "update t set million_usd = 1000000 * million_usd where sending = 'WORLD' and receiving = 'WORLD'",
        ],
    },
    "worldbank_gbmd/2011": {
        "stocks": [
            # The headings put right by someone else, one sex lost, natives counted.
            "update t set decade = case decade when 'Y2000' then 'Y1960' when 'Y1960' then 'Y2000' else decade end",
            "delete from t where _line = 2",
            "update t set stock = 30000000 where destcode = origincode",
        ]
    },
}


@pytest.mark.parametrize("source", SOURCES)
def test_every_entity_of_a_real_source_has_a_suite(contracts: dict[str, Contract], source: str) -> None:
    for entity in contracts[source].entities:
        suite = load_suite(suite_file(EXPECTATIONS, source, entity))
        for number, one in enumerate(suite.expectations, start=1):
            assert re.fullmatch(rf"[A-Z]+-[A-Z]+-{number:03d}", one.meta.code)
            assert all((one.meta.message.en, one.meta.message.fr, one.meta.message.ar)), one.meta.code


@pytest.mark.parametrize("source", SOURCES)
def test_rules_name_columns_that_exist_and_sql_that_can_be_formatted(
    contracts: dict[str, Contract], source: str
) -> None:
    for name, entity in contracts[source].entities.items():
        for one in load_suite(suite_file(EXPECTATIONS, source, name)).expectations:
            if "column" in one.kwargs:
                assert entity.column(one.kwargs["column"])
            if query := one.kwargs.get("unexpected_rows_query"):
                days = {"period": "2025", "period_start": "2025-01-01", "period_end": "2025-12-31"}
                assert "(select 1)" in query.format(batch="(select 1)", **days), one.meta.code


def test_codes_are_unique_over_all_suites() -> None:
    codes = [
        one["meta"]["code"]
        for path in EXPECTATIONS.glob("*.json")
        for one in json.loads(path.read_text(encoding="utf-8"))["expectations"]
    ]
    assert len(set(codes)) == len(codes)


def spoil(real: dict, key: str, folder: Path) -> dict[str, Path]:
    """Copies of a delivery's tables, with what `SPOILT` says done to them."""
    delivery = real[key]
    tables = dict(delivery.tables)
    for entity, statements in SPOILT[key].items():
        with connection(delivery.settings) as con:
            con.execute(f"create table t as from {read_parquet(tables[entity])}")
            for statement in statements:
                con.execute(statement)
            tables[entity] = folder / f"{entity}.parquet"
            con.execute(f"copy t to {literal(str(tables[entity]))} (format parquet)")
    return tables


@pytest.mark.real_data
@pytest.mark.parametrize("source", SOURCES)
def test_each_judgement_rule_can_fail(real: dict, source: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    held, broken = set(), set()
    for key in (key for key in SPOILT if key.startswith(f"{source}/")):
        delivery = real[key]
        tables = spoil(real, key, tmp_path_factory.mktemp("spoilt"))
        outcome = judge(delivery.settings, delivery.contract, delivery.period, tables)
        assert not outcome.accepted
        rules = {one.code for one in judgement_rules(EXPECTATIONS, delivery.contract, delivery.period)}
        failed = {one["code"] for one in outcome.rules if not one["success"]} & rules
        broken |= failed
        held |= rules - failed
    declared = {
        one.meta.code
        for entity in real[next(key for key in SPOILT if key.startswith(source))].contract.entities
        for one in load_suite(suite_file(EXPECTATIONS, source, entity)).expectations
    }
    assert broken == declared, f"never failed: {sorted(declared - broken)}; held: {sorted(held)}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "not JSON"),
        (b'{"name": "x\xe9"}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"name": "a__b", "name": "a__b", "expectations": []}', "name stands twice"),
    ],
)
def test_a_suite_that_cannot_be_read_is_its_own_sources_matter(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "unhcr_population__population.json"
    path.write_bytes(content)
    with pytest.raises(ContractError, match=rf"{path.name}.*{said}"):
        load_suite(path)
    settings = Settings(REPOSITORY, REPOSITORY / "data", tmp_path, tmp_path / "home", env="test")
    assert set(broken_sources(settings)) == {"unhcr_population"}
