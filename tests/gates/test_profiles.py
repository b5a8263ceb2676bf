"""Batches judged by their profile: each measure has a case that breaks it, and a like batch breaks none."""

from dataclasses import replace
from pathlib import Path

import pytest

from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import ContractError, Damaged
from hims_pipeline.gates import GateError, canary_profiles, judge
from hims_pipeline.gates.comparisons import SUFFIX, find_closest, load_comparison_limits, profile_rules, write_evidence
from hims_pipeline.gates.differences import compare_profiles
from hims_pipeline.gates.engine import evaluate
from hims_pipeline.gates.evidence import Evidence, Subject, evidence_of
from hims_pipeline.gates.measures import MEASURES
from hims_pipeline.gates.pooled_evidence import compare_with_all, take_larger
from hims_pipeline.gates.predecessor_evidence import Predecessor, choose_near, keep_profile
from hims_pipeline.gates.profile import Profile, Rows
from hims_pipeline.gates.roles import roles_of
from hims_pipeline.gates.statistics import difference_of_shares, distance, largest_shift, lowest_share
from hims_pipeline.gates.suites import break_on_nothing
from hims_pipeline.intake.predecessors import choose_predecessors
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sql import connection, literal
from tests.mutants.quick import broken_rules

CONTRACT = Contract.model_validate(canary_profiles._SOURCE)
_ROWS = canary_profiles._SOURCE["entities"]["rows"]
_WHO = {"name": "who", "sensitivity": "identifier"}
NAMED = Contract.model_validate(
    canary_profiles._SOURCE | {"entities": {"rows": _ROWS | {"columns": [*_ROWS["columns"], _WHO]}}}
)
CELLS = Contract.model_validate(
    canary_profiles._SOURCE
    | {
        "period": {"pattern": "date"}, "reference_point": "TO_DATE",
        "entities": {
            "rows": {
                "title": {"en": "Cells"}, "grain": "a cell", "files": ["c*"], "key": ["geo", "year"],
                "period": {"year": "year", "up_to": True},
                "columns": [
                    {"name": "geo", "crosswalk": "ISO3", "required": True},
                    {"name": "year", "type": "integer"},
                    {"name": "n", "type": "integer"},
                ],
                "feeds": [{"fact": "mirror_cells", "columns": {"observed_value": {"from": "n"}}}],
            }
        },
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", tmp_path_factory.mktemp("home"))


def subject(rows: Rows, period: str = "2024-06", contract: Contract = NAMED) -> Subject:
    return Subject(contract, "rows", period, Profile(rows), roles_of(contract, "rows", period))


def values(measure: str, about: str, **counts: float) -> Rows:
    return [(measure, about, key.removeprefix("_"), float(n)) for key, n in counts.items()]


def beyond(now: Subject, before: Subject | None = None) -> set[str]:
    found = [*evidence_of(now), *(compare_profiles(now, before) if before else ())]
    limits = load_comparison_limits(REPOSITORY / "expectations").limits
    return {one.measure for one in found if one.value is not None and not one.value <= limits[one.measure]}


ALL = [("rows", "", "", 1000.0)]
FORMS = [("form", name, "same", 1.0) for name in ("no", "day", "area", "sex", "age", "why", "wage", "geo", "year", "n")]
ALONE = {
    "unknown": [*ALL, *values("unknown", "area", _=0), ("unknown", "area", "", 450.0)],
    "hardly_filled": [*ALL, ("unknown", "wage", "", 990.0)],
    "constant": [*ALL, *values("values", "area", _1=1000)],
    "one_sex": [*ALL, *values("values", "sex", M=995, F=5)],
    "one_age": [*ALL, *values("ages", "age", _33=700, _40=300)],
    "digit": [*ALL, *values("ages", "age", **{f"_{age}": 90 if age % 10 == 8 else 20 for age in range(20, 70)})],
    "oldest": [*ALL, *values("ages", "age", _33=100, _34=100, _35=100, _99=40)],
    "unborn": [*ALL, *[("ages", "age", "-1", 40.0)], *values("ages", "age", _33=100, _34=100)],
    "runs_alone": [*ALL, ("runs", "", "", 900.0), ("runs_twice", "", "", 400.0)],
}
BOTH = values("values", "why", _b=500, _c=400)
# measure -> this batch, the one before
BESIDE = {
    "size_revised": ([("rows", "", "", 85_000.0)], [("rows", "", "", 100_000.0)]),
    "more_women_by_age": (
        values("by_sex", "age", **{"F|3": 700, "M|3": 300}), values("by_sex", "age", **{"F|3": 300, "M|3": 700}),
    ),
    "more_women_by_area": (
        values("by_sex", "area", **{"F|3": 700, "M|3": 300}), values("by_sex", "area", **{"F|3": 300, "M|3": 700}),
    ),
    "more_women_by_category": (
        values("by_sex", "why", **{"F|3": 700, "M|3": 300}), values("by_sex", "why", **{"F|3": 300, "M|3": 700}),
    ),
    "strength": ([*BOTH, ("strength", "area|why", "", 0.05), ("paired", "area|why", "", 5e4)],
                 [*BOTH, ("strength", "area|why", "", 0.5), ("paired", "area|why", "", 5e4)]),
    "slipped": ([*BOTH, ("strength", "area|why", "", 0.05), ("paired", "area|why", "", 4e4)],
                [*BOTH, ("strength", "area|why", "", 0.12), ("paired", "area|why", "", 4e4)]),
    "told": ([("told", "area|why", "", 0.1), ("to_tell", "area|why", "", 24.0)],
             [("told", "area|why", "", 0.95), ("to_tell", "area|why", "", 24.0)]),
    "sexes_exchanged": (
        values("by_sex", "why", **{"F|a": 480, "M|a": 520, "F|b": 600, "M|b": 400}),
        values("by_sex", "why", **{"F|a": 520, "M|a": 480, "F|b": 400, "M|b": 600}),
    ),
    "narrowed": (values("values", "why", _b=900, _a=0)[:1], values("values", "why", _b=900, _c=90)),
    "repeated": (
        [("known", "who", "", 900.0), ("different", "who", "", 800.0)],
        [("known", "who", "", 900.0), ("different", "who", "", 890.0)],
    ),
    "rarer_sex": (values("values", "sex", M=960, F=40), values("values", "sex", M=9000, F=1000)),
    "along": ([("along", "no|day", "", 0.6)], [("along", "no|day", "", 0.99)]),
    "days_of_month": (values("day_of_month", "day", _1=900, _2=100), values("day_of_month", "day", _1=500, _2=500)),
    "dates_order": (
        [("order", "day|end", "later", 300.0), ("order", "day|end", "both", 900.0)],
        [("order", "day|end", "later", 0.0), ("order", "day|end", "both", 900.0)],
    ),
    "one_day": (
        [*values("day_of_month", "day", _1=500, _2=500), ("top_day", "day", "", 400.0)],
        [*values("day_of_month", "day", _1=500, _2=500), ("top_day", "day", "", 100.0)],
    ),
    "stale": (values("years_back", "day", _1=500, _2=500), values("years_back", "day", _0=500, _1=500)),
    "years": (values("years_back", "day", _0=900, _1=100), values("years_back", "day", _0=500, _1=500)),
    "year_lost": (
        values("years_back", "day", _0=500, _1=500, _3=500, _4=500),
        values("years_back", "day", _0=500, _1=500, _2=500, _3=500, _4=500),
    ),
}  # fmt: skip


@pytest.mark.parametrize("measure", ALONE)
def test_what_a_batch_says_by_itself(measure: str) -> None:
    assert measure in beyond(subject([*FORMS, *ALONE[measure]]))


@pytest.mark.parametrize("measure", BESIDE)
def test_what_a_batch_says_beside_another(measure: str) -> None:
    usual = [*FORMS, *ALL[: measure != "size_revised"], *values("values", "area", _1=1000, _2=900)]
    usual += [*values("values", "why", _b=500), *values("ages", "age", _30=50)]
    now, before = (subject([*usual, *rows]) for rows in BESIDE[measure])
    assert measure in beyond(now, before)
    assert measure not in beyond(before, before)


def test_cells_lose_no_country_fall_back_no_sum_and_leap_nowhere() -> None:
    cells = [*FORMS, *ALL, *values("values", "geo", FRA=50, ITA=50), *values("amounts", "geo", FRA=900, ITA=100)]
    before = subject([*cells, ("amount", "n", "sum", 1000.0)], "2024-06-30", CELLS)
    less = [one for one in cells if one[2] != "ITA"]
    now = [*less, ("amount", "n", "sum", 900.0), ("spike", "n", "", 100.0), ("divisor", "n", "", 12.0)]
    now = subject(now, "2024-07-31", CELLS)
    assert {"lost", "fell", "spike", "divisor"} <= beyond(now, before)
    years = (
        [*cells, *values("amounts", "year", _2020=500, _2021=500)],
        [*cells, *values("amounts", "year", _2020=500, _2021=600)],
    )
    gone = [[*cells, ("holes", "year", "", share)] for share in (0.2, 0.02)]
    assert "cells_missing" in beyond(*(subject(one, "2024-06-30", CELLS) for one in gone))
    assert "year_revised" in beyond(*(subject(one, "2024-06-30", CELLS) for one in years))
    assert beyond(before, before) == set()


def test_a_stock_that_holds_nothing_new_is_seen() -> None:
    stock = NAMED.model_copy(update={"measure_type": "stock"})
    before, again, other = (
        subject([*ALL, *values("digest", "", **{f"_{run}": 1 for run in runs})], period, stock)
        for runs, period in (
            (range(0, 198, 2), "2024-05"),
            (range(0, 198, 2), "2024-06"),
            (range(0, 198, 3), "2024-06"),
        )
    )
    assert "nothing_new" in beyond(again, before)
    assert "nothing_new" not in beyond(other, before)


def test_weights_that_are_all_one_or_lie_apart_are_seen() -> None:
    def weights(squares: float) -> Subject:
        rows = [
            ("amount", "wage", "count", 900.0),
            ("amount", "wage", "sum", 900.0),
            ("amount", "wage", "squares", squares),
        ]
        found = subject([*FORMS, *ALL, *rows])
        return replace(found, roles=replace(found.roles, of=found.roles.of | {"wage": "weight"}))

    assert "spread" in beyond(weights(900.0), weights(1800.0))
    assert "spread" in beyond(weights(9000.0), weights(1800.0))
    assert "spread" not in beyond(weights(1850.0), weights(1800.0))


def test_one_cell_that_is_lost_or_halved_is_seen_beside_the_whole() -> None:
    def table(**cells: float) -> Subject:
        counts = [*values("values", "geo", FRA=5, ITA=5), *values("cells", "", **cells)]
        return subject([*FORMS, *ALL, *counts], "2024-06-30", CELLS)

    before = table(FRA=6000, ITA=5000, DEU=40)
    assert "cell" in beyond(table(FRA=6000, ITA=0, DEU=40), before)
    assert "cell" in beyond(table(FRA=6000, ITA=50_000, DEU=40), before)
    assert "cell" not in beyond(table(FRA=600, ITA=500, DEU=9), before)  # all fell alike, and a small one by chance
    halved = next(one for one in compare_profiles(table(FRA=3000, ITA=5000, DEU=40), before) if one.measure == "cell")
    assert (halved.value or 0) > 0.2


def test_wages_of_a_currency_a_seventh_higher_are_seen_and_a_year_s_growth_is_not() -> None:
    def wages(*shares: int, currency: str = "EUR") -> Subject:
        rows = [("amount_levels", "wage", f"{currency}|{30 + place}", float(n)) for place, n in enumerate(shares)]
        found = subject([*FORMS, *ALL, *rows])
        return replace(found, roles=replace(found.roles, of=found.roles.of | {"why": "currency"}))

    before = wages(200, 500, 300)
    assert "amount_levels" in beyond(wages(60, 340, 500, 100), before)
    assert "amount_levels" not in beyond(wages(160, 500, 340), before)
    assert "amount_levels" not in beyond(wages(6, 34, 50, 10, currency="USD"), before)
    assert "amount_levels" not in beyond(wages(2, 6, 12), wages(6, 14, 8))  # too few to say anything


@pytest.mark.parametrize(
    ("low", "high", "rows", "is_seen"),
    [(1, 1000, 1000, False), (284, 1000, 717, True), (1, 1000, 717, True), (1101, 2000, 900, False)],
)
def test_numbers_that_begin_anew_are_missing_from_the_first_on(low: float, high: float, rows: float, is_seen: bool):
    def register(low: float, high: float, rows: float) -> Subject:
        return subject([("rows", "", "", rows), ("keys", "no", "min", low), ("keys", "no", "max", high)])

    assert ("numbers_missing" in beyond(register(low, high, rows), register(1, 1100, 1100))) == is_seen


@pytest.mark.parametrize(
    ("top", "below", "rows", "is_seen"),
    [(40.0, 32.0, 900, False), (4000.0, 32.0, 900, True), (4000.0, 0.0, 900, True), (4000.0, 32.0, 90, False)],
)
def test_a_weight_many_times_the_next_ones_is_seen(top: float, below: float, rows: float, is_seen: bool) -> None:
    weights = [("amount", "wage", *one) for one in (("top", top), ("below_top", below), ("count", rows))]
    now = subject([*ALL, *weights])
    now = replace(now, roles=replace(now.roles, of=now.roles.of | {"wage": "weight"}))
    assert ("heaviest" in beyond(now)) == is_seen


def test_an_area_whose_weights_are_halved_is_seen_and_all_weights_halved_are_not() -> None:
    def survey(*means: float) -> Subject:
        rows = [("weighed", "area", str(place), mean) for place, mean in enumerate(means)]
        rows += [("weighed_apart", "area", str(place), 0.3) for place in range(len(means))]
        counts = [("values", "area", str(place), 400.0) for place in range(len(means))]
        now = subject([*FORMS, *ALL, *rows, *counts])
        return replace(now, roles=replace(now.roles, of=now.roles.of | {"wage": "weight"}))

    before = survey(1.2, 0.8, 1.0)
    assert "weights_by_area" in beyond(survey(1.3, 0.4, 1.3), before)
    assert "weights_by_area" not in beyond(survey(1.1, 0.9, 1.0), before)


def test_the_sexes_exchanged_in_one_area_are_seen_where_chance_cannot_do_it() -> None:
    def women(*shares: float, of: int = 1_000) -> Subject:
        rows = [
            row for place, share in enumerate(shares)
            for row in values("by_sex", "area", **{f"F|{place}": share * of, f"M|{place}": (1 - share) * of})
        ]  # fmt: skip
        return subject([*FORMS, *ALL, *values("values", "area", _1=900, _2=900), *rows])

    before = women(0.40, 0.42, 0.38)
    assert "sexes_exchanged" in beyond(women(0.40, 0.42, 0.62), before)
    assert "sexes_exchanged" not in beyond(women(0.44, 0.46, 0.42), before)  # a real change
    assert "sexes_exchanged" not in beyond(women(0.4, 0.42, 0.62, of=60), women(0.4, 0.42, 0.38, of=60))


def test_a_small_batch_is_held_against_all_before_it_together() -> None:
    def quarter(women: int, rows: int = 150) -> Subject:
        return subject([("form", "sex", "same", 1.0), ("rows", "", "", float(rows)),
                        *values("values", "sex", F=women, M=rows - women)])  # fmt: skip

    former = [quarter(n) for n in (38, 36, 40, 37, 39, 36, 38, 40)]
    fewer = quarter(18)
    assert {one.measure: one.value for one in compare_profiles(fewer, former[-1])}["more_women"] == pytest.approx(
        0, abs=0.01
    )
    together = {one.measure: one.value for one in compare_with_all(fewer, former)}
    assert together["more_women"] > 0.02
    assert all(one.value == 0 for one in compare_with_all(quarter(34), former))
    assert compare_with_all(fewer, former[:2]) == []  # none of two can be held against the others
    assert compare_with_all(quarter(180, 1_500), former) == []
    seasons = [quarter(n) for n in (38, 8, 40, 9, 38, 7, 39, 9)]
    assert all(one.value == 0 for one in compare_with_all(quarter(8), seasons))  # what is usual is no evidence
    near, far = Evidence("shift", "sex", 0.1), Evidence("shift", "sex", 0.5)
    assert take_larger([near, Evidence("ages", "age", None)], [far]) == [far, Evidence("ages", "age", None)]


def test_each_measure_has_a_case_a_limit_and_words_in_three_languages() -> None:
    shown = {one for _, must in canary_profiles.BAD.values() for one in must}
    assert MEASURES.keys() == {
        *ALONE,
        *BESIDE,
        *shown,
        "year_revised",
        "amount_levels",
        "cell",
        "spread",
        "cells_missing",
        "lost",
        "fell",
        "spike",
        "divisor",
        "heaviest",
        "weights_by_area",
        "nothing_new",
    }
    assert all(one.en and one.fr and one.ar for one in MEASURES.values())
    codes = [rule.code for rule in profile_rules(REPOSITORY / "expectations", CONTRACT, "2024-06")]
    assert len(codes) == len(set(codes)) > 20


def test_a_canary_that_finds_nothing_stops_the_gate(settings: Settings, tmp_path: Path) -> None:
    canary_profiles.show(settings)
    loose = load_comparison_limits(settings.expectations).limits | {"again": 2.0}
    (tmp_path / "comparisons.yml").write_text(f"limits: {loose}\n", encoding="utf-8")
    with pytest.raises(GateError, match="canaries went wrong: again"):
        canary_profiles.show(replace(settings, expectations=tmp_path))
    (tmp_path / "comparisons.yml").write_text("limits: {size: 1}\n", encoding="utf-8")
    with pytest.raises(ContractError, match="no limit for"):
        load_comparison_limits(tmp_path)


@pytest.mark.parametrize(("lines", "holds"), [([], True), ([Evidence("size", "", 9.0)], False)])
def test_great_expectations_judges_the_evidence_and_silence_breaks(settings: Settings, lines, holds) -> None:
    rules = [one for one in profile_rules(settings.expectations, CONTRACT, "2024-06") if "SIZE" in one.code]

    def fill(con) -> None:
        write_evidence(con, "rows", lines, True)
        con.execute(f"delete from \"rows{SUFFIX}\" where measure = 'size_revised'")

    found = {one.rule.code: one.success for one in evaluate(settings, fill, rules)}
    assert found == {"CANARY-ROWS-PROFILE-SIZE": holds, "CANARY-ROWS-PROFILE-SIZE-REVISED": False}


def test_a_batch_is_judged_beside_the_one_before_and_its_profile_is_kept(settings: Settings, tmp_path: Path) -> None:
    quiet = replace(settings, expectations=tmp_path)
    (tmp_path / "comparisons.yml").write_bytes((settings.expectations / "comparisons.yml").read_bytes())
    tables = {name: tmp_path / f"{name}.parquet" for name in ("before", "good", "bad")}
    with connection(settings) as con:
        for name, query in {
            "before": canary_profiles._DRAWN.format(month=5, seed=0, rows=900),
            "good": canary_profiles._DRAWN.format(month=6, seed=7777, rows=950),
        }.items():
            con.execute(f"create table {name} as {query}; copy {name} to {literal(tables[name])} (format parquet)")
        con.execute(f"copy (select * replace ('M' as sex) from good) to {literal(tables['bad'])} (format parquet)")
    first = judge(quiet, CONTRACT, "2024-05", {"rows": tables["before"]}, profile_to=tmp_path / "profile.parquet")
    assert (first.accepted, first.compared_with) == (True, {}), first.findings
    assert (tmp_path / "profile.parquet").stat().st_mode & 0o777 == 0o600
    before = Predecessor("canary/2024-05/x", "2024-05", tmp_path / "profile.parquet", first.profile_sha256)
    second = judge(quiet, CONTRACT, "2024-06", {"rows": tables["good"]}, before=[before])
    assert (second.accepted, second.compared_with) == (True, {before.batch: before.sha256}), second.findings
    third = judge(quiet, CONTRACT, "2024-06", {"rows": tables["bad"]}, before=[before])
    assert {"CANARY-ROWS-PROFILE-ONE-SEX", "CANARY-ROWS-PROFILE-MORE-WOMEN"} <= {one.rule for one in third.findings}
    quickly = broken_rules(quiet, CONTRACT, "2024-06", {"rows": tables["bad"]}, [before])
    for codes, severity in zip(quickly, ("blocking", "warning"), strict=True):
        assert sorted(codes) == sorted(one.rule for one in third.findings if one.severity == severity)
    assert next(one.column for one in third.findings if one.rule.endswith("MORE-WOMEN")) == "sex"
    keep_profile(settings, {}, tmp_path / "profile.parquet")
    with pytest.raises(Damaged, match="not the profile"):
        judge(quiet, CONTRACT, "2024-06", {"rows": tables["good"]}, before=[before])


def test_predecessors_are_the_same_period_the_one_before_the_season_or_the_next() -> None:
    sent = [(f"canary/{period}/x", period, Path("p"), "h") for period in ("2023-06", "2024-04", "2024-05", "2024-08")]
    assert [one.period for one in choose_predecessors(sent, CONTRACT, "2024-05")] == ["2024-05"]
    assert [one.period for one in choose_predecessors(sent, CONTRACT, "2024-06")] == ["2024-05", "2023-06", "2024-04"]
    assert [one.period for one in choose_predecessors(sent, CONTRACT, "2023-01")] == ["2023-06"]
    before = [Predecessor(*one) for one in sent]
    assert [one.period for one in choose_near(before, CONTRACT, "2024-05")] == ["2024-05"]
    assert [one.period for one in choose_near(before, CONTRACT, "2024-06")] == ["2024-05", "2023-06"]
    assert [one.period for one in choose_near(before, CONTRACT, "2023-01")] == ["2023-06"]
    assert choose_predecessors([], CONTRACT, "2024-05") == []
    near, far = [Evidence("size", "", 0.1)], [Evidence("size", "", 0.5), Evidence("ages", "age", None)]
    assert find_closest([far, near]) == [near[0], far[1]]


@pytest.mark.parametrize(
    ("query", "changed"),
    [
        ("select w from (select avg(x) as w from {batch}) as s where w not between 0.4 and 0.6", True),
        ("select w from (select avg(x) filter (where y = 1) as w from {batch}) as s where w < 1 or w > 2", True),
        ("select w from (select g, avg(x) as w from {batch} group by g) as s where w > 1", False),
        ("select w from (select x - lag(x) over (order by t) as w, max(x) from {batch}) as s where w > 1", False),
        ("select _line from {batch} where age < 15", False),
    ],
)
def test_a_figure_over_no_value_breaks_its_rule(settings: Settings, query: str, changed: bool) -> None:
    now = break_on_nothing(query)
    assert (now != query) == changed
    if changed:
        with connection(settings) as con:
            con.execute("create table nothing (x integer, y integer, g integer, t integer)")
            assert len(con.execute(now.format(batch="nothing")).fetchall()) == 1


def test_few_rows_never_cry_wolf() -> None:
    assert lowest_share(3, 10) < 0.07
    assert difference_of_shares(3, 10, 1, 12) == 0
    assert distance({"a": 4, "b": 6}, {"a": 6, "b": 3}) == 0
    assert largest_shift({"a": 4, "b": 6}, {"a": 6, "b": 1}) == 0
    assert largest_shift({"a": 500, "b": 0}, {"a": 500, "b": 60}) > 3
