"""Of how far one column tells another: few rows are enough where it told them all, and chance tells nothing."""

import numpy as np
import pytest

from hims_pipeline.gates.ties import IntArray, measure_telling

DICE = np.random.default_rng(7)
BORN = DICE.permutation([0] * 4_400 + [1, 2, 3, 4] * 6)  # at home, and in four countries


def coded(values: IntArray) -> tuple[IntArray, int]:
    return values, int(values.max()) + 1


@pytest.mark.parametrize(
    ("told_by", "telling"),
    [
        (BORN, 1.0),
        (5 - BORN, 1.0),  # other codes for the same
        (np.where(DICE.random(BORN.size) < 0.1, 0, BORN), 0.9),
        (DICE.permutation(BORN), 0.0),
        (np.roll(BORN, 1), 0.0),
        (DICE.integers(0, 1_500, BORN.size), 0.0),  # many small groups
        (np.zeros(BORN.size, dtype=np.int64), 0.0),
    ],
)
def test_a_column_tells_what_follows_from_it_and_nothing_by_chance(told_by: IntArray, telling: float) -> None:
    share, rest = measure_telling(coded(told_by), coded(BORN))
    assert 12 < rest <= 24  # groups of one and two take no part
    assert share == pytest.approx(telling, abs=0.15)


@pytest.mark.parametrize("rows", [150, 1_500, 15_000])
def test_what_follows_follows_in_small_files_too(rows: int) -> None:
    """Delegations tell governorates, whether they have one row or a hundred; each row its own group tells nothing."""
    delegation = DICE.integers(0, 260, rows)
    assert measure_telling(coded(delegation), coded(delegation // 11))[0] == 1.0
    noisy = np.where(DICE.random(rows) < 0.2, DICE.integers(0, 24, rows), delegation // 11)
    if rows > 260:  # else hardly a delegation has three
        assert measure_telling(coded(delegation), coded(noisy))[0] == pytest.approx(0.79, abs=0.12)
    assert measure_telling(coded(np.arange(rows)), coded(noisy)) == (0.0, 0)


def test_rows_without_a_value_take_no_part_and_one_value_leaves_nothing_to_tell() -> None:
    unknown = np.where(np.arange(BORN.size) % 2, -1, BORN)
    assert measure_telling((unknown, 5), (BORN, 5)) == (1.0, int((unknown > 0).sum()))
    assert measure_telling((BORN, 5), (np.zeros_like(BORN), 1)) == (0.0, 0)
    assert measure_telling((BORN[:0], 0), (BORN[:0], 0)) == (0.0, 0)
