"""Values of donors: from the same batch and class, never from a record without a value, the same in every build; what
an edit took out is filled, and what finds no donor stays missing."""

from copy import deepcopy

import pytest

from hims_pipeline.contracts.corrections import Correction
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import ContractError
from hims_pipeline.settings import REPOSITORY
from hims_pipeline.staging.corrections import check_corrections, corrected_models, matched_sql
from hims_pipeline.staging.models import feed_sql, find_imputable
from tests.jinja import compiled

CONTRACT = {
    "source": "moor", "title": {"en": "Moor"}, "description": "-", "data_kind": "synthetic",
    "owner": {"institution": "-", "contact": "-"},
    "licence": {"name": "-", "attribution": "-", "redistributable": True},
    "purpose": "-", "legal": {"basis": "-", "retention_years": 1}, "cadence": "annual", "period": {"pattern": "year"},
    "clock": "-", "universe": "persons", "duration_rule": "NONE", "measure_type": "stock",
    "entities": {"persons": {
        "title": {"en": "Persons"}, "grain": "a person", "files": ["*.csv"],
        "columns": [
            {"name": "sex"},
            {"name": "age", "type": "integer", "missing": {99: "_U"}},
            {"name": "school", "type": "integer", "missing": {8: "_U", 9: "_R"}},
        ],
    }},
    "layouts": [{"name": "old", "periods": ["2001"], "entities": {"persons": {
        "columns": [{"name": "school", "type": "integer", "missing": {0: "_U"}}],
    }}}],
}  # fmt: skip
COLUMNS = "source, entity, period, batch_id, layout, record_no, sex, age, school"


def imputation(**changes) -> Correction:
    base = {
        "id": "MOOR-SCHOOL", "kind": "imputation", "entity": "persons", "where": "school = 8",
        "donors": {"columns": ["school"], "classes": [["sex", "age // 10"], ["sex"]]},
        "reason": {"en": "-"}, "provided_by": "-", "status": "proposed",
    }  # fmt: skip
    return Correction.model_validate({**base, **changes})


@pytest.fixture
def contract() -> Contract:
    return Contract.model_validate(CONTRACT)


def staged(con, contract: Contract, rows: list[tuple], *corrections: Correction) -> None:
    """Make `sent_…`, and over it the views that the corrections give."""
    check_corrections(con, contract, corrections)
    con.execute("drop table if exists sent_moor__persons cascade")
    typed = "varchar, entity varchar, period varchar, batch_id varchar, layout varchar, record_no bigint, sex varchar"
    con.execute(f"create table sent_moor__persons (source {typed}, age bigint, school bigint)")
    for number, (period, *values) in enumerate(rows, 1):
        batch, layout = f"b{period}", "old" if period == "2001" else "base"
        con.execute("insert into sent_moor__persons values ('moor', 'persons', ?, ?, ?, ?, ?, ?, ?)",
                    [period, batch, layout, number, *values])  # fmt: skip
    for name, sql in corrected_models(contract, "persons", corrections).items():
        con.execute(f"create or replace view {name} as {compiled(sql)}")


def schools(con) -> list:
    return [row[0] for row in con.execute("select school from stg_moor__persons order by record_no").fetchall()]


def test_a_donor_is_of_the_same_batch_and_class_and_has_a_value(con, contract) -> None:
    rows = [
        ("2024", "F", 31, 8), ("2024", "F", 35, 3), ("2024", "F", 38, 9), ("2024", "F", 52, 5), ("2024", "M", 33, 6),
        ("2025", "F", 34, 4),
    ]  # fmt: skip
    staged(con, contract, rows, imputation())
    assert schools(con) == [3, 3, 9, 5, 6, 4]  # a refusal is no value to give, and is left as it is


def test_the_next_class_gives_where_the_first_has_nobody_and_nobody_gives_nothing(con, contract) -> None:
    rows = [("2024", "F", 31, 8), ("2024", "F", 52, 5), ("2024", "M", 33, 8), ("2024", "F", None, 8)]
    staged(con, contract, rows, imputation())
    assert schools(con) == [5, 5, 8, 5]
    anybody = imputation(donors={"columns": ["school"], "classes": [["sex"], []]})
    staged(con, contract, rows, anybody)
    assert schools(con) == [5, 5, 5, 5]


def test_donors_serve_in_turn_and_every_build_draws_the_same(con, contract) -> None:
    rows = [("2024", "F", 30, school) for school in (1, 2, 3, 4, *[8] * 8)]
    staged(con, contract, rows, imputation())
    first = schools(con)
    assert sorted(first[4:]) == [1, 1, 2, 2, 3, 3, 4, 4]
    assert first[4:] != [1, 2, 3, 4, 1, 2, 3, 4]  # drawn, not dealt in the order of the file
    staged(con, contract, rows, imputation())
    assert schools(con) == first
    staged(con, contract, rows, imputation(id="MOOR-SCHOOL-B"))
    assert schools(con) != first


def test_codes_for_missing_are_those_of_the_layout(con, contract) -> None:
    rows = [("2001", "F", 31, 0), ("2001", "F", 35, 8), ("2024", "F", 31, 8), ("2024", "F", 35, 0)]
    staged(con, contract, rows, imputation(where="(layout = 'old' and school = 0) or (layout = 'base' and school = 8)"))
    assert schools(con) == [8, 8, 0, 0]


def test_several_columns_come_from_one_donor(con, contract) -> None:
    rows = [("2024", "F", None, None), ("2024", "F", 10, 1), ("2024", "F", 20, 2), ("2024", "F", 99, 3)]
    both = imputation(where="age is null", donors={"columns": ["age", "school"], "classes": [["sex"]]})
    staged(con, contract, rows, both)
    assert con.execute("select age, school from stg_moor__persons where record_no = 1").fetchone() in [(10, 1), (20, 2)]
    marks = con.execute("select imputed_columns from stg_moor__persons order by record_no").fetchall()
    assert marks == [("age school",), (None,), (None,), (None,)]


def test_a_fact_names_its_columns_that_a_donor_filled(con) -> None:
    """Also those that are mapped from several columns, one of them filled."""
    feed = {"fact": "persons", "columns": {
        "sex": {"from": "sex", "codes": {"F": "F", "M": "M"}}, "age_years": {"from": "age"},
        "education_level": {"from": "school", "codes": dict.fromkeys(range(8), "ED2")},
        "activity_status": {
            "from": "sex", "codes": {"F": "EMP", "M": "EMP"}, "when": {"school": [1, 2]}, "otherwise": "OUT",
        },
    }}  # fmt: skip
    given = deepcopy(CONTRACT)
    given["entities"]["persons"]["feeds"] = [feed]
    contract = Contract.model_validate(given)
    one = imputation(donors={"columns": ["age", "school"], "classes": [["sex"]]}, where="age is null or school = 8")
    staged(con, contract, [("2024", "F", None, 8), ("2024", "F", 20, 2), ("2024", "F", None, 3)], one)
    feeders, donated = [(contract, "persons", 0)], {("moor", "persons"): {"age", "school"}}
    assert find_imputable(feeders, donated) == ["activity_status", "age_years", "education_level"]
    columns = {"sex": "varchar", "age_years": "integer", "imputed_columns": "varchar"}
    rows = con.execute(
        f"select age_years, imputed_columns from ({compiled(feed_sql(columns, feeders, donated))}) as fed"
    )
    every = "activity_status age_years education_level"
    assert sorted(rows.fetchall(), key=repr) == [(20, every), (20, every), (20, None)]
    plainly = con.execute(f"select imputed_columns from ({compiled(feed_sql(columns, feeders, {}))}) as fed").fetchall()
    assert plainly == [(None,)] * 3


def test_what_an_edit_took_out_is_filled(con, contract) -> None:
    edit = imputation(id="MOOR-AGE", kind="edit", where="age < 0", donors=None, missing=["age"])
    fill = imputation(id="MOOR-AGE-DONOR", where="age is null", donors={"columns": ["age"], "classes": [["school"]]})
    staged(con, contract, [("2024", "F", -1, 3), ("2024", "F", 40, 3)], edit, fill)
    assert con.execute("select age from stg_moor__persons order by record_no").fetchall() == [(40,), (40,)]
    assert con.execute("select age from edited_moor__persons order by record_no").fetchall() == [(None,), (40,)]


def test_it_is_counted_with_its_effect_before_and_after(con, contract) -> None:
    rows = [
        ("2024", "F", 31, 8),
        ("2024", "F", 35, 3),
        ("2024", "F", 36, 4),
        ("2024", "M", 33, 8),
        ("2025", "F", 34, 4),
    ]
    counted, meant = imputation(), imputation(id="MOOR-SCHOOL-MEAN", measure="school")
    for one, before, after in ((counted, 2.0, 3.0), (meant, 3.5, None)):
        staged(con, contract, rows, one)
        sql = compiled(matched_sql({"moor": (one,)}, {"moor": contract}))
        row = con.execute(f"select * exclude (source, entity, batch_id) from ({sql}) where period = '2024'").fetchone()
        assert row[:6] == (one.id, "2024", 4, 2, 1, before)
        assert row[6] == (after or round(sum([schools(con)[0], 3, 4]) / 3, 6))


def test_a_guard_may_be_a_share_of_the_rows(con, contract) -> None:
    test = (REPOSITORY / "dbt_project/tests/corrections_still_match.sql").read_text(encoding="utf-8")
    test = compiled(test)
    con.execute(
        "create table corrections_applied as select 'MOOR-SCHOOL' as correction_id, 6 as rows_matched, 100 as rows_sent"
    )
    for share, trips in (("0.05", True), ("0.06", False), ("", False)):
        guard = f"'1' as expected_minimum, '' as expected_maximum, '{share}' as maximum_share, 'error' as severity"
        con.execute(f"create or replace table corrections as select 'MOOR-SCHOOL' as correction_id, {guard}")
        assert bool(con.execute(test).fetchall()) == trips


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"donors": {"columns": ["schooling"], "classes": [[]]}}, "no column schooling"),
        ({"donors": {"columns": ["school"], "classes": [["town"]]}}, "town"),
        ({"donors": {"columns": ["school"], "classes": [["(select 1)"]]}}, "own columns and nothing else"),
        ({"measure": "sex"}, "sex is no number"),
    ],
)
def test_an_imputation_that_does_not_fit_its_entity_is_refused(con, contract, changes, says: str) -> None:
    with pytest.raises(ContractError, match=says):
        check_corrections(con, contract, (imputation(**changes),))


def test_one_column_is_imputed_once_and_only_by_an_imputation(con, contract) -> None:
    with pytest.raises(ContractError, match="school is imputed twice"):
        check_corrections(con, contract, (imputation(), imputation(id="MOOR-OTHER", where="school = 9")))
    with pytest.raises(ValueError, match="is an imputation"):
        imputation(kind="edit")
