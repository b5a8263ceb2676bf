"""The country itself: lives without gaps, published numbers at any scale, streams that do not know each other."""

import csv
from collections.abc import Iterator

import pytest

from hims_pipeline.errors import HimsError
from hims_pipeline.settings import REPOSITORY, Settings
from hims_synthetic import Country, open_country
from hims_synthetic.country.choice import choose
from hims_synthetic.country.flows import make_flows, residents_at
from hims_synthetic.recipe import largest_remainder, load_recipe, spread
from hims_synthetic.streams import HOME

CENSUSES = {"1994": "1994-04-20", "2004": "2004-04-28", "2014": "2014-04-23", "2024": "2024-11-06"}
RECIPE = load_recipe(REPOSITORY / "data" / "samples" / "recipe")


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Country]:
    home = tmp_path_factory.mktemp("country")
    settings = Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", home, env="test")
    with open_country(settings, scale=0.005) as found:
        yield found


def one(country: Country, query: str) -> int:
    return country.con.execute(query).fetchall()[0][0]


def present(day: str) -> str:
    return (
        f"stays join persons using (person_no) where stays.country = '{HOME}' and from_date <= date '{day}'"
        f" and (to_date is null or to_date > date '{day}')"
    )


def test_stays_tile_each_life(country: Country) -> None:
    assert not one(country, "select count(*) from stays where to_date <= from_date")
    assert not one(country, """
        select count(*) from (
            select person_no, stay_no, from_date, row_number() over life as place, lag(to_date) over life as before
            from stays window life as (partition by person_no order by stay_no)
        ) where place != stay_no or (place > 1 and from_date is distinct from before)
    """)  # fmt: skip
    assert not one(country, """
        select count(*) from persons left join (
            select person_no, min(from_date) as first, max(to_date) as last, bool_or(to_date is null) as open
            from stays group by person_no
        ) as lives using (person_no)
        where first is distinct from birth_date or open is distinct from (death_date is null)
            or coalesce(last != death_date, false)
    """)  # fmt: skip
    assert not one(country, f"select count(*) from stays where (country = '{HOME}') != (delegation is not null)")


def test_residents_and_foreigners_are_as_many_as_published(country: Country) -> None:
    residents = residents_at(RECIPE, country.scale)
    days = [row["to_date"] for row in RECIPE.tables["periods"]]
    for day, expected in zip(days, residents, strict=True):
        found = country.con.execute(f"select governorate, count(*) from {present(day)} group by 1").fetchall()
        assert dict(found) == expected, day
    for row in RECIPE.tables["periods"]:
        foreign = one(country, f"select count(*) from {present(row['to_date'])} and citizenship != '{HOME}'")
        assert foreign == country.count(float(row["foreigners_to"]))


def test_a_period_has_births_up_to_its_last_day(country: Country) -> None:
    last_days = ", ".join(f"date '{row['to_date']}'" for row in RECIPE.tables["periods"])
    found = one(country, f"select count(*) from persons where birth_country = '{HOME}' and birth_date in ({last_days})")
    assert found > len(RECIPE.tables["periods"])  # about two a day at this scale


def test_at_full_scale_the_numbers_are_the_controls() -> None:
    residents = residents_at(RECIPE, 1.0)
    days = [row["to_date"] for row in RECIPE.tables["periods"]]
    with (REPOSITORY / "data/controls/tunisia_published.csv").open(encoding="utf-8") as file:
        controls = {
            row["control_id"]: int(float(row["value"])) for row in csv.DictReader(file) if row["unit"] == "PERSONS"
        }
    for year in ("2004", "2014", "2024"):
        assert sum(residents[days.index(CENSUSES[year])].values()) == controls[f"TUN-P01-{year}"]
    _, periods = make_flows(RECIPE, 1.0)
    for flows in periods:
        year = flows.to_date.year
        if f"TUN-B23-{year}" in controls:
            between = sum(n for (origin, to), n in flows.moves.items() if origin != to)
            assert between == controls[f"TUN-B23-{year}"]
            assert sum(flows.reported.values()) == controls[f"TUN-B02-{year}"]
            for country in ("FRA", "ITA", "DEU", "LBY"):
                reported = sum(n for (to, _), n in flows.reported.items() if to == country)
                assert reported == controls[f"TUN-B02-{year}-{country}"]
        assert all(n <= sum(flows.emigrants.get((g, s, c), 0) for g in RECIPE.governorates)
                   for (c, s), n in flows.reported.items())  # fmt: skip
        births = sum(flows.births.values()) / (flows.days / 365.25)
        assert 120_000 < births < 260_000, year  # what is left over must still look like a country


def test_what_a_census_asks_finds_the_events_of_the_period(country: Country) -> None:
    flows = next(one for one in country.flows if one.to_date.isoformat() == CENSUSES["2024"])
    moved = f"""
        select count(*) from {present(CENSUSES["2024"])} and exists (
            select 1 from stays as before
            where before.person_no = stays.person_no and before.country {{abroad}} '{HOME}'
                and before.from_date <= date '{flows.from_date}' and before.to_date > date '{flows.from_date}'
                and {{more}}
        )
    """
    other = "before.governorate != stays.governorate"
    assert one(country, moved.format(abroad="=", more=other)) == country.count(228_458)
    assert one(country, moved.format(abroad="=", more="before.stay_no != stays.stay_no")) == pytest.approx(
        country.count(928_924), abs=1
    )
    returned = moved.format(abroad="!=", more=f"citizenship = '{HOME}'")
    assert one(country, returned) == country.count(20_683)
    arrived = moved.format(abroad="!=", more=f"citizenship != '{HOME}'")
    assert one(country, arrived) == country.count(14_570)


def test_numbers_of_identity_and_passport_are_unique(country: Country) -> None:
    for column, form in (("national_id", "9[0-9]{7}"), ("passport_no", "X[0-9]{8}")):
        total = one(country, f"select count({column}) from persons")
        assert total == one(country, f"select count(distinct {column}) from persons")
        assert not one(country, f"select count(*) from persons where not regexp_full_match({column}, '{form}')")
    assert not one(country, f"select count(national_id) from persons where citizenship != '{HOME}'")


def test_days_of_events_are_spread_over_the_period(country: Country) -> None:
    late = one(country, f"""
        select avg(cast(from_date > date '2022-05-08' as int)) from stays
        where country != '{HOME}' and stay_no > 1 and from_date > date '2019-11-06' and from_date <= date '2024-11-06'
    """)  # fmt: skip
    assert 0.4 < late < 0.6


def test_streams_are_uniform_and_do_not_know_each_other(country: Country) -> None:
    row = country.con.execute(
        "select avg(u('a', i)), corr(u('a', i), u('b', i)), corr(u('a', i), u('a', i + 1)),"
        " avg(cast(u('a', i) < 0.01 and u('b', i) < 0.01 as int)) from range(1000000) as t(i)"
    ).fetchall()[0]
    assert abs(row[0] - 0.5) < 0.002
    assert abs(row[1]) < 0.005
    assert abs(row[2]) < 0.005
    assert 0.00006 < row[3] < 0.00014


def test_those_with_more_weight_are_chosen_more_often_and_never_those_without(country: Country) -> None:
    con = country.con
    con.execute("create or replace temp table pool as select i as person_no, i % 3 as w from range(30000) as t(i)")
    choose(con, "chosen", "pool", {0: 3000}, "w", "a test")
    counts = dict(con.execute("select w, count(*) from chosen join pool using (person_no) group by 1").fetchall())
    assert set(counts) == {1, 2}
    assert sum(counts.values()) == 3000
    assert 1.7 < counts[2] / counts[1] < 2.3
    with pytest.raises(HimsError, match="more chosen than there are"):
        choose(con, "chosen", "pool", {0: 20001}, "w", "a test")


def test_whole_numbers_add_up() -> None:
    assert largest_remainder(10, [1, 1, 1]) == [4, 3, 3]
    assert sum(spread(7, [0.1] * 50)) == 7
    assert max(spread(7, [0.1] * 50)) == 1
    assert largest_remainder(0, [0, 0]) == [0, 0]


def test_nobody_is_older_than_people_get(country: Country) -> None:
    oldest = "max(date_diff('day', birth_date, coalesce(death_date, date '2025-12-31')) / 365.25)"
    foreign_gone = "person_no in (select person_no from stays where to_date is null and reason = 'RETURN')"
    assert one(country, f"select cast({oldest} as int) from persons where not {foreign_gone}") <= 110
