"""Drafts of files with totals among their rows, and of text in single quotes."""

import duckdb
import pandas as pd
import pytest

from tests.readers.test_drafts import drafted  # noqa: F401 - a fixture
from tests.readers.test_second_look import sheet, spss

ROWS = [(gov, sex, 10 + n) for n, (gov, sex) in enumerate((g, s) for g in "ABCDEF" for s in "FM" for _ in range(3))]


def written(form: str, rows: list[tuple], folder) -> dict[str, bytes]:
    frame = pd.DataFrame(rows, columns=["gov", "sex", "n"])
    if form == "xlsx":
        return {"made.xlsx": sheet([list(frame.columns), *frame.to_numpy().tolist()])}
    if form == "csv":
        return {"made.csv": frame.to_csv(index=False).encode()}
    if form == "sav":
        return {"made.sav": spss(folder, frame)}
    with duckdb.connect() as con:
        con.execute(f"copy (select * from frame) to '{folder}/made.parquet'")
    return {"made.parquet": (folder / "made.parquet").read_bytes()}


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet", "sav"])
@pytest.mark.parametrize("word", ["Total", "TOTAL :", "Ensemble", "المجموع", "Grand total", "Sous-total"])
@pytest.mark.parametrize("at_end", [True, False])
def test_a_row_that_calls_itself_a_total_is_no_category(drafted, tmp_path, form, word, at_end):  # noqa: F811
    total = [(word, "", sum(n for *_, n in ROWS))]
    _, text = drafted(written(form, ROWS + total if at_end else total + ROWS, tmp_path))
    codes = text.split("name: gov")[1].split("}")[0]
    assert "A: '?'" in codes
    assert word not in codes
    row = len(ROWS) + 1 if at_end else 1
    assert f"row {row} of the table calls itself a total, in column gov" in text
    assert "set_aside: {GOV-CODES: 0.0" in text
    assert f"({len(ROWS)} rows)" in text


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
def test_a_row_that_holds_the_sum_of_all_others_is_told(drafted, tmp_path, form):  # noqa: F811
    total = ("Z", "F", sum(n for *_, n in ROWS))
    messages, text = drafted(written(form, [*ROWS, total], tmp_path))
    assert messages == []
    assert f"row {len(ROWS) + 1} of the table holds the sum of all others, in column n" in text


def test_totals_of_a_dimension_are_told_and_stay(drafted, tmp_path):  # noqa: F811
    both = [(gov, "Total", 50 + n) for n, gov in enumerate("ABCDEF" * 3)]
    messages, text = drafted(written("csv", sorted(ROWS + both), tmp_path))
    assert messages == []
    assert "column sex holds totals beside their parts, in 18 rows: in a mapping they are `_T`" in text
    assert "Total: '?'" in text


def test_a_total_does_not_make_text_of_numbers(drafted):  # noqa: F811
    _, text = drafted({"made.csv": b"id,n\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(9)) + b"Total,204\n"})
    assert "{name: id, type: integer, required: true, unique: true" in text


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet", "sav"])
@pytest.mark.parametrize("names", [["Totalville", "Summerland", "Ensembleton"], ["A", "B", "C"]])
def test_words_that_only_begin_so_are_names(drafted, tmp_path, form, names):  # noqa: F811
    messages, text = drafted(written(form, [*ROWS, *((name, "F", 3) for name in names)], tmp_path))
    assert messages == []
    assert "total" not in text.replace("Totalville", "")
    assert "set_aside" not in text


IN_QUOTES = [
    b"id;place;n\n" + b"".join(b"%d;'Ain; no. %d';%d\n" % (i, i, i % 2) for i in range(60)),
    b"'id','place','n'\n" + b"".join(b"'%d','place %d','%d'\n" % (i, i, i % 2) for i in range(60)),
    b"id\tplace\tn\n" + b"".join(b"%d\t'l''an %d'\t%d\n" % (i, i, i % 2) for i in range(60)),
    b"id|place|n\n" + b"".join(b"%d|%s|%d\n" % (i, b"'a|b'" if i % 9 == 0 else b"c", i % 2) for i in range(60)),
]


@pytest.mark.parametrize("content", IN_QUOTES)
def test_text_in_single_quotes_is_drafted_so(drafted, content):  # noqa: F811
    messages, text = drafted({"made.csv": content})
    assert messages == []
    assert "quote: ''''" in text
    assert "{name: n, type: integer" in text


@pytest.mark.parametrize("value", ["l'Ariana", "'Ain", "N'Djamena", "5' 11'' tall", 'the "old" city\'s'])
def test_apostrophes_are_letters(drafted, value):  # noqa: F811
    cell = '"' + value.replace('"', '""') + '"' if '"' in value else value
    content = "id,place\n" + "".join(f"{i},{cell}\n" for i in range(60))
    messages, text = drafted({"made.csv": content.encode()})
    assert messages == []
    assert "quote:" not in text.split("entities:")[0].split("format:")[-1].split("\n")[0]
    assert "stand in single quotes" not in text


def test_some_values_in_single_quotes_are_told(drafted):  # noqa: F811
    content = "id,place\n" + "".join(f"{i},{chr(39) + 'El Kef' + chr(39) if i > 57 else 'Sfax'}\n" for i in range(60))
    messages, text = drafted({"made.csv": content.encode()})
    assert messages == []
    assert "column place: values stand in single quotes" in text
