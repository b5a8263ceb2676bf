"""Files as senders make them, typed anew: each is read right, or refused with what to do."""

import pytest

from hims_pipeline.contracts.columns import Column
from tests.readers.test_second_look import sheet

# --- Numbers in French and in Arabic ---------------------------------------------------------------------------------
TOWNS = ["Tunis", "Ariana", "Zaghouan", "Tozeur"]
PEOPLE = ["1\u202f056\u202f247", "576\u00a0088", "176 945", "٩٨٥٠٠"]
RATES = ["12,5 %", "9,1\u00a0%", "7,0%", "٥٫٢ %"]
SPELT = (
    {"name": "town", "required": True},
    {"name": "people", "type": "integer", "allow": ["digit_groups", "arabic_digits"], "start": 1, "width": 10},
    {"name": "rate", "type": "decimal", "scale": 1, "allow": ["percent", "arabic_digits"], "start": 11, "width": 6},
)
READ = [(1056247, 12.5), (576088, 9.1), (176945, 7.0), (98500, 5.2)]


def spelt(kind: str) -> bytes:
    rows = list(zip(TOWNS, PEOPLE, RATES, strict=True))
    if kind == "excel":
        return sheet([["town", "people", "rate"], *map(list, rows)])
    if kind == "fixed_width":
        return "".join(f"{people:<10}{rate:<6}\n" for _, people, rate in rows).encode()
    return "\n".join(["town;people;rate", *map(";".join, rows), ""]).encode()


@pytest.mark.parametrize("kind", ["delimited", "excel", "fixed_width"])
def test_numbers_as_french_and_arabic_tables_spell_them(read, kind):
    form = {"type": kind, "decimal": ","} | ({"delimiter": ";"} if kind == "delimited" else {})
    columns = SPELT[1:] if kind == "fixed_width" else SPELT
    seen = read({"people.x": spelt(kind)}, columns, format=form)
    assert seen.findings == ()
    assert seen.sql("people, rate::double") == READ


@pytest.mark.parametrize(
    ("text", "allow", "kind"),
    [
        ("12 34", ["digit_groups"], "integer"),
        ("1234 567", ["digit_groups"], "integer"),
        ("1 056'247", ["digit_groups"], "integer"),
        (" 056", ["digit_groups"], "integer"),
        ("056 247", ["digit_groups"], "integer"),
        ("1 056", ["arabic_digits", "percent", "padding"], "integer"),
        ("٩8", ["arabic_digits"], "integer"),
        ("٩۸", ["arabic_digits"], "integer"),
        ("٩٨", ["digit_groups"], "integer"),
        ("%", ["percent"], "number"),
        ("5 %%", ["percent"], "number"),
        ("5", ["percent"], "number"),
    ],
)
def test_only_what_is_allowed_and_whole_is_a_number(read, text, allow, kind):
    columns = [{"name": "n", "type": kind, "allow": allow}, {"name": "x"}]
    seen = read({"people.csv": f"n,x\n{text},x\n".encode()}, columns)
    assert seen.rules == ([] if text == "5" else [f"TYPES-{kind.upper()}"])


def test_a_point_that_is_not_written_goes_behind_spelt_digits_too(read):
    columns = [
        {"name": "n", "type": "decimal", "implied_decimals": 2, "start": 1, "width": 6, "allow": ["arabic_digits"]},
        {"name": "m", "type": "decimal", "implied_decimals": 2, "start": 7, "width": 6, "allow": ["digit_groups"]},
    ]
    seen = read({"people.txt": "  ١٢٥٠ 1 250\n".encode()}, columns, format={"type": "fixed_width"})
    assert seen.sql("n::varchar, m::varchar") == [("12.50", "12.50")]


def test_a_refusal_names_the_words_that_would_take_what_stands_there(read):
    columns = [{"name": "town"}, {"name": "people", "type": "integer"}, {"name": "rate", "type": "decimal", "scale": 1}]
    form = {"delimiter": ";", "decimal": ","}
    seen = read({"people.csv": spelt("delimited")}, columns, format=form)
    assert "`allow: [digit_groups, arabic_digits]` would take 4 of them" in seen.text
    assert "`allow: [arabic_digits, percent]` would take 4 of them" in seen.text
    assert "056" not in seen.text
    plain = read({"people.csv": b"town;people;rate\nTunis;x;1,25\n"}, columns, format=form)
    assert "would take" not in plain.text


def test_spellings_of_numbers_are_for_numbers():
    for word in ("digit_groups", "arabic_digits", "percent"):
        with pytest.raises(ValueError, match="is for numbers"):
            Column(name="a", type="date", allow=(word,))
    with pytest.raises(ValueError, match="% is a flag"):
        Column(name="a", type="number", allow=("percent",), flags={"%": "E"})
