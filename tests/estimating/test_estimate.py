"""A domain of one's own: the figures of R's survey, what is asked wrongly, what is withheld beside published ones."""

from dataclasses import replace

import pytest

from hims_pipeline.contracts.observatory import Policies
from hims_pipeline.errors import QuestionError
from hims_pipeline.estimating.answer import BESIDE, FEW, Estimate, answer_question
from hims_pipeline.estimating.question import compose_question
from hims_pipeline.settings import REPOSITORY
from tests.estimating.world import indicator, staff_file
from tests.indicators.test_intervals import EMPLOYED, SAMPLE

OPEN = Policies(minimum_count=1, strict_count=1)


def ask(con, by=(), where="", period=None, indicators=(), policies=OPEN, **given: str) -> list[Estimate]:
    question = compose_question(con, "survey", {"kind": "total", **given}, by, where, period)
    return answer_question(con, question, REPOSITORY / "dbt_project", indicators, policies)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"kind": "share", "measure": EMPLOYED}, (54.0, 12.4337444079, 24.4831512662, 80.9544923005)),
        ({"kind": "total", "measure": EMPLOYED}, (108.0, 34.2344855372, 47.8127735076, 243.951545671)),
        ({"kind": "mean", "value": "years"}, (35.335, 3.52252415091, 26.2800634021, 44.3899365979)),
        (
            {"kind": "difference", "measure": EMPLOYED, "domain": "area_code = 'A1'", "against": "area_code = 'A2'"},
            (17.7339901478, 22.8576538869),
        ),
        ({"kind": "quantile", "value": "years"}, (33.0,)),
        ({"kind": "quantile", "value": "years", "quantile": "0.9"}, (51.0,)),
    ],
)
def test_answers_are_those_of_r(given: dict[str, str], wanted: tuple[float, ...]) -> None:
    [one] = ask(staff_file(SAMPLE), **given)
    assert one.measures[: len(wanted)] == pytest.approx(wanted, rel=1e-7)
    assert (one.entity, one.time_period, one.status) == ("e", "2021", "SHOWN")
    assert one.measures[4] == "BEYOND_SAMPLE" or one.measures[5] == 5  # degrees of freedom


def test_a_limit_keeps_the_units_drawn_and_limits_both_groups_of_a_ratio() -> None:
    con = staff_file([replace(one, sex="F" if n % 3 else "M") for n, one in enumerate(SAMPLE)])
    [by_limit] = ask(con, kind="mean", value="years", where="area_code = 'A1'")
    assert by_limit.measures[:2] == pytest.approx((30.1904761905, 0.97611080499), rel=1e-6)  # svymean of subset()
    by_area = ask(con, kind="mean", value="years", by=("area_code",))
    assert [one.by for one in by_area] == [("A1",), ("A2",)]
    assert by_area[0].measures[:2] == by_limit.measures[:2]
    [ratio] = ask(con, kind="ratio", measure="sex = 'M'", domain="sex = 'F'", where="area_code = 'A1'")
    weights = [(n % 3 == 0, one.weight) for n, one in enumerate(SAMPLE) if one.area == "A1"]
    men, women = (sum(weight for is_man, weight in weights if is_man is wanted) for wanted in (True, False))
    assert ratio.measures[0] == pytest.approx(100 * men / women)


def test_conditions_and_values_of_several_parts_stay_together() -> None:
    con = staff_file(SAMPLE)
    either = {"measure": "sex = 'F' or years > 30", "domain": "area_code = 'A1'"}
    assert ask(con, **either)[0].measures[0] == sum(p.weight for p in SAMPLE if p.area == "A1" and p.years > 30)
    one_of = {"measure": "years > 30", "domain": "area_code = 'A1' or false"}
    assert ask(con, **one_of)[0].measures[0] == ask(con, **either)[0].measures[0]
    between = {"domain": "area_code = 'A1'", "against": "area_code = 'A2'"}
    plain, more = (ask(con, kind="difference", value=v, **between)[0].measures for v in ("years", "years + 7"))
    assert more[:2] == pytest.approx(plain[:2])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"measure": "sexe = 'M'"}, "--measure: Binder Error"),
        ({"measure": "sex"}, "--measure is a condition, true or false, not a VARCHAR"),
        ({"measure": "(select true)"}, "reads its row's own columns and nothing else"),
        ({"measure": "true; drop table x"}, "syntax error"),
        ({"measure": "{{ ref('x') }}"}, "begin a template"),
        ({"kind": "share"}, "--kind share needs --measure"),
        ({"kind": "mean"}, "--kind mean needs --value"),
        ({"kind": "mean", "value": "sex"}, "--value is a number, not a VARCHAR"),
        ({"kind": "total", "value": "years"}, "--value means nothing with --kind total"),
        ({"kind": "difference", "against": "true"}, "needs --measure (of shares) or --value (of means)"),
        ({"by": ("sexe",)}, "--by sexe is no column of fct_migrants"),
        ({"by": ("sex", "sex")}, "--by sex stands twice"),
        ({"by": ("source",)}, "--by source: estimates are by source, entity and period"),
        ({"period": "1999"}, "--period 1999: survey has 2021"),
        ({"fact": "persons"}, "--fact is one of fct_migrants"),
    ],
)
def test_what_cannot_be_asked_says_why(given: dict, message: str) -> None:
    with pytest.raises(QuestionError, match=message.replace("(", r"\(").replace(")", r"\)")):
        ask(staff_file(SAMPLE), **given)


def test_a_source_without_records_names_those_with_some() -> None:
    with pytest.raises(QuestionError, match="it has those of survey"):
        compose_question(staff_file(SAMPLE), "nobody", {"kind": "total"})


MANY = [replace(SAMPLE[n % 15], psu=f"u{n % 8}", sex="MF"[n % 2], area=f"A{1 + n % 2}") for n in range(60)]
STRICT = Policies(minimum_count=10, strict_count=40)


def status(persons, published=(), indicators=(), policies=STRICT, **given) -> list[str]:
    return [
        one.status for one in ask(staff_file(persons, published), indicators=indicators, policies=policies, **given)
    ]


def test_few_records_are_withheld_with_all_that_is_said_of_them() -> None:
    few = "record_no <= 9"
    [one] = ask(staff_file(MANY), policies=STRICT, measure=few)
    assert one == Estimate("e", "2021", (), (None,) * 9, None, FEW)
    assert status(MANY, measure="record_no <= 10") == ["SHOWN"]
    assert status(MANY, kind="share", measure="record_no <= 51") == [FEW]  # the rest
    assert status(MANY, kind="mean", value="years", domain=few) == [FEW]
    assert status(MANY, kind="quantile", value="years", quantile="0.9") == [FEW]  # six above it
    assert status(MANY, kind="quantile", value="years", quantile="0.8") == ["SHOWN"]
    assert status(MANY, kind="difference", value="years", domain="record_no <= 51", against="true") == [FEW]  # beyond
    assert status(MANY, kind="total", by=("reason_code",)) == ["SHOWN", "SHOWN"]
    assert status(MANY, measure="record_no < 0", domain="sex = 'M'") == ["SHOWN"]  # nobody is a true zero


WHOLE, BY_SEX = ("XNL", "_T", "_T", "F"), [("XNL", sex, "_T", "F") for sex in "MF"]


@pytest.mark.parametrize(
    ("measure", "published", "wanted"),
    [
        ("record_no > 3", [], "SHOWN"),  # nothing is published that it could be taken from
        ("record_no > 3", [WHOLE], BESIDE),  # the published total less it: three
        ("record_no > 10", [WHOLE], "SHOWN"),
        ("sex = 'M' or record_no = 2", BY_SEX, BESIDE),  # it less the published men: one woman
        ("sex = 'M' or record_no < 30", BY_SEX, "SHOWN"),
        ("sex = 'M'", BY_SEX, "SHOWN"),  # what is published already
        ("true", [WHOLE, BY_SEX[0]], "SHOWN"),  # published itself: who is left beside the men is known already
        ("record_no > 2", BY_SEX, BESIDE),  # men and women together less it
    ],
)
def test_what_is_left_beside_published_figures_is_not_few(measure: str, published: list, wanted: str) -> None:
    record = indicator([], ["sex"])
    assert status(MANY, published, [record], measure=measure) == [wanted]


def test_a_published_total_is_shown_though_few_are_beside_its_published_parts() -> None:
    persons = [replace(one, sex="_U") if n < 4 else one for n, one in enumerate(MANY)]
    record = indicator([], ["sex"])
    assert status(persons, [WHOLE, *BY_SEX], [record]) == ["SHOWN"]
    assert status(persons, BY_SEX, [record]) == [BESIDE]  # were the total not published: four of unknown sex


def test_who_gives_no_value_hides_no_mean() -> None:
    persons = [replace(one, years=None) if n < 4 else one for n, one in enumerate(MANY)]
    assert status(persons, [WHOLE], [indicator([])], kind="mean", value="years") == ["SHOWN"]
    assert status(persons, [WHOLE], [indicator([])], kind="mean", value="years", domain="years > 0") == [BESIDE]


def test_a_part_withheld_to_hide_another_is_not_given_away() -> None:
    """Of three reasons one has few records; another is withheld with it, or the total less the rest would show it."""
    reasons = ["EMP"] * 40 + ["FAM"] * 16 + ["EDU"] * 4
    persons = [replace(one, reason=reason) for one, reason in zip(MANY, reasons, strict=True)]
    record = indicator([], ["reason"], dimensions={"reason": "reason_code"})
    published = [WHOLE, ("XNL", "_T", "EMP", "F"), ("XNL", "_T", "FAM", "C"), ("XNL", "_T", "EDU", "C")]
    assert status(persons, published, [record], measure="reason_code = 'FAM'") == [BESIDE]
    assert status(persons, published, [record], measure="reason_code = 'EMP'") == ["SHOWN"]
    assert status(persons, published[:3], [record], measure="reason_code in ('FAM', 'EDU')") == ["SHOWN"]


def test_areas_published_below_the_country_count_too() -> None:
    published = [("A1", "_T", "_T", "F"), ("A2", "_T", "_T", "F")]
    record = indicator(["ref_area"])
    one_more = "area_code = 'A1' or record_no = 2"
    assert status(MANY, published, [record], measure=one_more) == [BESIDE]
    assert status(MANY, published, [record], measure="area_code = 'A1'") == ["SHOWN"]


def test_what_an_indicator_is_strict_about_needs_more_records() -> None:
    record = indicator([], ["reason"], dimensions={"reason": "reason_code"}).model_copy(
        update={"strict_by": ("reason",)}
    )
    assert status(MANY, [], [record], measure=EMPLOYED) == [FEW]
    assert status(MANY, [], [record], measure="sex = 'M'") == ["SHOWN"]
