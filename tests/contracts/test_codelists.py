"""The code lists agree with each other, in time and in both directions.

Columns: `valid_from` is the day since when a country or area has stood as it does, `valid_to` the day from which on it
does not; both are empty where that is beyond what the sources here reach. A country or area whose borders changed is
another row; its successors stand in a list of their own, and no crosswalk sends a code of the whole to one part.
`xwalk_…` translate the codes of a scheme, spelt as they occur; `note` says why where that is not plain.
"""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from hims_pipeline.contracts.indicators import load_breakdowns, load_indicators
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.yaml_records import read_yaml
from hims_pipeline.settings import REPOSITORY

Rows = Callable[[str], list[dict[str, str]]]
KEYS = {
    "areas": ("area_code",),
    "area_hierarchies": ("hierarchy", "child_code", "parent_code", "valid_from"),
    "area_successors": ("former_code", "successor_code"),
    "countries": ("country_code",),
    "country_groups": ("group_code",),
    "country_group_members": ("group_code", "country_code"),
    "country_successors": ("former_code", "successor_code"),
    "data_kinds": ("data_kind",),
    "definitions": ("kind", "code"),
    "series_breaks": ("break_id",),
    "assignment_seeds": ("scheme",),
    "correspondences": ("scheme", "code", "to_code"),
    "occupations": ("code",),
    "xwalk_area": ("scheme", "code"),
    "xwalk_country": ("scheme", "code"),
    "mirror_measures": ("measure",),
    "ladder_rungs": ("ladder", "rung", "kind"),
    "ladder_differences": ("ladder", "lower_rung", "upper_rung", "place"),
    "mirror_pairs": ("origin_indicator", "destination_indicator", "destination_breakdown"),
}


def test_every_list_is_declared_here(data: Path) -> None:
    assert {path.stem for path in (data / "codelists").glob("*.csv")} == set(KEYS)


@pytest.mark.parametrize("name", KEYS)
def test_a_list_is_plain_text_with_one_row_a_key(data: Path, codelist: Rows, name: str) -> None:
    raw = (data / "codelists" / f"{name}.csv").read_bytes()
    assert len(raw) < 150_000
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in raw
    with (data / "codelists" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        assert len({len(row) for row in csv.reader(file)}) == 1
    rows = codelist(name)
    doubled = [key for key, n in Counter(tuple(row[k] for k in KEYS[name]) for row in rows).items() if n > 1]
    assert not doubled
    assert all(value == value.strip() for row in rows for value in row.values())
    assert all(row[k] for row in rows for k in KEYS[name] if k not in ("valid_from", "destination_breakdown"))


@pytest.mark.parametrize(
    "name", ["countries", "country_groups", "areas", "definitions", "series_breaks", "ladder_differences"]
)
def test_names_stand_in_three_languages(codelist: Rows, name: str) -> None:
    for row in codelist(name):
        assert all((row["name_en"], row["name_fr"])), row
        assert re.search("[\u0600-\u06ff]", row["name_ar"]), row


@pytest.mark.parametrize("name", ["countries", "country_group_members", "areas", "area_hierarchies"])
def test_validity_runs_forward(codelist: Rows, name: str) -> None:
    for row in codelist(name):
        first, last = (date.fromisoformat(row[k]) if row[k] else None for k in ("valid_from", "valid_to"))
        assert first is None or last is None or first < last, row


def test_each_breakdown_names_the_lists_that_label_its_codes(data: Path, codelist: Rows) -> None:
    known = {row["kind"] for row in codelist("definitions")} | {"countries", "occupations", "sources"}
    for breakdown in load_breakdowns(data):
        assert breakdown.codes, breakdown.name
        assert set(breakdown.codes) <= known, breakdown.name


def test_members_of_groups_are_countries_and_every_group_has_some(codelist: Rows) -> None:
    countries = {row["country_code"]: row for row in codelist("countries")}
    members = codelist("country_group_members")
    assert {row["country_code"] for row in members} <= set(countries)
    regions = {row[column] for row in countries.values() for column in ("region_m49", "subregion_m49")} - {""}
    groups = {row["group_code"] for row in codelist("country_groups")}
    assert groups == {"_T"} | regions | {row["group_code"] for row in members}
    on = date(2019, 12, 31).isoformat()
    union = [r for r in members if r["group_code"] == "EU_V" and r["valid_from"] <= on and (r["valid_to"] or on) >= on]
    assert len([row for row in union if countries[row["country_code"]]["status"] == "current"]) == 28


def test_current_countries_are_those_of_iso_3166(codelist: Rows) -> None:
    current = [row for row in codelist("countries") if row["status"] == "current"]
    assert len(current) == 249
    for column, pattern in (("country_code", "[A-Z]{3}"), ("alpha_2", "[A-Z]{2}"), ("m49", "[0-9]{3}")):
        values = [row[column] for row in current]
        assert len(set(values)) == 249
        assert all(re.fullmatch(pattern, value) for value in values)
    assert [row["country_code"] for row in current if not row["region_m49"]] == ["ATA"]
    assert next(row["alpha_2"] for row in current if row["country_code"] == "NAM") == "NA"


def test_former_countries_end_when_their_successors_begin(codelist: Rows) -> None:
    countries = {row["country_code"]: row for row in codelist("countries")}
    days = defaultdict(dict)
    for row in codelist("country_successors"):
        days[row["former_code"]][row["successor_code"]] = row["date"]
    assert set(days) == {code for code, row in countries.items() if row["status"] == "former"}
    for former, successors in days.items():
        assert countries[former]["valid_to"] == max(successors.values()), former
        for successor, day in successors.items():
            assert countries[successor]["status"] in ("current", "former"), successor
            assert countries[successor]["valid_from"] >= day, (former, successor)


@pytest.mark.parametrize(
    ("former", "m49", "until", "successors"),
    [
        ("SDN-736", "736", "2011-07-09", {"SDN", "SSD"}),
        ("ETH-230", "230", "1993-05-24", {"ETH", "ERI"}),
        ("CSXX", "891", "2006-06-03", {"SRB", "MNE"}),
        ("CSHH", "200", "1993-01-01", {"CZE", "SVK"}),
        ("ANHH", "530", "2010-10-10", {"BES", "CUW", "SXM"}),
        ("YUCS", "890", "2003-02-04", {"SVN", "HRV", "MKD", "BIH", "CSXX"}),
    ],
)
def test_known_splits(codelist: Rows, former: str, m49: str, until: str, successors: set[str]) -> None:
    row = next(row for row in codelist("countries") if row["country_code"] == former)
    assert (row["m49"], row["valid_to"]) == (m49, until)
    found = {row["successor_code"] for row in codelist("country_successors") if row["former_code"] == former}
    assert found == successors


def test_a_country_that_split_is_never_sent_to_one_part(codelist: Rows) -> None:
    parts = defaultdict(set)
    for row in codelist("country_successors"):
        parts[row["former_code"]].add(row["successor_code"])
    split = {row["country_code"]: row for row in codelist("countries") if len(parts[row["country_code"]]) > 1}
    current = {row["m49"] for row in codelist("countries") if row["status"] == "current"}
    to = {(row["scheme"], row["code"]): row["country_code"] for row in codelist("xwalk_country")}
    for code, row in split.items():
        if row["m49"] and row["m49"] not in current and ("M49", row["m49"]) in to:
            assert to["M49", row["m49"]] not in parts[code], code
    assert (to["M49", "736"], to["M49", "729"], to["M49", "891"]) == ("SDN-736", "SDN", "CSXX")
    assert [to["ISO3", code] for code in ("YUG", "SUN", "CSK", "SCG", "ANT")] == [
        "YUCS",
        "SUHH",
        "CSHH",
        "CSXX",
        "ANHH",
    ]
    assert to["WDI", "ANT"] == "ANHH"


def test_no_scheme_sends_a_former_state_to_one_heir(codelist: Rows) -> None:
    """CS stood for two states, so that no alpha-2 of a former one is in ISO2. ANT of UNHCR's own codes is Antigua."""
    status = {row["country_code"]: row["status"] for row in codelist("countries")}
    former = {"YUG", "SUN", "CSK", "SCG", "ANT", "YUCS", "SUHH", "CSHH", "YU", "SU", "CS", "AN", "Yougoslavie", "URSS"}
    former |= {"Tchécoslovaquie", "Serbie-et-Monténégro", "Yugoslavia", "USSR", "Czechoslovakia", "Former Yugoslavia"}
    found = [row for row in codelist("xwalk_country") if row["code"] in former]
    found = [row for row in found if (row["scheme"], row["code"]) != ("UNHCR", "ANT")]
    assert len(found) > 5
    for row in found:
        assert status[row["country_code"]] in ("former", "special"), row
    assert not [row for row in found if row["scheme"] == "ISO2"]


def test_crosswalks_lead_to_countries_and_areas(codelist: Rows) -> None:
    countries = {row["country_code"] for row in codelist("countries")}
    areas = {row["area_code"] for row in codelist("areas")}
    assert {row["country_code"] for row in codelist("xwalk_country")} <= countries
    assert {row["area_code"] for row in codelist("xwalk_area")} <= areas
    schemes = {row["scheme"] for row in codelist("xwalk_country")}
    assert schemes == {
        "ISO2", "ISO3", "M49", "UNHCR", "INDEC", "UNDESA", "IOM_MMP", "WDI", "FR_NAMES", "EUROSTAT",
        "EUROSTAT_NAMES", "EUROSTAT_ISO3", "FRONTEX", "GBMD", "WORLD_BANK_NAMES", "OECD",
    }  # fmt: skip
    assert {row["scheme"] for row in codelist("xwalk_area")} == {
        "INS_GOV", "INS_GOV_1983", "INS_DEL", "INS_DEL_2014", "ISO_GOV",
        "INDEC_AGLOMERADO", "INDEC_REGION", "CL_REGION",
    }  # fmt: skip


def test_a_code_with_and_without_leading_zeros_is_one_code(codelist: Rows) -> None:
    for name, schemes, to in (
        ("xwalk_country", {"M49", "INDEC"}, "country_code"),
        ("xwalk_area", {"INDEC_AGLOMERADO", "CL_REGION"}, "area_code"),
    ):
        found = defaultdict(set)
        for row in codelist(name):
            if row["scheme"] in schemes:
                found[row["scheme"], row["code"].lstrip("0")].add(row[to])
        assert all(len(targets) == 1 for targets in found.values())


def test_unhcr_codes_are_not_iso_codes(codelist: Rows) -> None:
    to = {row["code"]: row["country_code"] for row in codelist("xwalk_country") if row["scheme"] == "UNHCR"}
    assert [to[code] for code in ("ARE", "UAE", "AUS", "AUL", "ALG", "GFR", "TUN")] == [
        "EGY", "ARE", "AUT", "AUS", "DZA", "DEU", "TUN",
    ]  # fmt: skip
    assert [to[code] for code in ("UKN", "VAR", "STA", "TIB")] == ["_U", "_U", "_S", "TIB"]


def test_chi_is_not_chile_and_no_group_is_a_country(codelist: Rows) -> None:
    to = {(row["scheme"], row["code"]): row["country_code"] for row in codelist("xwalk_country")}
    assert (to["WDI", "CHI"], to["WDI", "CHL"], to["UNDESA", "OOO"]) == ("XCX", "CHL", "_O")
    assert (to["M49", "900"], to["M49", "5"], to["M49", "1834"], to["M49", "788"]) == ("_W", "_AGG", "_AGG", "TUN")
    assert (to["INDEC", "14"], to["INDEC", "202"], to["INDEC", "999"]) == ("ARG", "BOL", "_U")


def test_breaks_are_of_sources_and_indicators_that_are_there(
    codelist: Rows, contracts: dict[str, Contract], data: Path
) -> None:
    for row in codelist("series_breaks"):
        assert row["source"] in contracts, row
        assert row["indicator"] in {"", *load_indicators(data)}, row
        assert date.fromisoformat(row["from_date"]), row
        assert row["stated_by"], row


def test_not_stated_refused_and_not_applicable_are_three_things_of_every_answer(
    definitions: set[tuple[str, str]],
) -> None:
    kinds = {kind for kind, code in definitions if code == "_R"}
    assert {"birth_status", "reason_code", "education_level", "activity_status", "entry_route"} <= kinds
    assert {(kind, code) for kind in kinds for code in ("_U", "_R", "_Z")} <= definitions


def test_correspondences_have_a_seed_whole_shares_and_known_targets(codelist: Rows) -> None:
    wholes: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in codelist("correspondences"):
        wholes[row["scheme"], row["code"]] += Decimal(row["share"])
    assert set(wholes.values()) == {Decimal(1)}
    assert {row["scheme"] for row in codelist("assignment_seeds")} == {scheme for scheme, _ in wholes}
    occupations = {row["code"] for row in codelist("occupations")}
    assert {row["to_code"] for row in codelist("correspondences")} <= occupations
    teachers = {row["to_code"] for row in codelist("correspondences") if row["code"] == "2310"}
    assert teachers == {"2310", "2320"}  # one to many
    assert all(row["parent_code"] in {"", *occupations} for row in codelist("occupations"))


def test_a_region_of_the_same_name_is_no_country(codelist: Rows) -> None:
    to = {(row["scheme"], row["code"]): row["country_code"] for row in codelist("xwalk_country")}
    assert (to["EUROSTAT_NAMES", "Micronesia"], to["EUROSTAT_NAMES", "Federated States of Micronesia"]) == (
        "_AGG",
        "FSM",
    )
    assert (to["EUROSTAT", "EL"], to["EUROSTAT", "UK"], to["EUROSTAT", "XK"]) == ("GRC", "GBR", "XKX")
    assert ("EUROSTAT", "GR") not in to
    assert (to["EUROSTAT_ISO3", "EU27"], to["EUROSTAT_NAMES", "Total"], to["GBMD", "SDN"]) == ("_AGG", "_W", "SDN-736")
    assert (to["WORLD_BANK_NAMES", "Other South"], to["WORLD_BANK_NAMES", "Channel Islands"]) == ("_AGG", "XCX")


def test_kinds_of_intervals_are_those_that_figures_have(definitions: set[tuple[str, str]]) -> None:
    models = read_yaml(REPOSITORY / "dbt_project/models/published/published.yml")["models"]
    [column] = [one for model in models for one in model.get("columns", ()) if one["name"] == "interval_kind"]
    accepted = column["data_tests"][0]["accepted_values"]["arguments"]["values"]
    assert {code for kind, code in definitions if kind == "interval_kind"} == set(accepted)


def test_data_kinds_have_an_order(codelist: Rows, definitions: set[tuple[str, str]]) -> None:
    weakness = {row["data_kind"]: int(row["weakness"]) for row in codelist("data_kinds")}
    assert sorted(weakness, key=lambda kind: weakness[kind]) == ["real", "aggregate", "synthetic"]
    assert {("data_kind", kind) for kind in weakness} == {one for one in definitions if one[0] == "data_kind"}


def is_cell(data: Path, indicator: str, breakdown: str, *, by_country: bool = False) -> bool:
    """Whether figures of the indicator, broken down as `reason=EDUC`, may leave, or are awaited."""
    record, parts = load_indicators(data)[indicator], {breakdown.partition("=")[0]} - {""}
    cell = parts | ({"counterpart_area"} if by_country else set())
    return cell in [set(one) for one in (*record.allowed_cells, *record.awaited_cells)]


def test_steps_of_ladders_name_what_differs(data: Path, codelist: Rows, definitions: set[tuple[str, str]]) -> None:
    rungs: dict[str, set[int]] = defaultdict(set)
    for row in codelist("ladder_rungs"):
        rungs[row["ladder"]].add(int(row["rung"]))
    steps = {(row["ladder"], int(row["lower_rung"]), int(row["upper_rung"])) for row in codelist("ladder_differences")}
    neighbours = {(name, rung, rung + 1) for name, known in rungs.items() for rung in known if rung + 1 in known}
    assert neighbours <= steps
    assert all({first, last} <= rungs[name] and first < last for name, first, last in steps)
    kinds = {code for kind, code in definitions if kind == "difference_kind"} - {"REMAINDER"}
    for row in codelist("ladder_differences"):
        assert row["difference_kind"] in kinds, row
        assert row["counted_by"] in ("LOWER", "UPPER", ""), row
        if row["indicator"]:
            assert row["counted_by"], "whose source tells the part, and which sign it has"
            assert is_cell(data, row["indicator"], row["breakdown"]), row
        if row["difference_kind"] == "REPORTERS":
            assert not row["indicator"], "told by the figures by country"


def test_breakdowns_in_lists_have_codes(data: Path, codelist: Rows, definitions: set[tuple[str, str]]) -> None:
    lists = {one.name: one.codes for one in load_breakdowns(data)}
    written = [row["breakdown"] for row in codelist("ladder_differences")]
    written += [row[f"{side}_breakdown"] for row in codelist("mirror_pairs") for side in ("origin", "destination")]
    for name, _, code in (one.partition("=") for one in written if one):
        assert any((kind, code) in definitions for kind in lists[name]), (name, code)


def test_mirrors_are_two_sides_of_one_move(data: Path, codelist: Rows) -> None:
    for row in codelist("mirror_pairs"):
        for side in ("origin", "destination"):
            assert is_cell(data, row[f"{side}_indicator"], row[f"{side}_breakdown"], by_country=True), row
        pair = [load_indicators(data)[row[f"{side}_indicator"]] for side in ("origin", "destination")]
        assert [one.ref_area_side for one in pair] == ["origin", "origin"], "both are about the country that was left"
        assert pair[0].measure_type == pair[1].measure_type, row
        assert re.search("[\u0600-\u06ff]", row["rules_ar"]), row
        assert row["rules_fr"], row
        assert row["rules_en"], row
