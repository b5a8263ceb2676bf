"""Labels stand in the observatory's languages, whichever they are, and in English where a list lacks one."""

import duckdb
import pytest

from tests.jinja import compiler


@pytest.mark.parametrize(
    ("languages", "expected"),
    [
        ("en", [("Heath",), ("Southland",)]),
        ("en fo", [("Heath", "Heiði"), ("Southland", "Southland")]),
        ("fo en", [("Heiði", "Heath"), ("Southland", "Southland")]),
    ],
)
def test_labels_fall_back_to_english(languages: str, expected: list[tuple[str, ...]]) -> None:
    con = duckdb.connect()
    con.execute("create table areas as select * from (values ('Heath', 'Heiði'), (null, null)) as t (name_en, name_fo)")
    con.execute("create table countries as select 'Southland' as name_en, '' as name_fo")
    sql = compiler(languages=languages)("select {{ labels(['areas', 'countries'], 'area') }} from areas, countries")
    assert sorted(con.execute(sql).fetchall()) == sorted(expected)
