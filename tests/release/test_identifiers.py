"""A candidate that names somebody does not leave: by shape, by the pseudonym of a token, in tables and in files."""

import json

import pytest

from hims_pipeline.errors import ReleaseError
from hims_pipeline.privacy.identifier_search import load_known
from hims_pipeline.privacy.keys import Key
from hims_pipeline.privacy.pseudonym import install, normalise_sql, pseudonym
from hims_pipeline.release import leaks
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sql import connection

KEY = Key("test", bytes(range(3, 35)))


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """An installation in whose batches one person stands, number X9447123."""

    def known(settings, con):
        install(con, KEY, ["demo"])
        made = pseudonym("v", ["demo"], "demo")
        con.execute(
            f"create table persons as select {made} as id "
            f"from (select {normalise_sql('p')} as v from (select 'X9447123' as p))"
        )
        return load_known(con, KEY, [("demo", "select id from persons")])

    monkeypatch.setattr(leaks, "known_persons", known)
    return Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", tmp_path / "home")


def found_in(settings, tmp_path, value: str, column: str = "note") -> list[tuple[str, str, int | None]]:
    path = tmp_path / "warehouse.duckdb"
    path.unlink(missing_ok=True)
    with connection(settings, path) as con:
        con.execute("create schema published")
        con.execute(f"create table published.t as select $1 as {column} from range(3)", [value])
    found = leaks.find_in_tables(settings, path, ("published",)).findings
    return [(one.entity, one.column, one.count) for one in found]


@pytest.mark.parametrize("value", ["see 08765432", "ali@example.org", "file X9-447123 of Ali", "x9447123"])
def test_a_number_in_a_table_is_found_with_its_place(settings, tmp_path, value) -> None:
    assert found_in(settings, tmp_path, value) == [("published.t", "note", 3)]


@pytest.mark.parametrize(
    "value", ["12345678-1234-4234-8234-123456789012", "A07-0123456789ab", "2024-01-15", "rgph/2024/0a1b2c3d4e5f"]
)
def test_pseudonyms_keys_and_dates_name_nobody(settings, tmp_path, value) -> None:
    assert found_in(settings, tmp_path, value) == []


def test_a_column_that_merely_looks_so_is_named_with_a_reason(settings, tmp_path) -> None:
    assert found_in(settings, tmp_path, "08765432", "household_id") == []
    assert found_in(settings, tmp_path, "ali@example.org", "household_id") == [("published.t", "household_id", 3)]


def test_notes_and_manifests_are_searched_too(settings, tmp_path) -> None:
    (tmp_path / "public").mkdir()
    hashes = ["0x12c08765432b01b1d0", "rgph/2024/ab08765432cd", f"{'08765432' * 4}{'ab' * 16}"]  # as chance may have it
    files = {"bytes": 12345678, "files": {"a": "fine"}, "made_of": hashes}
    (tmp_path / "public/manifest.json").write_text(json.dumps(files))
    leaks.check_files(settings, tmp_path)
    (tmp_path / "public/RELEASE_NOTES.md").write_text("refused: file of X9447123\n")
    with pytest.raises(ReleaseError, match=r"RELEASE_NOTES.md \(KNOWN_PERSON\)"):
        leaks.check_files(settings, tmp_path)
