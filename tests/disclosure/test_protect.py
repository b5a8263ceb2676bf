"""Each attack succeeds on tables that withhold by count alone, and fails on those that were protected."""

import random
from dataclasses import replace

import duckdb
import numpy as np
import pytest

from hims_pipeline.disclosure.attack import attack
from hims_pipeline.disclosure.bounds import find_narrow
from hims_pipeline.disclosure.elimination import determine
from hims_pipeline.disclosure.figures import Figure, minimum_sql
from hims_pipeline.disclosure.history import State
from hims_pipeline.disclosure.protect import EVERYBODY, protect
from tests.disclosure.tables import PARENTS, by_count, draw_census, protected, public, share, total

MARGIN = [
    total("B02", 1000), total("B02", 950, sex="M"), total("B02", 50, sex="F"),
    total("B02", 700, reason="WORK"), total("B02", 200, reason="FAMILY"), total("B02", 93, reason="STUDY"),
    total("B02", 7, reason="OTHER"),
]  # fmt: skip
TWO_WAYS = [
    total("A01", 400), total("A01", 200, sex="M"), total("A01", 200, sex="F"),
    *(total("A01", n, age=age) for age, n in (("Y0", 100), ("Y1", 190), ("Y2", 110))),
    total("A01", 3, age="Y0", sex="M"), total("A01", 97, age="Y0", sex="F"), total("A01", 97, age="Y1", sex="M"),
    total("A01", 93, age="Y1", sex="F"), total("A01", 100, age="Y2", sex="M"), total("A01", 10, age="Y2", sex="F"),
]  # fmt: skip
AREAS = [
    total("A02", 600), total("A02", 300, "R1"), total("A02", 300, "R2"), total("A02", 296, "N1"), total("A02", 4, "N2"),
    total("A02", 150, "N3"), total("A02", 150, "N4"),
]  # fmt: skip
SHARE_AND_TOTAL = [
    *(total("B02", n, area) for area, n in (("XNL", 500), ("N1", 250), ("N3", 250))),
    *(total("B02", n, area, sex="M") for area, n in (("XNL", 260), ("N1", 245), ("N3", 15))),
    *(total("B02", n, area, sex="F") for area, n in (("XNL", 240), ("N1", 5), ("N3", 235))),
    *(share("C03", f, n, area) for area, f, n in (("XNL", 240, 500), ("N1", 5, 250), ("N3", 235, 250))),
]  # fmt: skip
PARTS = [
    share("C10", n, 300, reason=reason) for reason, n in (("WORK", 200), ("FAMILY", 60), ("STUDY", 37), ("OTHER", 3))
]
BALANCE = [
    *(total("B14", n, direction=d, citizenship=c) for d, c, n in (
        ("ENTRY", "AAA", 400), ("ENTRY", "BBB", 90), ("EXIT", "AAA", 395), ("EXIT", "BBB", 4))),
    total("B14", 490, direction="ENTRY"), total("B14", 399, direction="EXIT"),
    *(replace(
        total("B15", n, citizenship=c), kind="balance", sides=("B14", "direction", "ENTRY", "EXIT"), value=v, above=v,
    ) for c, n, v in (("AAA", 795, 5), ("BBB", 94, 86))),
]  # fmt: skip
TABLES = {
    "margin": MARGIN, "two_ways": TWO_WAYS, "areas": AREAS, "share_and_total": SHARE_AND_TOTAL, "parts": PARTS,
    "balance": BALANCE,
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_an_attack_succeeds_on_counts_alone_and_fails_on_what_was_protected(name: str) -> None:
    figures = TABLES[name]
    assert attack([public(figures, by_count(figures))], PARENTS).exact
    after = protected(figures)
    found = attack([after], PARENTS)
    assert (found.exact, found.narrow) == ([], [])
    assert sum(one.shown for one in after) >= len(after) / 3, "hardly anything is left"


@pytest.mark.parametrize("seed", range(20))
def test_drawn_tables_with_hardly_anything_in_most_cells_are_closed(seed: int) -> None:
    figures = draw_census(random.Random(seed))  # noqa: S311 no secret
    found = attack([protected(figures)], PARENTS, truth=figures)
    assert (found.exact, found.narrow) == ([], [])


def test_what_adds_up_by_chance_in_what_is_shown_alone_is_not_believed() -> None:
    figures = [total("A02", n, area) for area, n in (("R1", 35), ("N1", 15), ("N2", 20))]
    figures += [total("A02", n, area, sex="F") for area, n in (("R1", 30), ("N1", 10), ("N2", 20))]
    figures += [total("A02", n, area, sex="M") for area, n in (("R1", 12), ("N1", 3), ("N2", 4))]
    seen = public(figures, [7])
    assert attack([seen], PARENTS).exact == [seen[7]], "12 - 4, as for women; there are people of no known town"
    assert attack([seen], PARENTS, truth=figures).exact == []


def test_that_nobody_is_there_is_no_secret_and_is_not_believed_otherwise() -> None:
    """Zeros may be withheld, for the few among whom nobody was found."""
    counts = {"WORK": 20, "FAMILY": 3, "STUDY": 1, "OTHER": 0}
    figures = [total("B02", 24), *(total("B02", n, reason=reason) for reason, n in counts.items())]
    seen = public(figures, [2, 3, 4])
    assert attack([seen], PARENTS).narrow == seen[2:]
    assert attack([seen], PARENTS, truth=figures).narrow == seen[2:4]
    figures = [total("B02", 12), total("B02", 12, reason="WORK"), *(total("B02", 0, reason=f"R{n}") for n in range(10))]
    seen = public(figures, range(1, len(figures)))
    assert attack([seen], PARENTS).narrow == seen[1:], "of eleven with at least one each nobody has more than two"
    assert not attack([seen], PARENTS, truth=figures).succeeded


def test_a_share_gives_away_the_rest_of_its_base() -> None:
    figures = [share("C06", 95, 100), share("C06", 40, 100, sex="M")]
    assert 0 in protect(figures, PARENTS).rules  # five of a hundred
    assert 1 not in protect(figures, PARENTS).rules


def test_a_share_of_everybody_is_withheld_and_a_true_zero_shown() -> None:
    figures = [share("A04", 60, 60, "N1"), share("A04", 0, 60, "N2"), total("A01", 0, "N2"), share("A04", 0, 6, "N3")]
    rules = protect(figures, PARENTS).rules
    assert rules[0] == EVERYBODY
    assert 1 not in rules
    assert 2 not in rules
    assert 3 in rules


def test_a_withheld_pair_whose_sum_is_small_is_too_close() -> None:
    figures = [
        total("A05", 103),
        total("A05", 100, reason="A"),
        total("A05", 2, reason="B"),
        total("A05", 1, reason="C"),
    ]
    found = attack([public(figures, by_count(figures))], PARENTS)
    assert found.narrow or found.exact
    after = attack([protected(figures)], PARENTS)
    assert not after.succeeded


def test_sensitive_breakdowns_ask_for_more_records() -> None:
    con = duckdb.connect()
    con.execute(
        "create table areas as select * from (values ('XNL', 'country'), ('XNL-N', 'province')) as t(area_code, level)"
    )
    query = f"""
        select {minimum_sql(["route"], "main")}
        from (select ? as ref_area, ? as route, '_Z' as counterpart_area, '_T' as sex, '_T' as age) as figures,
            (select ? as strict_by, '20' as strict_records, '10' as minimum_records) as indicators
    """
    cases = [
        ("XNL", "SEA", "route"),
        ("XNL", "_T", "route"),
        ("XNL-N", "_T", "route ref_area"),
        ("XNL", "_T", "ref_area"),
    ]
    assert [con.execute(query, case).fetchall()[0][0] for case in cases] == [20, 10, 20, 10]


def history_of(figures: list[Figure]) -> list[tuple[tuple[str, str, str], State]]:
    rules = protect(figures, PARENTS).rules
    return [
        (one.key, State(one.counted, one.base, one.records, one.value, at not in rules))
        for at, one in enumerate(figures)
    ]


def more(figures: list[Figure], *places: int, by: int = 1) -> list[Figure]:
    return [
        replace(one, counted=one.counted + by, records=one.records + by, above=one.above + by, value=one.value + by)
        if at in places
        else one
        for at, one in enumerate(figures)
    ]


def test_two_releases_that_differ_by_one_traveller_do_not_show_him() -> None:
    first, second = MARGIN, more(MARGIN, 0, 1, 3)
    before = public(first, protect(first, PARENTS).rules)
    assert attack([before, public(second, protect(second, PARENTS).rules)], PARENTS).differences
    after = protected(second, history_of(first))
    assert not attack([before, after], PARENTS, truth=second).succeeded
    assert not any(one.shown for one in after[:2])


def test_what_was_withheld_stays_so_and_what_was_shown_is_no_cover() -> None:
    first = MARGIN
    history = history_of(first)
    withheld = {key for key, state in history if not state.shown}
    second = more(MARGIN, 0, 1, 4, by=40)  # many more came for family: nothing else changed
    rules = protect(second, PARENTS, history).rules
    same = {
        key
        for key, state in history
        if state.shown and any(one.key == key and one.records == state.records for one in second)
    }
    assert withheld <= {second[at].key for at in rules}
    assert not same & {second[at].key for at in rules}
    before, after = public(first, protect(first, PARENTS).rules), public(second, rules)
    assert not attack([before, after], PARENTS, truth=second).succeeded


def test_elimination_finds_what_ranks_of_matrices_find() -> None:
    chance = random.Random(3)  # noqa: S311 no secret
    for _ in range(300):
        groups, many = chance.randint(2, 12), chance.randint(1, 8)
        equations = [
            {one: chance.choice([1, -1]) for one in chance.sample(range(groups), min(groups, chance.randint(1, 5)))}
            for _ in range(many)
        ]
        hidden = sorted(chance.sample(range(groups), chance.randint(1, groups)))
        matrix = np.array([[equation.get(one, 0) for one in hidden] for equation in equations])
        rank = np.linalg.matrix_rank(matrix)
        expected = {
            one
            for place, one in enumerate(hidden)
            if np.linalg.matrix_rank(np.vstack([matrix, np.eye(len(hidden))[place]])) == rank
        }
        assert set(determine(equations, hidden)) == expected


def test_bounds_are_those_of_the_table() -> None:
    equation = {0: 1, 1: -1, 2: -1}
    assert find_narrow([equation], {0: 6.0}, {1, 2}, {1: 1.0, 2: 1.0}, {1: 5.0, 2: 5.0}) == {
        1: (1.0, 5.0),
        2: (1.0, 5.0),
    }
    assert find_narrow([equation], {0: 60.0}, {1, 2}, {1: 1.0, 2: 1.0}, {1: 5.0, 2: 5.0}) == {}


@pytest.mark.parametrize(("records", "is_shown"), [(9, False), (19, False), (20, True), (0, True)])
def test_a_median_is_shown_where_enough_lie_on_either_side(records: int, is_shown: bool) -> None:
    median = replace(total("C16", records), kind="other", counted=records // 2, value=31.0, above=None)
    beside = total("A10", records)
    assert [one.shown for one in protected([median, beside])] == [is_shown, records != 9]
