"""Published claims: taken in like any delivery, wrong ones with a reason, and every rule on them able to say no."""

from pathlib import Path

import pytest

from hims_pipeline.contracts.deliveries import load_kept
from hims_pipeline.contracts.indicators import load_indicators
from hims_pipeline.contracts.load import load_contracts
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


@pytest.mark.parametrize("code", SPOILT)
def test_each_rule_can_fail(claims: tuple[Settings, Path], code: str, tmp_path: Path) -> None:
    contract, spoilt = load_contracts(DATA)["published_claims"], tmp_path / "claims.parquet"
    assert set(SPOILT) == {one.code for one in judgement_rules(EXPECTATIONS, contract, "2025")}
    with connection(claims[0]) as con:
        con.execute(f"create table t as from read_parquet({literal(str(claims[1]))})")
        con.execute(SPOILT[code])
        con.execute(f"copy t to {literal(str(spoilt))} (format parquet)")
    outcome = judge(claims[0], contract, "2025", {"claims": spoilt})
    assert not outcome.accepted
    assert code in {one["code"] for one in outcome.rules if not one["success"]}


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
