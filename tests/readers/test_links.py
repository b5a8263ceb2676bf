"""Pairs by which registers are joined: inside the zone alone, and the same number however it is written."""

import hashlib
import hmac
import uuid

import duckdb
import pytest

from hims_pipeline.privacy.keys import load_key

COLUMNS = (
    {"name": "id", "type": "integer"},
    {
        "name": "cin",
        "pattern": "[0-9]{8}",
        "sensitivity": "identifier",
        "domain": "people_number",
        "links": "national_id",
    },
)
SENT = "id,cin\n1,90000001\n2,90000001\n3,\n4,٩٠٠٠٠٠٠٢\n5, 9000 0002\u200f\n"


def pairs(seen, entity="people"):
    [path] = seen.settings.links.glob(f"demo/2024/*/{entity}.parquet")
    assert path.stat().st_mode & 0o077 == 0
    with duckdb.connect() as con:
        return con.execute(f"select * from read_parquet('{path}')").fetchall()


def made(settings, domain, number):
    return uuid.UUID(
        hmac.new(load_key(settings).derive_domain_key(domain), number.encode(), hashlib.sha256).hexdigest()[:32]
    )


def test_a_number_however_written_is_one_pair(read):
    seen = read({"people.csv": SENT.encode()}, COLUMNS)
    assert seen.findings == ()
    expected = [
        (
            "national_id",
            "people_number",
            made(seen.settings, "people_number", n),
            made(seen.settings, "link:national_id", n),
        )
        for n in ("90000001", "90000002")
    ]
    assert sorted(pairs(seen)) == sorted(expected)
    assert {row[2] for row in expected} == {one for (one,) in seen.sql("distinct cin") if one}


def test_the_study_pseudonym_is_in_no_file_outside_the_zone(read):
    seen = read({"people.csv": SENT.encode()}, COLUMNS)
    secret = [row[3].bytes for row in pairs(seen)]
    outside = [path for path in seen.settings.home.rglob("*") if path.is_file() and "identified" not in path.parts]
    assert outside
    assert not any(one in path.read_bytes() for one in secret for path in outside)


def test_rows_set_aside_leave_no_pair(read):
    sent = SENT.encode() + b"x,90000007\n"
    seen = read({"people.csv": sent}, COLUMNS, entity={"record_tolerance": 0.5})
    assert [finding.severity for finding in seen.findings] == ["warning"]
    assert len(pairs(seen)) == 2
    refused = read({"people.csv": sent}, COLUMNS)
    assert not list(refused.settings.links.rglob("*.parquet"))


def test_the_same_rows_are_the_same_bytes(read):
    files = [next(read({"people.csv": SENT.encode()}, COLUMNS).settings.links.rglob("*.parquet")) for _ in range(2)]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_only_an_identifier_links(contract_for):
    with pytest.raises(ValueError, match="only an identifier links registers"):
        contract_for([{"name": "a", "links": "national_id"}])
