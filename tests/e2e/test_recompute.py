"""`make recompute`: figures made again by other code are those that were published, and a difference is found."""

import ast

import pytest

from hims_pipeline.settings import REPOSITORY
from recompute.__main__ import compare, recompute
from recompute.figures import Key, current_release, published_figures

KEY = Key("P01", "rgph", "_Z", "resident_population", "2024", "TUN", "_Z", "_T")
FILLED = {("P01", "rgph", "_Z", "2024")}


def test_at_least_150_published_figures_come_out_again(sample_night, capsys) -> None:
    home = sample_night[0].home
    made, filled = recompute(home)
    assert compare(made, published_figures(current_release(home)), filled) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len([line for line in printed if " = " in line]) > 150
    assert {line[0] for line in printed if " = " in line} >= {"A", "B", "P"}


@pytest.mark.parametrize(
    ("published", "wrong"),
    [
        ({KEY: 12.0}, 0),
        ({KEY: 13.0}, 1),
        ({}, 1),
        ({KEY: 12.0, KEY._replace(sex="F"): 5.0}, 1),
        ({KEY: 12.0, KEY._replace(sex="F"): 0.0}, 0),
        ({KEY: 12.0, KEY._replace(sex="F"): None}, 0),
    ],
)
def test_whatever_is_not_the_same_is_a_difference(published: dict, wrong: int, capsys) -> None:
    assert compare({KEY: 12.0}, published, FILLED) == wrong
    capsys.readouterr()


def test_what_is_withheld_is_not_printed(capsys) -> None:
    compare({KEY: 12.0, KEY._replace(sex="F"): 3.0}, {KEY: 12.0, KEY._replace(sex="F"): None}, FILLED)
    assert not [line for line in capsys.readouterr().out.splitlines() if " F " in line]


def test_it_shares_nothing_with_the_pipeline() -> None:
    for path in (REPOSITORY / "recompute").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] == "hims_pipeline"], path.name
