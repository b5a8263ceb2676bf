"""Through whole nights: a corrected census with 15 percent fewer foreigners, a year of permits without one country and
a mirror edition in which a reporter is missing, each held with its page before anything leaves; and a census that
misses a control, whose source falls back."""

import csv
import io
import json
import shutil
from pathlib import Path

import openpyxl
import pytest

from hims_pipeline.release import holds, store
from hims_pipeline.release.reader import connect
from tests.installation import Installation

pytestmark = pytest.mark.slow


def resend(here, folder: Path, change) -> list[str]:
    """The census of 2024 as it was sent, with rows of its two files changed or (None) left out."""
    folders = (one for one in (here.settings.landing / "rgph/2024").iterdir() if one.is_dir() and one.name[0] != ".")
    sent = min(folders, key=lambda one: one.stat().st_mtime)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    files = []
    for path in sorted(sent.glob("*.csv")):
        rows = [*csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))]
        kept = [changed for row in rows if (changed := change(row)) is not None]
        with (folder / path.name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
            writer.writeheader()
            writer.writerows(kept)
        files.append(str(folder / path.name))
    return files


def fewer_foreigners():
    """Every sixth foreigner has become a citizen."""
    seen, own = [0], [""]

    def change(row: dict[str, str]) -> dict[str, str]:
        status = row.get("citizenship")  # of persons; emigrants have none
        if status == "1":
            own[0] = row["nationality"]
        seen[0] += status == "2"
        if status == "2" and seen[0] % 6 == 0:
            return row | {"citizenship": "1", "nationality": own[0]}
        return row

    return change


def fewer_households(row: dict[str, str]) -> dict[str, str] | None:
    """In one governorate every third household is missing, with all its people: nothing in what is left shows it."""
    return None if row["governorate"] == "11" and int(row["household_no"]) % 3 == 0 else row


def foreigners(here) -> float:
    con = connect(settings=here.settings)
    try:
        return con.execute(
            "select obs_value from indicator_value where indicator = 'A01' and time_period = '2024'"
            " and ref_area = 'TUN' and sex = '_T' and age = '_T' and citizenship = '_T' and source = 'rgph'"
        ).fetchone()[0]
    finally:
        con.close()


def test_a_corrected_census_is_held_told_and_let_out_by_a_word(small_night, tmp_path) -> None:
    here, _ = small_night
    before = foreigners(here)
    here.hims("deliver", *resend(here, tmp_path / "sent", fewer_foreigners()), "--source", "rgph", "--period", "2024")
    printed = here.hims("run", check=False)
    assert "Held: " in printed
    assert "A01" in printed
    assert store.current_release(here.settings).id == "r000001"
    page = (here.settings.approvals / holds.PAGE).read_text(encoding="utf-8")
    assert "rgph/2024/" in page
    assert json.loads(here.hims("status", "--format", "json"))["held"]["since"] == "r000001"
    assert "held_release.html" in here.hims("alert", "list")
    assert "Held: " in here.hims("run", check=False)  # the next night says the same
    here.hims("release", "accept", "--reason", "the census office confirms it")
    assert store.current_release(here.settings).id == "r000002"
    assert foreigners(here) < 0.9 * before
    assert "the census office confirms it" in here.hims("release", "show")
    assert holds.read_hold(here.settings) is None


def test_a_census_that_misses_its_controls_falls_back_and_all_else_goes_out(small_night, tmp_path) -> None:
    here, _ = small_night
    now = store.current_release(here.settings).id
    files = resend(here, tmp_path / "sent", fewer_households)
    here.hims("deliver", *files, "--source", "rgph", "--period", "2024")
    months = sorted((here.settings.landing / "border_crossings").glob("2024-0[12]"))
    here.hims(
        "batch", "withdraw", f"border_crossings/{months[0].name}/{next(months[0].iterdir()).name}", "--reason", "x"
    )
    printed = here.hims("run")
    assert "HELD BACK rgph/2024/" in printed
    assert store.current_release(here.settings).id > now
    assert "is held back; the delivery before counts" in here.hims("release", "show")
    states = [one["state"] for one in json.loads(here.hims("status", "--format", "json"))["batches"]]
    assert "held back" in states
    assert "source-held-back" in here.hims("alert", "list")


@pytest.fixture(scope="module")
def permits_and_mirror(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation after one night of residence cards and of an edition of mirror statistics."""
    here = Installation(tmp_path_factory.mktemp("mirror") / "home")
    here.hims("run", "--samples", "--only", "oecd_migration", "--only", "residence_cards", "--scale", "0.02")
    return here


def sent_in(here: Installation, source: str, period: str) -> Path:
    (folder,) = (one for one in (here.settings.landing / source / period).iterdir() if one.name[0] != ".")
    (path,) = (one for one in folder.iterdir() if "SYNTHETIC" in one.name)
    return path


def without_country(here: Installation, folder: Path, country: str) -> Path:
    """The cards of 2024 without those of one nationality, in the sheet as it was sent."""
    sent = sent_in(here, "residence_cards", "2024")
    book = openpyxl.load_workbook(sent)
    sheet = book.worksheets[0]
    gone = [row[0].row for row in sheet.iter_rows() if country in {cell.value for cell in row}]
    assert len(gone) > 20
    for row in reversed(gone):
        sheet.delete_rows(row)
    book.save(folder / sent.name)
    return folder / sent.name


def without_reporter(here: Installation, folder: Path, reporter: str) -> Path:
    """The edition without one reporting country."""
    sent = sent_in(here, "oecd_migration", "2024")
    lines = sent.read_text(encoding="utf-8").splitlines(keepends=True)
    left = [line for line in lines if f",{reporter}," not in line]
    assert 0 < len(left) < len(lines)
    (folder / sent.name).write_text("".join(left), encoding="utf-8")
    return folder / sent.name


CASES = {
    "residence_cards": (without_country, "Libye", "Libye"),
    "oecd_migration": (without_reporter, "ITA", "Italie"),
}


@pytest.mark.parametrize("source", CASES)
def test_what_lost_a_country_is_stopped_at_the_door_and_again_before_it_leaves(
    permits_and_mirror: Installation, tmp_path: Path, source: str
) -> None:
    here, (spoil, sent, name) = permits_and_mirror, CASES[source]
    before = store.current_release(here.settings).id
    printed = here.hims("deliver", str(spoil(here, tmp_path, sent)), "--source", source, "--period", "2024")
    here.hims("run", check=False)
    refused = [
        one for one in json.loads(here.hims("status", "--format", "json"))["batches"]
        if one["state"] == "refused" and one["batch"].startswith(f"{source}/")
    ]  # fmt: skip
    assert len(refused) == 1, printed
    page = here.hims("batch", "report", refused[0]["batch"], "--language", "en")
    assert "missing" in page or "rows" in page
    assert store.current_release(here.settings).id == before  # nothing that moved has left
    # A person takes the sender's word for it: then what moved holds the release until somebody agrees to that.
    here.hims("batch", "accept", refused[0]["batch"], "--name", "A. Ben Salah", "--reason", "they were naturalised")
    assert "Held: " in here.hims("run", check=False)
    assert store.current_release(here.settings).id == before
    told = (here.settings.approvals / holds.PAGE).read_text(encoding="utf-8")
    assert f"{source}/2024/" in told
    assert name in told  # as its readers call it
    here.hims("release", "accept", "--reason", "the ministry confirms it")
    assert store.current_release(here.settings).id > before
    assert holds.read_hold(here.settings) is None
