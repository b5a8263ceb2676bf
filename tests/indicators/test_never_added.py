"""Rows of different universes or duration rules are never added up. Every sum in every indicator model, as dbt's Jinja
compiles it, runs within both, or within one table of one batch, which has one of each; models that add across them
are found."""

from collections.abc import Iterator

import pytest
import sqlglot
from sqlglot import exp

from tests.jinja import compiler, indicator_models

MEANING = ({"universe", "duration_rule"}, {"batch_id", "entity"})
GOOD = """
select source, universe, duration_rule, count(*) as persons from {{ ref('fct_persons') }} group by all
"""
BAD = {
    "the largest of two universes": """
select source, max(universe) as universe, max(duration_rule) as duration_rule, count(*) as persons
from {{ ref('fct_persons') }} group by source
""",
    "a universe of its own": """
select source, 'everybody' as universe, duration_rule, sum(weight_persons) as persons
from {{ ref('fct_persons') }} group by all
""",
    "two duration rules": """
with rows_sent as (select * from {{ ref('fct_migrant_stock') }}),
stocks as (select universe, sum(stock_persons) as persons from rows_sent group by universe)
select * from stocks
""",
    "no group at all": "select sum(stock_persons) as persons from {{ ref('fct_migrant_stock') }}",
    "one set of several": """
select universe, duration_rule, sum(stock_persons) as persons from {{ ref('fct_migrant_stock') }}
group by grouping sets ((universe, duration_rule), (universe))
""",
}
ADDING = (exp.Sum, exp.Count, exp.Avg, exp.Max, exp.Min, exp.AnyValue, exp.LogicalOr, exp.LogicalAnd)


def key_sets(select: exp.Select) -> Iterator[set[str]]:
    """Columns that each group of a select is one of; nothing where it does not group."""
    group = select.args.get("group")
    if group is None:
        yield set()
        return
    if group.args.get("all") is not None:
        plain = [one for one in select.expressions if not one.find(exp.AggFunc)]
        yield {column.name for one in plain for column in one.find_all(exp.Column)}
        return
    own, sets = set(), []
    for one in (*group.expressions, *(group.args.get("grouping_sets") or ())):
        if isinstance(one, exp.GroupingSets):
            sets += [{column.name for column in part.find_all(exp.Column)} for part in one.expressions]
        else:
            own |= {column.name for column in one.find_all(exp.Column)}
    yield from [own | columns for columns in sets] or [own]


def reads_facts(select: exp.Select, facts: set[str]) -> bool:
    """Does a select stand on a fact, in its own `from` and joins?"""
    sources = [select.args.get("from_") or select.args.get("from"), *(select.args.get("joins") or ())]
    return any(table.name in facts for one in sources if one for table in one.find_all(exp.Table))


def across(sql: str) -> list[str]:
    """Selects that add rows of facts across universes or duration rules, as SQL."""
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    facts = {table.name for table in tree.find_all(exp.Table) if table.name.startswith("fct_")}
    for cte in tree.find_all(exp.CTE):  # in order: a CTE that reads a fact hands its rows on
        if any(table.name in facts for table in cte.this.find_all(exp.Table)):
            facts.add(cte.alias)
    found = []
    for select in tree.find_all(exp.Select):
        adds = any(
            one.find_ancestor(exp.Select) is select
            and not isinstance(one.parent, exp.Window)
            and one.find_ancestor(exp.Having, exp.Select) is select  # `having` only chooses groups
            for kind in ADDING
            for one in select.find_all(kind)
        )
        if adds and reads_facts(select, facts):
            bad = [keys for keys in key_sets(select) if not any(needed <= keys for needed in MEANING)]
            found += [f"{select.sql(dialect='duckdb')[:200]} groups by {sorted(keys)}" for keys in bad]
    return found


def test_no_indicator_adds_across_universes_or_duration_rules() -> None:
    assert {name: found for name, sql in indicator_models().items() if (found := across(sql))} == {}


def test_a_model_that_groups_by_both_is_fine() -> None:
    assert across(compiler()(GOOD)) == []


@pytest.mark.parametrize("sql", BAD.values(), ids=list(BAD))
def test_a_model_that_adds_across_them_is_found(sql: str) -> None:
    assert across(compiler()(sql))
