"""How files become deliveries: their order, kills at any moment, what is in progress, and records that are damaged."""

import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from hims_pipeline import intake
from hims_pipeline.errors import Damaged, HimsError
from hims_pipeline.lake import arrival, batches, drops, landing, sequence
from hims_pipeline.lake.arrival import Unfit
from hims_pipeline.lake.files import write_json
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.plain_file import read_json
from hims_pipeline.privacy import key_record
from hims_pipeline.privacy.keys import create_key
from tests.lake.conftest import contract, sent
from tests.lake.test_deliveries import accept
from tests.northland import AREAS, CONTRACT, XWALK_AREA

FORK = multiprocessing.get_context("fork")


def deliver(settings, folder: Path, text: str, **more):
    return landing.take_over_files(settings, contract(), more.pop("period", "2023"), [sent(folder, text)], **more)


def in_a_process(work: Callable[[], object]) -> int | None:
    """Run something in a process of its own; returns its exit code, negative for a signal."""
    process = FORK.Process(target=work)
    process.start()
    process.join()
    return process.exitcode


def counts(settings, terms) -> list[str]:
    return [one.manifest.id for one in batches.find_current_batches(settings, terms, landing.deliveries(settings))]


def test_fifty_at_once_get_fifty_numbers(settings, tmp_path) -> None:
    def one(number: int) -> None:
        deliver(settings, tmp_path / str(number), str(number), period=str(2000 + number % 3))

    processes = [FORK.Process(target=one, args=(number,)) for number in range(50)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    found = landing.deliveries(settings)
    assert sorted(one.sequence for one in found) == list(range(1, 51))
    assert landing.damaged_records(settings) == []


def test_a_lost_or_broken_counter_goes_on_from_the_records(settings, tmp_path) -> None:
    deliver(settings, tmp_path, "a")
    for broken in ("", "many", "-7"):
        last = deliver(settings, tmp_path, f"after {broken}").delivery.sequence
        (settings.identified / sequence.FILE).write_text(broken)
        assert deliver(settings, tmp_path, f"then {broken}").delivery.sequence == last + 1
    assert deliver(settings, tmp_path, "c", period="2020").delivery.sequence == 8


def killed_at(number: int, work: Callable[[], object]) -> Callable[[], object]:
    """The same work, killed when it makes its n-th durable step."""

    def run() -> None:
        left = number

        def counted(real: Callable) -> Callable:
            def step(*args, **more):
                nonlocal left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*args, **more)

            return step

        for name in ("fsync", "rename", "replace"):
            setattr(os, name, counted(getattr(os, name)))
        work()

    return run


def test_killed_at_any_durable_step_there_is_no_delivery_or_a_whole_one(settings, tmp_path) -> None:
    before, whole = deliver(settings, tmp_path, "before").delivery, 0
    for number in range(1, 100):
        here = replace(settings, home=tmp_path / f"home-{number}")
        shutil.copytree(settings.home, here.home)
        code = in_a_process(killed_at(number, lambda here=here: deliver(here, tmp_path, "after")))
        landing.clear_incoming(here)
        found = landing.deliveries(here)
        assert landing.damaged_records(here) == []
        assert [one for one in found if landing.find_damaged_sent_files(here, one)] == []
        assert found[0] == before
        assert list(here.landing.rglob(".*")) == []
        again = deliver(here, tmp_path, "after")
        assert again.delivery.sequence > before.sequence
        assert again.is_new == (len(found) == 1)
        whole += len(found) == 2
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert number > 8
    assert 1 < whole < number


def test_the_same_bytes_sent_again_after_a_correction_are_the_last_word(settings, tmp_path) -> None:
    first, second = (deliver(settings, tmp_path, text).delivery for text in "ab")
    for one in (first, second):
        accept(settings, one)
    assert counts(settings, contract()) == [second.id]
    again = deliver(settings, tmp_path, "a")
    assert (again.is_new, again.is_last_word, again.delivery.sequence) == (False, True, 3)
    assert len(again.delivery.sent_again) == 1
    assert counts(settings, contract()) == [first.id]
    assert landing.find_damaged_sent_files(settings, again.delivery) == []
    once_more = deliver(settings, tmp_path, "a")
    assert (once_more.is_last_word, once_more.delivery) == (False, again.delivery)
    assert not deliver(settings, tmp_path, "b", manner="listed").is_last_word
    assert counts(settings, contract()) == [first.id]


def test_what_was_withdrawn_stays_so_when_it_is_sent_again(settings, tmp_path) -> None:
    first, _ = (deliver(settings, tmp_path, text).delivery for text in "ab")
    landing.set_withdrawn(settings, first, "another country's")
    again = deliver(settings, tmp_path, "a")
    assert (again.is_new, again.is_last_word, again.delivery.withdrawn) == (False, False, "another country's")


def test_a_record_keeps_its_place_when_it_is_withdrawn_meanwhile(settings, tmp_path) -> None:
    first, _ = (deliver(settings, tmp_path, text).delivery for text in "ab")
    again = deliver(settings, tmp_path, "a").delivery
    assert landing.set_withdrawn(settings, first, "wrong").sequence == again.sequence


def test_files_left_by_a_kill_are_no_new_word(settings, drop, tmp_path) -> None:
    """Killed between taking over and deleting, corrected by hand, then collected: the correction stands."""
    path = drop("a")
    first = landing.take_over_files(settings, contract(), "2023", [path], "dropped").delivery
    second = deliver(settings, tmp_path, "b").delivery
    new, again, _ = drops.take_over_drops(settings, {"northland_survey": contract()}, 0)
    assert (new, again) == ([], [first])
    assert not path.exists()
    assert landing.deliveries(settings)[-1] == second
    drop("a")
    new, again, _ = drops.take_over_drops(settings, {"northland_survey": contract()}, 0)
    assert ([one.id for one in new], again) == ([first.id], [])


def test_with_deliveries_that_supersede_all_earlier_ones_the_period_has_no_say(settings, tmp_path) -> None:
    terms = contract(supersedes="earlier_deliveries")
    late, early = (
        deliver(settings, tmp_path, text, period=year).delivery for text, year in (("a", "2024"), ("b", "2020"))
    )
    accept(settings, late)
    accept(settings, early, "refused")
    assert counts(settings, terms) == []
    accept(settings, early)
    assert counts(settings, terms) == [early.id]
    path = sent(tmp_path, "a")
    assert landing.take_over_files(settings, terms, "2024", [path]).is_last_word
    assert counts(settings, terms) == [late.id]


def test_periods_ahead_are_refused_unless_the_contract_allows_them(settings, tmp_path) -> None:
    today, path = date(2023, 12, 31), sent(tmp_path, "a")
    with pytest.raises(HimsError, match="lies ahead: by this machine's clock it is 2023-12-31"):
        landing.take_over_files(settings, contract(), "2024", [path], today=today)
    assert landing.deliveries(settings) == []
    assert landing.take_over_files(settings, contract(), "2024", [path], today=date(2024, 1, 1)).is_new
    assert landing.take_over_files(settings, contract(may_be_ahead=True), "2100", [path], today=today).is_new


def holding(settings, folder: Path, begun, go_on) -> None:
    real = arrival.copy_file

    def slow(*args, **more):
        begun.set()
        go_on.wait(20)
        return real(*args, **more)

    landing.copy_file = slow
    deliver(settings, folder, "slow")


def test_a_night_clears_what_was_killed_and_leaves_what_is_in_progress(settings, tmp_path) -> None:
    begun, go_on = FORK.Event(), FORK.Event()
    process = FORK.Process(target=holding, args=(settings, tmp_path, begun, go_on))
    process.start()
    assert begun.wait(20)
    place = settings.landing / "northland_survey/2023"
    dead, theirs = place / ".incoming-1-2", (place / ".rsync-tmp", place / ".incoming-7-7", place / ".incoming")
    for folder in (dead, *theirs):
        sent(folder, "half")
    (theirs[1] / "deeper").mkdir()  # nothing of ours holds folders
    assert landing.clear_incoming(settings) == 1
    assert not dead.exists()
    assert all((folder / "north.txt").exists() for folder in theirs)
    go_on.set()
    process.join()
    assert process.exitcode == 0
    [delivery] = landing.deliveries(settings)
    assert landing.find_damaged_sent_files(settings, delivery) == []


def test_a_full_disk_stops_one_delivery_and_leaves_nothing(settings, tmp_path, monkeypatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device", "/secret/name")

    monkeypatch.setattr(arrival.os, "fsync", full)
    with pytest.raises(HimsError, match="No space left on device") as caught:
        deliver(settings, tmp_path, "a")
    assert "secret" not in str(caught.value)
    monkeypatch.undo()
    assert list((settings.landing / "northland_survey/2023").iterdir()) == []
    monkeypatch.setattr(landing, "MARGIN_BYTES", 1 << 62)
    with pytest.raises(HimsError, match="make room"):
        deliver(settings, tmp_path, "a")


def test_a_file_that_changes_while_it_is_copied_is_not_taken(settings, tmp_path, monkeypatch) -> None:
    path, real = sent(tmp_path, "a"), os.read

    def growing(*args):
        block = real(*args)
        with path.open("a") as file:
            file.write("b" if block else "")
        return block

    monkeypatch.setattr(arrival.os, "read", growing)
    with pytest.raises(Unfit, match=r"file 1 .* is still growing"):
        landing.take_over(settings, contract(), "2023", [path])
    assert landing.deliveries(settings) == []


BROKEN: dict[str, Callable[[Path], object]] = {
    "edited": lambda path: path.write_text(path.read_text().replace('"sequence": 1', '"sequence": 9')),
    "emptied": lambda path: path.write_text(""),
    "no JSON": lambda path: path.write_bytes(b"\xff\x00{"),
    "a list": lambda path: path.write_text("[]"),
    "deep": lambda path: path.write_text("[" * 100_000),
    "unsealed": lambda path: write_json(path, {k: v for k, v in read_json(path).items() if k != "seal"}),
    "missing": Path.unlink,
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path)),
    "a link": lambda path: (path.rename(path.with_name("moved")), path.symlink_to("moved")),
    "huge": lambda path: os.truncate(path, 50_000_000_000),
    "another's": lambda path: shutil.copy(next(path.parents[2].glob("2020/*/delivery.json")), path),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_damaged_record_stops_its_own_delivery_only(settings, tmp_path, kind: str) -> None:
    damaged, good = (deliver(settings, tmp_path, "a", period=year).delivery for year in ("2023", "2020"))
    BROKEN[kind](damaged.folder(settings) / "delivery.json")
    assert landing.deliveries(settings) == [good]
    assert [landing.batch_of(one) for one in landing.damaged_records(settings)] == [damaged.batch]
    assert {one.batch: one.state for one in intake.states(settings)} == {
        good.batch: "pending",
        damaged.batch: "damaged",
    }
    with pytest.raises(Damaged, match=damaged.id):
        landing.find_delivery(settings, damaged.batch)
    with pytest.raises(Damaged):
        deliver(settings, tmp_path, "a", manner="listed")
    assert deliver(settings, tmp_path, "a").is_new  # whoever sends it again makes it whole
    assert landing.damaged_records(settings) == []
    assert len(list(settings.landing.glob("northland_survey/2023/.damaged-*"))) == 1


def test_damaged_files_are_never_read_and_are_mended_by_the_same_bytes(settings, tmp_path) -> None:
    delivery = deliver(settings, tmp_path, "a").delivery
    [path] = delivery.paths(settings)
    settings = replace(settings, data=tmp_path / "data")
    (settings.data / "contracts").mkdir(parents=True)
    sent(settings.data / "contracts", CONTRACT, "northland_survey.yml")
    sent(settings.data / "codelists", XWALK_AREA, "xwalk_area.csv")
    sent(settings.data / "codelists", AREAS, "areas.csv")
    linked = lambda: path.symlink_to(tmp_path / "north.txt")  # noqa: E731
    for damage in (path.touch, path.mkdir, lambda: path.write_text("b"), linked):
        path.unlink()
        damage()
        with (
            installation_lock(settings, "test"),
            pytest.raises(Damaged, match=r"file 1 .*Deliver the same files again"),
        ):
            intake.take_in(settings, delivery, lambda text: None)
        if path.is_dir():
            path.rmdir()
        assert deliver(settings, tmp_path, "a").delivery == delivery
        assert landing.find_damaged_sent_files(settings, delivery) == []


def test_a_person_vouches_for_records_of_another_key(settings, tmp_path) -> None:
    create_key(tmp_path / "key")
    delivery = deliver(settings, tmp_path, "a").delivery
    other = replace(settings, key_file=tmp_path / "key")
    with key_record.open_rotation(settings):
        assert landing.deliveries(other) == []
        assert landing.reseal_delivery(other, delivery.batch) == delivery
        assert landing.deliveries(other) == [delivery]
    delivery.paths(settings)[0].write_text("b")
    for wrong, message in ((delivery.batch, "file 1 is not"), ("../x/" + delivery.id, "no delivery's name")):
        with pytest.raises(HimsError, match=message):
            landing.reseal_delivery(settings, wrong)
