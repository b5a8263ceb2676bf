"""A person's number in a column that is not declared for one refuses the delivery before anything leaves the zone."""

import pytest

from hims_pipeline.settings import REPOSITORY

COLUMNS = (
    {"name": "cin", "sensitivity": "identifier", "pattern": "[0-9]{8}"},
    {"name": "household", "pattern": "[0-9]{8}"},
    {"name": "remark", "type": "text"},
)


@pytest.fixture
def reading(read):
    """reading(row, …) takes the rows as one file and reads them with the repository's list of shapes."""
    return lambda *rows, columns=COLUMNS: read(
        {"people.csv": "\n".join(["cin,household,remark", *rows, ""]).encode()},
        columns,
        settings={"data": REPOSITORY / "data"},
    )


def test_a_number_in_open_text_refuses_the_delivery(reading) -> None:
    seen = reading("08765432,00000001,Ali Trabelsi 08765432", "09999999,00000002,fine")
    assert seen.rules == ["DEMO-PEOPLE-REMARK-IDENTIFIERS"]
    assert seen.result.stage == "types"
    assert (seen.findings[0].count, seen.findings[0].lines) == (1, (2,))
    assert "08765432" not in seen.text
    assert "Ali" not in seen.text
    assert list(seen.folder.iterdir()) == []
    assert reading("08765432,00000001,fine").findings == ()


def test_the_row_s_own_number_in_a_closed_column_refuses_it_too(reading) -> None:
    seen = reading("08765432,08765432,fine", "09999999,00000002,fine")
    assert seen.rules == ["DEMO-PEOPLE-HOUSEHOLD-IDENTIFIERS"]
    assert reading("08765432,09999999,fine", "09999999,00000002,fine").findings == ()


def test_open_text_of_a_personal_source_needs_a_decision(contract_for) -> None:
    legal = {"basis": "a law", "retention_years": 1}
    with pytest.raises(ValueError, match="remark is open text of a personal source"):
        contract_for(COLUMNS, personal=True, legal=legal)
    lax = ({"name": "remark", "pattern": "[A-Za-z ]+"},)
    with pytest.raises(ValueError, match="open text"):
        contract_for(lax, personal=True, legal=legal)
    for decided in ({"sensitivity": "free_text"}, {"open_text": "a list of offices"}, {"pattern": "[0-9]{4}"}):
        contract_for([{"name": "remark"} | decided], personal=True, legal=legal)


def test_a_contract_may_say_that_a_shape_names_nobody(reading) -> None:
    columns = [*COLUMNS[:2], {"name": "remark", "may_hold": {"CIN": "the office's file number"}}]
    assert reading("08765432,00000001,file 07777777", columns=columns).findings == ()
    assert reading("08765432,00000001,file 08765432", columns=columns).rules == ["DEMO-PEOPLE-REMARK-IDENTIFIERS"]
