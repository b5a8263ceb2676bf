"""A person's number in a column that is not declared for one refuses the delivery before anything leaves the zone."""

import pytest

from hims_pipeline.settings import REPOSITORY

COLUMNS = (
    {"name": "cin", "sensitivity": "identifier", "pattern": "[0-9]{8}"},
    {"name": "household", "pattern": "[0-9]{8}"},
    {"name": "remark", "type": "text"},
)

LEGAL = {"basis": "a law", "retention_years": 1}


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
    with pytest.raises(ValueError, match="remark is open text of a personal source"):
        contract_for(COLUMNS, personal=True, legal=LEGAL)
    for decided in ({"sensitivity": "free_text"}, {"open_text": "a list of offices"}, {"pattern": "[0-9]{4}"}):
        contract_for([{"name": "remark"} | decided], personal=True, legal=LEGAL)


@pytest.mark.parametrize(
    "pattern",
    [
        "[A-Za-z ]+", "[A-Z][a-z]+ [A-Z][a-z]+", r"\w{2,20}", "[^0-9]+", r"\D{5}", "[a-z][a-z0-9_]*", "[ء-ي ]{4}",
        "([A-Z]{2}){2}", "TN-(?:[0-9]{4}|[A-Z]{9})", ".{4}", r"\S+", "[A-ZÀ-Ý' -]{2,40}", "(?i:[a-z]{4})",
        "(?:a|[m-z])?.*",
    ],
)  # fmt: skip
def test_a_pattern_that_a_name_may_fit_closes_nothing(contract_for, pattern) -> None:
    with pytest.raises(ValueError, match="open text"):
        contract_for([{"name": "remark", "pattern": pattern}], personal=True, legal=LEGAL)


@pytest.mark.parametrize(
    "pattern",
    ["[A-Z]{3}", "B[0-9]{3}", "[A-U]", "[A-Z]{1,2}[0-9]{6}", "[0-9a-f]{8}(-[0-9a-f]{4}){3}", "TRABELSI|BEN [A-Z]"],
)
def test_a_pattern_of_codes_closes_a_column(contract_for, pattern) -> None:
    contract_for([{"name": "remark", "pattern": pattern}], personal=True, legal=LEGAL)


def test_names_in_text_that_is_said_to_come_from_a_list_refuse_the_delivery(reading) -> None:
    listed = [*COLUMNS[:2], {"name": "remark", "open_text": "an office of the list"}]
    names = [f"{n:08d},99999999,{chr(97 + n)}mina Trabelsi" for n in range(24)]
    seen = reading(*names, columns=listed)
    assert seen.rules == ["DEMO-PEOPLE-REMARK-IDENTIFIERS"]
    assert "Trabelsi" not in seen.text
    said = [*listed[:2], listed[2] | {"may_hold": {"EACH_ITS_OWN": "the firm that each is asked in"}}]
    assert reading(*names, columns=said).findings == ()
    offices = [f"{n:08d},99999999,office of {'abcdef'[n % 6]}" for n in range(24)]
    assert reading(*offices, columns=listed).findings == ()


def test_a_contract_may_say_that_a_shape_names_nobody(reading) -> None:
    columns = [*COLUMNS[:2], {"name": "remark", "may_hold": {"CIN": "the office's file number"}}]
    assert reading("08765432,00000001,file 07777777", columns=columns).findings == ()
    assert reading("08765432,00000001,file 08765432", columns=columns).rules == ["DEMO-PEOPLE-REMARK-IDENTIFIERS"]
