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
    assert Design.model_validate({"kind": kind, "fallback": "The household stands for the unit.", **said})


def test_a_sample_with_both_or_a_census_needs_none() -> None:
    assert Design.model_validate({"kind": "sample", **BOTH}).columns("stratum") == ("V001", "V002")
    assert Design.model_validate({"kind": "census"}).columns("psu") == ()


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
    sql = feed_sql("migrants", columns, [(contracts["hims_survey"], "return_migrants", 0)])
    assert 'cast(concat_ws(\'-\', "v001", "v002") as varchar) as stratum' in sql
    assert "cast(concat_ws('-', \"v003\") as varchar) as psu" in sql
    # Where a feed maps them, its mapping holds.
    sql = feed_sql("persons", columns, [(contracts["argentina_eph"], "persons", 0)])
    assert 'cast("aglomerado" as varchar) as stratum' in sql
