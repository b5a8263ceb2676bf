"""The score of the linkage: it sees what was missed and what was linked wrongly."""

import duckdb
import pytest

from benchmarks.linkage import Score, compared
from tests.linkage.conftest import link, send


def test_missing_and_wrong_numbers_are_counted_against_the_links(settings, tmp_path) -> None:
    truth = tmp_path / "persons.parquet"
    person = "i as person_no, (90000000 + i)::varchar as national_id, 'P' || lpad(i::varchar, 7, '0') as passport_no"
    with duckdb.connect() as con:
        con.execute(f"copy (select {person} from range(1, 11) as r(i)) to '{truth}' (format parquet)")
    rows = [f"9{n:07},P{n:07}" for n in range(1, 11)]
    send(settings, "census", rows)
    # Persons 1 to 8, the seventh without a number, the eighth under that of the ninth.
    send(settings, "consulate", [*rows[:6], ",P0000007", "90000009,P0000008"])
    link(settings)
    [score] = compared(settings, truth)
    assert score == Score("census", "consulate", shared=8, found=7, right=6)
    assert (score.precision, score.recall) == (pytest.approx(6 / 7), 0.75)
