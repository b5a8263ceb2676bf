"""The macro that estimates, held against the textbook written out in plain Python: domains, two phases, empty units."""

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from decimal import Decimal
from math import exp, isclose, log, sqrt

import duckdb
import pytest

from tests.jinja import compiler

BREAKDOWNS = ["reason"]
# A model that does not break down by reason has no such column.
NO_REASON = "select cast(null as varchar) as reason where false union all by name"


@pytest.fixture(scope="module")
def render() -> Callable[[str], str]:
    """Compile a call of a macro as dbt would, without dbt."""
    compiled = compiler(breakdown_columns=BREAKDOWNS)
    return lambda call: compiled("{{ " + call + " }}")


@dataclass(frozen=True)
class Person:
    batch: str
    entity: str
    stratum: str
    psu: str
    area: str
    sex: str
    reason: str
    weight: float | Decimal
    population_units: int | None = None
    years: int | None = None


def draw(seed: int) -> tuple[list[Person], list[tuple[str, str]]]:
    """A two-phase sample: districts by stratum, in each a listing, and of its households other shares by class.

    Weights are the product of both phases. In some districts drawn, the second phase finds nobody.
    """
    rng = random.Random(seed)  # noqa: S311
    persons, units = [], []
    for stratum in ("s1", "s2", "s3"):
        drawn = rng.randint(3, 6)
        for unit in range(drawn):
            units.append((stratum, f"{stratum}-{unit}"))
            for _ in range(rng.randint(0, 9)):
                migrant = rng.random() < 0.4
                if rng.random() < (0.9 if migrant else 0.5):  # drawn in the second phase
                    weight = round(40 / drawn / (0.9 if migrant else 0.5), 4)
                    reason = rng.choice(["EMP", "FAM", "_R"])
                    persons.append(
                        Person(
                            "b",
                            "e",
                            stratum,
                            f"{stratum}-{unit}",
                            f"A{rng.randint(1, 2)}",
                            rng.choice("MF"),
                            reason,
                            weight,
                        )
                    )
    return persons, units


def tables(
    persons: list[Person],
    units: list[tuple[str, str]],
    design: str = "sample",
    expand: int | None = None,
    fraction: float | None = None,
    fallback: str | None = None,
    lonely: str | None = None,
    published: tuple[float, float, float, float] | None = None,
):
    con = duckdb.connect()
    con.execute("""create table fct (batch_id varchar, entity varchar, stratum varchar, psu varchar, area_code varchar,
        sex varchar, reason_code varchar, weight_persons decimal(38,18), population_units bigint, years integer)""")
    con.executemany("insert into fct values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [astuple(one) for one in persons])
    con.execute("alter table fct add column ref_country varchar default 'XNL'")
    con.execute("alter table fct add column ssu varchar")
    con.execute("alter table fct add column population_ssus bigint")
    con.execute("create table fct_sampling_units (batch_id varchar, stratum varchar, psu varchar)")
    if units:
        con.executemany("insert into fct_sampling_units values ('b', ?, ?)", units)
    named = zip(("level", "slope", "smallest", "largest"), published or ("null",) * 4, strict=True)
    errors = ", ".join(f"{value}::double as error_{name}" for name, value in named)
    con.execute(f"""create table dim_batch as select 'b' as batch_id, 'e' as entity, 'survey' as source,
        '{design}' as design_kind, {expand or "null"}::bigint as expand_to_persons,
        {fraction or "null"}::double as sampling_fraction,
        {f"'{fallback}'" if fallback else "null"}::varchar as design_fallback,
        {f"'{lonely}'" if lonely else "null"}::varchar as lonely_units, {errors}, 'A' as freq, '2021' as time_period,
        date '2021-01-01' as period_start_date, date '2021-12-31' as period_end_date, '_Z' as vintage,
        'synthetic' as data_kind, 'XNL' as ref_country, 'everyone' as universe, '3M' as duration_rule""")
    con.execute("""create table dim_area as select unnest(['A1', 'A2']) as area_code, 'area' as level,
        'XNL' as country_code, null::varchar as claimed_by_codes, false as is_disputed,
        date '2000-01-01' as valid_from_date, null::date as valid_to_date""")
    con.execute("""create table dim_area_ancestor (area_code varchar, ancestor_code varchar, ancestor_level varchar,
        valid_from_date date, valid_to_date date)""")
    con.execute(
        "create table area_successors (former_code varchar, successor_code varchar, date varchar, weight varchar)"
    )
    return con


def answers(con, sql: str) -> dict[tuple[str, str, str], tuple[float, float | None, int, str]]:
    rows = con.execute(
        "select ref_area, sex, coalesce(reason, '_T'), obs_value, standard_error, n_obs, obs_status"
        f" from ({NO_REASON} ({sql}))"
    ).fetchall()
    found = {row[:3]: row[3:] for row in rows}
    assert len(found) == len(rows)
    return found


def textbook(persons: list[Person], drawn: dict[str, int], y, x, share: bool) -> tuple[float, float | None]:
    """Total or ratio of y and x with the variance of linearised unit totals, over all units drawn, empty ones too."""
    total_y, total_x = sum(p.weight * y(p) for p in persons), sum(p.weight * x(p) for p in persons)
    r = total_y / total_x if share else 0.0
    z: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for p in persons:
        z[p.stratum][p.psu] += p.weight * (y(p) - r * x(p))
    variance = 0.0
    for stratum, units in z.items():
        n = drawn[stratum]
        values = [*units.values(), *[0.0] * (n - len(units))]
        if n == 1:
            return (100 * r if share else total_y), None
        mean = sum(values) / n
        variance += n / (n - 1) * sum((value - mean) ** 2 for value in values)
    if share:
        return 100 * r, 100 * sqrt(variance) / total_x
    return total_y, sqrt(variance)


def near(found: float | None, wanted: float | None) -> bool:
    return found is wanted if found is None or wanted is None else isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-9)


def units_drawn(units: list[tuple[str, str]]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for stratum, _ in units:
        found[stratum] += 1
    return found


@pytest.mark.parametrize("seed", range(8))
def test_totals_by_area_and_sex(render, seed: int) -> None:
    persons, units = draw(seed)
    found = answers(
        tables(persons, units),
        render("estimates('X01', 'fct', [[], ['sex'], ['ref_area', 'sex']], measure=\"reason_code = 'EMP'\")"),
    )
    assert len(found) > 5
    for (area, sex, _), (value, error, n, _) in found.items():

        def y(p: Person, area=area, sex=sex) -> bool:
            return p.reason == "EMP" and area in ("XNL", p.area) and sex in ("_T", p.sex)

        wanted, wanted_error = textbook(persons, units_drawn(units), y, lambda p: 0, share=False)
        assert near(value, wanted)
        assert near(error, wanted_error)
        assert n == sum(map(y, persons))


@pytest.mark.parametrize("seed", range(8))
def test_shares_of_a_domain(render, seed: int) -> None:
    """The domain is who answered: those who refused, and units without anyone of the domain, are drawn all the same."""
    persons, units = draw(seed)
    measure, domain = "reason_code = 'EMP'", "reason_code != '_R'"
    call = f"estimates('X02', 'fct', [[], ['sex'], ['ref_area']], 'share', \"{measure}\", \"{domain}\")"
    for (area, sex, _), (value, error, *_) in answers(tables(persons, units), render(call)).items():

        def x(p: Person, area=area, sex=sex) -> bool:
            return p.reason != "_R" and area in ("XNL", p.area) and sex in ("_T", p.sex)

        wanted, wanted_error = textbook(
            persons, units_drawn(units), lambda p, x=x: x(p) and p.reason == "EMP", x, share=True
        )
        assert near(value, wanted)
        assert near(error, wanted_error)


@pytest.mark.parametrize("seed", range(8))
def test_parts_of_a_whole(render, seed: int) -> None:
    """Reasons in percent of all reasons given: the whole stays, also in strata without anyone of that reason."""
    persons, units = draw(seed)
    cells, domain = "[['reason'], ['sex', 'reason']]", "reason_code != '_R'"
    call = f"estimates('X03', 'fct', {cells}, kind='share', parts=['reason'], domain=\"{domain}\")"
    found = answers(tables(persons, units), render(call))
    assert {reason for _, _, reason in found} == {"EMP", "FAM"}
    for sex in ("_T", "M", "F"):
        assert isclose(sum(value for (_, s, _), (value, *_) in found.items() if s == sex), 100)
    for (_, sex, reason), (value, error, n, _) in found.items():

        def x(p: Person, sex=sex) -> bool:
            return p.reason != "_R" and sex in ("_T", p.sex)

        def y(p: Person, x=x, reason=reason) -> bool:
            return x(p) and p.reason == reason

        wanted, wanted_error = textbook(persons, units_drawn(units), y, x, share=True)
        assert near(value, wanted)
        assert near(error, wanted_error)
        assert n == sum(map(y, persons))


def test_units_without_anyone_count(render) -> None:
    """By hand: 3 units drawn, two with 10 and 20 persons: 3/2 * (10² + 20² + 0² - 30²/3) = 300."""
    persons = [Person("b", "e", "s", "u1", "A1", "M", "EMP", 10), Person("b", "e", "s", "u2", "A1", "M", "EMP", 20)]
    call = "estimates('X01', 'fct', [[]])"
    with_listing = answers(tables(persons, [("s", "u1"), ("s", "u2"), ("s", "u3")]), render(call))
    without = answers(tables(persons, []), render(call))
    assert with_listing["XNL", "_T", "_T"] == (30.0, pytest.approx(sqrt(300), rel=1e-12), 2, "U")
    assert without["XNL", "_T", "_T"] == (30.0, pytest.approx(10.0), 2, "U")  # 2/1 * (10² + 20² - 30²/2) = 100


@pytest.mark.parametrize("scale", ["0.0000001", "0.0001", "0.0123456789", "1", "100000"])
def test_weights_of_any_size_give_the_same_shares_and_errors(render, scale: str) -> None:
    """Weights that add up to 1 are a custom of many surveys: no digit of them is lost on the way to the figure."""
    persons, units = draw(7)
    scaled = [replace(one, weight=Decimal(str(one.weight)) * Decimal(scale)) for one in persons]
    share = render("estimates('X01', 'fct', [[], ['sex']], 'share', \"reason_code = 'EMP'\", \"reason_code != '_R'\")")
    total = render("estimates('X01', 'fct', [[], ['sex']])")
    plain, other = (answers(tables(some, units), share) for some in (persons, scaled))
    assert all(isclose(other[key][0], plain[key][0], rel_tol=1e-12) for key in plain)
    assert all(isclose(other[key][1], plain[key][1], rel_tol=1e-9) and other[key][1] > 0 for key in plain)
    plain, other = (answers(tables(some, units), total) for some in (persons, scaled))
    for key in plain:
        assert isclose(other[key][0], plain[key][0] * float(scale), rel_tol=1e-15)
        assert isclose(other[key][1], plain[key][1] * float(scale), rel_tol=1e-9)


def test_sums_are_conserved_to_the_last_digit(render) -> None:
    """The parts add up to the whole, and the whole is the sum of the weights as delivered."""
    weights = [Decimal("0.333333333333"), Decimal("0.000000000001"), Decimal("12345678.9"), Decimal("0.1")]
    persons = [Person("b", "e", "s", f"u{n}", "A1", "MF"[n % 2], "EMP", w) for n, w in enumerate(weights)]
    found = answers(tables(persons, []), render("estimates('X01', 'fct', [[], ['sex']])"))
    assert found["XNL", "_T", "_T"][0] == float(sum(weights))
    assert found["XNL", "M", "_T"][0] == float(weights[0] + weights[2])
    counted = [Person("b", "e", "s", "u", "A1", "M", "EMP", 1)] * 11_999
    assert (
        answers(tables(counted, [], "census"), render("estimates('X01', 'fct', [[]])"))["XNL", "_T", "_T"][0]
        == 11_999.0
    )


def test_what_split_is_shared_out_and_what_several_became_has_no_figure_of_one(render) -> None:
    persons = [Person("b", "e", "s", f"u{n}", f"A{1 + n % 2}", "M", "EMP", 10 + 20 * (n % 2)) for n in range(4)]
    con = tables(persons, [])
    con.execute("""insert into area_successors values ('A1', 'B1', '2022-01-01', '0.25'),
        ('A1', 'B2', '2022-01-01', '0.75'), ('A1', 'C', '2023-01-01', '1'), ('A2', 'C', '2023-01-01', '1')""")
    found = answers(con, render("estimates('X01', 'fct', [[], ['ref_area']])"))
    values = {area: (value, status) for (area, *_), (value, _, _, status) in found.items()}
    assert values == {
        "XNL": (80.0, "U"), "A1": (20.0, "U"), "A2": (60.0, "U"), "B1": (5.0, "E"), "B2": (15.0, "E"),
    }  # fmt: skip


def test_a_lonely_unit_gives_no_error_and_a_census_has_none(render) -> None:
    persons = [
        Person("b", "e", "s", "u1", "A1", "M", "EMP", 10),
        Person("b", "e", "t", "u1", "A2", "M", "EMP", 4),
        Person("b", "e", "t", "u2", "A2", "M", "EMP", 6),
    ]
    call = "estimates('X01', 'fct', [[], ['ref_area']])"
    found = answers(tables(persons, []), render(call))
    assert found["XNL", "_T", "_T"] == (20.0, None, 3, "A")
    assert found["A1", "_T", "_T"] == (10.0, None, 1, "A")
    assert found["A2", "_T", "_T"] == (10.0, pytest.approx(2.0), 2, "A")
    census = answers(tables(persons, [], design="census"), render(call))
    assert {error for _, error, *_ in census.values()} == {None}


def test_a_total_of_a_population_known_is_a_share_of_it(render) -> None:
    """Expanded to 100: y - R x with R = 30/100 and x of all, so that only who is counted is uncertain."""
    persons = [Person("b", "e", "s", f"u{i}", "A1", "M", "EMP" if i < 3 else "FAM", 10) for i in range(10)]
    found = answers(
        tables(persons, [], "census_sample", 100),
        render("estimates('X01', 'fct', [[]], measure=\"reason_code = 'EMP'\")"),
    )
    z = [10 * ((i < 3) - 0.3) for i in range(10)]
    value, error, *_ = found["XNL", "_T", "_T"]
    assert value == 30.0
    assert near(error, sqrt(10 / 9 * sum(one * one for one in z)))


def test_a_share_drawn_without_replacement_has_a_smaller_error(render) -> None:
    """One in five: the variance of units drawn with replacement, times 1 - 1/5 (Cochran 1977, 2.8)."""
    persons = [Person("b", "e", "s", f"u{i}", "A1", "M", "EMP" if i < 3 else "FAM", 5) for i in range(10)]
    sql = render("estimates('X01', 'fct', [[]], measure=\"reason_code = 'EMP'\")")
    (value, whole, *_), (same, fifth, *_) = (
        answers(tables(persons, [], "census_sample", fraction=fraction), sql)["XNL", "_T", "_T"]
        for fraction in (None, 0.2)
    )
    assert value == same == 15.0
    assert fifth == pytest.approx(whole * sqrt(0.8), abs=1e-5)


def test_an_error_says_what_it_is_based_on(render) -> None:
    persons = [Person("b", "e", "s", f"u{i}", "A1", "M", "EMP", 5) for i in range(3)]
    persons.append(Person("b", "e", "t", "u9", "A2", "M", "EMP", 5))
    sql = render("estimates('X01', 'fct', [['ref_area']])")
    for fallback, basis in ((None, "DESIGN"), ("HOUSE_AS_UNIT", "HOUSE_AS_UNIT")):
        rows = (
            tables(persons, [], fallback=fallback).execute(f"select ref_area, variance_basis from ({sql})").fetchall()
        )
        assert sorted(rows) == [
            ("A1", basis),
            ("A2", None),
        ]  # a lonely unit has no error that something could be said of


def test_an_error_is_no_smaller_than_what_a_producer_publishes_who_keeps_the_design_back(render) -> None:
    """A total's by its size, a share's by its numerator and domain; areas and small totals keep the fallback's."""
    persons = [Person("b", "e", "s", f"u{i}", "A1", "FM"[i % 4 > 0], "EMP", 50) for i in range(40)]
    level, slope = 4.5, 0.25
    columns = "ref_area, sex, obs_value, standard_error, variance_basis, design_effect"
    total = render("estimates('X01', 'fct', [[], ['sex'], ['ref_area']])")
    share = render("estimates('X01', 'fct', [[]], kind='share', measure=\"sex = 'M'\")")

    def found(level: float, sql: str):
        con = tables(persons, [], fallback="HOUSE_AS_UNIT", published=(level, slope, 1_000, 5_000))
        return {(area, sex): row for area, sex, *row in con.execute(f"select {columns} from ({sql})").fetchall()}

    rows = found(level, total)
    for key, value in {("XNL", "_T"): 2_000, ("XNL", "M"): 1_500}.items():
        assert rows[key][:3] == [value, pytest.approx(exp(level + slope * log(value))), "PUBLISHED_ERRORS"]
    assert rows["XNL", "M"][3] == pytest.approx(rows["XNL", "M"][1] ** 2 * 39 / (2_000 * 1_500 - 1_500**2))
    assert rows["XNL", "F"][0] == 500
    assert {rows[key][2] for key in (("XNL", "F"), ("A1", "_T"))} == {"HOUSE_AS_UNIT"}
    varied = [exp(level + slope * log(value)) / value for value in (1_500, 2_000)]
    assert found(level, share)["XNL", "_T"][:3] == [
        75.0, pytest.approx(75 * sqrt(varied[0] ** 2 - varied[1] ** 2)), "PUBLISHED_ERRORS",
    ]  # fmt: skip
    men = 50 * sqrt(40 / 39 * (30 - 30**2 / 40))
    assert found(0.5, total)["XNL", "M"][1:3] == [pytest.approx(men), "HOUSE_AS_UNIT"]


def test_a_ratio_is_of_one_group_to_another(render) -> None:
    """Men per 100 women, units of men alone among them; z = y - R x by unit."""
    persons = [
        Person("b", "e", "s", unit, "A1", sex, "EMP", weight)
        for unit, sex, weight in (("u1", "M", 3), ("u1", "F", 2), ("u2", "M", 4), ("u3", "F", 5), ("u3", "F", 1))
    ]
    sql = render("estimates('X01', 'fct', [[]], kind='ratio', measure=\"sex = 'M'\", domain=\"sex = 'F'\")")
    value, error, records, _ = answers(tables(persons, []), sql)["XNL", "_T", "_T"]
    r = 7 / 8
    z = [3 - r * 2, 4.0, -r * 6]
    assert value == pytest.approx(100 * r)
    assert near(error, 100 / 8 * sqrt(3 / 2 * (sum(one * one for one in z) - sum(z) ** 2 / 3)))
    assert records == 5
    men_alone = answers(tables(persons[2:3], []), sql)
    assert men_alone == {}  # no ratio to nobody


def test_who_was_not_asked_gives_no_figure(render) -> None:
    persons = [Person("b", "e", "s", "u1", "A1", "M", "_Z", 10)]
    sql = render("estimates('X01', 'fct', [[]], measure=\"reason_code = 'EMP'\", asked='reason_code')")
    assert answers(tables(persons, []), sql) == {}
