"""Models that two engines read: what one engine alone says stands in `dbt_project/macros/dialect.sql` and nowhere else.

Here: the rule over the text of models, macros and tests, and `python -m tests.architecture.dialect`, by which `make
check` holds it. Functions and types are closed lists, so a construct that nobody thought of is refused too. Not here:
whether two engines give equal tables.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
WHERE = ("dbt_project/macros", "dbt_project/models", "dbt_project/tests", "data/models")
DIALECT = "dialect.sql"

# Read alike by DuckDB and by Spark with `spark.sql.ansi.enabled`; whoever adds one has looked in both manuals.
_FUNCTIONS = """
abs any_value array_agg array_contains array_distinct array_position array_sort avg bool_and bool_or cast ceil coalesce
concat concat_ws contains count day dense_rank exp extract first_value floor greatest grouping lag last_day last_value
lead least left length ln log10 lower lpad make_date max max_by md5 median min month nullif percent_rank pow range rank
regexp_extract replace right round row_number rpad split_part sqrt string_agg substr sum trim try_cast upper year
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
# What stands before a bracket and is no function.
_WORDS = """
all and any as between by case cross distinct else end except exists filter following from having in intersect is join
like not on or over partition preceding recursive select sets then true union using values when where with
"""
WORDS = frozenset(_WORDS.split())
TYPES = ("string", "bigint", "integer", "double", "boolean", "date", "timestamp", "decimal")
PLAIN_TYPE = {
    "varchar": "string", "text": "string", "int": "integer", "float": "double",
    "uuid": "{{ key_type() }}", "hugeint": "{{ wide_integer() }}", "ubigint": "{{ wide_integer() }}",
}  # fmt: skip
_USE = {
    "unnest explode inline": "{{ each_of(list) }}",
    "list collect_set collect_list": "{{ set_of(value) }}, or array_agg",
    "string_split str_split split string_to_array": "{{ parts_of(text, mark) }}",
    "list_filter array_filter array_remove": "{{ list_without(list, value) }}",
    "list_has_any array_has_any arrays_overlap": "{{ have_common(list, other) }}",
    "array_to_string array_join": "{{ list_as_text(list, mark) }}",
    "list_value array array_value": "{{ list_of(values) }}",
    "list_extract element_at try_element_at array_extract": "{{ value_at(list, place) }}",
    "list_slice array_slice slice": "{{ rest_of(list) }}",
    "struct_pack named_struct struct row": "{{ record_of(fields) }}",
    "date_diff datediff timestampdiff": "{{ days_between(first, last) }}",
    "datesub date_sub months_between age": "{{ whole_months(first, last) }} or {{ whole_years(first, last) }}",
    "to_years to_months add_months date_add": "{{ years_after(day, years) }}; for days, day + n",
    "md5_number md5_number_lower md5_number_upper hash xxhash64": "{{ md5_number(text) }}",
    "conv hex unhex": "{{ number_of_hex(text) }}",
    "regexp_matches regexp_full_match regexp_like": "like, or {{ fits_glob(text, glob) }}",
    "regexp_replace": "case when … like …, since engines write back references differently",
    "read_parquet read_csv read_json read_json_auto parquet_scan": "{{ read_batches(…) }}, {{ read_inputs(columns) }}",
    "fsum kahan_sum sumkahan favg": "sums over decimals, as {{ exactly(sum) }} takes",
    "strftime date_format to_char": "left(cast(day as string), 7), or year(day)",
    "list_contains list_has array_has": "array_contains", "list_position list_indexof": "array_position",
    "list_sort sort_array": "array_sort", "list_distinct": "array_distinct",
    "listagg group_concat": "string_agg", "power": "pow", "arg_max": "max_by", "len strlen": "length",
    "ifnull nvl": "coalesce", "div": "floor(a / b)",
}  # fmt: skip
USE = {name: instead for names, instead in _USE.items() for name in names.split()}
_BRACKETS = r"(?:[^()]|\((?:[^()]|\([^()]*\))*\))*"
CONSTRUCTS = {
    r"\bexclude\s*\(|\*\s*except\s*\(": "columns left out: {{ all_but(columns, relation) }}",
    r"\*\s*replace\s*\(": "columns replaced: {{ all_but(columns, relation) }}, and the new ones behind it",
    r"\bby\s+name\b": "a union by name: columns in one order, or {{ union_by_name(columns, models) }}",
    r",\s*from\b": "a comma before from: none",
    r"::": "a cast with colons: cast(… as …)",
    r"//|\bdiv\b": "integer division: floor(a / b)",
    r"/\s*\d+\.\d+(?!\d*e)": "a division by a decimal, a double to one engine alone: / 365.25e0",
    r"\*\*|\^": "a power: pow(a, b)",
    r":=": "named arguments: {{ record_of(fields) }}",
    r"\[": "a list or a place in one: {{ list_of(values) }}, {{ value_at(list, place) }} or {{ rest_of(list) }}",
    r"\blambda\b|->": "a lambda: {{ list_without(list, value) }}, or rows and a condition",
    r"\bfilter\s*\((?!\s*where\b)": "filter without where: filter (where …)",
    rf"\bfilter\s*\({_BRACKETS}\)\s*over\b": "filter before over: case when … end within the aggregate",
    r"\bglob\s*'": "glob: {{ fits_glob(text, glob) }}",
    r"\bas\s+(?:not\s+)?materialized\b": "materialized: {{ materialized() }}",
    r"\bin\s*\(\s*select\s*\(": "a row in brackets behind select: in (select a, b …)",
    rf"\bstring_agg\s*\({_BRACKETS}\border\s+by\b|\bwithin\s+group\s*\(": (
        "an order of joined texts: {{ joined(value, mark, order) }}"
    ),
    r"_date\s*-\s*(?:\w+\.)?\w*_date\b": "dates subtracted as numbers: {{ days_between(first, last) }}",
    r"\b(?:asof|positional)\s+join\b": "a join of one engine: a join with its condition",
    r"\bdistinct\s+on\b": "distinct on: qualify row_number() over (…) = 1",
    r"\bsimilar\s+to\b|\brlike\b|\bilike\b": "a pattern of one engine: like, or {{ fits_glob(text, glob) }}",
    r"\b(?:un)?pivot\b|\bsummarize\b|\busing\s+sample\b|\btablesample\b": "a clause of one engine: its rows",
    r"(?:^|\()\s*from\b": "from before select: select first",
}
ENGINE = re.compile(r"\b(?:duckdb|spark|default)__\w+|\btarget\s*\.\s*type\b|\badapter\s*\.", re.IGNORECASE)


def sql_of(text: str) -> str:
    """A template without comments and texts, line for line; of Jinja what its own texts say, for that becomes SQL."""
    text = _without_comments(text)
    said: list[str] = []

    def take_out(block: re.Match[str]) -> str:
        texts = re.sub(r"""'([^'\n]*)'|"([^"\n]*)"|[^\n]""", lambda m: m.group(1) or m.group(2) or " ", block.group())
        # The mark stands for what Jinja gives. Names of columns in files are no SQL.
        said.append(f" {'' if 'read_batches(' in block.group() else texts}@ ")
        return "\0"

    parts = re.split(
        r"""('(?:[^'\n]|'')*'|"[^"\n]*")""", re.sub(r"\{\{.*?\}\}|\{%.*?%\}", take_out, text, flags=re.DOTALL)
    )
    blocks = iter(said)
    filled = [re.sub("\0", lambda _: next(blocks), part) for part in parts]
    return "".join("''" if place % 2 else part for place, part in enumerate(filled)).lower()


def _without_comments(text: str) -> str:
    return re.sub(
        r"\{#.*?#\}|(?:^|(?<=\s))--[^\n]*",
        lambda comment: re.sub(r"[^\n]", " ", comment.group()),
        text,
        flags=re.DOTALL | re.MULTILINE,
    )


def find_constructs(text: str) -> Iterator[tuple[int, str]]:
    """What a text of SQL and Jinja says that one engine alone reads: the line, from 1, and what to write instead."""
    for named in ENGINE.finditer(_without_comments(text)):
        yield _line(text, named), f"{named.group()} names an engine: call a macro of {DIALECT}"
    sql = sql_of(text)
    for pattern, instead in CONSTRUCTS.items():
        what, _, form = instead.partition(": ")
        for match in re.finditer(pattern, sql):
            yield _line(sql, match), f"{what}: write {form}"
    for match in re.finditer(r"(\bas\s+)?\b([a-z][a-z0-9_]*)\(", sql):
        name = match.group(2)
        if match.group(1) or name in FUNCTIONS | WORDS or name in TYPES:
            continue  # behind `as` it is a relation's name
        unknown = f"a function that both engines read, or a macro of {DIALECT} (lists: tests/architecture/dialect.py)"
        yield _line(sql, match), f"{name}(): write {USE.get(name, unknown)}"
    for match in re.finditer(r"\bcast\s*\(", sql):
        if (kind := _type_at_end(sql[match.end() :])) and kind not in TYPES:
            yield _line(sql, match), f"the type {kind}: write {PLAIN_TYPE.get(kind, 'one of ' + ', '.join(TYPES))}"


def _line(text: str, match: re.Match[str]) -> int:
    return text[: match.end()].count("\n") + 1


def _type_at_end(rest: str) -> str:
    """The word of the type that a cast ends with; empty where Jinja gives it."""
    depth = 0
    for place, letter in enumerate(rest):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth < 0:
            kind = re.search(r"\bas\s+([a-z]\w*)\s*(?:\([^()]*\))?\s*$", rest[:place])
            return kind.group(1) if kind else ""
    return ""


def check_files(root: Path = ROOT) -> list[str]:
    """Every construct of one engine alone in a project's SQL: file, line and what to write instead."""
    paths = (path for place in WHERE for path in sorted((root / place).rglob("*.sql")) if path.name != DIALECT)
    return [
        f"{path.relative_to(root)}:{line}: {instead}"
        for path in paths
        for line, instead in sorted(find_constructs(path.read_text(encoding="utf-8")))
    ]


if __name__ == "__main__":
    sys.exit("\n".join(check_files()) or None)
