"""The scrub: whatever bit falls over, in landing, batches, releases or the records that hold them together, is found
and told by its place the same night."""

import errno
import random
import shutil
from pathlib import Path

import pytest

from hims_pipeline import intake, linkage
from hims_pipeline.carry import last_build
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.lake import landing
from hims_pipeline.lake.files import sha256_of
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.release import acts
from hims_pipeline.scrub import OF_FOREIGN, SEEN, Scrubbed, scrub_parts
from hims_pipeline.settings import Settings
from hims_pipeline.watch import alert_book, nights
from tests.lake.test_tampering import flip, mend
from tests.linkage.conftest import installation, send
from tests.release.conftest import make

FLIPS = 2  # of each file; `make faults` flips hundreds of bits, of whole nights
PARTS = 13


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Two linked registers, a refused delivery with lines set aside, a withdrawn release and a current one."""
    settings = installation(tmp_path_factory.mktemp("scrubbed"))
    send(settings, "census", ["90000001", "90000002"])
    send(settings, "consulate", ["90000001"])
    misfit = settings.home / "sent/misfit.csv"
    misfit.write_text("cin,passport_no\n9000,\n", encoding="utf-8")
    with installation_lock(settings, "test"):
        refused, _ = landing.take_over(settings, load_contracts(settings.data)["census"], "2023", [misfit])
        assert intake.take_in(settings, refused, lambda text: None).status == "refused"
        linkage.link_registers(settings)
        mend(settings)
    make(settings, "r000001")
    make(settings, "r000002")
    acts.use_release(settings, "r000001", "a wrong figure")
    make(settings, "r000003")
    nights.begin(settings, "0badcafe-run")
    nights.end_night(settings, "0badcafe-run", well=False, reasons=["a reason"])
    alert_book.write_book(settings, alert_book.Book(number=7))
    built = settings.home / "sent/built.duckdb"
    built.write_bytes(b"a warehouse")
    facts = {"sha256": sha256_of(built), "inputs_sha256": "0", "nodes": {}, "since_full": 0}
    last_build.keep_build(settings, built, facts)
    shutil.rmtree(settings.home / "sent")
    scrub_parts(settings)
    return settings


def files(settings: Settings) -> dict[Path, bytes]:
    """All that must not change: every file but the locks and the reserve, which hold nothing."""
    found = (path for path in settings.home.rglob("*") if path.is_file() and settings.scratch not in path.parents)
    return {path: path.read_bytes() for path in found if path.suffix not in (".lock", ".reserve")}


def put_back(before: dict[Path, bytes], settings: Settings) -> None:
    for path in files(settings).keys() - before.keys():
        path.unlink()
    for path, content in before.items():
        if not path.exists() or path.read_bytes() != content:
            mode = path.stat().st_mode if path.exists() else 0o600
            path.unlink(missing_ok=True)
            path.write_bytes(content)
            path.chmod(mode)


def test_an_untouched_installation_is_told_to_be_so(settings) -> None:
    said: list[str] = []
    found = scrub_parts(settings, said.append)
    assert found.damage == ()
    assert found.checked == found.parts == PARTS
    assert said[-1] == "scrub: all is what was written"


def test_each_of_many_flipped_bits_is_found_the_same_night(settings) -> None:
    before, draw, missed = files(settings), random.Random(20260728), []  # noqa: S311
    paths = sorted(before)
    records = {"sequence.json", "key.json", "CURRENT", "audit.head", "findings.json", "nodes.json", "book.json"}
    assert records <= {path.name for path in paths}
    assert {"rejects", "nights", "kept"} <= {part for path in paths for part in path.parts}
    for path in paths * FLIPS:
        content = bytearray(before[path])
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        mode = path.stat().st_mode
        path.chmod(0o600)
        path.write_bytes(content)
        path.chmod(mode)
        if not scrub_parts(settings).damage:
            missed.append(str(path.relative_to(settings.home)))
        put_back(before, settings)
    assert missed == []


def test_what_was_added_or_is_missing_is_found_too(settings) -> None:
    before = files(settings)
    batch = next(settings.validated.glob("census/*/*"))
    (batch / "more.parquet").write_bytes(b"x")
    next(settings.landing.glob("census/*/*/*.csv")).unlink()
    found = "\n".join(scrub_parts(settings).damage)
    put_back(before, settings)
    assert "more.parquet was added" in found
    assert "landing/census/" in found


def test_a_delivery_that_was_never_received_here_is_told(settings, tmp_path) -> None:
    """Its seal holds, as it does in another installation with the same key."""
    before = files(settings)
    (tmp_path / "other").mkdir()
    other = installation(tmp_path / "other")
    foreign = send(other, "census", ["90000077"], "2021")
    shutil.copytree(foreign.folder(other), foreign.folder(settings))
    found = scrub_parts(settings).damage
    shutil.rmtree(foreign.folder(settings).parent)
    put_back(before, settings)
    assert [line for line in found if "tells that it was received" in line] == [
        f"landing/{foreign.batch}: no line of the audit trail tells that it was received; {OF_FOREIGN}"
    ]


def test_on_a_full_disk_what_was_found_is_told_although_it_cannot_be_recorded(settings, monkeypatch) -> None:
    before = files(settings)
    flip(next(settings.landing.glob("census/*/*/*.csv")))

    def full(*_) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(settings.home / SEEN))

    monkeypatch.setattr("hims_pipeline.scrub._write_seen", full)
    found = scrub_parts(settings).damage
    put_back(before, settings)
    assert any("landing/census/" in line for line in found)
    assert found[-1].startswith(f"The disk is full: {settings.home / SEEN}. Make room")
    assert found[-1].endswith("The scrub could not be recorded.")


def test_a_share_a_night_goes_round_and_a_damaged_note_of_it_begins_anew(settings) -> None:
    before = files(settings)
    (settings.home / SEEN).unlink()
    nights: list[Scrubbed] = [scrub_parts(settings, budget=1) for _ in range(PARTS)]
    assert [night.checked for night in nights] == [1] * PARTS
    path = next(settings.landing.glob("census/*/*/*.csv"))
    flip(path)
    found = [bool(scrub_parts(settings, budget=1).damage) for _ in range(PARTS)]
    assert sum(found) == 1  # each part has its turn once
    (settings.home / SEEN).write_text("{}")
    assert any(SEEN in line for line in scrub_parts(settings).damage)
    put_back(before, settings)
    assert scrub_parts(settings).damage == ()
