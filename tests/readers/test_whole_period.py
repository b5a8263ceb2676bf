"""A file that holds a part of its period alone is refused where the contract says `every`, told where it is a flow of
many rows, and taken where nobody can know."""

from datetime import date, timedelta

import duckdb
import pandas as pd
import pytest

from hims_pipeline.gates import judge
from tests.contracts.made import contract_of
from tests.readers.test_second_look import sheet

DATE = ({"name": "id", "type": "integer"}, {"name": "d", "type": "date", "required": True})
YEAR_AND_MONTH = tuple({"name": name, "type": "integer"} for name in ("id", "y", "m"))


def table(form: str, frame: pd.DataFrame, folder) -> bytes:
    if form == "delimited":
        return frame.to_csv(index=False).encode()
    if form == "excel":
        return sheet([list(frame.columns), *frame.to_numpy().tolist()])
    with duckdb.connect() as con:
        con.execute(f"copy (select * from frame) to '{folder}/people.parquet'")
    return (folder / "people.parquet").read_bytes()


@pytest.fixture
def found(read, tmp_path):
    """found(form, rows of days, stated, quarter) -> rule and severity of each finding of the gate."""

    def run(form: str, days: list[date], stated: dict[str, str], pattern: str, period: str, **more) -> list[tuple]:
        by_date = "date" in stated
        columns = list(DATE if by_date else YEAR_AND_MONTH)
        rows = [(n, str(one)) if by_date else (n, one.year, one.month) for n, one in enumerate(days)]
        frame = pd.DataFrame(rows, columns=[one["name"] for one in columns])
        terms = {"period": {"pattern": pattern}, "measure_type": "flow", "format": {"type": form}, **more}
        if form == "parquet" and by_date:
            columns[1] = {**columns[1], "date_format": "%Y-%m-%d"}
        content = {f"people.{form}": table(form, frame, tmp_path)}
        seen = read(content, columns, entity={"period": stated}, period_read=period, **terms)
        assert seen.findings == ()
        contract = contract_of(columns, terms, period=stated)
        outcome = judge(seen.settings, contract, period, {"people": seen.result.entities["people"].paths(seen.folder)})
        assert outcome.accepted == (not any(one.severity == "blocking" for one in outcome.findings))
        return [(one.rule.removeprefix("DEMO-PEOPLE-"), one.severity, one.count) for one in outcome.findings]

    return run


def days(first: date, number: int, step: int = 1) -> list[date]:
    return [first + timedelta(step * n) for n in range(number)]


JANUARY = days(date(2024, 1, 1), 31)
QUARTER = days(date(2024, 1, 1), 91)


@pytest.mark.parametrize("form", ["delimited", "excel", "parquet"])
@pytest.mark.parametrize(
    ("rows", "stated", "findings"),
    [
        (JANUARY, {"date": "d", "every": "month"}, [("PERIOD-WHOLE", "blocking", 2)]),
        (JANUARY, {"year": "y", "month": "m", "every": "month"}, [("PERIOD-WHOLE", "blocking", 2)]),
        (JANUARY * 2, {"date": "d"}, [("PERIOD-WHOLE", "warning", 2)]),
        (JANUARY * 2, {"year": "y", "month": "m"}, [("PERIOD-WHOLE", "warning", 2)]),
        (JANUARY * 2, {"date": "d", "every": "year"}, []),
        (JANUARY, {"date": "d"}, []),
        (JANUARY[:2], {"year": "y", "month": "m"}, []),
        (QUARTER, {"date": "d", "every": "month"}, []),
        (QUARTER, {"date": "d", "every": "day"}, []),
        (QUARTER[:-1], {"date": "d", "every": "day"}, [("PERIOD-WHOLE", "blocking", 1)]),
        (QUARTER[::28], {"year": "y", "month": "m", "every": "month"}, []),
    ],
)
def test_months_without_rows(found, form, rows, stated, findings):
    assert found(form, rows, stated, "quarter", "2024Q1") == findings


@pytest.mark.parametrize(
    ("rows", "stated", "pattern", "period", "count"),
    [
        (days(date(2024, 1, 1), 12, 29), {"date": "d", "every": "month"}, "year", "2024", 1),
        (days(date(2024, 1, 1), 12, 31), {"date": "d", "every": "month"}, "year", "2024", 0),
        (days(date(2024, 1, 1), 9, 30), {"year": "y", "month": "m", "every": "quarter"}, "year", "2024", 1),
        (days(date(2024, 1, 1), 12, 30), {"year": "y", "month": "m", "every": "quarter"}, "year", "2024", 0),
        (days(date(2024, 1, 1), 53, 7), {"date": "d", "every": "week"}, "year", "2024", 0),
        (days(date(2024, 1, 1), 51, 7), {"date": "d", "every": "week"}, "year", "2024", 2),
        (days(date(2023, 10, 1), 8, 31), {"date": "d", "every": "month"}, "academic_year", "2023-24", 4),
        (days(date(2023, 10, 1), 2, 40), {"date": "d", "every": "year"}, "academic_year", "2023-24", 1),
    ],
)
def test_spans_of_other_periods(found, rows, stated, pattern, period, count):
    expected = [("PERIOD-WHOLE", "blocking", count)] if count else []
    assert found("delimited", rows, stated, pattern, period) == expected


@pytest.mark.parametrize("more", [{"measure_type": "stock"}, {"measure_type": "mixed"}])
def test_a_stock_of_one_day_is_whole(found, more):
    assert found("delimited", JANUARY * 2, {"date": "d"}, "quarter", "2024Q1", **more) == []


def test_a_register_that_runs_must_reach_its_period_where_it_says_so(found):
    stated = {"date": "d", "up_to": True}
    assert found("delimited", days(date(2023, 1, 1), 400), stated, "quarter", "2024Q1") == []
    refused = [("PERIOD-WHOLE", "blocking", 1)]
    assert found("delimited", days(date(2023, 1, 1), 420), stated | {"every": "month"}, "quarter", "2024Q1") == refused


@pytest.mark.parametrize(
    ("stated", "tell"),
    [
        ({"year": "y", "every": "month"}, "these tell year"),
        ({"year": "y", "month": "m", "every": "day"}, "these tell month, quarter, year"),
        ({"none": "no column", "every": "month"}, "these tell no span"),
        ({"year": "y", "month": "m", "every": "days"}, "every"),
    ],
)
def test_what_columns_cannot_tell_is_not_asked(stated, tell):
    with pytest.raises(ValueError, match=tell):
        contract_of(list(YEAR_AND_MONTH), period=stated)
