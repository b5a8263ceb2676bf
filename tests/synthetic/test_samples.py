"""The good sample: the same bytes for the same seed, the contracts' layouts, and the published totals."""

import csv
import shutil
from collections import Counter
from pathlib import Path

import pytest

from hims_pipeline.contracts.facts import check_feeds
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.errors import HimsError
from hims_pipeline.settings import REPOSITORY, Settings
from hims_synthetic import Sample, demo_deliveries, make_samples
from hims_synthetic.broken import SMALL

Good = dict[tuple[str, str], Sample]
SOURCES = ("rgph", "border_crossings")


def rows_of(good: Good, source: str, period: str) -> list[dict[str, str]]:
    form = load_contracts(REPOSITORY / "data")[source].format_in(ENTITY[source], period)
    with good[source, period].files[0].open(encoding=form.encoding, newline="") as file:
        return list(csv.DictReader(file, delimiter=form.delimiter))


ENTITY = {"rgph": "persons", "border_crossings": "passages"}


def test_same_seed_same_bytes_another_seed_others(settings: Settings, good: Good, tmp_path: Path) -> None:
    again = make_samples(settings, tmp_path / "again", scale=SMALL)
    other = make_samples(settings, tmp_path / "other", seed=7, scale=SMALL)
    assert all(one.files[0].read_bytes() == good[one[:2]].files[0].read_bytes() for one in again)
    others = [one for one in other if one.source in SOURCES]
    assert all(one.files[0].read_bytes() != good[one[:2]].files[0].read_bytes() for one in others)


def test_contracts_say_what_the_sample_is() -> None:
    for source in SOURCES:
        contract = load_contracts(REPOSITORY / "data")[source]
        check_feeds(contract)
        assert (contract.data_kind, contract.status, contract.country) == ("synthetic", "proposed", "TUN")
        assert "SYNTHETIC sample; proposed contract" in contract.owner.institution
        assert contract.personal
        assert not contract.legal.record  # production refuses it as it stands


def test_every_file_is_marked_and_taken_by_its_entity(good: Good) -> None:
    assert sum(source in SOURCES for source, _ in good) == 10
    for (source, period), sample in good.items():
        if source not in SOURCES:
            continue  # test_registers
        contract = load_contracts(REPOSITORY / "data")[source]
        for name in (file.name for file in sample.files):
            assert "SYNTHETIC" in name
            assert contract.takers(name, period) or contract.is_companion(name, period), name


@pytest.mark.parametrize(("source", "period"), [("rgph", "2014"), ("rgph", "2024"), ("border_crossings", "2024-03")])
def test_header_codes_and_required_values_are_the_contracts(good: Good, source: str, period: str) -> None:
    contract = load_contracts(REPOSITORY / "data")[source]
    entity, names = contract.entity_in(ENTITY[source], period), contract.sent_names(ENTITY[source], period)
    rows = rows_of(good, source, period)
    assert list(rows[0]) == list(entity.header or [column.name for column in entity.columns])
    for column in entity.columns:
        values = {row[names.get(column.name, column.name)] for row in rows}
        assert not (column.required and "" in values), column.name
        if (codes := column.valid_codes()) is not None:
            assert values - {""} <= set(codes), column.name
    keys = Counter(tuple(row[names.get(name, name)] for name in entity.key) for row in rows)
    assert max(keys.values()) == 1


def test_census_waves_have_the_published_size(good: Good) -> None:
    for period, records, foreigners, column in (("2014", 10_983, 53, "NAT_TN"), ("2024", 11_972, 66, "citizenship")):
        rows = rows_of(good, "rgph", period)
        assert len(rows) == records
        assert sum(row[column] == "2" for row in rows) == foreigners
    governorates = Counter(row["governorate"] for row in rows)
    assert (len(governorates), governorates["31"], governorates["41"]) == (24, 762, 601)


def test_children_under_five_and_the_old_are_as_many_as_published(good: Good) -> None:
    ages = [int(row["age"]) for row in rows_of(good, "rgph", "2024")]
    assert abs(sum(age < 5 for age in ages) / len(ages) - 0.059) < 0.01
    assert abs(sum(age >= 60 for age in ages) / len(ages) - 0.169) < 0.01


def test_travellers_come_back_and_no_day_is_empty(good: Good) -> None:
    rows = [row for month in range(1, 7) for row in rows_of(good, "border_crossings", f"2024-0{month}")]
    assert len({row["crossing_date"] for row in rows}) == 182
    twice = Counter(row["document_no"] for row in rows)
    assert {1, 2} <= set(twice.values())  # few foreigners live in a small sample, and they travel again
    assert sum(count == 2 for count in twice.values()) > 8_000


def test_the_demonstration_has_one_empty_month_and_one_error_page(settings: Settings, tmp_path: Path) -> None:
    demo = {one[:2]: one.files[0].read_bytes() for one in demo_deliveries(settings, tmp_path, scale=SMALL)}
    assert demo["border_crossings", "2024-04"].count(b"\n") == 1
    assert demo["border_crossings", "2024-05"].startswith(b"<!DOCTYPE html>")
    whole = [content.count(b"\n") for (source, _), content in demo.items() if source in SOURCES]
    assert sum(lines > 2_000 for lines in whole) == 8


def test_without_a_recipe_it_says_so(settings: Settings, tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "data" / "samples", tmp_path / "data" / "samples")
    (tmp_path / "data/samples/recipe/names.csv").unlink()
    bare = Settings(tmp_path, tmp_path / "data", tmp_path, settings.home)
    with pytest.raises(HimsError, match=r"data/samples/recipe has no names"):
        make_samples(bare, tmp_path / "out")
