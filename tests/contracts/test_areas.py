"""Areas stand in hierarchies that hold at each day, and the codes of two systems are never taken for each other."""

from collections import defaultdict
from collections.abc import Callable

import pytest

from hims_pipeline.contracts.facts import check_feeds
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import ContractError

Rows = Callable[[str], list[dict[str, str]]]
DAYS = ("1994-04-20", "2004-04-28", "2014-04-23", "2024-11-06")


def holds(row: dict[str, str], day: str) -> bool:
    return (row["valid_from"] or "0000") <= day < (row["valid_to"] or "9999")


def governorates(codelist: Rows, day: str) -> set[str]:
    return {row["area_code"] for row in codelist("areas") if row["level"] == "governorate" and holds(row, day)}


def test_parents_exist_in_the_same_country(codelist: Rows) -> None:
    areas = {row["area_code"]: row for row in codelist("areas")}
    for row in areas.values():
        if row["level"] == "country":
            assert row["area_code"] == row["country_code"]
            continue
        assert areas[row["parent_code"]]["country_code"] == row["country_code"], row
    for row in codelist("area_hierarchies"):
        assert areas[row["child_code"]]["country_code"] == areas[row["parent_code"]]["country_code"], row


def test_tunisia_had_23_governorates_before_la_manouba_and_24_since(codelist: Rows) -> None:
    assert [len(governorates(codelist, day)) for day in DAYS] == [23, 24, 24, 24]
    split = {r["successor_code"]: r for r in codelist("area_successors") if r["former_code"] == "TN-12-1983"}
    assert set(split) == {"TN-12", "TN-14"}
    assert {row["date"] for row in split.values()} == {"2000-07-31"}
    assert "TN-14" not in governorates(codelist, "2000-07-30")


def test_ins_and_iso_codes_of_a_governorate_differ(codelist: Rows) -> None:
    ins = {row["area_code"]: row["national_code"] for row in codelist("areas") if row["iso_code"].startswith("TN-")}
    assert len(ins) == len(set(ins.values())) == 24
    assert (ins["TN-61"], ins["TN-31"], ins["TN-21"]) == ("34", "21", "15")  # Sfax, Béja, Nabeul
    to = {(row["scheme"], row["code"]): row["area_code"] for row in codelist("xwalk_area")}
    assert {code: to["INS_GOV", ins[code]] for code in ins} == {code: code for code in ins}
    assert {code: to["ISO_GOV", code] for code in ins} == {code: code for code in ins}


def test_delegations_are_those_of_2014_and_the_splits_that_are_known_since(codelist: Rows) -> None:
    listed = [row for row in codelist("areas") if row["level"] == "delegation"]
    assert [sum(holds(row, day) for row in listed) for day in ("2014-04-23", "2016-01-11", "2024-11-06")] == [
        264, 266, 271,
    ]  # fmt: skip
    since_2020 = {row["name_fr"] for row in listed if row["valid_from"] == "2020-06-19" and not row["national_code"]}
    assert since_2020 == {"Al-Hichria", "Oudhref", "El Hamma Ouest", "Rejiche", "Bradâa"}
    parents = {row["parent_code"] for row in listed}
    assert parents == governorates(codelist, "2024-11-06")


def test_a_delegation_has_the_national_code_that_begins_with_its_governorate_s(codelist: Rows) -> None:
    areas = {row["area_code"]: row for row in codelist("areas")}
    for row in areas.values():
        if row["level"] == "delegation" and row["national_code"]:
            assert row["national_code"][:2] == areas[row["parent_code"]]["national_code"], row
            assert int(row["national_code"][2:]) > 50, row  # lakes and sebkhas have negative numbers
    to = {(row["scheme"], row["code"]): row["area_code"] for row in codelist("xwalk_area")}
    assert (to["INS_DEL_2014", "5157"], to["INS_DEL", "5157"]) == ("TN-DEL-5157-2014", "TN-DEL-5157")  # El Hamma
    assert (to["INS_GOV_1983", "12"], to["INS_GOV", "12"]) == ("TN-12-1983", "TN-12")
    assert ("INS_GOV_1983", "14") not in to


def test_weights_across_a_boundary_change_are_whole_or_not_known(codelist: Rows) -> None:
    weights = defaultdict(list)
    areas = {row["area_code"]: row for row in codelist("areas")}
    for row in codelist("area_successors"):
        weights[row["former_code"]].append(row["weight"])
        assert areas[row["former_code"]]["valid_to"] == row["date"] == areas[row["successor_code"]]["valid_from"], row
        assert bool(row["weight"]) == bool(row["weight_basis"]), row
    for former, parts in weights.items():
        assert not any(parts) or sum(float(part) for part in parts) == pytest.approx(1, abs=1e-6), former
    assert any(weights["TN-12-1983"])


def test_a_disputed_area_counts_in_one_country_and_names_the_others(codelist: Rows) -> None:
    countries = {row["country_code"] for row in codelist("countries")}
    for row in codelist("areas"):
        assert set(row["claimed_by"].split()) <= countries - {row["country_code"]}, row


def test_a_bare_code_of_an_area_is_refused(contracts: dict[str, Contract]) -> None:
    """34 is Sfax for the statistics institute and Siliana for ISO: a code without its system says neither."""
    whole = contracts["rgph"].model_dump(by_alias=True)
    feed = next(f for f in whole["entities"]["persons"]["feeds"] if f["fact"] == "persons")
    assert feed["columns"]["area_code"]["crosswalk"]
    feed["columns"]["area_code"]["crosswalk"] = None
    with pytest.raises(ContractError, match="comes through a scheme of xwalk_area"):
        check_feeds(Contract.model_validate(whole))


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("hierarchy", ["TN_REGIONS", "TN_DISTRICTS"])
def test_each_governorate_has_one_parent_at_each_day(codelist: Rows, hierarchy: str, day: str) -> None:
    parents = defaultdict(set)
    levels = {row["area_code"]: row["level"] for row in codelist("areas")}
    for row in codelist("area_hierarchies"):
        if row["hierarchy"] == hierarchy and levels[row["child_code"]] == "governorate" and holds(row, day):
            parents[row["child_code"]].add(row["parent_code"])
    if hierarchy == "TN_DISTRICTS" and day < "2023-09-21":
        assert not parents
        return
    assert set(parents) == governorates(codelist, day)
    assert all(len(found) == 1 for found in parents.values())
    assert len(set.union(*parents.values())) == (7 if hierarchy == "TN_REGIONS" else 5)


@pytest.mark.parametrize(
    ("hierarchy", "level", "number"), [("AR_EPH_REGIONS", "agglomeration", 32), ("CL_REGIONS", "region", 16)]
)
def test_other_countries_first_levels_are_whole(codelist: Rows, hierarchy: str, level: str, number: int) -> None:
    country = "ARG" if hierarchy.startswith("AR") else "CHL"
    areas = {r["area_code"] for r in codelist("areas") if (r["country_code"], r["level"]) == (country, level)}
    children = [row["child_code"] for row in codelist("area_hierarchies") if row["hierarchy"] == hierarchy]
    assert len(areas) == number
    assert len([child for child in children if child in areas]) == number
