"""Known errors are mended where the condition holds and nowhere else, counted, and told when they match nothing."""

import pytest

from hims_pipeline.contracts.corrections import Correction, load_corrections
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import ContractError
from hims_pipeline.settings import REPOSITORY
from hims_pipeline.staging.corrections import (
    check_corrections,
    corrected_sql,
    correction_header,
    correction_row,
    matched_sql,
)
from tests.jinja import compiled, compiled_model

CONTRACT = {
    "source": "gate", "title": {"en": "Gate"}, "description": "-", "data_kind": "synthetic",
    "owner": {"institution": "-", "contact": "-"},
    "licence": {"name": "-", "attribution": "-", "redistributable": True},
    "purpose": "-", "legal": {"basis": "-", "retention_years": 1}, "cadence": "annual", "period": {"pattern": "year"},
    "clock": "-", "universe": "passages", "duration_rule": "NONE", "measure_type": "flow",
    "entities": {"passages": {
        "title": {"en": "Passages"}, "grain": "a passage", "files": ["*.csv"],
        "columns": [{"name": "post"}, {"name": "Age", "type": "integer"}, {"name": "heads", "type": "integer"}],
    }},
}  # fmt: skip
ROWS = """values
    ('gate', 'passages', '2023', 'b1', 'base', 1, 'N', -1, 1),
    ('gate', 'passages', '2023', 'b1', 'base', 2, 'S', 30, 2),
    ('gate', 'passages', '2024', 'b2', 'base', 1, 'N', -1, 4),
    ('gate', 'passages', '2024', 'b2', 'base', 2, null, null, 8)
"""
COLUMNS = "source, entity, period, batch_id, layout, record_no, post, age, heads"


def correction(**changes) -> Correction:
    base = {"id": "GATE-AGE", "kind": "edit", "entity": "passages", "reason": {"en": "-"}, "provided_by": "-"}
    return Correction.model_validate({**base, "status": "agreed", "where": "age < 0", "missing": ["age"], **changes})


@pytest.fixture
def contract() -> Contract:
    return Contract.model_validate(CONTRACT)


@pytest.fixture
def con(con):
    con.execute(f"create table sent_gate__passages as select * from ({ROWS}) as sent ({COLUMNS})")
    return con


def mended(con, contract: Contract, *corrections: Correction) -> list[tuple]:
    check_corrections(con, contract, corrections)
    sql = compiled(corrected_sql(contract, "passages", corrections))
    return con.execute(f"select post, age, heads from ({sql}) order by period, record_no").fetchall()


def test_each_action_changes_the_rows_that_match(con, contract) -> None:
    missing = correction()
    constant = correction(id="GATE-POST", where="", matches={"post": ["N"]}, missing=[], set={"post": "NORTH"})
    computed = correction(id="GATE-SWAP", periods=["2024"], missing=[], compute={"age": "heads", "heads": "age"})
    dropped = correction(id="GATE-NONE", where="post is null", missing=[], drop=True)
    assert mended(con, contract, missing) == [("N", None, 1), ("S", 30, 2), ("N", None, 4), (None, None, 8)]
    assert mended(con, contract, constant)[0] == ("NORTH", -1, 1)
    assert mended(con, contract, computed) == [("N", -1, 1), ("S", 30, 2), ("N", 4, -1), (None, None, 8)]
    assert mended(con, contract, dropped) == [("N", -1, 1), ("S", 30, 2), ("N", -1, 4)]
    assert mended(con, contract, missing, computed)[2] == ("N", None, -1)  # both read the row as delivered


def test_what_was_done_is_counted_batch_by_batch(con, contract) -> None:
    dropped = correction(id="GATE-NONE", where="heads > 3", missing=[], drop=True, measure="heads", periods=["202[34]"])
    same = correction(id="GATE-SAME", missing=[], set={"age": -1}, measure="age")
    sql = compiled(matched_sql({"gate": (dropped, same)}, {"gate": contract}))
    rows = con.execute(f"select * exclude (source, entity, batch_id) from ({sql}) order by all").fetchall()
    assert rows == [
        ("GATE-NONE", "2023", 2, 0, 0, 3.0, 3.0), ("GATE-NONE", "2024", 2, 2, 2, 12.0, None),
        ("GATE-SAME", "2023", 2, 1, 0, 29.0, 29.0), ("GATE-SAME", "2024", 2, 1, 0, -1.0, -1.0),
    ]  # fmt: skip


def tripped(con, contract: Contract, one: Correction, test: str) -> list[tuple]:
    """Rows that a guard finds, of the dbt test as it stands."""
    header = correction_header(("en",))
    values = ", ".join(
        f"'{value.replace(chr(39), chr(39) * 2)}'" for value in correction_row("gate", one, ("en",)).values()
    )
    con.execute(f"create or replace table corrections as select * from (values ({values})) as c ({', '.join(header)})")
    matched = compiled(matched_sql({"gate": (one,)}, {"gate": contract}))
    con.execute(f"create or replace table corrections_applied as {matched}")
    return con.execute(compiled_model(REPOSITORY / "dbt_project/tests" / f"{test}.sql")).fetchall()


@pytest.mark.parametrize(
    ("changes", "trips"),
    [
        ({"guard": {"minimum": 2, "maximum": 2}}, False),
        ({"where": "age < -1"}, True),
        ({"guard": {"minimum": 3}}, True),
        ({"guard": {"minimum": 1, "maximum": 1}}, True),
        ({"periods": ["2019"], "where": "age < -1"}, False),  # no such batch counts: nothing to mend, nothing to miss
    ],
)
def test_a_correction_that_matches_too_few_or_too_many_rows_trips(con, contract, changes, trips: bool) -> None:
    strict = correction(**changes)
    assert bool(tripped(con, contract, strict, "corrections_still_match")) == trips
    assert not tripped(con, contract, strict, "corrections_still_match_told")
    told = correction(**{**changes, "guard": {**changes.get("guard", {}), "severity": "warning"}})
    assert bool(tripped(con, contract, told, "corrections_still_match_told")) == trips
    assert not tripped(con, contract, told, "corrections_still_match")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"missing": ["ages"]}, "passages has no column ages"),
        ({"where": "years < 0"}, "years"),
        ({"where": "heads + 1"}, "true or false"),
        ({"where": "age < (select max(age) from other)"}, "own columns and nothing else"),
        ({"where": "exists (from other)"}, "own columns and nothing else"),
        ({"where": "age < 0 or * is null"}, "own columns and nothing else|syntax error"),
        ({"where": "count(*) over () > 1"}, "own columns and nothing else"),
        ({"where": "sum(age) > 1"}, "GROUP BY|aggregates"),
        ({"where": "age < 0; drop table other"}, "no expression|syntax error"),
        ({"where": "age < 0 from entity where true"}, "syntax error"),
        ({"where": "true) or (true"}, "syntax error"),
        ({"where": "age < 0 -- or more"}, "comment"),
        ({"where": "post = '{{ this }}'"}, "template"),
        ({"missing": [], "compute": {"age": "1) as age, (2"}}, "syntax error"),
        ({"missing": [], "compute": {"age": "nothing(heads)"}}, "nothing"),
        ({"missing": ["period"]}, "says where a row comes from"),
        ({"measure": "weight"}, "no column weight"),
    ],
)
def test_a_correction_that_does_not_fit_its_entity_is_refused(con, contract, changes, says: str) -> None:
    with pytest.raises(ContractError, match=says):
        check_corrections(con, contract, (correction(**changes),))


@pytest.mark.parametrize(
    "where",
    [
        "post = 'came from abroad; select'",
        "trim(both 'x' from post) = 'N'",
        "extract(year from date '2024-01-01') = age",
    ],
)
def test_words_of_sql_in_a_text_or_a_function_are_no_query(con, contract, where: str) -> None:
    check_corrections(con, contract, (correction(where=where),))


@pytest.mark.parametrize(
    "changes",
    [{"drop": True}, {"matches": {"post": ["N"]}}, {"missing": []}, {"id": "gate"}],
)
def test_a_correction_says_one_thing(changes) -> None:
    with pytest.raises(ValueError, match=r"GATE-AGE|id"):
        correction(**changes)


def test_our_own_corrections_fit_their_sources(con) -> None:
    contracts = load_contracts(REPOSITORY / "data")
    found = load_corrections(REPOSITORY / "data", contracts)
    for source, corrections in found.items():
        check_corrections(con, contracts[source], corrections)
        for one in corrections:
            assert all(one.reason.get(language) for language in ("en", "fr", "ar")), one.id
    assert sum(map(len, found.values())) >= 2


def test_a_correction_of_no_source_is_refused(tmp_path) -> None:
    (tmp_path / "corrections").mkdir()
    text = (REPOSITORY / "data/corrections/iom_missing_migrants.yml").read_text(encoding="utf-8")
    (tmp_path / "corrections/nobody.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ContractError, match="no contract of that name"):
        load_corrections(tmp_path, {})
