"""Identifiers in columns that nobody declared: by shape and check digits, and by the pseudonym of every token."""

import pytest

from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.privacy.identifier_search import KNOWN, find_identifiers, load_identifier_shapes, load_known
from hims_pipeline.privacy.keys import Key
from hims_pipeline.privacy.pseudonym import install, normalise_sql, pseudonym
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sql import connection, literal

KEY = Key("test", bytes(range(3, 35)))


def found(settings, *texts: str, persons: tuple[str, ...] = ()) -> dict[str, int]:
    """What -> rows."""
    with connection(settings) as con:
        known = None
        if persons:
            install(con, KEY, ["demo"])
            values = ", ".join(f"({literal(one)})" for one in persons)
            made = pseudonym(normalise_sql("p"), ["demo"], "demo")
            con.execute(f"create table people as select {made} as id from (values {values}) as t(p)")
            known = load_known(con, KEY, [("demo", "select id from people")])
        rows = " union all ".join(
            f"select 'c' as place, {literal(t)} as value, 1 as n, {i} as line" for i, t in enumerate(texts, 2)
        )
        hits = find_identifiers(con, rows, load_identifier_shapes(REPOSITORY / "data"), known).get("c", [])
        return {hit.what: hit.rows for hit in hits}


@pytest.fixture
def settings(tmp_path):
    return Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", tmp_path)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("voir 08765432 au dossier", "CIN"),
        ("رقم ٠٨٧٦٥٤٣٢", "CIN"),
        ("０８７６５４３２", "CIN"),
        ("०८७६५४३२", "CIN"),
        ("passeport Ａ１２３４５６", "PASSPORT"),
        ("08 765 432", "CIN_GROUPED"),
        ("passeport A123456", "PASSPORT"),
        ("passeport A 123456", "PASSPORT"),
        ("CNSS 12345678-90", "SOCIAL_SECURITY"),
        ("tel +216 98 765 432.", "TELEPHONE"),
        ("0021698765432", "TELEPHONE"),
        ("98 765 432", "TELEPHONE_LOCAL"),
        ("+33 6 12 34 56 78", "TELEPHONE_ABROAD"),
        ("TN59 1000 6035 1835 9847 8831 de Ali", "IBAN"),
        ("10006035183598478831", "RIB"),
        ("ali.trabelsi@example.org", "EMAIL"),
    ],
)
def test_every_shape_is_found_within_a_text(settings, text, shape) -> None:
    assert shape in found(settings, text, "nothing here")


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-15",
        "20240115",
        "population 1 234 567",
        "in 12,345,678 cases",
        "ISCO 2411",
        "r000012",
        "deadbeef01234567",
    ],
)
def test_dates_counts_and_codes_are_no_persons(settings, text) -> None:
    assert found(settings, text) == {}


def test_check_digits_tell_an_account_from_a_number(settings) -> None:
    assert found(settings, "TN58 1000 6035 1835 9847 8831") == {}
    assert found(settings, "10006035183598478832") == {}


@pytest.mark.parametrize("text", ["dossier X9-4471 clos", "x94471", "X 9 4471, rappel", "X9/4471", "X9\u200f4471"])
def test_a_known_person_is_found_whatever_the_shape_of_the_number(settings, text) -> None:
    assert KNOWN in found(settings, text, "other", persons=("X94471", "B77"))
    assert KNOWN not in found(settings, text, persons=("X94472",))


def test_every_shipped_contract_has_decided() -> None:
    for contract in load_contracts(REPOSITORY / "data").values():
        for entity in contract.entities.values():
            for column in entity.columns:
                assert not (contract.personal and column.is_open_text) or column.open_text
