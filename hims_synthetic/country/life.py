"""One period of life: who dies, leaves, moves, comes back, arrives and is born, and where everybody is afterwards.

Each person meets one event a period at most, so that what a census asks about five years before finds exactly the
events of the period before it. Not here: how many (`flows`), how they are chosen (`choice`).
"""

import duckdb

from hims_pipeline.sql import literal
from hims_synthetic.country.choice import choose
from hims_synthetic.country.flows import Cells, Flows
from hims_synthetic.country.people import arrive, bear, bear_abroad, day_within
from hims_synthetic.country.tables import pick, weight_by_age
from hims_synthetic.recipe import Recipe
from hims_synthetic.streams import HOME

# How much more often than others one leaves, by level of education 0 to 5.
LEAVING_BY_EDUCATION = (0.3, 0.5, 0.8, 1.1, 0.7, 2.0)


def live(con: duckdb.DuckDBPyConnection, recipe: Recipe, flows: Flows, first: int) -> int:
    """Let one period pass; `first` is the next free person number, as is the result."""
    _choose_home(con, recipe, flows)
    _choose_away(con, recipe, flows)
    _note_events(con, recipe, flows)
    next_no = bear_abroad(con, flows, "parents", first)
    _move_on(con, flows)
    next_no = arrive(con, recipe, flows, next_no)
    return bear(con, recipe, flows, next_no)


def _sums(cells: Cells, of: int = 0) -> dict[int, int]:
    """Numbers by governorate, the part `of` of the key."""
    sums: dict[int, int] = {}
    for key, number in cells.items():
        sums[int(key[of])] = sums.get(int(key[of]), 0) + number
    return sums


def _choose_home(con: duckdb.DuckDBPyConnection, recipe: Recipe, flows: Flows) -> None:
    year = flows.to_date.year
    age = f"date_diff('day', birth_date, date '{flows.from_date}') // 365"
    dying = f"{weight_by_age(recipe.weights_by_age('deaths'), age)} * if(woman, 0.85, 1.2)"
    moving, leaving = (
        weight_by_age(recipe.weights_by_age("moves"), age),
        weight_by_age(recipe.weights_by_age("emigration"), age),
    )
    learned = f"([{', '.join(map(str, LEAVING_BY_EDUCATION))}])[1 + education]"
    citizens, foreigners = "(from home where not is_foreign)", "(from home where is_foreign)"
    by_governorate = "governorate::int"
    choose(con, "dying", citizens, _sums(flows.deaths), dying, f"dying {year}", by_governorate)
    choose(con, "dying_foreign", foreigners, _sums(flows.foreign_deaths), dying, f"dying {year}", by_governorate)
    choose(con, "departing", foreigners, _sums(flows.departures), "1", f"departing {year}", by_governorate,
           ("dying_foreign",))  # fmt: skip
    wanted: dict[int, int] = {}
    for (place, sex, _), number in flows.emigrants.items():
        key = int(place) * 2 + (sex == "F")
        wanted[key] = wanted.get(key, 0) + number
    choose(con, "leaving", citizens, wanted, f"{leaving} * {learned}", f"leaving {year}",
           f"{by_governorate} * 2 + woman::int", ("dying",))  # fmt: skip
    between = {key: number for key, number in flows.moves.items() if key[0] != key[1]}
    choose(con, "moving", citizens, _sums(between), moving, f"moving {year}", by_governorate, ("dying", "leaving"))
    within = {key: number for key, number in flows.moves.items() if key[0] == key[1]}
    choose(con, "moving_near", citizens, _sums(within), moving, f"moving near {year}", by_governorate,
           ("dying", "leaving", "moving"))  # fmt: skip


def _choose_away(con: duckdb.DuckDBPyConnection, recipe: Recipe, flows: Flows) -> None:
    year = flows.to_date.year
    age = f"date_diff('day', birth_date, date '{flows.from_date}') // 365"
    weights = recipe.column("nationalities", "return_weight")
    countries = ", ".join(f"when {literal(c)} then {w}" for c, w in zip(recipe.countries, weights, strict=True))
    country = f"case country {countries.replace(', ', ' ')} end"
    coming = f"{weight_by_age(recipe.weights_by_age('returns'), age)} * {country} * if(origin = 0, 0.1, 1)"
    dying = f"{weight_by_age(recipe.weights_by_age('deaths'), age)} * if(woman, 0.85, 1.2)"
    wanted = {0: 0, 1: 0}
    for (sex, _), number in flows.returnees.items():
        wanted[int(sex == "F")] += number
    choose(con, "coming_back", "away", wanted, coming, f"returning {year}", "woman::int")
    choose(con, "dying_away", "away", {0: flows.deaths_abroad}, dying, f"dying {year}", taken=("coming_back",))
    parents = weight_by_age(recipe.weights_by_age("parents"), age)
    choose(con, "parents", "away", {0: flows.births_abroad}, parents, f"parents {year}",
           taken=("coming_back", "dying_away"))  # fmt: skip


def _bands(cells: list[tuple[int, str, int]]) -> str:
    """SQL values (s, value, lo, hi): which of the numbers 1, 2, … of a stratum fall to which value."""
    reached: dict[int, int] = {}
    rows = []
    for stratum, value, number in cells:
        if number:
            lo = reached.get(stratum, 0)
            rows.append(f"({stratum}, {literal(value)}, {lo + 1}, {lo + number})")
            reached[stratum] = lo + number
    return f"(values {', '.join(rows) or '(0, null, 1, 0)'}) as bands(s, value, lo, hi)"


def _note_events(con: duckdb.DuckDBPyConnection, recipe: Recipe, flows: Flows) -> None:
    """Table `events`: person_no, day, country and area reached (neither for the dead), reason, route."""
    leave = _bands([(int(g) * 2 + (sex == "F"), c, n) for (g, sex, c), n in sorted(flows.emigrants.items())])
    move = _bands([(int(a), b, n) for (a, b), n in sorted(flows.moves.items()) if a != b])
    come = _bands([(int(sex == "F"), g, n) for (sex, g), n in sorted(flows.returnees.items())])
    irregular = " ".join(
        f"when {literal(row['country'])} then {row['irregular']}" for row in recipe.tables["nationalities"]
    )
    of_men, of_women = (pick(*recipe.choices("reason", sex), "_r") for sex in ("M", "F"))
    move_reason = pick(*recipe.choices("move", "M"), "_r")
    con.execute(f"""
        create or replace temp table events as
        with dead as (
            from dying union all from dying_foreign union all from dying_away
        ),
        left_for as (
            select person_no, stratum % 2 = 1 as woman, value as country,
                u('reason {flows.to_date.year}', person_no) as _r
            from leaving as chosen join {leave} on chosen.stratum = bands.s and r between lo and hi
        ),
        moved_to as (
            select person_no, cast(value as int) as g, u('reason {flows.to_date.year}', person_no) as _r
            from moving as chosen join {move} on chosen.stratum = bands.s and r between lo and hi
        ),
        by_origin as (
            select chosen.person_no, stratum,
                row_number() over (partition by stratum order by origin, chosen.person_no) as r
            from coming_back as chosen join away using (person_no)
        ),
        came_to as (
            select person_no, cast(value as int) as g
            from by_origin as chosen join {come} on chosen.stratum = bands.s and r between lo and hi
        )
        select person_no, {day_within(flows, "death")} as day, null::iso3 as country, null::usmallint as area,
            null::utinyint as governorate, null::reason_code as reason, null::route_code as route
        from dead
        union all
        select person_no, {day_within(flows, "leaving")}, country, null, null, if(woman, {of_women}, {of_men}),
            if(u('route', person_no) < case country {irregular} end, 'IRREGULAR', 'REGULAR')
        from left_for
        union all
        select person_no, {day_within(flows, "moving")}, '{HOME}',
            area_in(g, u('area {flows.to_date.year}', person_no)), g, {move_reason}, null
        from moved_to
        union all
        select chosen.person_no, date '{flows.from_date}' + 1
                + cast(floor(u('day of moving {flows.to_date.year}', chosen.person_no) * {flows.days}) as int),
            '{HOME}',
            next_area(home.governorate, home.area, u('area {flows.to_date.year}', chosen.person_no)), home.governorate,
            case when u('near', chosen.person_no) < 0.75 then 'FAM' else 'OTH' end, null
        from moving_near as chosen join home on chosen.person_no = home.person_no
        union all
        select person_no, {day_within(flows, "returning")}, '{HOME}',
            area_in(g, u('area {flows.to_date.year}', person_no)), g, 'RETURN', null
        from came_to
    """)
    con.execute("insert into died select person_no, day from events where country is null")
    con.execute("""
        insert into naturalised
        select person_no, events.country from events join leaving using (person_no) join nationalities using (country)
        where u('second citizenship', person_no) < dual_naturalised
    """)


def _move_on(con: duckdb.DuckDBPyConnection, flows: Flows) -> None:
    """End the stays of those who met an event, and put everybody where they are now."""
    con.execute(f"""
        insert into past
        select person_no, stay_no, from_date, day, '{HOME}', home.area, home.reason, null
        from home join events using (person_no)
    """)
    con.execute("""
        insert into past
        select person_no, stay_no, from_date, day, away.country, null, away.reason, away.route
        from away join events using (person_no)
    """)
    # Foreigners who leave go home and are followed no further.
    con.execute(f"""
        insert into past
        select person_no, stay_no, from_date, {day_within(flows, "departing")}, '{HOME}', area, reason, null
        from home join departing using (person_no)
    """)
    con.execute(f"""
        insert into past
        select person_no, stay_no + 1, {day_within(flows, "departing")}, null, citizenship, null, 'RETURN', null
        from home join departing using (person_no)
    """)
    con.execute("""
        create or replace temp table reached as
        select person_no, woman, birth_date, home.governorate as origin, education, stay_no,
            events.day, events.country, events.area, events.governorate, events.reason, events.route
        from home join events using (person_no) where events.country is not null
        union all
        select person_no, woman, birth_date, 0, education, stay_no,
            events.day, events.country, events.area, events.governorate, events.reason, events.route
        from away join events using (person_no) where events.country is not null
    """)
    con.execute(f"""
        create or replace table home as
        select * from home anti join events using (person_no) anti join departing using (person_no)
        union all
        select person_no, woman, birth_date, governorate, area, false, '{HOME}'::iso3, education,
            cast(stay_no + 1 as utinyint), day, reason
        from reached where country = '{HOME}'
    """)
    con.execute(f"""
        create or replace table away as
        select * from away anti join events using (person_no)
        union all
        select person_no, woman, birth_date, country, cast(origin as utinyint), education,
            cast(stay_no + 1 as utinyint), day, reason, route
        from reached where country != '{HOME}'
    """)
