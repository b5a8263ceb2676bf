"""People as they come in: those who are there at the start, the newborn, and foreigners who arrive.

Not here: what happens to those who are there (`life`).
"""

import duckdb

from hims_pipeline.sql import literal
from hims_synthetic.country.flows import Cells, Flows, Start
from hims_synthetic.country.tables import pick
from hims_synthetic.recipe import Recipe
from hims_synthetic.streams import HOME

BORN_ELSEWHERE = 0.14  # of the residents at the start were born in another governorate
BEEN_AWAY = 0.022  # of men of 30 and over among them had come back from abroad
MEN_ABROAD = (
    0.75  # of those who had left before the start; and of all abroad, how many had left rather than been born there
)
LEFT_HOME = 0.60


def number_persons(cells: Cells, names: tuple[str, ...], first: int) -> tuple[str, int]:
    """SQL of one row a person, numbered from `first` on, with the cell's key as columns; and the next free number."""
    rows, at = [], first
    for key, number in cells.items():
        if number:
            rows.append(f"({', '.join(literal(part) for part in key)}, {at}, {at + number})")
            at += number
    columns = ", ".join(names)
    if not rows:
        empty = ", ".join(f"null::varchar as {name}" for name in names)
        return f"select {empty}, 0::uinteger as person_no where false", first
    query = f"select {columns}, cast(unnest(range(lo, hi)) as uinteger) as person_no from (values {', '.join(rows)})"
    return f"{query} as cells({columns}, lo, hi)", at


def _add_birth_days(recipe: Recipe, column: str, on: str, query: str) -> str:
    """SQL: `query` with a day of birth, by the ages of one column of the recipe."""
    rows = [row for row in recipe.tables["ages"] if float(row[column]) > 0]
    first = pick([int(row["first_age"]) for row in rows], [float(row[column]) for row in rows], "_g")
    width = " ".join(
        f"when {row['first_age']} then {min(int(row['last_age']), 97) - int(row['first_age']) + 1}" for row in rows
    )
    return f"""
        select * exclude (_g, _first), date {literal(on)}
            - 1 - cast(floor((_first + u('age in group', person_no) * case _first {width} end) * 365.25) as int)
            as birth_date
        from (select *, {first} as _first from (select *, u('age group', person_no) as _g from ({query})))
    """


def settle_people(con: duckdb.DuckDBPyConnection, recipe: Recipe, start: Start) -> int:
    """Fill the country on its first day; returns the next free person number."""
    citizens: Cells = {(g,): n - start.foreigners[g] for g, n in start.residents.items()}
    next_no = _settle_citizens(con, recipe, start, citizens)
    next_no = _settle_foreigners(con, recipe, start, next_no)
    return _settle_abroad(con, recipe, start, next_no)


def _settle_citizens(con: duckdb.DuckDBPyConnection, recipe: Recipe, start: Start, cells: Cells) -> int:
    people, next_no = number_persons(cells, ("g",), 1)
    weights = [float(n) for n in start.residents.values()]
    con.execute(f"""
        create temp table settlers as
        select
            *, cast(g as utinyint) as governorate, area_in(cast(g as int), u('area', person_no)) as area,
            u('sex', person_no) < 0.491 as woman,
            if(u('born elsewhere', person_no) < {BORN_ELSEWHERE},
                area_in(cast({pick(recipe.governorates, weights, "_b")} as int), u('birth area', person_no)), null)
                as other_area
        from (select *, u('birth governorate', person_no) as _b
            from ({_add_birth_days(recipe, "residents_1989", start.on.isoformat(), people)}))
    """)
    # Where they had been before: somewhere else in the country from birth, or abroad for some years.
    con.execute(f"""
        create temp table earlier as
        select *, coalesce(other_area, area) as birth_area,
            education_of(woman, year(birth_date), u('school', person_no)) as education,
            other_area is not null and other_area != area as moved,
            not woman and age >= 30 and u('been away', person_no) < {BEEN_AWAY} as been_away,
            birth_date + cast(floor((0.2 + 0.4 * u('first move', person_no)) * age * 365.25) as int) as first_day,
            birth_date + cast(floor((0.65 + 0.3 * u('second move', person_no)) * age * 365.25) as int) as second_day,
            {pick(recipe.countries, recipe.column("nationalities", "percent_abroad_1989"), "_c")} as was_in
        from (select *, date_diff('day', birth_date, date '{start.on}') / 365.25 as age, u('was in', person_no) as _c
            from settlers)
    """)
    con.execute(
        f"insert into born select person_no, woman, birth_date, '{HOME}', birth_area, '{HOME}', education from earlier"
    )
    con.execute(f"""
        insert into past
        select person_no, 1, birth_date, first_day, '{HOME}', birth_area, 'BIRTH', null from earlier where been_away
        union all
        select person_no, 2, first_day, second_day, was_in, null, 'EMP', 'REGULAR' from earlier where been_away
        union all
        select person_no, 1, birth_date, second_day, '{HOME}', birth_area, 'BIRTH', null
        from earlier where moved and not been_away
    """)
    con.execute(f"""
        insert into home
        select person_no, woman, birth_date, governorate, area, false, '{HOME}', education,
            case when been_away then 3 when moved then 2 else 1 end,
            if(been_away or moved, second_day, birth_date),
            case when been_away then 'RETURN' when moved then 'FAM' else 'BIRTH' end
        from earlier
    """)
    con.execute("drop table settlers")
    con.execute("drop table earlier")
    return next_no


def _settle_foreigners(con: duckdb.DuckDBPyConnection, recipe: Recipe, start: Start, first: int) -> int:
    cells: Cells = {(g,): n for g, n in start.foreigners.items()}
    people, next_no = number_persons(cells, ("g",), first)
    country = pick(recipe.countries, recipe.column("nationalities", "percent_foreigners_1989"), "_n")
    query = _add_birth_days(recipe, "residents_1989", start.on.isoformat(), people)
    _enter(
        con,
        recipe,
        f"select *, {country} as country from (select *, u('nationality', person_no) as _n from ({query}))",
        "birth_date + 1 + cast(floor(u('arrival', person_no)"
        f" * (date_diff('day', birth_date, date '{start.on}') - 1)) as int)",
    )
    return next_no


def arrive(con: duckdb.DuckDBPyConnection, recipe: Recipe, flows: Flows, first: int) -> int:
    """Foreigners of a period arrive; all were born before it began. Returns the next free person number."""
    people, next_no = number_persons(flows.arrivals, ("g", "country"), first)
    query = _add_birth_days(recipe, "arrivals", flows.from_date.isoformat(), people)
    _enter(con, recipe, query, day_within(flows, "arrival"))
    return next_no


def day_within(flows: Flows, stream: str, less: int = 0) -> str:
    """SQL: a day within the period, after its first day and at least `less` days before its end.

    The stream is not the one that chose whom the event happens to, or those chosen would all have early days.
    """
    name = literal(f"day of {stream} {flows.to_date.year}")
    return f"date '{flows.from_date}' + 1 + cast(floor(u({name}, person_no) * {flows.days - less}) as int)"


def _enter(con: duckdb.DuckDBPyConnection, recipe: Recipe, query: str, day: str) -> None:
    """Foreigners into the country: born in their own one, here from a day on."""
    reason = pick(*recipe.choices("arrival", "M"), "_r")
    con.execute(f"""
        create temp table entering as
        select *, cast(g as utinyint) as governorate, area_in(cast(g as int), u('area', person_no)) as area,
            u('sex', person_no) < 0.45 as woman, {day} as day, {reason} as reason
        from (select *, u('reason', person_no) as _r from ({query}))
    """)
    con.execute(
        "insert into born select person_no, woman, birth_date, country, null, country,"
        " education_of(woman, greatest(year(birth_date), 1980), u('school', person_no)) from entering"
    )
    con.execute("insert into past select person_no, 1, birth_date, day, country, null, 'BIRTH', null from entering")
    con.execute(
        "insert into home select person_no, woman, birth_date, governorate, area, true, country,"
        " education_of(woman, greatest(year(birth_date), 1980), u('school', person_no)), 2, day, reason from entering"
    )
    con.execute("drop table entering")


def _settle_abroad(con: duckdb.DuckDBPyConnection, recipe: Recipe, start: Start, first: int) -> int:
    """Citizens abroad: those who had left, and those who were born there."""
    left = round(start.abroad * LEFT_HOME)
    leavers, next_no = number_persons({("left",): left}, ("kind",), first)
    natives, next_no = number_persons({("native",): start.abroad - left}, ("kind",), next_no)
    aged = [
        _add_birth_days(recipe, column, start.on.isoformat(), query)
        for column, query in (("abroad_born_home", leavers), ("abroad_born_there", natives))
    ]
    origin = pick(
        [int(g) for g in recipe.governorates],
        [n * t for n, t in zip(start.residents.values(), recipe.column("governorates", "emigration"), strict=True)],
        "_o",
    )
    con.execute(f"""
        create temp table abroad as
        select *, kind = 'native' as is_native, cast({origin} as utinyint) as origin,
            {pick(recipe.countries, recipe.column("nationalities", "percent_abroad_1989"), "_c")} as country,
            u('sex', person_no) < if(kind = 'native', 0.49, {1 - MEN_ABROAD}) as woman,
            birth_date + cast(floor((0.5 + 0.45 * u('leaving', person_no))
                * date_diff('day', birth_date, date '{start.on}')) as int) as day
        from (select *, u('origin', person_no) as _o, u('country', person_no) as _c
            from ({aged[0]} union all {aged[1]}))
    """)
    con.execute(f"""
        insert into born
        select person_no, woman, birth_date, if(is_native, country, '{HOME}'),
            if(is_native, null, area_in(origin, u('birth area', person_no))), '{HOME}',
            education_of(woman, year(birth_date), u('school', person_no))
        from abroad
    """)
    con.execute(f"""
        insert into past
        select person_no, 1, birth_date, day, '{HOME}', area_in(origin, u('birth area', person_no)), 'BIRTH', null
        from abroad where not is_native
    """)
    con.execute("""
        insert into away
        select person_no, woman, birth_date, country, if(is_native, 0, origin),
            education_of(woman, year(birth_date), u('school', person_no)),
            if(is_native, 1, 2), if(is_native, birth_date, day),
            if(is_native, 'BIRTH', if(woman, 'FAM', 'EMP')), if(is_native, null, 'REGULAR')
        from abroad
    """)
    con.execute("""
        insert into naturalised
        select person_no, country from abroad join nationalities using (country)
        where u('second citizenship', person_no) < if(is_native, dual_born_there, dual_naturalised)
    """)
    con.execute("drop table abroad")
    return next_no


def bear(con: duckdb.DuckDBPyConnection, recipe: Recipe, flows: Flows, first: int) -> int:
    """The newborn of a period at home; returns the next free person number."""
    living, next_no = number_persons(
        {(g[0], "1", kind): n for kind, cells in (("0", flows.births), ("1", flows.foreign_births))
         for g, n in cells.items()},
        ("g", "lives", "is_foreign"), first,
    )  # fmt: skip
    infants, next_no = number_persons(
        {(g, "0", "0"): n for (g,), n in flows.infant_deaths.items()}, ("g", "lives", "is_foreign"), next_no
    )
    # A foreign child takes the nationality of some foreigner of the governorate's country mix.
    country = pick(recipe.countries, recipe.column("nationalities", f"percent_arrivals_{flows.to_date.year}"), "_n")
    con.execute(f"""
        create temp table babies as
        select person_no, cast(g as utinyint) as governorate, area_in(cast(g as int), u('area', person_no)) as area,
            lives = '1' as lives, is_foreign = '1' as is_foreign,
            if(is_foreign = '1', {country}, '{HOME}') as citizenship,
            u('sex', person_no) < 0.488 as woman,
            if(lives = '1', {day_within(flows, "birth")}, {day_within(flows, "birth", less=1)}) as birth_date
        from (select *, u('nationality', person_no) as _n from ({living} union all {infants}))
    """)
    level = "education_of(woman, year(birth_date), u('school', person_no))"
    con.execute(
        f"insert into born select person_no, woman, birth_date, '{HOME}', area, citizenship, {level} from babies"
    )
    con.execute(f"""
        insert into home select person_no, woman, birth_date, governorate, area, is_foreign, citizenship, {level}, 1,
            birth_date, 'BIRTH'
        from babies where lives
    """)
    con.execute(f"""
        insert into died
        select person_no,
            least(birth_date + 1 + cast(floor(pow(u('infancy', person_no), 3) * 364) as int), date '{flows.to_date}')
        from babies where not lives
    """)
    con.execute(f"""
        insert into past select person_no, 1, birth_date, day, '{HOME}', area, 'BIRTH', null
        from babies join died using (person_no) where not lives
    """)
    con.execute("drop table babies")
    return next_no


def bear_abroad(con: duckdb.DuckDBPyConnection, flows: Flows, parents: str, first: int) -> int:
    """The newborn abroad, each in the country of one of `parents` (person_no, r = 1, 2, …); the next free number."""
    con.execute(f"""
        create temp table babies as
        select *, u('sex', person_no) < 0.488 as woman, {day_within(flows, "birth")} as birth_date
        from (select cast({first} + r - 1 as uinteger) as person_no, away.country
            from {parents} as p join away on p.person_no = away.person_no)
    """)
    level = "education_of(woman, year(birth_date), u('school', person_no))"
    con.execute(f"insert into born select person_no, woman, birth_date, country, null, '{HOME}', {level} from babies")
    con.execute(
        f"insert into away select person_no, woman, birth_date, country, 0, {level}, 1, birth_date, 'BIRTH', null"
        " from babies"
    )
    con.execute("""
        insert into naturalised select person_no, country from babies join nationalities using (country)
        where u('second citizenship', person_no) < dual_born_there
    """)
    con.execute("drop table babies")
    return first + flows.births_abroad
