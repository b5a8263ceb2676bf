"""Why two answers differ, and what two countries say of the same people: every figure and part typed in by hand."""

from typing import Any

import pytest

from tests.warehouse import Warehouse

DAYS = {"A08": "01-01", "A07": "07-01", "A09": "12-31", "A06": "12-31", "A01": "06-01", "A02": "06-01"}
RUNGS = {"A09": ("ABROAD", 2), "A08": ("ABROAD", 3), "A07": ("ABROAD", 4), "A06": ("ABROAD", 5),
         "A01": ("FOREIGNERS", 3), "A02": ("FOREIGNERS", 4)}  # fmt: skip
SOURCES = {"A08": "eurostat_population", "A07": "undesa_migrant_stock", "A06": "consular_register",
           "A09": "eurostat_permits", "A01": "chile_census", "A02": "chile_census", "A03": "chile_census",
           "B02": "lfs_migration", "B33": "eurostat_population", "B28": "student_departures",
           "B10": "eurostat_permits"}  # fmt: skip
SHARED = {"ref_area": "TUN", "level": "country", "universe": "u", "duration_rule": "12M", "data_kind": "aggregate",
          "vintage": "_Z", "window_length": "_Z"}  # fmt: skip
SHOWN = "lower_time_period, upper_time_period, difference_value, difference_kind, told_by, part_value"
SHOWN += ", part_countries, place"


def rung(code: str, year: int, value: float, /, **own: Any) -> dict[str, Any]:
    """An answer of a ladder, as v_ladders_with_synthetic has it."""
    ladder, number = RUNGS[code]
    return SHARED | {
        "ladder": ladder, "rung_no": number, "kind": "indicator", "code": code, "said_by": SOURCES[code],
        "time_period": str(year), "period_end_date": f"{year}-{DAYS[code]}", "stated_value": value, "verdict": "STANDS",
    } | own  # fmt: skip


def figure(code: str, year: int, value: float | None, country: str = "_T", /, **own: Any) -> dict[str, Any]:
    """A published figure; of a country, or broken down; withheld without a value."""
    totals = dict.fromkeys(("sex", "age", "dual_citizenship", "permit_duration", "reason"), "_T")
    cell = "counterpart_area" if country != "_T" else " ".join(name for name in own if name in totals)
    return SHARED | totals | {
        "indicator": code, "source": SOURCES[code], "time_period": str(year), "counterpart_area": country,
        "cell": cell, "obs_value": value, "series_key": f"{code}.{country}{own}",
    } | {"period_end_date": f"{year}-{DAYS.get(code, '06-01')}"} | own  # fmt: skip


def tell(
    warehouse: Warehouse, rungs: list, figures: list, model: str = "ladder_difference", shown: str = SHOWN
) -> list:
    """Rows of the model, of which `shown` names columns; breakdowns that a figure does not name are totals."""
    breakdowns = [name for (name, *_) in warehouse.con.execute("select breakdown from breakdowns").fetchall()]
    figures = [dict.fromkeys(breakdowns, "_T") | one for one in figures]
    return warehouse.figures(model, {"v_ladders_with_synthetic": rungs, "indicator_value": figures}, shown)


def parts(rows: list, of: tuple[str, ...]) -> list:
    """Of the rows about a pair those with a part, in the list's order: kind, what tells it, part, countries."""
    return [row[3:7] for row in sorted(rows, key=lambda row: row[-1]) if row[:2] == of and row[5] is not None]


DUAL = "A06 dual_citizenship=YES"


def dual_figure(year: int, value: float | None, country: str = "_T", /, **own: Any) -> dict[str, Any]:
    """Registered citizens with a second citizenship."""
    return figure("A06", year, value, country, **{"dual_citizenship": "YES", "cell": "dual_citizenship"} | own)


CITIZENS = [figure("A08", 2020, value, country) for country, value in
            {"DEU": 30, "ITA": 50, "ESP": None, "BEL": 5}.items()]  # fmt: skip
BORN = [figure("A07", 2020, value, country) for country, value in
        {"DEU": 45, "ITA": 70, "ESP": 12, "FRA": 400, "CAN": 20, "GRC": None}.items()]  # fmt: skip


def test_countries_that_only_one_side_counts_are_told_and_withheld_ones_are_not(warehouse: Warehouse) -> None:
    rows = tell(warehouse, [rung("A08", 2020, 95), rung("A07", 2020, 550)], CITIZENS + BORN)
    assert parts(rows, ("2020", "2020")) == [
        ("REPORTERS", None, 400.0 + 20 - 5, 3),  # not Spain, which reports to both, nor Greece, withheld
        ("REMAINDER", None, 550 - 95 - 415.0, None),
    ]
    assert [row[3] for row in sorted(rows, key=lambda row: row[-1])] == [
        "REPORTERS", "BIRTH_OR_CITIZENSHIP", "BIRTH_OR_CITIZENSHIP", "DURATION", "REGISTER_OR_SURVEY", "REMAINDER",
    ]  # fmt: skip


def test_another_figure_tells_a_part_where_it_is_of_the_same_source_and_period(warehouse: Warehouse) -> None:
    rungs = [rung("A08", year, value) for year, value in [(2020, 95), (2022, 100), (2024, 110)]]
    rungs += [rung("A06", year, value) for year, value in [(2019, 1000), (2021, 1100), (2023, 1200)]]
    registered = {"FRA": (500, 260), "DEU": (100, 40), "ITA": (None, None), "CAN": (150, 20)}
    figures = [figure("A06", 2019, value, country) for country, (value, _) in registered.items()]
    figures += [dual_figure(2019, value, country) for country, (_, value) in registered.items()]
    figures += [dual_figure(2019, 330), dual_figure(2021, None), dual_figure(2023, 200), dual_figure(2020, 999)]
    figures += [dual_figure(2023, 777, source="another_register"), dual_figure(2023, 555, dual_citizenship="NO")]
    rows = tell(warehouse, rungs, CITIZENS + figures)
    assert parts(rows, ("2020", "2019")) == [
        ("REPORTERS", None, 500 + 150 - 5.0, 3),  # Italy has registered citizens, only they are not shown
        ("BIRTH_OR_CITIZENSHIP", DUAL, 40.0, 1),  # those of France and Canada are in the part before
        ("REMAINDER", None, 905 - 645 - 40.0, None),
    ]
    assert parts(rows, ("2022", "2021")) == [("REMAINDER", None, 1000.0, None)], "withheld"
    assert {row[4] for row in rows if row[:2] == ("2022", "2021")} == {None}
    assert parts(rows, ("2024", "2023")) == [
        ("BIRTH_OR_CITIZENSHIP", DUAL, 200.0, None),  # nobody tells of countries
        ("REMAINDER", None, 890.0, None),
    ]


def test_what_the_lower_rung_alone_counts_is_taken_off(warehouse: Warehouse) -> None:
    lengths = {"M3T5": 7, "M6T11": 20, "M_GE12": 73}
    permits = [figure("A09", 2019, value, permit_duration=code) for code, value in lengths.items()]
    rows = tell(warehouse, [rung("A09", 2019, 100), rung("A08", 2020, 95)], permits)
    assert parts(rows, ("2019", "2020")) == [
        ("DURATION", "A09 permit_duration=M3T5", -7.0, None),
        ("DURATION", "A09 permit_duration=M6T11", -20.0, None),
        ("REMAINDER", None, 22.0, None),
    ]


@pytest.mark.parametrize(("born_abroad", "told"), [(45, [45.0]), (None, [])])
def test_foreigners_and_those_born_abroad_of_one_census(warehouse: Warehouse, born_abroad, told) -> None:
    rows = tell(warehouse, [rung("A01", 2024, 100), rung("A02", 2024, 130)], [figure("A03", 2024, born_abroad)])
    assert parts(rows, ("2024", "2024")) == [
        *(("BIRTH_OR_CITIZENSHIP", "A03", value, None) for value in told),
        ("REMAINDER", None, 30 - sum(told), None),
    ]


def pairs(warehouse: Warehouse, rungs: list) -> set:
    return set(tell(warehouse, rungs, [], shown="lower_value, upper_value, days_apart"))


def test_a_pair_are_two_that_are_nearest_to_each_other_within_a_year(warehouse: Warehouse) -> None:
    rungs = [
        rung("A08", 2019, 1),
        rung("A08", 2020, 2),
        rung("A07", 2020, 3),
        rung("A07", 2015, 4),
        rung("A07", 2022, 5),
    ]
    assert pairs(warehouse, rungs) == {(2, 3, 182)}
    assert pairs(warehouse, rungs[:1]) == set()
    assert pairs(warehouse, [rung("A09", 2020, 1), rung("A07", 2021, 2)]) == set(), "no step of the list"
    assert pairs(warehouse, [rung("A08", 2020, 2), rung("A07", 2020, 3, ref_area="DZA")]) == set()


def test_a_rung_has_the_preferred_figure_and_claims_and_synthetic_ones_are_pairs_of_their_own(warehouse) -> None:
    born = rung("A07", 2020, 10)
    rungs = [
        born,
        rung("A08", 2020, 1, vintage="2020"),
        rung("A08", 2020, 2, vintage="2024", said_by="oecd_migration"),  # the record names it second
        rung("A08", 2020, 3, vintage="2021"),
        rung("A08", 2020, 4, data_kind="synthetic"),
        rung("A08", 2020, 5, verdict="WRONG"),
        rung("A08", 2020, 6, window_length="P5Y"),
        rung("A08", 2020, 7, kind="claim", code="ABROAD", said_by="Press"),
    ]
    assert {row[0] for row in pairs(warehouse, rungs)} == {3, 4, 7}, "the last edition, and what is of another kind"
    rows = tell(warehouse, rungs, BORN, shown="lower_value, data_kind, difference_kind, part_value")
    assert {row[1] for row in rows if row[0] == 4} == {"synthetic"}
    assert [row[3] for row in rows if row[0] == 7 and row[2] == "REMAINDER"] == [3.0]
    assert [row[3] for row in rows if row[0] == 7 and row[2] == "REPORTERS"] == [None], "a claim has no countries"


def test_parts_add_up_and_are_named_in_every_language(warehouse: Warehouse) -> None:
    rungs = [rung("A09", 2019, 80), rung("A08", 2020, 95), rung("A07", 2020, 550), rung("A06", 2019, 900)]
    shown = "lower_rung, upper_rung, difference_value, part_value,"
    shown += " difference_name_fr || difference_name_ar || difference_kind_name_fr || difference_kind_name_ar"
    rows = tell(warehouse, rungs, CITIZENS + BORN, shown=shown)
    assert {row[:2] for row in rows} == {(2, 3), (3, 4), (3, 5), (4, 5)}
    for pair in {row[:3] for row in rows}:
        assert sum(row[3] or 0 for row in rows if row[:3] == pair) == pair[2]
    assert all(row[4] for row in rows)


def mirrored(warehouse: Warehouse, figures: list, shown: str) -> list:
    return tell(warehouse, [], figures, "mirror_discrepancy", shown)


def test_what_two_countries_count_of_the_same_people_stands_side_by_side(warehouse: Warehouse) -> None:
    figures = [
        figure("A06", 2019, 100, "DEU", universe="registered_abroad", duration_rule="NONE"),
        figure("A06", 2019, None, "ITA"),  # withheld
        figure("A06", 2018, 99, "DEU"),  # further away
        figure("A06", 2019, 500, "FRA"),  # which does not report
        *(one | {"universe": "citizens_abroad"} for one in CITIZENS),
        figure("A08", 2020, 33, "DEU", source="oecd_migration"),  # the record names it second
    ]
    shown = "counterpart_area, origin_time_period, destination_time_period, days_apart, origin_value, destination_value"
    shown += ", difference_value, round(difference_percent, 3), origin_rules_en, destination_rules_fr"
    assert mirrored(warehouse, figures, shown) == [
        ("DEU", "2019", "2020", 1, 100.0, 30.0, 70.0, 233.333,
         "Citizens registered with consulates · No duration rule · Register",
         "Nationaux résidant à l'étranger · Douze mois · Tableaux de chiffres"),
    ]  # fmt: skip


def test_flows_are_those_of_one_period_and_one_breakdown(warehouse: Warehouse) -> None:
    left = [figure("B02", year, value, "DEU") for year, value in [(2020, 8), (2021, 9)]]
    left.append(figure("B02", 2022, 40, "DEU", source="rgph", window_length="P5Y"))
    came = [figure("B33", year, value, "DEU") for year, value in [(2021, 12), (2022, 10)]]
    students = [figure("B28", 2021, 20, "DEU")]
    permits = [figure("B10", 2021, value, "DEU", cell="counterpart_area reason", reason=reason)
               for value, reason in [(70, "EMP"), (16, "EDUC")]]  # fmt: skip
    permits.append(figure("B10", 2021, 90, "DEU"))
    shown = "origin_indicator, destination_indicator, destination_breakdown, origin_value, destination_value"
    assert mirrored(warehouse, [*left, *came, *students, *permits], shown) == [
        ("B02", "B33", "", 9.0, 12.0),
        ("B28", "B10", "reason=EDUC", 20.0, 16.0),
    ]
