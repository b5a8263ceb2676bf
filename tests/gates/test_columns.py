"""Every column of every contract is held to something, compiled from the contract: a ceiling on unknowns, more than one
value, and a structure where it is sex, age, area, post or a date. And every suite has its cases rule by rule."""

from collections.abc import Iterator
from functools import lru_cache

import pytest

from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.contracts.model import Contract
from hims_pipeline.gates.comparisons import ComparisonLimits, load_comparison_limits
from hims_pipeline.gates.compile import compile_rules
from hims_pipeline.gates.differences import compare_profiles
from hims_pipeline.gates.evidence import Evidence, Subject, evidence_of
from hims_pipeline.gates.profile import Profile, Rows
from hims_pipeline.gates.roles import roles_of
from hims_pipeline.settings import REPOSITORY
from tests.contracts import test_judgement_suites
from tests.synthetic import test_broken, test_money, test_registers, test_surveys

DATA, EXPECTATIONS = REPOSITORY / "data", REPOSITORY / "expectations"
MANY = 1_000_000.0
SPELT = {"year": "2023", "quarter": "2023Q2", "month": "2023-05", "week": "2023-W05", "academic_year": "2022-23",
         "date": "2023-05-31"}  # fmt: skip
# What a column of some role holds that is well, and the same disturbed: by measure, for `about` the column.
AGES = {str(age): 1000.0 for age in range(18, 70)}
STRUCTURE: dict[str, list[tuple[str, dict[str, float], dict[str, float]]]] = {
    "sex": [("values", {"M": 9e5, "F": 1e5}, {"M": 1e5, "F": 9e5})],
    "age": [("ages", AGES, {age: 100 * n for age, n in AGES.items() if age[-1] in "05"})],
    "area": [("values", {str(k): 1e5 for k in range(9)}, {str(k): 1e5 for k in range(4)})],
    "date": [("day_of_month", {str(k): 3e4 for k in range(1, 29)}, {"1": 1e6, "2": 1.0})],
}
STRUCTURE |= dict.fromkeys(("birth_year", "birth_date"), STRUCTURE["age"])
STRUCTURE |= dict.fromkeys(("post", "country"), STRUCTURE["area"])


@lru_cache(maxsize=1)
def contracts() -> dict[str, Contract]:
    return load_contracts(DATA)


@lru_cache(maxsize=1)
def limits() -> ComparisonLimits:
    found = load_comparison_limits(EXPECTATIONS)
    assert found is not None
    return found


def layouts(contract: Contract) -> Iterator[tuple[str, str]]:
    """Every entity in a period of every layout."""
    periods = [SPELT[contract.period.pattern], *(max(one.known_periods) for one in contract.layouts)]
    yield from ((name, period) for name in contract.entities for period in dict.fromkeys(periods))


def subject(contract: Contract, name: str, period: str, rows: Rows) -> Subject:
    roles = roles_of(contract, name, period)
    forms: Rows = [("form", one, "same", 1.0) for one in roles.of]
    return Subject(contract, name, period, Profile([("rows", "", "", MANY), *forms, *rows]), roles)


def beyond(found: list[Evidence], contract: Contract, name: str, period: str, column: str) -> set[str]:
    """The measures of a column that are beyond their limits."""
    told = set()
    for one in found:
        if one.about == column and one.value is not None:
            limit, of_columns = limits().of(contract.source, name, period, one.measure)
            told |= {one.measure} if one.value > of_columns.get(column, limit) else set()
    return told


@pytest.mark.parametrize("source", sorted(load_contracts(DATA)))
def test_no_column_may_be_wholly_unknown(source: str) -> None:
    contract = contracts()[source]
    for name, period in layouts(contract):
        entity = contract.entity_in(name, period)
        held = {rule.column for rule in compile_rules(contract, period) if rule.code.endswith("-REQUIRED")}
        for column in entity.kept_columns:
            found = evidence_of(subject(contract, name, period, [("unknown", column.name, "", MANY)]))
            ceiling = beyond(found, contract, name, period, column.name) & {"unknown", "hardly_filled"}
            # What a contract requires may still be given as unknown, code by code.
            assert ceiling or column.may_be_empty or (column.name in held and not column.absent.has_reason), (
                name, period, column.name,
            )  # fmt: skip


@pytest.mark.parametrize("source", sorted(load_contracts(DATA)))
def test_no_column_of_several_values_may_hold_one(source: str) -> None:
    contract = contracts()[source]
    for name, period in layouts(contract):
        entity, roles = contract.entity_in(name, period), roles_of(contract, name, period)
        for column in entity.kept_columns:
            role, keyed = roles.of[column.name], column.name in entity.key or column.unique
            single = len(column.codes or ()) == 1
            stated = entity.period is not None and column.name in entity.period.columns  # held by the period's rule
            if single or keyed or stated or role in ("identifier", "period"):
                continue
            one, several = _constant(role, column.name)
            found = compare_profiles(subject(contract, name, period, one), subject(contract, name, period, several))
            assert beyond(found, contract, name, period, column.name), (name, period, column.name, role)


def _constant(role: str, about: str) -> tuple[Rows, Rows]:
    """A column of one value, and one of several, as profiles tell them."""
    if role in ("amount", "weight"):
        alike: Rows = [("amount", about, "count", MANY), ("amount", about, "sum", MANY)]
        return [*alike, ("amount", about, "squares", MANY)], [*alike, ("amount", about, "squares", 2 * MANY)]
    if role == "date":
        (measure, well, ill), = STRUCTURE["date"]  # fmt: skip
        return _counted(measure, about, ill), _counted(measure, about, well)
    if role == "year":
        return _counted("values", about, {"2020": MANY}), _counted(
            "values", about, {str(k): 9e4 for k in range(2010, 2021)}
        )
    measure = "ages" if role in ("age", "birth_year", "birth_date") else "values"
    return _counted(measure, about, {"30": MANY}), _counted(measure, about, {str(k): 9e4 for k in range(30, 41)})


def _counted(measure: str, about: str, counts: dict[str, float]) -> Rows:
    return [(measure, about, key, n) for key, n in counts.items()]


@pytest.mark.parametrize("source", sorted(load_contracts(DATA)))
def test_sex_age_area_post_and_dates_have_a_structure(source: str) -> None:
    contract = contracts()[source]
    for name, period in layouts(contract):
        roles = roles_of(contract, name, period)
        for column, role in roles.of.items():
            for measure, well, ill in STRUCTURE.get(role, ()):
                now, before = (
                    subject(contract, name, period, _told(roles.counts_rows, measure, column, one))
                    for one in (ill, well)
                )
                assert beyond(compare_profiles(now, before), contract, name, period, column), (
                    name,
                    period,
                    column,
                    role,
                )
                assert not beyond(compare_profiles(before, before), contract, name, period, column), (
                    name,
                    period,
                    column,
                )


def _told(counts_rows: bool, measure: str, about: str, counts: dict[str, float]) -> Rows:
    rows = _counted(measure, about, counts)
    return rows if counts_rows or measure != "values" else [*rows, *_counted("amounts", about, counts)]


def test_every_suite_is_broken_rule_by_rule_somewhere() -> None:
    """Each of these tests holds that a case breaks every rule of its suites; what no mutant trips is tried there."""
    tried = {
        *test_registers.ENTITY, *test_money.SOURCES, *test_surveys.SPOILT, *test_judgement_suites.SOURCES,
        *(one.split("__")[0] for one in test_broken.SUITES), "rgph_one_in_five",  # test_census
        "oecd_migration", "published_claims",  # test_oecd, test_published_claims
        "person_links", "release", "warehouse",  # test_linkage, test_release_suite, test_across
    }  # fmt: skip
    assert {path.stem.split("__")[0] for path in EXPECTATIONS.glob("*.json")} == tried
