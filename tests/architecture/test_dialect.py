"""Models that two engines read: nothing of one stands outside dialect.sql, and what stands there means one thing."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import agate
import duckdb
import pytest

from hims_pipeline.contracts.indicators import load_indicators
from hims_pipeline.errors import ContractError
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.staging import macros
from hims_pipeline.staging.render import render_project
from tests.architecture import dialect
from tests.jinja import OWN, compiler

# A model that says it, and what the rule must name: constructs that were seen to be refused, or read otherwise.
OF_ONE_ENGINE = {
    "select cast(a as varchar) as b from t": "string",
    "select cast(a as decimal(9, 2)) as b, cast(c as uuid) as d from t": "key_type()",
    "select cast(sum(z) as hugeint) as z from t": "wide_integer()",
    "select a, b, from t": "comma before from",
    "select a from t\nunion all by name\nselect a from u": "union_by_name(",
    "select * exclude (a) from t": "all_but(",
    "select t.* replace (1 as a) from t": "all_but(",
    "select count(*) filter (a = 1) from t": "filter (where …)",
    "select min(a) filter (where coalesce(b, 1) = 1) over (partition by c) from t": "case when",
    "select last_date - first_date as days from t": "days_between(",
    "select date_diff('day', a, b) as days from t": "days_between(",
    "select datesub('month', a, b) as months from t": "whole_months(",
    "select d + to_years(2) as later from t": "years_after(",
    "select age // 5 as age_no from t": "floor(a / b)",
    "select days / 365.25 as years from t": "/ 365.25e0",
    "select a ** 2 as b from t": "pow(a, b)",
    "select a from t where period glob '2025*'": "fits_glob(",
    "select ['a', 'b'] as both from t": "list_of(",
    "select names[1] as first from t": "value_at(",
    "select names[2:] as others from t": "rest_of(",
    "select unnest(names) as name from t": "each_of(",
    "select list_filter(names, lambda name: name != 'a') as b from t": "list_without(",
    "select list_has_any(a, b) from t": "have_common(",
    "select string_split(a, ' ') from t": "parts_of(",
    "select split(a, ' ') from t": "parts_of(",
    "select list(distinct a) from t": "set_of(",
    "select string_agg(a, ' ' order by b) from t": "joined(",
    "select struct_pack(a := b) as c from t": "record_of(",
    "select fsum(a) from t": "exactly(",
    "select md5_number_lower(a) from t": "md5_number(",
    "select hash(a) from t": "md5_number(",
    "select * from read_parquet('a.parquet')": "read_batches(",
    "select * from read_json('a.json')": "read_inputs(",
    "with a as materialized (select 1 as b) select * from a": "materialized()",
    "select a from t where (a, b) not in (select (a, b) from u)": "in (select a, b …)",
    "select a::date as b from t": "cast(… as …)",
    "select strftime(d, '%Y') from t": "year(day)",
    "select regexp_replace(a, 'x(.)', '\\1') from t": "back references",
    "from t select a": "select first",
    "select levenshtein(a, b) from t": "levenshtein()",
    "{% if target.type == 'duckdb' %}select 1{% endif %}": "names an engine",
    "{{ default__key_type() }}": "names an engine",
    # In Jinja's own texts, which become SQL.
    "{{ rows('t', {'age': \"datesub('year', a, b)\"}) }}": "whole_years(",
}


@pytest.mark.parametrize("model", OF_ONE_ENGINE)
def test_what_one_engine_reads_is_refused_with_what_to_write(model: str, tmp_path: Path) -> None:
    """A model of the project, of the observatory, a macro or a test: each is looked at, and the line is told."""
    for place in dialect.WHERE:
        path = tmp_path / place / "deep" / "written.sql"
        path.parent.mkdir(parents=True)
        path.write_text("-- A comment about varchar and unnest(x).\n\n" + model, encoding="utf-8")
    problems = dialect.check_files(tmp_path)
    assert {problem.split(":")[0] for problem in problems} == {f"{place}/deep/written.sql" for place in dialect.WHERE}
    assert any(OF_ONE_ENGINE[model] in problem for problem in problems), problems
    assert all(int(problem.split(":")[1]) >= 3 for problem in problems)


def test_texts_and_comments_are_no_sql() -> None:
    plain = """
    {# varchar, unnest(x), a // b #}
    -- exclude (a), from
    select 'unnest(a), from [b] :: {{ "x" }}' as word, {{ all_but('a', 't') }}, coalesce(a / 365.25e0, '//') as b
    from t
    where a between 1 and 2 and (b, c) in (select b, c from u) -- lambda
    """
    assert list(dialect.find_constructs(plain)) == []


def test_the_project_says_nothing_of_one_engine() -> None:
    command = [sys.executable, "-m", "tests.architecture.dialect"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_linter_runs_the_rule() -> None:
    recipe = (REPOSITORY / "Makefile").read_text(encoding="utf-8").partition("\ncheck:")[2].partition("\n\n")[0]
    assert "-m tests.architecture.dialect" in recipe


def test_what_is_rendered_says_nothing_of_one_engine(tmp_path: Path) -> None:
    settings = Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", tmp_path / "home", env="test")
    render_project(settings, tmp_path / "tree")
    rendered = sorted((tmp_path / "tree/models").rglob("*.sql"))
    assert len(rendered) > 200
    problems = [
        f"{path.name}:{line}: {what}" for path in rendered for line, what in dialect.find_constructs(path.read_text())
    ]
    assert problems == []


def test_expressions_of_records_say_nothing_of_one_engine() -> None:
    said = [
        text for one in load_indicators(REPOSITORY / "data").values() for f in one.formula for text in f.expressions
    ]
    assert len(said) > 50
    assert [(text, what) for text in said for _, what in dialect.find_constructs(f"select {text}")] == []


def test_functions_that_count_as_shared_are_ones_of_duckdb() -> None:
    con = duckdb.connect()
    known = {name for (name,) in con.execute("select distinct function_name from duckdb_functions()").fetchall()}
    assert (
        dialect.FUNCTIONS - known - {"coalesce", "cast", "try_cast", "extract", "grouping", "nullif"}
        == {
            name
            for name in dialect.FUNCTIONS
            if name in {"lag", "lead", "rank", "dense_rank", "row_number", "percent_rank"}
        }
        - known
    )


def test_every_word_of_the_dialect_is_said_for_both_engines() -> None:
    text = (REPOSITORY / "dbt_project/macros" / dialect.DIALECT).read_text(encoding="utf-8")
    dispatched = {part.split("'")[0] for part in text.split("adapter.dispatch('")[1:]}
    assert len(dispatched) > 20
    for engine in ("default", "spark"):
        said = {part.split("(")[0] for part in text.split(f"{{% macro {engine}__")[1:]}
        assert dispatched - said == set(), engine


def unite_on_spark(*, is_cte: bool, built: dict[str, list[str]]) -> str:
    """SQL of a union of one model, `figures`, on an engine that has built these tables: `schema.table` -> columns."""

    def find_columns(place: SimpleNamespace) -> list[SimpleNamespace]:
        return [SimpleNamespace(name=name) for name in built.get(f"{place.schema}.{place.identifier}", [])]

    compiled = macros.compiler(
        REPOSITORY / "dbt_project",
        OWN,
        execute=True,
        ref=lambda name: SimpleNamespace(schema=None if is_cte else "indicators", identifier=name, is_cte=is_cte),
        api=SimpleNamespace(Relation=SimpleNamespace(create=lambda **parts: SimpleNamespace(**parts))),
        adapter=SimpleNamespace(get_columns_in_relation=find_columns),
        run_query=lambda _: agate.Table([["reference"], ["indicators"]], ["namespace"]),
    )
    return compiled("{{ spark__union_by_name({'a': 'string', 'b': 'string'}, ['figures'], ['c']) }}")


@pytest.mark.parametrize("is_cte", [True, False], ids=["the fixture of a unit test", "a table"])
def test_a_union_on_spark_asks_for_the_columns_that_a_model_has(is_cte: bool) -> None:
    sql = unite_on_spark(is_cte=is_cte, built={"indicators.figures": ["a", "c"]})
    assert re.search(r"select distinct\s+a,\s+cast\(null as string\) as b\s+from", sql)


@pytest.mark.parametrize("is_cte", [True, False], ids=["the fixture of a unit test", "a table"])
def test_a_union_on_spark_of_what_is_not_built_is_refused(is_cte: bool) -> None:
    with pytest.raises(ContractError, match="Spark knows no column of figures: build it before"):
        unite_on_spark(is_cte=is_cte, built={"indicators.others": ["a"]})


def test_a_batch_of_several_files_stands_once_beside_its_rows_on_spark() -> None:
    """Twice, and each row of it would come twice."""
    files = [
        {"path": f"/home/validated/{folder}/people-00000{n}.parquet", "period": folder.split("/")[1],
         "batch_id": folder.replace("/", "-"), "layout": "l1"}
        for folder in ("census/2014/aaaa", "census/2024/bbbb") for n in range(3)
    ]  # fmt: skip
    compiled = macros.compiler(
        REPOSITORY / "dbt_project",
        OWN,
        run_query=lambda _: None,
        this=SimpleNamespace(schema="staging", identifier="stg"),
        files=files,
    )
    sql = compiled("{{ spark__read_files('census', files, {'sex': 'string'}, []) }}")
    listed = re.findall(r"\('(census/[^']*)', '(\d+)', '([^']*)', 'l1'\)", sql)
    assert listed == [
        ("census/2014/aaaa", "2014", "census-2014-aaaa"),
        ("census/2024/bbbb", "2024", "census-2024-bbbb"),
    ]


DAYS = """
select a.day as a, b.day as b
from (select date '2019-12-25' + n::int as day from range(0, 470) as t (n)) as a
cross join (select date '2019-12-25' + n::int as day from range(0, 470) as t (n)) as b
"""


def test_whole_months_and_years_are_the_same_for_both_engines() -> None:
    """Every pair of days over a leap year: ends of months, and the days in the other order."""
    con = duckdb.connect()
    for macro in ("whole_months", "whole_years"):
        ours, theirs = (compiler()(f"{{{{ {engine}__{macro}('a', 'b') }}}}") for engine in ("default", "spark"))
        if theirs.endswith(" div 12"):  # whole division, towards zero
            theirs = f"trunc({theirs.removesuffix(' div 12')} / 12)"
        query = f"select count(*), count(*) filter (where {ours} is distinct from {theirs}) from ({DAYS})"
        assert con.execute(query).fetchall() == [(470 * 470, 0)], macro


@pytest.mark.parametrize("text", ["", "a", "ISCO88|1234", "éà\U0001f30d", "x" * 300])
def test_numbers_of_md5_are_the_same_for_both_engines(text: str) -> None:
    con = duckdb.connect()
    con.execute("create macro conv(digits, base, other) as cast('0x' || digits as ubigint)")
    ours, theirs = (compiler()(f"{{{{ {engine}__md5_number('$text') }}}}") for engine in ("default", "spark"))
    theirs = re.sub(r"\$(\d)", r"\\\1", theirs)  # DuckDB refers back with a backslash
    expected = int.from_bytes(hashlib.md5(text.encode()).digest()[8:], "little")  # noqa: S324 - a draw, no secret
    assert con.execute(f"select {ours}, {theirs}", {"text": text}).fetchall() == [(expected, expected)]
