"""Records and files of batches under attack: what was moved, edited, put back or flipped is found, never counts, is
read again from landing, and takes nothing else with it."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hims_pipeline import intake, linkage
from hims_pipeline.carry import last_build
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.errors import Damaged, HimsError
from hims_pipeline.lake import batches, journal, landing
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.lake.seal import read_sealed, write_sealed
from hims_pipeline.settings import Settings
from hims_pipeline.staging.inputs import input_rows, inputs_sha256, verify_inputs
from tests.linkage.conftest import installation, send


def silent(text: str) -> None:
    pass


def refuse(settings: Settings, source: str, period: str) -> Delivery:
    """Deliver a register with more rows than its suite allows."""
    file = settings.home / "sent/refused.csv"
    file.write_text("cin,passport_no\n" + "90000001,\n" * 9, encoding="utf-8")
    with installation_lock(settings, "test"):
        delivery, _ = landing.take_over(settings, load_contracts(settings.data)[source], period, [file])
        verdict = intake.take_in(settings, delivery, silent)
        assert (verdict.status, verdict.stage) == ("refused", "gate")
    return delivery


SUITE = {
    "name": "census__people",
    "expectations": [
        {
            "type": "expect_table_row_count_to_be_between",
            "kwargs": {"max_value": 5},
            "severity": "critical",
            "meta": {"code": "CENSUS-001", "message": {"en": "Too many rows."}},
        }
    ],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Two registers with one accepted batch each, and a refused delivery."""
    settings = installation(tmp_path_factory.mktemp("made"))
    (settings.expectations / "census__people.json").write_text(json.dumps(SUITE), encoding="utf-8")
    send(settings, "census", ["90000001", "90000002"])
    send(settings, "consulate", ["90000003"])
    refuse(settings, "census", "2023")
    return settings


@pytest.fixture
def settings(made, tmp_path) -> Settings:
    """A copy of it, to be damaged."""
    for folder in ("data", "expectations", "home"):
        shutil.copytree(made.home.parent / folder, tmp_path / folder)
    return replace(made, data=tmp_path / "data", expectations=tmp_path / "expectations", home=tmp_path / "home")


def delivery_of(settings: Settings, source: str, period: str = "2024") -> Delivery:
    return next(one for one in landing.deliveries(settings, source) if one.period == period)


def folder_of(settings: Settings, source: str, period: str = "2024") -> Path:
    root = settings.quarantine if period == "2023" else settings.validated
    return batches.folder_of(root, delivery_of(settings, source, period))


def counted(settings: Settings) -> set[str]:
    return {f"{row['source']}/{row['period']}" for row in input_rows(settings)}


def flip(path: Path, at: float = 0.5) -> None:
    content = bytearray(path.read_bytes())
    content[int(len(content) * at)] ^= 1
    path.write_bytes(content)


def edit_verdict(settings: Settings, folder: Path, change: Callable[[dict], None], *, seal: bool = False) -> None:
    path = folder / batches.VERDICT
    record = read_sealed(settings, path, "verdict") if seal else json.loads(path.read_text())
    change(record)
    if seal:
        write_sealed(settings, path, "verdict", record)
    else:
        path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def accept(record: dict) -> None:
    record.update(status="accepted", findings=[], rules=[one | {"success": True} for one in record["rules"]])


def move(settings: Settings) -> None:
    source = folder_of(settings, "census", "2023")
    target = settings.validated / source.relative_to(settings.quarantine)
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)


def move_edited(settings: Settings) -> None:
    edit_verdict(settings, folder_of(settings, "census", "2023"), accept)
    move(settings)


def move_with_findings_emptied_and_sealed(settings: Settings) -> None:
    def empty(record: dict) -> None:
        record.update(status="accepted", findings=[])

    edit_verdict(settings, folder_of(settings, "census", "2023"), empty, seal=True)
    move(settings)


def move_with_an_accepted_verdict(settings: Settings) -> None:
    shutil.copy(folder_of(settings, "census") / batches.VERDICT, folder_of(settings, "census", "2023"))
    move(settings)


@pytest.mark.parametrize(
    "attack", [move, move_edited, move_with_findings_emptied_and_sealed, move_with_an_accepted_verdict]
)
def test_a_refused_batch_cannot_be_moved_into_acceptance(settings, attack) -> None:
    before = counted(settings)
    attack(settings)
    assert counted(settings) == before == {"census/2024", "consulate/2024"}
    assert [one.state for one in intake.states(settings)] == ["damaged", "accepted", "accepted"]
    assert len(intake.problems(settings)) == 1
    if attack is not move_edited:
        return  # they are all mended alike
    mend(settings)
    assert [one.state for one in intake.states(settings)] == ["refused", "accepted", "accepted"]
    assert folder_of(settings, "census", "2023").is_dir()


def mend(settings: Settings) -> None:
    """Take in what is pending, as the night does."""
    with installation_lock(settings, "test"):
        for one in intake.find_pending(settings):
            intake.take_in(settings, one.delivery, silent)
    assert intake.problems(settings) == []


@pytest.mark.parametrize("what", ["an empty folder", "a copy of another batch"])
def test_what_somebody_put_among_the_accepted_batches_holds_nobodys_place(settings, what: str) -> None:
    before = counted(settings)
    folder = folder_of(settings, "consulate").with_name("0123456789ab")
    if what == "an empty folder":
        folder.mkdir()
    else:
        shutil.copytree(folder_of(settings, "census"), folder)
    assert counted(settings) == before == {"census/2024", "consulate/2024"}
    assert [one for one in intake.problems(settings) if "Move it away" in one and folder.name in one]


def remove_rules(record: dict) -> None:
    record.update(rules=record["rules"][:1], declared=1, evaluated=1)


def another_batchs(settings: Settings, folder: Path) -> None:
    shutil.copy(folder_of(settings, "consulate") / batches.VERDICT, folder)


ATTACKS: dict[str, Callable[[Settings, Path], object]] = {
    "a bit of a Parquet file": lambda s, f: flip(f / "people.parquet"),
    "a bit of the manifest": lambda s, f: flip(f / batches.MANIFEST),
    "a blank of the verdict": lambda s, f: (f / batches.VERDICT).write_text(
        (f / batches.VERDICT).read_text().replace("\n ", "\n\t", 1)
    ),
    "a cut verdict": lambda s, f: (f / batches.VERDICT).write_text((f / batches.VERDICT).read_text()[:200]),
    "a verdict that is no text": lambda s, f: (f / batches.VERDICT).write_bytes(b"\xff\xfe" * 9),
    "no verdict": lambda s, f: (f / batches.VERDICT).unlink(),
    "no manifest": lambda s, f: (f / batches.MANIFEST).unlink(),
    "no Parquet file": lambda s, f: (f / "people.parquet").unlink(),
    "a status alone": lambda s, f: edit_verdict(s, f, lambda r: r.update(status="refused")),
    "another batch's verdict": another_batchs,
    "rules removed, and sealed": lambda s, f: edit_verdict(s, f, remove_rules, seal=True),
    "a status that does not follow, sealed": lambda s, f: edit_verdict(
        s, f, lambda r: r.update(canary="not run"), seal=True
    ),
    "a verdict without a field, sealed": lambda s, f: edit_verdict(s, f, lambda r: r.pop("rules"), seal=True),
}


@pytest.mark.parametrize("what", ATTACKS)
def test_a_damaged_batch_is_read_again_and_takes_nothing_with_it(settings, what: str) -> None:
    made_of = inputs_sha256(settings, input_rows(settings))
    folder = folder_of(settings, "census")
    ATTACKS[what](settings, folder)
    waiting = intake.find_pending(settings)
    assert [(one.delivery.source, one.stood) for one in waiting] == [("census", True)]
    assert waiting[0].why.startswith("damaged on disk")
    assert all(one.state in ("accepted", "damaged", "refused") for one in intake.states(settings, hashed=True))
    assert "consulate/2024" in counted(settings)
    assert intake.find_doubtful(settings) == waiting
    if what not in ("a bit of a Parquet file", "no verdict", "rules removed, and sealed"):
        return  # they are all mended alike
    mend(settings)
    assert counted(settings) == {"census/2024", "consulate/2024"}
    assert inputs_sha256(settings, input_rows(settings)) == made_of  # the same delivery, read again: the same input


def test_a_verdict_from_before_a_change_does_not_count_beside_the_present_batch(settings) -> None:
    folder = folder_of(settings, "census")
    former = (folder / batches.VERDICT).read_bytes()
    contract = settings.data / "contracts/census.yml"
    contract.write_text(contract.read_text().replace("grain: a person", "grain: a person\n    minimum_rows: 2"))
    mend(settings)
    (folder / batches.VERDICT).write_bytes(former)
    known = batches.prove_batch(settings, delivery_of(settings, "census"))
    assert (known.batch, known.verdict) == (None, None)
    assert "given on other files" in known.damage


def test_a_whole_former_batch_put_back_is_judged_again_before_anything_is_built(settings) -> None:
    folder = folder_of(settings, "census")
    former = shutil.copytree(folder, settings.home / "former")
    contract = settings.data / "contracts/census.yml"
    contract.write_text(contract.read_text().replace("grain: a person", "grain: a person\n    minimum_rows: 2"))
    mend(settings)
    shutil.rmtree(folder)
    former.rename(folder)
    assert [one.why for one in intake.find_doubtful(settings)] == [
        "changed since the last verdict: contract, gate:rules"
    ]


def test_a_file_that_is_damaged_in_landing_too_is_told_and_not_read(settings) -> None:
    flip(folder_of(settings, "census") / "people.parquet")
    flip(delivery_of(settings, "census").paths(settings)[0])
    with pytest.raises(Damaged, match="from a backup"):
        intake.take_in(settings, delivery_of(settings, "census"), silent)
    assert counted(settings) == {"consulate/2024"}
    (line,) = intake.problems(settings)
    assert line.startswith("census/2024/")
    assert "people.parquet" in line
    assert [one.state for one in intake.states(settings, hashed=True)] == ["refused", "damaged", "accepted"]


def test_a_batch_whose_record_in_landing_is_gone_does_not_count_and_is_told(settings) -> None:
    shutil.rmtree(delivery_of(settings, "census").folder(settings))
    assert counted(settings) == {"consulate/2024"}
    (line,) = intake.problems(settings)
    assert "its record in landing is gone" in line


def test_a_flip_while_dbt_reads_is_found_behind_it(settings) -> None:
    rows = input_rows(settings)
    verify_inputs(settings, rows)
    flip(Path(rows[0]["path"]))
    with pytest.raises(Damaged, match=r"people\.parquet is not what this build was to read"):
        verify_inputs(settings, rows)
    elsewhere = [rows[1] | {"path": str(settings.home / "sent/refused.csv")}]
    with pytest.raises(Damaged, match="no file of an accepted batch"):
        verify_inputs(settings, elsewhere)


def test_inputs_name_the_records_that_they_count_by(settings) -> None:
    judged = {one["batch"]: one["verdict_sha256"] for one in journal.done(settings, journal.JUDGED)}
    for row in input_rows(settings):
        folder = Path(row["path"]).parent
        verdict = batches.read_verdict(settings, folder)
        manifest = batches.read_batch_manifest(settings, folder)
        assert manifest is not None
        assert row["manifest_sha256"] == verdict.manifest_sha256 == manifest.sha256
        assert row["verdict_sha256"] == verdict.sha256 == judged[row["batch_id"]]
        assert row["delivery_sha256"] == verdict.inputs["delivery"]


def test_pairs_that_are_not_what_was_written_are_made_again_and_never_linked(settings) -> None:
    with installation_lock(settings, "test"):
        linkage.link_registers(settings)
        mend(settings)
    links = settings.links.joinpath(*delivery_of(settings, "census").batch.split("/")) / "people.parquet"
    flip(links)
    with pytest.raises(HimsError, match="The links stay as they are: census/"), installation_lock(settings, "test"):
        linkage.link_registers(settings)
    assert [one.why for one in intake.find_pending(settings)] == [
        "its pairs for the linkage are missing or damaged: people"
    ]
    mend(settings)


def test_another_time_zone_makes_every_batch_pending(settings) -> None:
    """Days of instants follow from the observatory's zone, so a verdict rests on it."""
    assert intake.find_pending(settings) == []
    path = settings.data / "observatory.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("Africa/Tunis", "Asia/Tokyo"), encoding="utf-8")
    assert {one.why for one in intake.find_pending(settings)} == {"changed since the last verdict: time zone"}


def test_a_sealed_record_of_another_version_is_damage_of_its_file_and_the_next_build_begins_anew(settings) -> None:
    path = settings.home / "kept" / last_build.RECORD
    write_sealed(settings, path, last_build.KIND, {"file": "w.duckdb", "sha256": "0", "nodes": {}, "since_full": 1})
    with pytest.raises(Damaged, match=r"nodes\.json does not hold what a nodes of this version .*inputs_sha256"):
        last_build.read_kept(settings)
    record = read_sealed(settings, path, last_build.KIND)
    assert (record["since_full"], record.get("inputs_sha256")) == (1, None)
