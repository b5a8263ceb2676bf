"""Answers that came from donors: the figures that they stand in say so, and their errors are wider."""

from math import sqrt

import duckdb
import numpy as np
import pytest

from tests.indicators.test_estimates import BREAKDOWNS, Person, draw, tables
from tests.jinja import compiler

DONATED = {"years": {2, 5, 11}, "reason_code": {3, 5, 8, 9}}  # record -> which of its answers came from a donor
CALLS = {
    "total": "estimates('X', 'fct', [[], ['sex'], ['reason']])",
    "share": "estimates('X', 'fct', [[], ['sex']], kind='share', measure=\"reason_code = 'EMP'\")",
    "mean": "estimates('X', 'fct', [[], ['sex']], kind='mean', value='years')",
    "quantile": "quantiles('X', 'fct', [[], ['sex']], value='years')",
    "difference": "differences('X', 'fct', [[]], value='years', domain=\"sex = 'M'\", against=\"sex = 'F'\")",
}


@pytest.fixture(scope="module")
def sampled() -> tuple[list[Person], duckdb.DuckDBPyConnection]:
    persons, units = draw(5)
    persons = [Person(**{**vars(one), "years": 20 + 7 * no % 31}) for no, one in enumerate(persons)]
    con = tables(persons, units)
    con.execute("alter table fct add column imputed_columns varchar")
    con.execute("alter table fct add column no integer")
    con.execute("update fct set no = rowid")
    for name, numbers in DONATED.items():
        con.execute(
            f"update fct set imputed_columns = concat_ws(' ', imputed_columns, '{name}') where no in {tuple(numbers)}"
        )
    return persons, con


def figures_of(con: duckdb.DuckDBPyConnection, call: str, imputable: dict[str, list[str]]) -> dict[tuple, tuple]:
    own = BREAKDOWNS if "'reason'" in call else []
    sql = compiler(breakdown_columns=own, imputable_columns=imputable)("{{ " + call + " }}")
    by = ", ".join(["sex", *(own or ["'_T'"])])
    rows = con.execute(f"select {by}, obs_value, standard_error, obs_status, effective_records from ({sql})")
    return {row[:2]: row[2:] for row in rows.fetchall()}


@pytest.mark.parametrize("kind", CALLS)
def test_an_error_counts_who_answered_and_the_flag_says_that_others_did_not(sampled, kind: str) -> None:
    persons, con = sampled
    answered = figures_of(con, CALLS[kind], {})
    found = figures_of(con, CALLS[kind], {"fct": sorted(DONATED)})
    assert found.keys() == answered.keys()
    asked = {"total": "", "share": "reason_code"}.get(kind, "years")
    flagged = 0
    for (sex, reason), (value, error, status, effective) in found.items():
        cell = [no for no, one in enumerate(persons) if sex in (one.sex, "_T") and reason in (one.reason, "_T")]
        read = DONATED.get(asked, set()) | (DONATED["reason_code"] if reason != "_T" else set())
        few = len(set(cell) & read)
        wider = sqrt(len(cell) / (len(cell) - few) + 1 - (len(cell) - few) / len(cell))
        plain, narrow, said, more = answered[sex, reason]
        assert value == plain
        assert status == said + (";I" if few else "")
        if kind != "quantile":  # whose error follows from bounds, which are values of the sample
            assert error == pytest.approx(narrow * wider, rel=1e-12)
        else:
            assert error is None or error >= narrow
        if more is not None:
            assert effective == pytest.approx(more / wider**2, rel=1e-12)
        flagged += bool(few)
    assert flagged
    assert kind != "total" or flagged < len(found)  # a total of everybody reads no answer


def test_what_follows_from_an_answer_is_flagged_with_it(sampled) -> None:
    _, con = sampled
    con.execute("""create temp view aged as
        select 'Y' || years // 10 as age_group,
            * replace (replace(imputed_columns, 'years', 'age_years') as imputed_columns)
        from fct""")
    sql = compiler(breakdown_columns=[], imputable_columns={"aged": ["age_years"]})(
        "{{ estimates('X', 'aged', [[], ['age']]) }}"
    )
    rows = con.execute(f"select age, obs_status like '%I' from ({sql})").fetchall()
    assert ("_T", False) in rows
    assert {flag for age, flag in rows if age != "_T"} == {True, False}


def test_the_wider_error_is_that_of_a_hot_deck() -> None:
    """Repeated samples, a third of whose answers are filled in turn from those that were given: the plain error is
    about a fifth too small, the wider one holds and is at most a tenth too large."""
    rng = np.random.default_rng(1)
    size, given = 300, 200
    means, plain = [], []
    for _ in range(4000):
        answers = rng.normal(50, 10, given)
        filled = np.concatenate([answers, rng.permutation(answers)[: size - given]])
        means.append(filled.mean())
        plain.append(filled.std(ddof=1) / sqrt(size))
    true = np.std(means)
    wider = sqrt(size / given + 1 - given / size)
    assert np.mean(plain) / true < 0.85
    assert 1 <= np.mean(plain) * wider / true < 1.1
