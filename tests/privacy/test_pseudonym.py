"""Pseudonyms: HMAC-SHA-256 of the normalised identifier, one key a domain, and the key nowhere to be seen."""

import hashlib
import hmac
import uuid

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hims_pipeline.privacy.keys import Key
from hims_pipeline.privacy.pseudonym import install, normalise_sql, pseudonym

KEY = Key("test", bytes(range(3, 35)))
DOMAINS = ["residents", "borders"]


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as con:
        install(con, KEY, DOMAINS)
        yield con


def made(con, text: str | None, domain: str = "residents"):
    clean = normalise_sql("t")
    sql = f"select {pseudonym('v', DOMAINS, domain)} from (select {clean} as v from (select $1::varchar as t))"
    return con.execute(sql, [text]).fetchall()[0][0]


def expected(text: str, domain: str = "residents") -> uuid.UUID:
    return uuid.UUID(hmac.new(KEY.derive_domain_key(domain), text.encode(), hashlib.sha256).hexdigest()[:32])


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text("0123456789ABCXYZ", min_size=1, max_size=120))
def test_it_is_the_hmac_that_python_computes(con, text):
    assert made(con, text) == expected(text)


@pytest.mark.parametrize(
    "text",
    [
        " 08765432 ",
        "٠٨٧٦٥٤٣٢",
        "۰۸۷۶۵۴۳۲",
        "0876 5432",
        "\u200f08765432\u200e",
        "0876\u064054\u200b32",
        "\ufeff08765432\u00a0",
    ],
)
def test_one_number_however_it_was_typed(con, text):
    assert made(con, text) == expected("08765432")


def test_letters_are_one_case_and_one_unicode_form(con):
    assert made(con, "ab12e\u0301") == made(con, "AB12\u00c9") == expected("AB12É")


def test_no_identifier_has_no_pseudonym(con):
    assert [made(con, text) for text in (None, "", "  ", "\u200f")] == [None] * 4


def test_domains_cannot_be_joined(con):
    assert made(con, "08765432") != made(con, "08765432", "borders") == expected("08765432", "borders")


def test_a_hmac_key_by_the_book():
    """RFC 5869, test case 1, with our salt and info: extract, then one block of expand."""
    pseudorandom = hmac.new(b"hims-pipeline pseudonym", KEY.secret, hashlib.sha256).digest()
    assert KEY.derive_domain_key("x") == hmac.new(pseudorandom, b"x\x01", hashlib.sha256).digest()
    assert KEY.derive_domain_key("x") != KEY.derive_domain_key("y")


def test_a_uuid_in_parquet_keeps_all_its_bits(con, tmp_path):
    texts = "select i::varchar as v from range(1000) r(i)"
    made = f"select {pseudonym('v', DOMAINS, 'residents')} as p from ({texts})"
    con.execute(f"copy ({made}) to '{tmp_path}/p.parquet' (format parquet)")
    rows = con.execute(f"select p from '{tmp_path}/p.parquet'").fetchall()
    assert rows == [(expected(str(n)),) for n in range(1000)]


def test_the_key_is_in_no_text(con):
    assert KEY.secret.hex() not in repr(KEY)
    assert str(KEY.secret) not in repr(KEY)
    assert KEY.derive_domain_key("residents").hex() not in pseudonym("v", DOMAINS, "residents")
