"""Every contract can be read, fits the facts that it feeds, and uses no code that the code lists do not define."""

from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hims_pipeline.contracts.basics import SPECIAL_CODES
from hims_pipeline.contracts.columns import ColumnMap
from hims_pipeline.contracts.deliveries import load_deliveries
from hims_pipeline.contracts.facts import check_feeds, load_facts
from hims_pipeline.contracts.indicators import load_indicators
from hims_pipeline.contracts.model import Contract, Entity, Feed
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.lake.periods import covers, is_period
from tests.contracts.made import contract_of

Rows = Callable[[str], list[dict[str, str]]]
REAL = {
    "argentina_eph": {"persons", "households"},
    "chile_census": {"persons", "households", "dwellings"},
    "undesa_migrant_stock": {"stocks"},
    "unhcr_population": {"population"},
    "unhcr_asylum": {"applications", "decisions"},
    "iom_missing_migrants": {"incidents"},
    "un_wpp": {"components", "net_migration"},
    "worldbank_wdi": {"series"},
    "eurostat_population": {"population", "immigration"},
    "eurostat_permits": {"first_permits", "valid_permits"},
    "eurostat_asylum": {"applicants", "first_time"},
    "eurostat_enforcement": {
        "illegally_present",
        "illegally_present_by_citizenship",
        "illegally_present_by_reason",
        "refused_entry",
        "ordered_to_leave",
    },
    "frontex_detections": {"detections"},
    "worldbank_bilateral": {"stocks", "remittances"},
    "worldbank_gbmd": {"stocks"},
}
LEFT_OUT = "_X"  # a mapped value that `exclude` keeps from the fact


def feeds_of(contract: Contract) -> Iterator[tuple[Entity, Feed]]:
    """All feeds of a contract in all its layouts."""
    for name in contract.entities:
        for period in ("", *(period for layout in contract.layouts for period in layout.known_periods)):
            entity = contract.entity_in(name, period)
            yield from ((entity, feed) for feed in entity.feeds)


def values_of(mapping: ColumnMap, entity: Entity) -> set[str]:
    """Codes that a mapping can write, those of its crosswalk left aside."""
    written = {*(mapping.codes or {}).values(), *mapping.replace.values()}
    written |= {one for one in (mapping.value, mapping.otherwise, mapping.default) if one is not None}
    if mapping.crosswalk and mapping.from_:
        written |= set(entity.column(mapping.from_).missing.values())
    return {str(one) for one in written} - {LEFT_OUT}


def test_the_real_sources_are_there_with_their_entities(contracts: dict[str, Contract]) -> None:
    found = {name: set(contracts[name].entities) for name in REAL if name in contracts}
    assert found == REAL


def test_every_contract_fits_the_facts_it_feeds(contracts: dict[str, Contract]) -> None:
    for contract in contracts.values():
        check_feeds(contract)


def test_every_fact_has_a_feeder(contracts: dict[str, Contract]) -> None:
    fed = {feed.fact for contract in contracts.values() for _, feed in feeds_of(contract)}
    assert fed == set(load_facts())


def test_definitions_cover_what_contracts_say_of_themselves(
    contracts: dict[str, Contract], definitions: set[tuple[str, str]]
) -> None:
    used = {
        (kind, getattr(contract, kind))
        for contract in contracts.values()
        for kind in ("universe", "duration_rule", "measure_type", "data_kind")
    } | {("reference_point", one.reference_point_of(name)) for one in contracts.values() for name in one.entities}
    used |= {("design_kind", contract.design.kind) for contract in contracts.values() if contract.design}
    assert used <= definitions, f"not in definitions.csv: {sorted(used - definitions)}"


def test_definitions_cover_what_feeds_write(contracts: dict[str, Contract], definitions: set[tuple[str, str]]) -> None:
    kinds = {kind for kind, _ in definitions}
    used = {
        (target, value)
        for contract in contracts.values()
        for entity, feed in feeds_of(contract)
        for target, mapping in feed.columns.items()
        if target in kinds
        for flags in values_of(mapping, entity)
        for value in (flags.split(";") if target == "obs_status" else [flags])
    }
    assert used
    assert used <= definitions, f"not in definitions.csv: {sorted(used - definitions)}"


def test_countries_that_feeds_write_are_countries(contracts: dict[str, Contract], codelist: Rows) -> None:
    countries = {row["country_code"] for row in codelist("countries")}
    used = {
        value
        for contract in contracts.values()
        for entity, feed in feeds_of(contract)
        for target, mapping in feed.columns.items()
        if target.startswith("country_") and target.endswith("_code")
        for value in values_of(mapping, entity)
    }
    assert {"ARG", "CHL", "_U", "_C"} <= used
    assert used <= countries, f"not in countries.csv: {sorted(used - countries)}"


def test_special_codes_are_countries_too(codelist: Rows) -> None:
    special = {row["country_code"] for row in codelist("countries") if row["status"] == "special"}
    assert set(SPECIAL_CODES) - {"_T"} <= special


def test_schemes_and_reference_countries_exist(contracts: dict[str, Contract], codelist: Rows) -> None:
    schemes = {row["scheme"] for name in ("xwalk_country", "xwalk_area") for row in codelist(name)}
    countries = {row["country_code"] for row in codelist("countries") if row["status"] == "current"}
    for contract in contracts.values():
        assert contract.country is None or contract.country in countries
        for entity, feed in feeds_of(contract):
            used = {column.crosswalk for column in entity.columns} | {m.crosswalk for m in feed.columns.values()}
            assert used - {None} <= schemes, f"{contract.source}: {sorted(used - {None} - schemes)}"


def test_definitions_cover_the_indicators(data: Path, definitions: set[tuple[str, str]]) -> None:
    used = {
        (kind, getattr(one, kind))
        for one in load_indicators(data).values()
        for kind in ("universe", "unit_measure", "measure_type")
    }
    assert used <= definitions, f"not in definitions.csv: {sorted(used - definitions)}"


@pytest.mark.parametrize("source", REAL)
def test_a_real_source_names_owner_licence_and_purpose(contracts: dict[str, Contract], source: str) -> None:
    contract = contracts[source]
    assert contract.status == "active"
    assert contract.data_kind in ("real", "aggregate")
    for text in (
        contract.owner.institution,
        contract.owner.contact,
        contract.licence.name,
        contract.licence.attribution,
    ):
        assert text.strip()
        assert "example" not in text.lower()
    assert contract.purpose.strip()
    assert contract.legal.basis.strip()
    assert all((contract.title.fr, contract.title.ar))
    for entity in contract.entities.values():
        assert all((entity.title.fr, entity.title.ar)), entity.grain


def test_a_person_stands_for_others_by_a_weight_or_a_published_total(contracts: dict[str, Contract]) -> None:
    for contract in contracts.values():
        for entity, feed in feeds_of(contract):
            if feed.fact != "persons" or contract.design is None or contract.design.kind == "census":
                continue
            weighted = "weight_persons" in feed.columns
            assert weighted == bool(contract.design.weight)
            assert weighted != bool(contract.design.expand_to or contract.design.fraction)
            sent = {column.name for column in entity.kept_columns}
            assert contract.design.columns("psu", sent), entity.grain


def test_the_observatory_is_tunisia_s(data: Path, codelist: Rows) -> None:
    observatory = load_observatory(data)
    assert observatory.reference_country == "TUN"
    assert set(observatory.languages) == {"fr", "ar", "en"}
    assert ZoneInfo(observatory.time_zone)
    assert (observatory.schedule.cron, observatory.schedule.on_in) == ("30 2 * * *", ("prod",))
    assert observatory.policies.minimum_count == 10
    levels = {level.code for level in observatory.levels}
    assert {level.parent for level in observatory.levels} <= levels | {None}
    assert levels == {row["level"] for row in codelist("areas") if row["country_code"] == "TUN"}
    assert "example" not in observatory.contact
    assert set(observatory.headline) <= set(load_indicators(data))


def test_pinned_deliveries_belong_to_contracts(data: Path, contracts: dict[str, Contract]) -> None:
    pinned = load_deliveries(data)
    assert {one.source for one in pinned} == set(REAL)
    assert len({(one.source, one.period) for one in pinned}) == len(pinned)
    for one in pinned:
        contract = contracts[one.source]
        assert is_period(contract, one.period), one
        first, last = covers(contract, one.period)
        assert first <= last
        assert all(not Path(name).is_absolute() and ".." not in Path(name).parts for name in one.files)
    assert [one.period for one in pinned if "TRUNCATED" in one.files[0]] == ["2021Q1"]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"delimiter": ";;"}, "one character"),
        ({"delimiter": "\n"}, "neither ends a line"),
        ({"quote": ","}, "two characters"),
        ({"encoding": "utf-9"}, "no known encoding"),
        ({"encoding": "unicode_escape"}, "no known encoding"),
        ({"encoding": "base64"}, "no known encoding"),
    ],
)
def test_signs_that_no_text_is_written_with_do_not_load(form, said):
    with pytest.raises(ValueError, match=said):
        contract_of([{"name": "x"}], {"format": form})


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("%s", "no day is written with"),
        ("%d/%m/%Q", "no day is written with"),
        ("%Y-%m-%d %z", "no day is written with"),
        ("%d/%m", "has no year"),
        ("%d/%m/%y", "leaves the century open"),
    ],
)
def test_a_date_format_that_tells_no_day_does_not_load(form, said):
    with pytest.raises(ValueError, match=said):
        contract_of([{"name": "x", "type": "date", "date_format": form}])
    bounds = {"minimum": "1930-01-01", "maximum": "2024-12-31"}
    assert contract_of([{"name": "x", "type": "date", "date_format": "%-d.%-m.%y", **bounds}])
