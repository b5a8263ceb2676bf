"""What others drop into landing: odd things are told by place and left, and stop nothing but their own delivery."""

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from hims_pipeline import intake
from hims_pipeline.cli import main
from hims_pipeline.lake import arrival, drops, landing, survey
from hims_pipeline.plain_file import read_json
from tests.installation import Installation
from tests.lake.conftest import contract, sent
from tests.northland import AREAS, CONTRACT, OBSERVATORY, XWALK_AREA

CONTRACTS = {"northland_survey": contract()}
PERSON = "Fatma"  # in every odd name: it must not be told
PLACE = "northland_survey/2023"


def bind(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket has at most 107 bytes
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path.name)
    os.chdir(here)


def sparse(path: Path) -> None:
    with path.open("w") as file:
        file.truncate(50_000_000_000)


# An odd entry of a period's folder -> its name, how it is made, and what is said of it.
ODD: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "pipe": (f"{PERSON}.txt", os.mkfifo, "is a pipe"),
    "socket": (f"{PERSON}.txt", bind, "is a socket"),
    "device": (f"{PERSON}.txt", lambda path: os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5)), "is a device"),
    "link to a file": (f"{PERSON}.txt", lambda path: path.symlink_to("/etc/passwd"), "is a link"),
    "link to itself": (f"{PERSON}.txt", lambda path: path.symlink_to(path.name), "is a link"),
    "link to a folder": (f"{PERSON}.txt", lambda path: path.symlink_to("/etc"), "is a link"),
    "folder": (PERSON, lambda path: sent(path, "a"), "is no delivery"),
    "transfer's folder": (f".~tmp~{PERSON}", lambda path: sent(path, "half"), "is hidden"),
    "transfer's file": (f".north.txt.{PERSON}", lambda path: path.write_text("half"), "is hidden"),
    "sparse file": (f"{PERSON}.csv", sparse, "has 50,000,000,000 bytes, and the contract allows"),
    "name that is no UTF-8": (f"{PERSON}\udcff.csv", lambda path: path.write_text("a"), "not UTF-8"),
    "name over two lines": (f"{PERSON}\n.csv", lambda path: path.write_text("a"), "control character"),
    "name of our record": ("Delivery.json", lambda path: path.write_text('{"id": 1}'), "as our own record is"),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_entries_are_told_by_place_and_left(settings, drop, kind: str) -> None:
    name, make, words = ODD[kind]
    good = drop("a")
    odd = good.with_name(name)
    make(odd)
    before = odd.lstat()
    new, _, left = drops.take_over_drops(settings, CONTRACTS, 0)
    assert [one.period for one in new] == ["2023"]
    assert not good.exists()
    assert (odd.lstat().st_ino, odd.lstat().st_size) == (before.st_ino, before.st_size)
    [told] = [one for one in left if words in one.reason]
    assert told.place.startswith(f"{PLACE}, ")
    assert PERSON not in told.place + told.reason


@pytest.mark.parametrize("kind", ["sparse file", "name that is no UTF-8", "name over two lines"])
def test_a_delivery_waits_for_what_belongs_to_it(settings, drop, kind: str) -> None:
    """A file that an entity takes is a part of the delivery, which is not taken over without it."""
    name, make, _ = ODD[kind]
    drop("notes", "readme.md")
    make(settings.landing / PLACE / f"north{name}".replace(".csv", ".txt"))
    other = drop("a", period="2022")
    new, _, left = drops.take_over_drops(settings, CONTRACTS, 0)
    assert [one.period for one in new] == ["2022"]
    assert not other.exists()
    assert [one.reason for one in left if one.place == PLACE] == [
        "waiting for a file of this delivery that cannot be taken over as it is"
    ]
    assert len(list((settings.landing / PLACE).iterdir())) == 2


def test_names_that_differ_in_case_or_composition_are_told(settings, drop) -> None:
    for names in (("north.txt", "NORTH.txt"), ("northe\u0301.txt", "north\u00e9.txt")):
        paths = [drop("a", name) for name in names]
        new, _, left = drops.take_over_drops(settings, CONTRACTS, 0)
        assert (new, len(left)) == ([], 2)
        for path in paths:
            path.unlink()
    longest = drop("a", "north" + "n" * 246 + ".txt")
    new, _, left = drops.take_over_drops(settings, CONTRACTS, 0)
    assert ([one.files[0].name for one in new], left) == ([longest.name], [])


def test_odd_entries_elsewhere_in_landing_are_told_and_left(settings, drop) -> None:
    drop("a")
    made = {
        settings.landing / f"{PERSON}.txt": "lies outside the folders of sources",
        settings.landing / f".{PERSON}": "is hidden",
        settings.landing / PERSON: "no contract in data/contracts has its name",
        settings.landing / "northland_survey" / f"{PERSON}.txt": "lies outside the folders of periods",
        settings.landing / "northland_survey" / PERSON: "its name must be a year such as 2024",
        settings.landing / "northland_survey" / "٢٠٢٣": "its name must be a year such as 2024",
        settings.landing / "northland_survey" / "2999": "lies ahead",
        settings.landing / "northland_survey" / "2022": "lies outside the folders of periods",
    }
    for path in made:
        sent(path, "a") if path.suffix == "" and path.name != "2022" else path.symlink_to("/etc")
    (settings.landing / PERSON / "2023/0123456789ab").mkdir(parents=True)
    new, _, left = drops.take_over_drops(settings, CONTRACTS, 0)
    assert [one.period for one in new] == ["2023"]
    assert all(os.path.lexists(path) for path in made)
    assert {(one.name, True) for one in left if one.name} == {(path.name, True) for path in made if path.name != "2999"}
    for words in made.values():
        assert [one for one in left if words in one.reason], words
    assert PERSON not in "".join(one.place + one.reason for one in left)


def test_a_growing_file_holds_its_period_alone(settings, drop) -> None:
    growing, other = drop("a"), drop("a", period="2022")
    with growing.open("a"):
        os.utime(growing, (0, 0))  # its times say that it rests; the kernel knows better
        new, _, left = drops.take_over_drops(settings, CONTRACTS, 5, now=other.stat().st_mtime + 6)
        assert [one.period for one in new] == ["2022"]
        assert [(one.place, one.reason[:14]) for one in left] == [(f"{PLACE}, file 1", "is still open ")]
    new, _, left = drops.take_over_drops(settings, CONTRACTS, 5)
    assert ([one.period for one in new], left) == (["2023"], [])


def test_a_file_that_changed_after_it_was_copied_stays(settings, drop, monkeypatch) -> None:
    path, real = drop("a"), landing.take_over_files

    def then_changed(*args, **more):
        taken = real(*args, **more)
        path.write_text("b")
        return taken

    monkeypatch.setattr(landing, "take_over_files", then_changed)
    [first], _, [told] = drops.take_over_drops(settings, CONTRACTS, 0)
    assert told.reason.startswith("changed after it was copied")
    assert path.read_text() == "b"
    monkeypatch.undo()
    [second], _, _ = drops.take_over_drops(settings, CONTRACTS, 0)
    assert second.sequence > first.sequence
    assert second.id != first.id


def test_a_time_ten_years_ahead_is_watched_instead_of_waited_for(settings, drop) -> None:
    path = drop("a")
    ahead = path.stat().st_mtime + 10 * 365 * 86400

    def grow(seconds: float) -> None:
        path.write_text("ab")
        os.utime(path, (ahead, ahead))

    os.utime(path, (ahead, ahead))
    new, _, left = drops.take_over_drops(settings, CONTRACTS, 5, sleep=grow)
    assert new == []
    assert [one.reason for one in left] == ["a file's modification time lies in the future, and it still changes"]
    slept: list[float] = []
    new, _, left = drops.take_over_drops(settings, CONTRACTS, 5, sleep=slept.append)
    assert ([one.period for one in new], slept) == (["2023"], [5])
    assert "lies in the future" in left[0].reason
    assert not path.exists()


def test_what_cannot_be_read_or_vanishes_stops_nothing_else(settings, drop, monkeypatch) -> None:
    locked, gone = drop("a"), drop("a", period="2021")
    drop("a", period="2022")
    real_open, real_scan = os.open, os.scandir

    def opened(path, *args, **more):
        if str(path) == str(locked):
            raise PermissionError(13, "Permission denied", str(path))
        return real_open(path, *args, **more)

    def scanned(path):
        if Path(path) == gone.parent:
            raise PermissionError(13, "Permission denied", str(path))
        return real_scan(path)

    monkeypatch.setattr(arrival.os, "open", opened)
    monkeypatch.setattr(survey.os, "scandir", scanned)
    new, _, left = drops.take_over_drops(settings, CONTRACTS, 0)
    assert [one.period for one in new] == ["2022"]
    assert {(one.place, one.reason.split(";")[0]) for one in left} == {
        (f"{PLACE}, file 1", "cannot be read (Permission denied)"),
        ("northland_survey/2021", "cannot be looked into (Permission denied)"),
    }
    assert "northland_survey/2021" in [landing.batch_of(one) for one in landing.damaged_records(settings)]

    def vanished(path):
        if Path(path) == gone.parent:
            raise FileNotFoundError(2, "No such file or directory")
        return real_scan(path)

    monkeypatch.setattr(survey.os, "scandir", vanished)
    assert [one.place for one in drops.take_over_drops(settings, CONTRACTS, 0)[2]] == [f"{PLACE}, file 1"]
    assert landing.damaged_records(settings) == []


def test_too_many_files_are_told_in_one_line(settings, drop, monkeypatch) -> None:
    monkeypatch.setattr(survey, "MOST_ENTRIES", 3)
    for number in range(4):
        drop("a", f"north{number}.txt")
    assert [one.reason[:17] for one in drops.take_over_drops(settings, CONTRACTS, 0)[2]] == ["holds more than 3"]
    monkeypatch.undo()
    monkeypatch.setattr(landing, "MOST_FILES", 3)
    assert "4 files; a delivery has 1 to 3" in drops.take_over_drops(settings, CONTRACTS, 0)[2][0].reason


def test_a_full_disk_stops_one_drop_and_not_the_next(settings, drop, monkeypatch) -> None:
    drop("a", period="2021")
    drop("a", period="2022")
    real, failed = os.fsync, []

    def once_full(descriptor: int) -> None:
        if not failed:
            failed.append(descriptor)
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(arrival.os, "fsync", once_full)
    new, _, left = drops.take_over_drops(settings, CONTRACTS, 0)
    assert [one.period for one in new] == ["2022"]
    assert [(one.place, one.is_failure) for one in left] == [("northland_survey/2021", True)]
    assert [path.name for path in (settings.landing / "northland_survey/2021").iterdir()] == ["north.txt"]


def test_a_file_dropped_into_a_delivery_is_told(settings, tmp_path) -> None:
    delivery, _ = landing.take_over(settings, contract(), "2023", [sent(tmp_path, "a")])
    sent(delivery.folder(settings), "b", f"{PERSON}.txt")
    [told] = drops.take_over_drops(settings, CONTRACTS, 0)[2]
    assert told.place == f"{delivery.batch}, entry 1"
    assert "no part of that delivery" in told.reason


def test_a_link_in_the_place_of_a_folder_leads_nowhere(settings, tmp_path) -> None:
    (tmp_path / "elsewhere").mkdir()
    settings.landing.mkdir(parents=True)
    (settings.landing / "northland_survey").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(landing.HimsError, match="is a link"):
        landing.take_over(settings, contract(), "2023", [sent(tmp_path, "a")])
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_status_tells_all_of_it_without_a_name(tmp_path) -> None:
    here = Installation(tmp_path / "home", tmp_path / "data", tmp_path / "expectations")

    def hims(*words: str) -> str:  # in this process: starting one costs more than all the rest
        done = CliRunner(env=here.environment).invoke(main, words)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.output

    sent(here.data, OBSERVATORY, "observatory.yml")
    sent(here.data / "contracts", CONTRACT, "northland_survey.yml")
    sent(here.data / "codelists", XWALK_AREA, "xwalk_area.csv")
    sent(here.data / "codelists", AREAS, "areas.csv")
    here.expectations.mkdir()
    landing_zone = here.settings.landing
    file = sent(tmp_path, "a")
    for period in ("2020", "2021"):
        hims("deliver", str(file), "--source", "northland_survey", "--period", period)
    record = next(landing_zone.glob("northland_survey/2020/*/delivery.json"))
    record.write_text(record.read_text().replace("north.txt", f"{PERSON}.txt"))
    for name, make, _ in ODD.values():
        folder = landing_zone / f"northland_survey/{2000 + len(list(landing_zone.glob('northland_survey/20*')))}"
        folder.mkdir()
        make(folder / name)
    printed = hims("status")
    assert "Traceback" not in printed
    assert PERSON not in printed
    assert "damaged     northland_survey/2020/" in printed
    assert "pending     northland_survey/2021/" in printed
    assert printed.count("in landing  northland_survey/") == len(ODD)
    assert PERSON not in hims("status", "--format", "json")
    refused = hims("batch", "withdraw", "northland_survey/2020", "--reason", "x")
    assert "its seal does not hold" in refused
    assert "1 of 1 records could not be sealed" in hims("batch", "reseal", "--all", "--reason", "x")
    intake.take_over_dropped(here.settings)
    assert PERSON in str(read_json(here.settings.identified / intake.LEFT))
