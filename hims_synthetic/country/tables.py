"""The country's tables in their narrow form (codes of one or two bytes), and the views that others read.

Not here: who is in them (`people`, `life`).
"""

from collections.abc import Sequence

import duckdb

from hims_pipeline.sql import literal, literals
from hims_synthetic.recipe import OLDEST, Recipe

REASONS = ("BIRTH", "EMP", "EDUC", "FAM", "OTH", "RETURN")
ROUTES = ("REGULAR", "IRREGULAR")
NUMBERS = 10_000_000  # identity numbers that start with 9
LEVELS = ("low", "low", "low", "middle", "middle", "high")  # groups of occupations by level of education


def pick(values: Sequence[str | int], weights: Sequence[float], number: str) -> str:
    """SQL: one of the values, by a column that is uniform in [0, 1)."""
    whole, reached, parts = sum(weights), 0.0, []
    kept = [(value, weight) for value, weight in zip(values, weights, strict=True) if weight > 0]
    for value, weight in kept[:-1]:
        reached += weight
        parts.append(f"when {number} < {reached / whole!r} then {literal(value)}")
    last = literal(kept[-1][0])
    return f"case {' '.join(parts)} else {last} end" if parts else last


def weight_by_age(weights: Sequence[float], age: str) -> str:
    """SQL: the weight of an age in completed years."""
    return f"([{', '.join(map(repr, weights))}])[1 + least(greatest({age}, 0), {OLDEST})]"


def make_macros(con: duckdb.DuckDBPyConnection, recipe: Recipe) -> None:
    """Types of codes, and macros: `area_in(governorate, number)`, `education_of(woman, year, number)`."""
    for name, values in (("iso3", recipe.countries), ("reason_code", REASONS), ("route_code", ROUTES)):
        con.execute(f"create type {name} as enum ({literals(values)})")
    areas, first, number = recipe.delegations, [0] * 100, [1] * 100
    for governorate in recipe.governorates:
        members = [at for at, code in enumerate(areas, 1) if code.startswith(governorate)]
        first[int(governorate) - 1], number[int(governorate) - 1] = members[0], len(members)
    con.execute(f"create macro area_in(g, number) as cast(({first})[g] + floor(number * ({number})[g]) as usmallint)")
    # Another area of the same governorate: one to n - 1 places on, in a circle.
    con.execute(
        f"create macro next_area(g, area, number) as cast(({first})[g]"
        f" + (area - ({first})[g] + 1 + cast(floor(number * (({number})[g] - 1)) as bigint)) % ({number})[g]"
        " as usmallint)"
    )
    con.execute(f"create macro area_code(area) as ([{literals(areas)}])[area]")
    con.execute(f"create macro education_of(woman, year, number) as {_education(recipe)}")


def _education(recipe: Recipe) -> str:
    names = ("none", "primary", "lower", "upper", "vocational", "higher")
    parts = []
    for row in sorted(recipe.tables["education"], key=lambda one: -int(one["born_from"])):
        level = pick(range(len(names)), [float(row[name]) for name in names], "number")
        parts.append(f"when year >= {row['born_from']} and woman = {str(row['sex'] == 'F').lower()} then {level}")
    return f"cast(case {' '.join(parts)} else 0 end as utinyint)"


_PERSON = "person_no uinteger, woman boolean, birth_date date"
_STAY = "stay_no utinyint, from_date date"
TABLES = {
    "born": f"{_PERSON}, birth_country iso3, birth_area usmallint, citizenship iso3, education utinyint",
    "died": "person_no uinteger, day date",
    "naturalised": "person_no uinteger, country iso3",
    "past": f"person_no uinteger, {_STAY}, to_date date, country iso3, area usmallint, reason reason_code,"
    " route route_code",
    "home": f"{_PERSON}, governorate utinyint, area usmallint, is_foreign boolean, citizenship iso3,"
    f" education utinyint, {_STAY}, reason reason_code",
    "away": f"{_PERSON}, country iso3, origin utinyint, education utinyint, {_STAY}, reason reason_code,"
    " route route_code",
}


def make_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Empty tables: all persons, the dead, second citizenships, ended stays; those at home and abroad at the moment."""
    for name, columns in TABLES.items():
        con.execute(f"create table {name} ({columns})")


def make_views(con: duckdb.DuckDBPyConnection, recipe: Recipe) -> None:
    """The interface, `persons` and `stays`, once everybody has lived; the working tables go."""
    from hims_synthetic.streams import HOME

    con.execute(f"""
        insert into past
        select person_no, stay_no, from_date, null, {literal(HOME)}, area, reason, null from home
        union all
        select person_no, stay_no, from_date, null, country, null, reason, route from away
    """)
    end = recipe.tables["periods"][-1]["to_date"]
    con.execute("drop table home")
    con.execute("drop table away")
    # Numbers are dealt to citizens who were born here, were 18 once and lived in the last two decades; one in five of
    # the old never had one. There are fewer than ten million such persons, and as many numbers that start with 9.
    con.execute(f"""
        create table everybody as
        with numbered as (
            select
                born.*, died.day as death_date, naturalised.country as second_citizenship,
                born.citizenship = {literal(HOME)} and birth_area is not null
                    and birth_date + interval 18 year <= coalesce(died.day, date {literal(end)})
                    and coalesce(died.day >= date {literal(recipe.tables["periods"][-4]["to_date"])}, true)
                    and not (birth_date < date '1960-01-01' and u('no number', born.person_no) < 0.22) as has_number
            from born
            left join died on born.person_no = died.person_no
            left join (select person_no, min(country) as country from naturalised group by person_no) as naturalised
                on born.person_no = naturalised.person_no
        ),
        ranked as (
            select person_no, cast(row_number() over (order by person_no) - 1 as uinteger) as number
            from numbered where has_number
        )
        select numbered.* exclude (has_number), if(number < {NUMBERS}, number, null) as number
        from numbered left join ranked on numbered.person_no = ranked.person_no
        order by numbered.person_no
    """)
    for name in ("born", "died", "naturalised"):
        con.execute(f"drop table {name}")
    con.execute(f"create view persons as {_persons_view(recipe)}")
    con.execute("""
        create view stays as
        select cast(person_no as bigint) as person_no, cast(stay_no as int) as stay_no, from_date, to_date,
            cast(country as varchar) as country, substr(area_code(area), 1, 2) as governorate,
            area_code(area) as delegation, cast(reason as varchar) as reason, cast(route as varchar) as route
        from past
    """)


def _persons_view(recipe: Recipe) -> str:
    """Names, numbers and occupations follow from the person's number and are not stored."""
    sizes = {part: sum(row["part"] == part for row in recipe.tables["names"]) for part in ("M", "F", "family")}
    groups = {name: pick(*recipe.choices("occupation", name), "o") for name in dict.fromkeys(LEVELS)}
    occupation = " ".join(
        f"when ([{literals(LEVELS)}])[1 + education] = {literal(n)} then {sql}" for n, sql in groups.items()
    )
    branch = pick(*recipe.choices("branch", "all"), "b")
    return f"""
        select
            cast(person_no as bigint) as person_no, if(woman, 'F', 'M') as sex, birth_date, death_date,
            cast(birth_country as varchar) as birth_country, substr(area_code(birth_area), 1, 2) as birth_governorate,
            cast(citizenship as varchar) as citizenship, cast(second_citizenship as varchar) as second_citizenship,
            '9' || lpad(cast(cast(number as bigint) * 7368787 % {NUMBERS} as varchar), 7, '0') as national_id,
            'X' || lpad(cast(cast(person_no as bigint) * 73687877 % 100000000 as varchar), 8, '0') as passport_no,
            cast(floor(pow(u('given name', person_no), 1.4) * if(woman, {sizes["F"]}, {sizes["M"]})) as int)
                as given_no,
            cast(floor(pow(u('family name', person_no), 1.4) * {sizes["family"]}) as int) as family_no,
            cast(education as varchar) as education,
            if(works, case {occupation} end, null) as occupation,
            if(works, {branch}, null) as branch
        from (
            select *, u('occupation', person_no) as o, u('branch', person_no) as b,
                u('works', person_no) < if(woman, 0.36, 0.88) as works
            from everybody
        )
    """
