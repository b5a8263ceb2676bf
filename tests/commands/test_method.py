"""`hims method`: a person's own table, its fan of answers, and what is wrong with it by line and column."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from hims_pipeline.cli import main

LISTS = "a,b,c,persons\n1,0,0,80\n0,1,0,60\n0,0,1,70\n1,1,0,20\n1,0,1,15\n0,1,1,12\n1,1,1,5\n"
CAPTURES = "times,sex,persons\n1,f,300\n2,f,60\n3,f,9\n1,m,200\n2,m,80\n3,m,20\n"
AREAS = "area,estimate,error,rural\n" + "".join(
    f"z{n},{1 + 0.1 * (n % 5) + 0.4 * (n % 2)},{0.1 + 0.01 * n},{'yes' if n % 2 else 'no'}\n" for n in range(12)
)


def ask(table: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["method", words[0], str(table), *words[1:], "--format", "csv"])


def rows_of(answer: Result) -> list[dict[str, str]]:
    assert answer.exit_code == 0, answer.output
    return list(csv.DictReader(io.StringIO(answer.stdout)))


def written(folder: Path, text: str) -> Path:
    (folder / "table.csv").write_text(text, encoding="utf-8")
    return folder / "table.csv"


def test_several_lists_give_a_fan_and_say_that_no_model_is_the_result(tmp_path: Path) -> None:
    answer = ask(written(tmp_path, LISTS), "lists", "--list", "a", "--list", "b", "--list", "c", "--persons", "persons")
    rows = rows_of(answer)
    assert rows[0]["name"] == "main effects"
    assert {row["part"] for row in rows} == {"MODEL"}
    assert len(rows) > 1
    assert "no single one is the result" in answer.stderr
    assert "never to be added to counts" in answer.stderr


def test_captures_show_what_each_column_changes(tmp_path: Path) -> None:
    answer = ask(
        written(tmp_path, CAPTURES), "captures", "--captures", "times", "--persons", "persons", "--column", "sex"
    )
    rows = rows_of(answer)
    assert [row["name"] for row in rows if row["part"] == "SIZE"] == ["no column", "sex"]
    assert [row["name"] for row in rows if row["part"] == "RATE_RATIO"] == ["(constant)", "sex=m"]
    assert all(float(row["ci_lower"]) < float(row["estimate"]) < float(row["ci_upper"]) for row in rows)


def test_areas_are_told_with_the_weight_of_their_own_estimate(tmp_path: Path) -> None:
    answer = ask(
        written(tmp_path, AREAS), "areas", "--area", "area", "--estimate", "estimate", "--error", "error",
        "--column", "rural",
    )  # fmt: skip
    rows = [row for row in rows_of(answer) if row["part"] == "AREA"]
    assert [row["name"] for row in rows] == [f"z{n}" for n in range(12)]
    assert all("weight of direct 0." in row["note"] for row in rows)


def test_irregular_residents_come_with_gamma_and_each_class_left_out(tmp_path: Path) -> None:
    chance = np.random.default_rng(5)
    lines = ["year,m,n,reg"]
    for year in (2020, 2021):
        for registered in np.exp(chance.uniform(4, 10, 60)).round():
            identified = chance.poisson(0.03 * registered)
            apprehended = chance.poisson(registered**0.75 * (0.02 + identified / registered) ** 0.8)
            lines.append(f"{year},{apprehended},{identified},{registered:.0f}")
    table = written(tmp_path, "\n".join(lines) + "\n")
    columns = ("--apprehended", "m", "--identified", "n", "--registered", "reg")
    answer = ask(table, "irregular", *columns, "--alpha", "year", "--total", "year")
    rows = rows_of(answer)
    totals = {row["name"]: float(row["estimate"]) for row in rows if row["part"] == "TOTAL"}
    assert totals["all cells"] == pytest.approx(totals["year=2020"] + totals["year=2021"])
    assert {row["name"] for row in rows if row["part"] == "WITHOUT"} == {"year=2020", "year=2021"}
    assert any(row["note"] == "most likely" for row in rows)
    assert "the data do not rule out" in answer.stderr


@pytest.mark.parametrize(
    ("text", "words", "says"),
    [
        (LISTS, ("lists", "--list", "a", "--list", "x"), "no column x: it has a, b, c, persons"),
        (LISTS.replace("1,1,0,20", "1,1,0,many"), ("lists", "--list", "a", "--list", "b", "--persons", "persons"),
         "column persons, line 5: not a number"),
        (LISTS.replace("1,0,0,80", "1,0,80"), ("lists", "--list", "a", "--list", "b"), "line 2 of the table"),
        ("a,a\n1,1\n", ("lists", "--list", "a"), "a name twice"),
        ("a,b\n", ("lists", "--list", "a"), "no row below its header"),
        ('a,b\n"1,1\n', ("lists", "--list", "a"), "no CSV file"),
    ],
)  # fmt: skip
def test_a_table_that_does_not_hold_is_told_by_place_and_never_quoted(
    tmp_path: Path, text: str, words: tuple[str, ...], says: str
) -> None:
    answer = ask(written(tmp_path, text), *words)
    assert answer.exit_code == 1
    assert says in answer.output
    assert "many" not in answer.output
    assert "Traceback" not in answer.output


SAMPLE = "w,sex,h,y,r1,r2,r3\n" + "".join(
    f"{10 + n},{'fm'[n % 2]},{n // 4},{n * n % 7},{(10 + n) * (n % 3 != 0) * 1.5},{(10 + n) * (n % 3 != 1) * 1.5},"
    f"{(10 + n) * (n % 3 != 2) * 1.5}\n"
    for n in range(12)
)


def test_calibrated_means_add_up_to_the_totals_given(tmp_path: Path) -> None:
    (tmp_path / "totals.csv").write_text("name,total\n(constant),200\nsex=m,120\n", encoding="utf-8")
    words = ("--weight", "w", "--value", "y", "--totals", str(tmp_path / "totals.csv"), "--stratum", "h")
    rows = rows_of(ask(written(tmp_path, SAMPLE), "calibrate", *words, "--column", "sex"))
    assert [row["name"] for row in rows] == ["mean", "total", "multiplied by"]
    assert float(rows[1]["estimate"]) == pytest.approx(200 * float(rows[0]["estimate"]))
    refused = ask(written(tmp_path, SAMPLE), "calibrate", *words)
    assert "totals.csv must name exactly these: (constant)" in refused.output


def test_replicates_need_the_scale_of_their_kind(tmp_path: Path) -> None:
    words = ("replicates", "--weight", "w", "--replicates", "r", "--value", "y")
    first, second = (
        rows_of(ask(written(tmp_path, SAMPLE), *words, *how))
        for how in (("--kind", "JK1"), ("--kind", "OTHER", "--scale", "0.6666666666666666"))
    )
    assert first == second
    for wrong, message in (
        (("--kind", "OTHER"), "needs --scale"),
        (("--kind", "JK1", "--scale", "1"), "are for --kind OTHER"),
        (("--kind", "JK1", "--replicates", "zz"), "fewer than two columns"),
    ):
        assert message in ask(written(tmp_path, SAMPLE), *words, *wrong).output
