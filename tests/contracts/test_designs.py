"""Sampling designs: what a contract must say of them, and where a fact's stratum and unit come from."""

from typing import Any

import pytest
from pydantic import ValidationError

from hims_pipeline.contracts.design import Design
from hims_pipeline.contracts.model import Contract
from hims_pipeline.staging.models import feed_sql

BOTH = {"strata": ("V001", "V002"), "psu": ("V003",)}
TWO = {"phases": 2, "subsampling": {"unit": "household", "entity": "screening", "classes": ("V010",)}}


@pytest.mark.parametrize("kind", ["sample", "census_sample"])
@pytest.mark.parametrize("said", [{}, {"strata": ("a",)}, {"psu": ("a",)}])
def test_a_sample_without_strata_or_units_names_what_stands_for_them(kind: str, said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="needs a `fallback`"):
        Design.model_validate({"kind": kind, **said})
    stand_in = {"name": "HOUSEHOLD_AS_UNIT", "psu": ("id_menage",), "reason": "Districts are left out."}
    assert Design.model_validate({"kind": kind, "fallback": stand_in, **said})
    with pytest.raises(ValidationError, match="reason"):
        Design.model_validate({"kind": kind, "fallback": {**stand_in, "reason": ""}, **said})


def test_a_sample_with_both_or_a_census_needs_none() -> None:
    sent = ("V001", "V002", "V003")
    assert Design.model_validate({"kind": "sample", **BOTH}).columns("stratum", sent) == ("V001", "V002")
    assert Design.model_validate({"kind": "census"}).columns("psu", sent) == ()


@pytest.mark.parametrize("said", [{"kind": "sample", **BOTH}, {"kind": "census"}])
def test_a_drawn_share_is_that_of_a_census_without_other_weights(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="`fraction` is for a census_sample"):
        Design.model_validate({**said, "fraction": 0.2})
    assert Design.model_validate({"kind": "census_sample", **BOTH, "fraction": 0.2}).fraction == 0.2
    with pytest.raises(ValidationError, match="`fraction` is for"):
        Design.model_validate({"kind": "census_sample", **BOTH, "fraction": 0.2, "expand_to": 100})


@pytest.mark.parametrize("said", [{"phases": 2}, {"subsampling": TWO["subsampling"]}])
def test_two_phases_say_what_the_second_was_drawn_from(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="go together"):
        Design.model_validate({"kind": "sample", **BOTH, **said})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"psu": ["V099"]}, "names no column that is sent: V099"),
        ({"weight": "Poids"}, "names no column that is sent: Poids"),
        ({"subsampling": {**TWO["subsampling"], "classes": ["V702"]}}, "the listing has no column V702"),  # type: ignore[dict-item]
        ({"subsampling": {**TWO["subsampling"], "entity": "ratissage"}}, "no such entity ratissage"),  # type: ignore[dict-item]
    ],
)
def test_a_design_names_columns_that_are_sent(
    contracts: dict[str, Contract], change: dict[str, Any], words: str
) -> None:
    plain = contracts["hims_survey"].model_dump(mode="json", by_alias=True)
    plain["design"] |= change
    with pytest.raises(ValidationError, match=words):
        Contract.model_validate(plain)


def test_two_phase_survey_says_all_of_its_design(contracts: dict[str, Contract]) -> None:
    contract = contracts["hims_survey"]
    assert contract.design is not None
    assert contract.design.subsampling is not None
    assert (contract.design.phases, contract.design.subsampling.classes) == (2, ("V010",))
    listing = contract.entities["screening"].design
    assert listing is not None
    assert (listing.phases, listing.weight) == (1, "Poids_Base")
    assert "150,000" in contract.description
    assert "120,000" in contract.description  # both claims stay visible
    rules = {name: (e.universe, e.duration_rule) for name, e in contract.entities.items() if e.feeds}
    assert rules["current_migrants"] == ("emigrants_15_plus", "NONE")
    assert rules["return_migrants"] == ("return_migrants_15_plus", "3M")
    assert rules["non_migrants"] == ("non_migrants_15_plus", "3M")
    assert rules["foreign_residents"] == ("foreign_residents", "6M")


def test_stratum_and_unit_come_from_the_design(contracts: dict[str, Contract]) -> None:
    columns = {"stratum": "varchar", "psu": "varchar", "sex": "varchar"}
    sql = feed_sql(columns, [(contracts["hims_survey"], "return_migrants", 0)], {})
    assert 'cast(concat_ws(\'-\', "v001", "v002") as string) as stratum' in sql
    assert "cast(concat_ws('-', \"v003\") as string) as psu" in sql
    # Where they were never delivered, the fallback's columns stand for them.
    sql = feed_sql(columns, [(contracts["argentina_eph"], "persons", 0)], {})
    assert "cast(concat_ws('-', \"aglomerado\") as string) as stratum" in sql
    assert contracts["argentina_eph"].design.fallback_of({"AGLOMERADO", "CODUSU"}) == (  # type: ignore[union-attr]
        "AGGLOMERATION_AS_STRATUM_DWELLING_AS_UNIT"
    )


def test_a_period_without_districts_takes_the_fallback_and_says_so(contracts: dict[str, Contract]) -> None:
    plain = contracts["hims_survey"].model_dump(mode="json", by_alias=True)
    without = {"absent": ["V002", "V003"]}
    plain["layouts"] = [{"name": "light", "periods": ["2030"], "entities": {"return_migrants": without}}]
    found = Contract.model_validate(plain).at("2030").design_columns("return_migrants")
    assert found["V002"][0] == "households"  # what the household's record says needs no fallback
    plain["entities"]["return_migrants"]["references"] = []
    contract = Contract.model_validate(plain)
    columns = {"stratum": "varchar", "psu": "varchar"}
    sql = feed_sql(columns, [(contract, "return_migrants", 0)], {})
    assert "case when layout = 'light' then concat_ws('-', \"v001\") else concat_ws('-', \"v001\", \"v002\") end" in sql
    assert "case when layout = 'light' then concat_ws('-', \"id_menage\") else concat_ws('-', \"v003\") end" in sql
    design = contract.design
    assert design is not None
    sent = contract.at("2030").design_columns("return_migrants")
    assert design.fallback_of(sent) == "GOVERNORATE_AS_STRATUM_HOUSEHOLD_AS_UNIT"
    assert design.fallback_of({*sent, "V002", "V003"}) is None
    plain["design"]["fallback"] = None
    with pytest.raises(ValidationError, match="return_migrants in 2030: nothing stands for V002, V003"):
        Contract.model_validate(plain)


def test_the_number_of_units_comes_from_the_design_while_its_strata_stand(contracts: dict[str, Contract]) -> None:
    plain = contracts["hims_survey"].model_dump(mode="json", by_alias=True)
    counted = {"name": "V004", "label": {"en": "Districts of the stratum"}, "type": "integer", "sensitivity": "quasi"}
    plain["entities"]["return_migrants"]["columns"].append(counted)
    plain["entities"]["return_migrants"]["references"] = []
    plain["design"]["population_units"] = "V004"
    without = {"absent": ["V002", "V003"]}
    plain["layouts"] = [{"name": "light", "periods": ["2030"], "entities": {"return_migrants": without}}]
    sql = feed_sql({"population_units": "bigint"}, [(Contract.model_validate(plain), "return_migrants", 0)], {})
    # In the light layout it would count units of other strata than those that stand in.
    assert "cast(case when layout = 'light' then null else \"v004\" end as bigint) as population_units" in sql
    with pytest.raises(ValidationError, match="names no column that is sent: V009"):
        Contract.model_validate(plain | {"design": plain["design"] | {"population_units": "V009"}})


@pytest.mark.parametrize("said", [{"kind": "census"}, {"kind": "sample", "fallback": {"name": "F", "reason": "r"}}])
def test_the_number_of_units_is_that_of_strata_that_were_drawn_from(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="`population_units` is for"):
        Design.model_validate({**said, "population_units": "n"})


def test_a_second_stage_comes_from_the_design_with_both_its_numbers() -> None:
    said = {"kind": "sample", "strata": ["h"], "psu": ["u"], "population_units": "n", "ssu": ["s"]}
    design = Design.model_validate({**said, "population_ssus": "m"})
    sent = {"h", "u", "n", "s", "m"}
    assert [design.columns(kind, sent) for kind in ("ssu", "population_ssus")] == [("s",), ("m",)]
    assert design.columns("ssu", sent - {"s"}) == ()
    for lost in ("population_units", "ssu"):
        with pytest.raises(ValidationError, match="go together"):
            Design.model_validate(
                {name: value for name, value in said.items() if name != lost} | {"population_ssus": "m"}
            )
