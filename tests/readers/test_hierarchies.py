"""A person takes the area, and anything else, from the record of its household, in whatever files both are sent."""

import re
from copy import deepcopy
from typing import Any

import duckdb
import pytest

from hims_pipeline.contracts.facts import check_feeds, load_facts
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import ContractError
from hims_pipeline.gates.compile import compile_rules
from hims_pipeline.staging.corrections import columns_of
from hims_pipeline.staging.models import feed_sql, find_imputable, staging_sql
from hims_pipeline.staging.names import IMPUTED
from hims_synthetic.formats import CsproRecord, Variable, write_cspro
from tests.jinja import compiled

DECIMALS = ' dcml="2"'
INTEGER = {"type": "integer", "allow": ["leading_zeros"]}
HOUSEHOLDS: dict[str, Any] = {
    "title": {"en": "Households"},
    "grain": "a household",
    "files": ["house*"],
    "key": ["SERIAL"],
    "references": [{"columns": ["TOWN"], "entity": "towns", "to": ["CODE"]}],
    "columns": [
        {"name": "SERIAL", **INTEGER, "required": True},
        {"name": "REGION", **INTEGER, "missing": {99: "_U"}},
        {"name": "TOWN", **INTEGER, "required": True},
        {"name": "HHWT", "type": "decimal", "scale": 2},
    ],
}
PERSONS: dict[str, Any] = {
    "title": {"en": "Persons"},
    "grain": "a person",
    "files": ["person*"],
    "key": ["SERIAL", "PERNUM"],
    "references": [
        {"columns": ["SERIAL"], "entity": "households", "orphan_share": [0, 0.5]},
        {"columns": ["SERIAL", "MOTHER"], "entity": "persons", "to": ["SERIAL", "PERNUM"], "name": "mother"},
    ],
    "columns": [
        {"name": "SERIAL", **INTEGER, "required": True},
        {"name": "PERNUM", **INTEGER, "required": True},
        {"name": "REGION", **INTEGER},  # of birth: another column of the same name
        {"name": "MOTHER", **INTEGER},
    ],
    "feeds": [
        {
            "fact": "persons",
            "columns": {
                "area_code": {"from": "REGION", "of": "households", "codes": {11: "TUN-11", 23: "TUN-23"}},
                "area_5y_code": {"from": "NAME", "of": "households.towns", "codes": {"a": "TUN-12", "b": "TUN-13"}},
                "weight_persons": {"from": "HHWT", "of": "households"},
                "country_of_birth_code": {
                    "from": "REGION",
                    "of": "mother",
                    "codes": {1: "TUN", 2: "FRA"},
                    "default": "_Z",
                },
            },
        }
    ],
}
TOWNS: dict[str, Any] = {
    "title": {"en": "Towns"},
    "grain": "a town",
    "files": ["town*"],
    "key": ["CODE"],
    "columns": [{"name": "CODE", **INTEGER, "required": True}, {"name": "NAME"}],
}
ENTITIES = {"persons": PERSONS, "households": HOUSEHOLDS, "towns": TOWNS}
HOUSES = ((1, 11, 5, 12.5), (2, 23, 6, 8.75), (3, 99, 5, 1.0))
PEOPLE = ((1, 1, 2, None), (1, 2, 1, 1), (2, 1, 1, None), (3, 1, 1, None), (7, 1, 1, None))
MAPPED = [
    (1, "TUN-11", "TUN-12", 12.5, "_Z"),
    (2, "TUN-11", "TUN-12", 12.5, "FRA"),
    (3, "TUN-23", "TUN-13", 8.75, "_Z"),
    (4, "_U", "TUN-12", 1.0, "_Z"),
    (5, None, None, None, "_Z"),  # has no household: the gate counts such rows
]


def contract_of(entities: dict[str, Any] = ENTITIES, **changes: Any) -> Contract:
    return Contract.model_validate(
        {
            "source": "demo", "title": {"en": "Demo"}, "description": "For tests.", "data_kind": "synthetic",
            "country": "TUN", "owner": {"institution": "none", "contact": "none"},
            "licence": {"name": "none", "attribution": "none", "redistributable": True}, "purpose": "tests",
            "legal": {"basis": "none", "retention_years": 1}, "cadence": "annual", "period": {"pattern": "year"},
            "clock": "none", "universe": "all", "duration_rule": "NONE", "measure_type": "stock",
            "entities": entities, **changes,
        }
    )  # fmt: skip


def changed(entity: str, **changes: Any) -> dict[str, Any]:
    entities = deepcopy(ENTITIES)
    entities[entity] |= changes
    return entities


def fed(contract: Contract, read: Any) -> list[tuple[Any, ...]]:
    """Rows that the staging views and the union of feeders give over what was read, `ref` and files put in by hand."""
    with duckdb.connect() as con:
        for name in contract.entities:
            files = "(select *, 'demo' as _source, '2024' as _period, 'b' as _batch, '' as _layout from read_parquet("
            files += f"'{read.folder / name}.parquet'))"
            sql = re.sub(r"\(\{\{ read_batches\(.*\) \}\}\)", lambda _, files=files: files, staging_sql(contract, name))
            con.execute(f"create view stg_demo__{name} as {compiled(sql)}")
        sql = compiled(feed_sql(load_facts()["persons"], [(contract, "persons", 0)], {}))
        what = "area_code, area_5y_code, weight_persons, country_of_birth_code"
        found = con.execute(
            f"select row_number() over (order by record_no), {what} from ({sql}) order by record_no"
        ).fetchall()
    return [(*row[:3], None if row[3] is None else float(row[3]), row[4]) for row in found]


def test_what_a_donor_answered_for_the_household_is_told_of_its_persons() -> None:
    contract, donated = contract_of(), {("demo", "households"): {"region"}, ("demo", "persons"): {"pernum"}}
    assert find_imputable([(contract, "persons", 0)], donated) == ["area_code"]  # not the persons' own column REGION
    with duckdb.connect() as con:
        for name in contract.entities:
            columns = columns_of(contract, name) | ({IMPUTED: "varchar"} if name != "towns" else {})
            con.execute(f"create table stg_demo__{name} ({', '.join(f'{c} {t}' for c, t in columns.items())})")
        con.execute(f"""insert into stg_demo__households by name
            from (values ('b', 1, 11, 'town region'), ('b', 2, 23, 'town'), ('b', 3, 11, null))
            as t (batch_id, serial, region, {IMPUTED})""")
        con.execute(f"""insert into stg_demo__persons by name
            from (values ('b', 1, 1, 'region'), ('b', 2, 2, 'region'), ('b', 3, 3, null))
            as t (batch_id, record_no, serial, {IMPUTED})""")
        sql = feed_sql(load_facts()["persons"], [(contract, "persons", 0)], donated)
        told = con.execute(f"select area_code, {IMPUTED} from ({compiled(sql)}) order by record_no").fetchall()
    assert told == [("TUN-11", "area_code"), ("TUN-23", None), ("TUN-11", None)]


def csv(names: str, rows: Any) -> bytes:
    return "\n".join([names, *(",".join("" if v is None else str(v) for v in row) for row in rows)]).encode() + b"\n"


def in_tables() -> tuple[dict[str, Any], dict[str, bytes]]:
    towns = csv("CODE,NAME", [(5, "a"), (6, "b")])
    houses, people = csv("SERIAL,REGION,TOWN,HHWT", HOUSES), csv("SERIAL,PERNUM,REGION,MOTHER", PEOPLE)
    return ENTITIES, {"town.csv": towns, "house.csv": houses, "person.csv": people}


def by_record_type() -> tuple[dict[str, Any], dict[str, bytes]]:
    """Lines of three types in one file, which a DDI-Codebook describes."""
    places = {
        "P": (("SERIAL", 2, 2), ("PERNUM", 4, 2), ("REGION", 6, 2), ("MOTHER", 8, 2)),
        "H": (("SERIAL", 2, 2), ("REGION", 4, 2), ("TOWN", 6, 2), ("HHWT", 8, 5)),
        "T": (("CODE", 2, 2), ("NAME", 4, 1)),
    }
    variables = "".join(
        f'<var name="{name}" files="F1" rectype="{kind}"{DECIMALS if name == "HHWT" else ""}>'
        f'<location StartPos="{start}" EndPos="{start + width - 1}" width="{width}"/>'
        f'<varFormat type="{"character" if name == "NAME" else "numeric"}"/></var>'
        for kind, some in places.items()
        for name, start, width in some
    )
    groups = "".join(f'<recGrp rectype="{kind}" rtypeloc="1" rtypewidth="1"/>' for kind in places)
    book = (
        '<codeBook xmlns="ddi:codebook:2_5"><fileDscr ID="F1"><fileTxt><fileName>all.dat</fileName><fileStrc '
        f'type="hierarchical">{groups}</fileStrc></fileTxt></fileDscr><dataDscr>{variables}</dataDscr></codeBook>'
    )
    lines = ["T05a", "T06b"] + [f"H{a:02}{b:02}{c:02}{round(d * 100):05}" for a, b, c, d in HOUSES]
    lines += [f"P{a:02}{b:02}{c:02}{d or '':>2}" for a, b, c, d in PEOPLE]
    data = "".join(f"{line:<12}\n" for line in lines).encode()
    entities = deepcopy(ENTITIES)
    for name, record in (("persons", "P"), ("households", "H"), ("towns", "T")):
        entities[name] |= {"files": ["all*"], "format": {"type": "fixed_width", "codebook": "*.xml", "record": record}}
    return entities, {"all.dat": data, "book.xml": book.encode()}


@pytest.mark.parametrize("sent", [in_tables, by_record_type])
def test_a_person_takes_what_its_household_says(read, sent):
    entities, files = sent()
    contract = contract_of(entities)
    check_feeds(contract)
    seen = read(files, entities=entities)
    assert seen.findings == ()
    assert fed(contract, seen) == MAPPED


def test_a_census_of_cspro_gives_areas(read, tmp_path):
    values = ", ".join(f"({a}, {b}, {c}, {d})" for a, b, c, d in HOUSES)
    house = CsproRecord(
        "HOUSE", "1", f"from (values {values}) t (SERIAL, REGION, TOWN, HHWT)",
        (Variable("REGION", 2), Variable("TOWN", 2), Variable("HHWT", 6, decimals=2)),
    )  # fmt: skip
    values = ", ".join(f"({a}, {b}, {c}, {d or 'null::integer'})" for a, b, c, d in PEOPLE if a < 4)
    person = CsproRecord(
        "PERSON", "2", f"from (values {values}) t (SERIAL, PERNUM, REGION, MOTHER)",
        (Variable("PERNUM", 2), Variable("REGION", 2), Variable("MOTHER", 2)),
    )  # fmt: skip
    data, book = tmp_path / "census.dat", tmp_path / "census.dcf"
    with duckdb.connect() as con:
        write_cspro(con, data, book, "CENSUS", (Variable("SERIAL", 3),), (house, person), 8, ("EN",), "utf-8")
    entities = deepcopy(ENTITIES)
    for name, record in (("persons", "PERSON"), ("households", "HOUSE")):
        entities[name] |= {"files": ["census*"], "format": {"type": "cspro", "record": record}}
    files = {"census.dat": data.read_bytes(), "census.dcf": book.read_bytes(), "town.csv": in_tables()[1]["town.csv"]}
    seen = read(files, entities=entities)
    assert seen.findings == ()
    assert fed(contract_of(entities), seen) == MAPPED[:4]


def test_persons_without_a_household_are_a_rule_with_a_code():
    codes = {rule.code for rule in compile_rules(contract_of(), "2024")}
    assert {"DEMO-PERSONS-ORPHANS-HOUSEHOLDS", "DEMO-PERSONS-ORPHANS-MOTHER", "DEMO-HOUSEHOLDS-ORPHANS-TOWNS"} <= codes


def test_a_number_of_the_household_that_a_fact_cannot_hold_is_refused_there():
    entities = deepcopy(ENTITIES)
    entities["persons"]["feeds"][0]["columns"]["age_years"] = {"from": "TOWN", "of": "households"}
    assert "DEMO-HOUSEHOLDS-TOWN-FITS" in {rule.code for rule in compile_rules(contract_of(entities), "2024")}


SURVEY = {"kind": "sample", "strata": ["REGION"], "psu": ["NAME", "SERIAL"]}


def test_a_design_that_stands_in_the_households_reaches_the_persons(read):
    entities = deepcopy(ENTITIES)
    entities["persons"]["columns"][2]["name"] = "BORN_IN"
    entities["persons"]["feeds"][0]["columns"]["country_of_birth_code"]["from"] = "BORN_IN"
    contract = contract_of(entities, design=SURVEY)
    check_feeds(contract)
    sql = feed_sql(load_facts()["persons"], [(contract, "persons", 0)], {})
    assert re.search(r"concat_ws\('-', \"joined\d_region\"\).* as stratum", sql)
    assert re.search(r"concat_ws\('-', \"joined\d_name\", \"serial\"\).* as psu", sql)


def test_a_design_that_reaches_the_persons_from_nowhere_is_told():
    entities = changed("persons", references=PERSONS["references"][1:])
    entities["persons"]["feeds"] = [{"fact": "persons", "columns": {"person_id": {"value": "x"}}}]
    with pytest.raises(ContractError, match="NAME of the design stand neither here nor"):
        check_feeds(contract_of(entities, design=SURVEY))


HOUSEHOLD = {"columns": ["SERIAL"], "entity": "households"}
UNFIT = {
    "no such reference": ({"references": []}, "households is no reference of persons, which has none"),
    "no such entity": ({"references": [{**HOUSEHOLD, "entity": "homes"}]}, "references homes, which is no entity"),
    "no such column": ({"references": [{**HOUSEHOLD, "to": ["HHID"]}]}, "households has no column HHID"),
    "two for one": ({"references": [{**HOUSEHOLD, "to": ["SERIAL", "TOWN"]}]}, "`to` has 2 columns for 1"),
    "not the key": ({"references": [{**HOUSEHOLD, "to": ["REGION"]}]}, "rows would multiply: the key of households is"),
    "called twice": ({"references": [HOUSEHOLD, HOUSEHOLD]}, "two references are called households"),
    "a share": ({"references": [{**HOUSEHOLD, "orphan_share": [0.5, 0.1]}]}, "`orphan_share` is"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_a_join_that_cannot_be_does_not_load(case):
    change, said = UNFIT[case]
    with pytest.raises(ValueError, match=re.escape(said)):
        contract_of(changed("persons", **change))


def test_columns_that_cannot_be_compared_do_not_load():
    for column, said in (
        ({"name": "SERIAL", "required": True}, "SERIAL is of type integer, SERIAL of households is of type text"),
        (
            {"name": "SERIAL", "sensitivity": "identifier", "required": True},
            "SERIAL is of type integer, SERIAL of households is an identifier of the domain demo",
        ),
    ):
        with pytest.raises(ValueError, match=re.escape(said)):
            contract_of(changed("households", columns=[column, *HOUSEHOLDS["columns"][1:]]))


def test_only_what_must_be_sent_can_be_referred_to():
    with pytest.raises(ValueError, match="households need not be sent"):
        contract_of(changed("households", required=False))


def test_what_a_household_is_asked_fits_the_fact_or_is_told():
    entities = deepcopy(ENTITIES)
    columns = entities["persons"]["feeds"][0]["columns"]
    columns["sex"] = {"from": "NAME", "of": "households.towns", "codes": {"a": "man"}}
    with pytest.raises(ContractError, match="'man' is no value"):
        check_feeds(contract_of(entities))
    columns["sex"] = {"from": "NAMES", "of": "households.towns", "codes": {"a": "M"}}
    with pytest.raises(ValueError, match="towns has no column NAMES"):
        contract_of(entities)


def test_a_wave_that_lacks_the_column_of_the_household_gives_no_value(read):
    layout = {"name": "old", "periods": ["2014"], "entities": {"households": {"absent": ["REGION"]}}}
    contract = contract_of(layouts=[layout])
    check_feeds(contract)
    sql = feed_sql(load_facts()["persons"], [(contract, "persons", 0)], {})
    assert re.search(r"cast\(case when layout = 'old' then null else .* as area_code", sql)
    lost = {"name": "old", "periods": ["2014"], "entities": {"households": {"absent": ["SERIAL"]}}}
    with pytest.raises(ValueError, match="households has no column SERIAL"):
        contract_of(layouts=[lost])
