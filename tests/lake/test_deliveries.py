"""Deliveries and batches without a run: what arrives, what counts, what is pending, who holds the lock."""

import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hims_pipeline import intake
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import Busy, HimsError
from hims_pipeline.lake import batches, drops, landing
from hims_pipeline.lake.files import sha256_of
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.lake.verdict import Verdict
from hims_pipeline.settings import Settings
from tests.lake.conftest import contract, sent
from tests.northland import CONTRACT


def accept(settings: Settings, delivery: landing.Delivery, status: str = "accepted") -> Path:
    """Put a batch of one small file where a verdict puts it, without reading anything."""
    folder = batches.folder_of(settings.bronze, delivery)
    folder.mkdir(parents=True)
    file = folder / "persons.parquet"
    file.write_text(delivery.sha256)
    entity = batches.EntityFiles(
        (batches.PartFile(file.name, 1, file.stat().st_size, sha256_of(file)),), "north.txt", 0
    )
    manifest = batches.Manifest(
        delivery.source, delivery.period, delivery.id, delivery.sha256, 1, "c", "r", "", "synthetic", "k",
        {"persons": entity},
    )  # fmt: skip
    batches.write_manifest(settings, folder, manifest)
    held = {"code": "A", "severity": "blocking", "success": status == "accepted", "blind": False}
    verdict = Verdict(
        delivery.batch, "gate", "2024-01-01", {"delivery": delivery.sha256},
        manifest_sha256=manifest.sha256, files=manifest.files,
        declared=1, evaluated=1, canary="passed", rules=(held,),
    )  # fmt: skip
    assert verdict.status == status
    return batches.place_batch(settings, delivery, folder, verdict)


def test_same_bytes_under_another_name_are_the_same_delivery(settings, tmp_path) -> None:
    first, new = landing.take_over(settings, contract(), "2023", [sent(tmp_path, "a")])
    again, is_new = landing.take_over(settings, contract(), "2023", [sent(tmp_path, "a", "north_copy.txt")])
    other, _ = landing.take_over(settings, contract(), "2023", [sent(tmp_path, "b")])
    assert (new, is_new) == (True, False)
    assert again == first
    assert other.id != first.id
    assert other.sequence == first.sequence + 1


def test_a_period_spelt_wrong_is_an_error_that_shows_the_spelling(settings, tmp_path) -> None:
    with pytest.raises(HimsError, match="a year such as 2024"):
        landing.take_over(settings, contract(), "2023-13", [sent(tmp_path, "a")])


def test_what_is_dropped_is_taken_over_once_it_rests(settings, tmp_path) -> None:
    place = settings.landing / "northland_survey/2023"
    place.mkdir(parents=True)
    path = sent(place, "a")
    contracts = {"northland_survey": contract()}
    young = drops.take_over_drops(settings, contracts, settle_seconds=60)
    assert young[0] == []
    assert "changed less than" in young[2][0].reason
    new, _, _ = drops.take_over_drops(settings, contracts, settle_seconds=60, now=path.stat().st_mtime + 61)
    assert [one.period for one in new] == ["2023"]
    assert not path.exists()


def test_a_delivery_waits_for_its_codebook_and_for_its_data(settings) -> None:
    record = yaml.safe_load(CONTRACT)
    record["format"] = {"type": "fixed_width", "codebook": "*.xml"}
    contracts = {"northland_survey": Contract.model_validate(record)}
    place = settings.landing / "northland_survey/2023"
    place.mkdir(parents=True)
    for first, second, missing in (("north.txt", "book.xml", "*.xml"), ("book.xml", "north.txt", "persons")):
        sent(place, first, first)
        new, _, misplaced = drops.take_over_drops(settings, contracts, 0)
        assert new == []
        assert misplaced[0].reason == f"waiting for {missing} to complete the delivery"
        sent(place, second, second)
        new, again, _ = drops.take_over_drops(settings, contracts, 0)
        assert [len(one.files) for one in (*new, *again)] == [2]


def test_misplaced_files_are_reported_and_left_alone(settings) -> None:
    for place in ("nobody/2023", "northland_survey/summer"):
        (settings.landing / place).mkdir(parents=True)
        sent(settings.landing / place, "a")
    _, _, misplaced = drops.take_over_drops(settings, {"northland_survey": contract()}, 0)
    assert {one.place for one in misplaced} == {"folder 1", "northland_survey, folder 1"}
    assert {one.name for one in misplaced} == {"nobody", "summer"}
    assert len(list(settings.landing.rglob("north.txt"))) == 2


@pytest.mark.parametrize(
    ("supersedes", "expected"),
    [
        ("same_period", {"b", "d"}),
        ("earlier_editions", {"d"}),
        ("nothing", {"a", "b", "c", "d"}),
        ("earlier_deliveries", {"d"}),
    ],
)
def test_what_counts_follows_from_the_contract(settings, tmp_path, supersedes: str, expected: set[str]) -> None:
    terms, names = contract(supersedes=supersedes), {}
    for text, period in (("a", "2022"), ("b", "2022"), ("c", "2023"), ("d", "2023")):
        delivery, _ = landing.take_over(settings, terms, period, [sent(tmp_path, text)])
        accept(settings, delivery)
        names[delivery.batch] = text
    counted = batches.find_current_batches(settings, terms, landing.deliveries(settings))
    assert {names[one.manifest.batch] for one in counted} == expected


def test_the_order_of_periods_does_not_matter(settings, tmp_path) -> None:
    ends = set()
    for number, order in enumerate(itertools.permutations(["2020", "2021", "2022", "2023"])):
        here = Settings(settings.project, settings.data, settings.expectations, tmp_path / str(number), env="test")
        for period in order:
            delivery, _ = landing.take_over(here, contract(), period, [sent(tmp_path, period)])
            accept(here, delivery)
        counted = batches.find_current_batches(here, contract(), landing.deliveries(here))
        ends.add(tuple(one.manifest.batch for one in counted))
    assert len(ends) == 1


def test_a_withdrawn_delivery_gives_way_to_the_earlier_one(settings, tmp_path) -> None:
    terms = contract()
    first, _ = landing.take_over(settings, terms, "2023", [sent(tmp_path, "a")])
    later, _ = landing.take_over(settings, terms, "2023", [sent(tmp_path, "b")])
    accept(settings, first)
    accept(settings, later)
    intake.withdraw(settings, later.batch, "another country's file")
    counted = batches.find_current_batches(settings, terms, landing.deliveries(settings))
    assert [one.manifest.batch for one in counted] == [first.batch]
    with pytest.raises(HimsError, match="withdrawn already"):
        intake.withdraw(settings, later.batch, "again")


def test_a_refused_correction_does_not_supersede(settings, tmp_path) -> None:
    first, _ = landing.take_over(settings, contract(), "2023", [sent(tmp_path, "a")])
    later, _ = landing.take_over(settings, contract(), "2023", [sent(tmp_path, "b")])
    accept(settings, first)
    accept(settings, later, "refused")
    counted = batches.find_current_batches(settings, contract(), landing.deliveries(settings))
    assert [one.manifest.batch for one in counted] == [first.batch]


def test_labels_are_no_part_of_what_a_verdict_rests_on() -> None:
    record = yaml.safe_load(CONTRACT)
    before = intake.contract_sha256(Contract.model_validate(record), "2023")
    record["title"]["en"], record["owner"]["contact"] = "Another title", "somebody else"
    assert intake.contract_sha256(Contract.model_validate(record), "2023") == before
    record["entities"]["persons"]["columns"][1]["maximum"] = 40
    assert intake.contract_sha256(Contract.model_validate(record), "2023") != before


HOLD = """
import sys, time
from pathlib import Path
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.settings import REPOSITORY, Settings
settings = Settings(REPOSITORY, REPOSITORY, REPOSITORY, Path(sys.argv[1]))
with installation_lock(settings, "counting sheep"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_lock_names_its_holder_and_dies_with_it(settings) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(settings.home)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with pytest.raises(Busy, match="counting sheep"), installation_lock(settings, "mine"):
        pass
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with installation_lock(settings, "mine"):
        pass
