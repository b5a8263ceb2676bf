"""Whatever stands in a cell: it is refused, or what is stored says the same as what stood there."""

import datetime as dt
import re
from decimal import Decimal

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.formats import Format
from hims_pipeline.readers.typing.lexical import typing_of
from hims_pipeline.readers.typing.parts import TextPart
from hims_pipeline.readers.typing.write import typed_relation

DIGITS = st.text("0123456789", min_size=1, max_size=20)
NUMERIC = st.one_of(
    st.text("0123456789.,eE+-_x ", max_size=12),
    st.builds("{}{}".format, st.sampled_from(["", "-", "+", " ", "0"]), DIGITS),
    st.builds("{}{}.{}".format, st.sampled_from(["", "-"]), DIGITS, DIGITS),
    st.decimals(allow_nan=False, allow_infinity=False, places=4).map(str),
    st.floats().map(repr),
    st.integers().map(str),
    st.text(max_size=8),
)
DATES = st.one_of(
    st.dates().map(str),
    st.builds("{:04d}-{:02d}-{:02d}".format, st.integers(0, 12000), st.integers(0, 13), st.integers(0, 32)),
    st.builds("{}-{}-{}".format, st.integers(1900, 2100), st.integers(0, 13), st.integers(0, 32)),
    st.datetimes().map(str),
    st.sampled_from(["infinity", "-infinity", "epoch", "today", "now"]),
    st.text("0123456789-/ :T", max_size=12),
)


@pytest.fixture(scope="module")
def con():
    with duckdb.connect(config={"threads": 1}) as con:
        yield con


def stored(con, column: Column, text: str):
    """(misfit, value) of one text, by the SQL that reads a delivery."""
    typing = typing_of(column, 0, Format())
    relation = typed_relation([typing], TextPart("select $1::varchar as t0", "0"))
    stored = typing.stored_sql(f"null::{typing.sql_type}")
    sql = f"select {typing.misfit()}, ({stored})::{typing.sql_type} from ({relation})"
    return con.execute(sql, [text]).fetchall()[0]


quick = settings(
    max_examples=300, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@quick
@given(text=NUMERIC)
def test_an_integer_prints_as_it_stood(con, text):
    misfit, value = stored(con, Column(name="x", type="integer"), text)
    assert misfit == (value is None)
    plain = text.isascii() and text.removeprefix("-").isdigit() and str(int(text)) == text and abs(int(text)) < 2**63
    assert (value is not None) == plain
    if value is not None:
        assert str(value) == text


@quick
@given(text=NUMERIC, allow=st.sets(st.sampled_from(["leading_zeros", "plus_sign", "padding", "zero_fraction"])))
def test_an_allowed_integer_has_the_value_that_stood_there(con, text, allow):
    misfit, value = stored(con, Column(name="x", type="integer", allow=tuple(sorted(allow))), text)
    if value is not None:
        assert Decimal(text.strip(" \t\u00a0")) == value
        assert "e" not in text.lower()
    elif not misfit:
        assert "padding" in allow
        assert text.strip(" \t\u00a0") == ""


@quick
@given(text=NUMERIC)
def test_a_decimal_loses_no_digit(con, text):
    misfit, value = stored(con, Column(name="x", type="decimal", scale=4), text)
    assert misfit == (value is None)
    if value is not None:
        assert Decimal(text) == value
    elif re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", text):
        whole = Decimal(text)
        assert abs(whole) >= 10**14 or whole != round(whole, 4)


@quick
@given(text=NUMERIC)
def test_a_number_is_the_nearest_double(con, text):
    misfit, value = stored(con, Column(name="x", type="number"), text)
    assert misfit == (value is None)
    if value is not None:
        assert value == float(text)
        assert abs(value) != float("inf")
        assert value != 0 or Decimal(text) == 0


@quick
@given(text=DATES)
def test_a_date_is_that_day(con, text):
    misfit, value = stored(con, Column(name="x", type="date"), text)
    assert misfit == (value is None)
    try:
        day = dt.date.fromisoformat(text) if len(text) == 10 and text[4] == text[7] == "-" else None
    except ValueError:
        day = None
    assert value == (day if day is None or day.year >= 1583 else None)


@quick
@given(day=st.dates(), form=st.sampled_from(["%d/%m/%Y", "%Y%m%d", "%d.%m.%Y", "%d-%m-%Y", "%m/%d/%Y"]))
def test_a_date_in_another_form_is_that_day(con, day, form):
    text = form.replace("%d", f"{day.day:02d}").replace("%m", f"{day.month:02d}").replace("%Y", f"{day.year:04d}")
    early = day.year < 1583  # before the Gregorian calendar's first whole year
    assert stored(con, Column(name="x", type="date", date_format=form), text) == (early, None if early else day)
    declared = Column(name="x", type="date", date_format=form, minimum="0001-01-01")
    assert stored(con, declared, text) == (False, day)
