"""Published claims: taken in like any delivery, wrong ones with a reason, and every rule on them able to say no."""

from pathlib import Path

import pytest

from hims_pipeline.contracts.deliveries import load_kept
from hims_pipeline.contracts.indicators import load_indicators
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.gates.inputs import load_lists
from hims_pipeline.gates.judge import judge
from hims_pipeline.gates.suites import judgement_rules
from hims_pipeline.lake.landing import take_over
from hims_pipeline.readers import read_delivery
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sql import connection, literal

DATA, EXPECTATIONS = REPOSITORY / "data", REPOSITORY / "expectations"
TRANSPOSED = "insert into t select * replace ('COPY' as claim_id, 10982457 as value, 9999 as _line) from t"
# A rule -> what breaks it.
SPOILT = {
    "CLAIMS-FIGURE-001": "update t set value = value + 5000 where claim_id = 'HIMS-CURRENT-M'",
    "CLAIMS-FIGURE-002": "update t set value = 998 where claim_id = 'HIMS-RETURN-NOPROBLEM'",
    "CLAIMS-FIGURE-003": "delete from t where claim_id = 'CONSULAR-2014'",
    "CLAIMS-FIGURE-004": f"{TRANSPOSED} where claim_id = 'CENSUS-POPULATION-2014'",
    "CLAIMS-FIGURE-005": "update t set why = null where verdict = 'WRONG'",
    "CLAIMS-FIGURE-006": "update t set verdict = 'STANDS', why = null where verdict = 'DOUBTFUL'",
    "CLAIMS-FIGURE-007": "update t set published = '2001' where claim_id = 'REMIT-2021'",
    "CLAIMS-FIGURE-018": "update t set source_note = null where claim_id = 'REMIT-2021'",
}
# Figures in circulation that are wrong -> the rules that say so when somebody enters them as standing.
CAUGHT = {
    "WRONG-LIVE-14570": "CLAIMS-FIGURE-009",
    "WRONG-YOUNG-156497": "CLAIMS-FIGURE-009",
    "WRONG-POPULATION-10982457": "CLAIMS-FIGURE-004 CLAIMS-FIGURE-008 CLAIMS-FIGURE-015",
    "WRONG-UNDERSCHOOL-12423": "CLAIMS-FIGURE-010",
    "WRONG-PERMITS-ITA-GE12": "CLAIMS-FIGURE-016",
    "WRONG-WOMEN-33.9": "CLAIMS-FIGURE-008",
    "WRONG-FOREIGN-GROWTH": "CLAIMS-FIGURE-012",
    "WRONG-GROWTH-0.87": "CLAIMS-FIGURE-012",
    "WRONG-ABROAD-12PCT": "CLAIMS-FIGURE-011",
    "WRONG-FOREIGN-2004-50000": "CLAIMS-FIGURE-008 CLAIMS-FIGURE-015",
    "WRONG-BENAROUS-2014": "CLAIMS-FIGURE-015",
    "WRONG-TUNIS-CITY": "CLAIMS-FIGURE-013",
    "WRONG-TUNIS-PASTED": "CLAIMS-FIGURE-014 CLAIMS-FIGURE-015",
    "WRONG-DELEGATION-42096": "CLAIMS-FIGURE-017",
    "ATCT-2023-SAU": "CLAIMS-FIGURE-006",
    "ATCT-2023-FRA": "CLAIMS-FIGURE-006",
}
# The same said rightly, which must pass: claim, and what it says then.
RIGHT = {
    "WRONG-FOREIGN-GROWTH": "value = 10.3",
    "WRONG-GROWTH-0.87": "value = 0.82",
    "WRONG-ABROAD-12PCT": "value = 14.5",
    "WRONG-UNDERSCHOOL-12423": "value = 128237",
    "WRONG-BENAROUS-2014": "value = 631842",
    "WRONG-DELEGATION-42096": "value = 428924",
}


@pytest.fixture(scope="module")
def claims(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Path]:
    settings = Settings(
        project=REPOSITORY, data=DATA, expectations=EXPECTATIONS, home=tmp_path_factory.mktemp("claims")
    )
    (kept,) = load_kept(DATA)
    contract = load_contracts(DATA)[kept.source]
    delivery, _ = take_over(settings, contract, kept.period, [DATA / name for name in kept.files])
    folder = settings.bronze / delivery.source / delivery.period / delivery.id
    folder.mkdir(parents=True)
    result = read_delivery(settings, contract, delivery, folder, lambda text: None)
    assert result.findings == ()
    return settings, folder / "claims.parquet"


def ask(claims: tuple[Settings, Path], what: str) -> list[tuple]:
    with connection(claims[0]) as con:
        return con.execute(f"select {what.format(t=f'read_parquet({literal(str(claims[1]))})')}").fetchall()


def test_the_gate_accepts_them(claims: tuple[Settings, Path]) -> None:
    outcome = judge(claims[0], load_contracts(DATA)["published_claims"], "2025", {"claims": claims[1]})
    assert outcome.accepted
    assert outcome.findings == ()


def broken_by(claims: tuple[Settings, Path], statement: str) -> set[str]:
    """The judgement rules that claims break after a change, each asked as the gate asks it."""
    contract = load_contracts(DATA)["published_claims"]
    with connection(claims[0]) as con:
        con.execute(f"create table t as from read_parquet({literal(str(claims[1]))})")
        load_lists(con, DATA)
        con.execute(statement)
        rules = judgement_rules(EXPECTATIONS, contract, "2025")
        asked = {one.code: one.kwargs["unexpected_rows_query"].format(batch="t") for one in rules}
        return {code for code, query in asked.items() if con.execute(query).fetchall()}


def test_each_rule_can_fail(claims: tuple[Settings, Path]) -> None:
    rules = {one.code for one in judgement_rules(EXPECTATIONS, load_contracts(DATA)["published_claims"], "2025")}
    assert {*SPOILT, *(code for codes in CAUGHT.values() for code in codes.split())} == rules
    for code, statement in SPOILT.items():
        assert code in broken_by(claims, statement)


STANDING = "update t set verdict = 'STANDS', why = null, source_note = 'S1' where claim_id = '{}'"


@pytest.mark.parametrize("claim", CAUGHT)
def test_a_wrong_figure_entered_as_standing_is_caught_by_arithmetic(claims: tuple[Settings, Path], claim: str) -> None:
    assert broken_by(claims, STANDING.format(claim)) == set(CAUGHT[claim].split())


@pytest.mark.parametrize("claim", RIGHT)
def test_the_right_figure_in_its_place_passes(claims: tuple[Settings, Path], claim: str) -> None:
    statement = STANDING.format(claim).replace("verdict =", f"{RIGHT[claim]}, verdict =")
    assert broken_by(claims, statement) == set()


def test_the_gate_refuses_them_all_and_the_page_names_the_rules(claims: tuple[Settings, Path], tmp_path: Path) -> None:
    contract, spoilt = load_contracts(DATA)["published_claims"], tmp_path / "claims.parquet"
    with connection(claims[0]) as con:
        con.execute(f"create table t as from read_parquet({literal(str(claims[1]))})")
        for claim in CAUGHT:
            con.execute(STANDING.format(claim))
        con.execute(f"copy t to {literal(str(spoilt))} (format parquet)")
    outcome = judge(claims[0], contract, "2025", {"claims": spoilt})
    assert not outcome.accepted
    assert {code for codes in CAUGHT.values() for code in codes.split()} <= {one.rule for one in outcome.findings}
    page = (REPOSITORY / "docs" / "wrong-figures.md").read_text(encoding="utf-8")
    for claim, codes in CAUGHT.items():
        line = next(one for one in page.splitlines() if f"`{claim}`" in one)
        assert all(code in line for code in codes.split()), claim


def test_contradictory_claims_stand_side_by_side(claims: tuple[Settings, Path]) -> None:
    groups = dict(
        ask(claims, "claim_group, count(distinct value) from {t} where claim_group like 'ABROAD%' group by 1")
    )
    assert set(groups) == {"ABROAD_HOUSEHOLD", "ABROAD_PERMITS", "ABROAD_BORN", "ABROAD_REGISTERED"}
    assert ask(
        claims, "count(*) filter (where verdict = 'WRONG'), count(*) filter (where verdict = 'DOUBTFUL') from {t}"
    ) == [(14, 2)]


def test_claims_speak_of_what_is_known(claims: tuple[Settings, Path], definitions, codelist) -> None:
    indicators = load_indicators(DATA)
    places = {row["country_code"] for row in codelist("countries")} | {row["area_code"] for row in codelist("areas")}
    rows = ask(claims, "claim_id, indicator, unit_measure, universe, ref_area, counterpart_area from {t}")
    for claim, indicator, unit, universe, ref_area, counterpart in rows:
        assert indicator is None or indicators[indicator].unit_measure == unit, claim
        assert ("universe", universe) in definitions, claim
        assert ref_area in places, claim
        assert counterpart in places | {"_T"}, claim


def test_rungs_are_indicators_and_groups_of_claims(claims: tuple[Settings, Path], codelist) -> None:
    groups = {group for (group,) in ask(claims, "distinct claim_group from {t}")}
    for row in codelist("ladder_rungs"):
        assert row["code"] in (load_indicators(DATA) if row["kind"] == "indicator" else groups), row
        assert row["kind"] in ("indicator", "claim")
