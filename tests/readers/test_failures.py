"""Failures of our own are raised, never told as bad data, and carry no value of the data."""

import importlib
import pickle
import stat
import traceback
from dataclasses import replace

import duckdb
import pytest

from hims_pipeline.contracts.formats import FORMATS
from hims_pipeline.errors import HimsError
from hims_pipeline.readers import table
from hims_pipeline.readers.guard import ReaderFailure, guard
from hims_pipeline.readers.typing import write
from tests.readers.conftest import COLUMNS
from tests.readers.corpus import TWINS

GOOD = b"id,name,birth,weight\n1,Trabelsi,,\n"


def full_text(error: BaseException) -> str:
    """Everything that a logger could serialise of an error."""
    chain = "".join(traceback.format_exception(error))
    return chain + repr(error.__context__) + repr(error.__cause__) + repr(pickle.loads(pickle.dumps(error)))  # noqa: S301


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            duckdb.IOException("Could not write file /x/Trabelsi.csv: No space left on device"),
            "No space left on device",
        ),
        (duckdb.OutOfMemoryException("memory_limit"), "memory is used up"),
        (OSError(28, "No space left on device", "/x/Trabelsi.csv"), "No space left on device"),
    ],
)
def test_disk_and_memory_are_raised_with_their_reason(read, monkeypatch, error, reason):
    monkeypatch.setattr(table, "write_typed", lambda *a, **k: (_ for _ in ()).throw(error))
    with pytest.raises(ReaderFailure, match=reason) as raised:
        read({"people.csv": GOOD})
    assert "file 1" in str(raised.value)
    assert "people.csv" not in str(raised.value)
    assert "Trabelsi" not in full_text(raised.value)


@pytest.mark.parametrize(
    "error",
    [
        duckdb.InternalException("Original Line: 1,Trabelsi"),
        OverflowError("Trabelsi is of the year 201416"),
        OSError("Trabelsi is no sheet"),
        RecursionError("Trabelsi"),
        KeyError("Trabelsi"),
    ],
)
def test_what_a_reader_stumbles_over_refuses_its_delivery_and_quotes_nothing(read, monkeypatch, tmp_path, error):
    monkeypatch.setattr(table, "write_typed", lambda *a, **k: (_ for _ in ()).throw(error))
    seen = read({"people.csv": GOOD})
    assert seen.rules == ["ENVELOPE-UNREADABLE"]
    assert type(error).__name__ in seen.text
    assert "Trabelsi" not in seen.text + "".join(seen.said) + repr(seen.result)
    assert any("A READER OF OURS MAY BE AT FAULT" in line for line in seen.said)
    assert list(seen.folder.iterdir()) == []
    [kept] = tmp_path.glob("home-*/identified/failures/*.txt")
    assert "Trabelsi" in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert not list(tmp_path.glob("home-*/identified/scratch/read-*"))


def test_a_refusal_that_no_check_names_is_a_defect_of_ours(read, monkeypatch):
    def fail(*args, **kwargs):
        raise duckdb.InvalidInputException(write.MISFIT)

    monkeypatch.setattr(table, "write_typed", fail)
    seen = read({"people.csv": GOOD})
    assert seen.rules == ["ENVELOPE-UNREADABLE"]
    assert "no check names" in seen.text


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_a_fault_in_any_opener_refuses_the_delivery_alone(read, monkeypatch, kind):
    """Injected where each format opens its file; no text of the error leaves."""
    opener = importlib.import_module(f"hims_pipeline.readers.formats.{FORMATS[kind]}")
    monkeypatch.setattr(opener, "open_table", lambda *a: (_ for _ in ()).throw(ValueError("Trabelsi")))
    needed = {"cspro": {"record": "PERSON"}, "eurostat_tsv": {"unpivot": {"names": "id", "values": "weight"}}}
    more = needed.get(kind, {})
    columns = [{"name": "id", "type": "integer", "start": 1, "width": 1}] if kind == "fixed_width" else COLUMNS
    seen = read({"people.csv": GOOD}, columns, format={"type": kind, **more})
    assert seen.rules == ["ENVELOPE-UNREADABLE"]
    assert "Trabelsi" not in seen.text + "".join(seen.said)


class PanicException(BaseException):
    """What a library in Rust raises when it panics: it is no `Exception`."""


LIBRARIES = [
    # the twin of the corpus, and what it is read by
    ("csv", "hims_pipeline.readers.files.envelope.np.frombuffer"),
    ("csv", "hims_pipeline.readers.files.delimited_records.csv.reader"),
    ("csv", "hims_pipeline.readers.table.open_for_parts"),
    ("newlines", "hims_pipeline.readers.files.delimited_records.csv.reader"),
    ("windows-1252", "hims_pipeline.readers.files.encodings.codecs.getincrementaldecoder"),
    ("titled", "hims_pipeline.readers.files.envelope.cut_frame"),
    ("unread", "hims_pipeline.readers.formats.delimited.text_parts"),
    ("years", "hims_pipeline.readers.formats.delimited.widen_shape"),
    ("zip", "hims_pipeline.readers.files.archives.entries_claimed"),
    ("gzip", "hims_pipeline.readers.files.archives.gzip.open"),
    ("eurostat", "hims_pipeline.readers.formats.eurostat_tsv.split_heading"),
    ("sdmx 1.0", "hims_pipeline.readers.formats.sdmx_csv.open_for_parts"),
    ("fixed", "hims_pipeline.readers.formats.fixed_lines.check_text"),
    ("ddi", "hims_pipeline.readers.formats.fixed_width.read_ddi"),
    ("types", "hims_pipeline.readers.formats.fixed_width.count_records"),
    ("cspro", "hims_pipeline.readers.formats.cspro.read.from_json"),
    ("cspro", "hims_pipeline.readers.formats.cspro.data.count_records"),
    ("csdb", "hims_pipeline.readers.formats.cspro.database.sqlite3.connect"),
    ("xlsx", "hims_pipeline.readers.formats.excel.calamine.CalamineWorkbook"),
    ("xlsx", "hims_pipeline.readers.formats.excel_look.zipfile.ZipFile"),
    ("xlsx", "hims_pipeline.readers.formats.excel_look.ElementTree.fromstring"),
    ("ods", "hims_pipeline.readers.formats.excel.look_at"),
    ("sav", "hims_pipeline.readers.formats.spss.pyreadstat.read_sav"),
    ("sav", "hims_pipeline.readers.formats.spss.pyreadstat.read_file_in_chunks"),
    ("sav of days", "hims_pipeline.readers.formats.labelled.write_out"),
    ("por", "hims_pipeline.readers.formats.spss.pyreadstat.read_por"),
    ("por", "hims_pipeline.readers.formats.spss_portable.Fraction"),
    ("dta", "hims_pipeline.readers.formats.stata.pyreadstat.read_dta"),
    ("dta", "hims_pipeline.readers.formats.stata.SecondReader"),
    ("parquet", "hims_pipeline.readers.formats.parquet.open_for_parts"),
]


@pytest.mark.parametrize("error", [RuntimeError("Trabelsi"), PanicException("Trabelsi")])
@pytest.mark.parametrize(("twin", "place"), LIBRARIES)
def test_a_fault_inside_any_library_refuses_the_delivery_alone(read, monkeypatch, twin, place, error):
    def fail(*args, **options):
        raise error

    fail.from_path = fail  # for a class that opens by it
    monkeypatch.setattr(place, fail)
    clean = TWINS[twin]
    seen = read(clean.files, clean.columns, **clean.contract)
    assert set(seen.rules) == {"ENVELOPE-UNREADABLE"}
    assert type(error).__name__ in seen.text
    assert "Trabelsi" not in seen.text + "".join(seen.said) + repr(seen.result)
    assert list(seen.folder.iterdir()) == []


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_who_stops_a_run_is_obeyed(read, monkeypatch, stop):
    monkeypatch.setattr(table, "write_typed", lambda *a, **k: (_ for _ in ()).throw(stop()))
    with pytest.raises(stop):
        read({"people.csv": GOOD})


def test_every_twin_of_the_corpus_is_hurt_in_some_library():
    formats = {TWINS[twin].contract.get("format", {}).get("type", "delimited") for twin, _ in LIBRARIES} | {"cspro"}
    assert formats == set(FORMATS)


@pytest.mark.parametrize(
    ("step", "cell"),
    [("plan_entity", "2"), ("open_for_parts", "2"), ("write_typed", "2"), ("write_links", "2"), ("write_rejects", "x"),
     ("type_findings", "x")],
)  # fmt: skip
def test_a_fault_in_any_step_behind_the_opener_refuses_the_delivery_alone(read, monkeypatch, step, cell):
    monkeypatch.setattr(table, step, lambda *a, **k: (_ for _ in ()).throw(ArithmeticError("Trabelsi")))
    columns = [{"name": "cin", "sensitivity": "identifier", "links": "national_id"}, {"name": "id", "type": "integer"}]
    seen = read({"people.csv": f"cin,id\n1,{cell}\n".encode()}, columns)
    assert seen.rules == ["ENVELOPE-UNREADABLE"]
    assert "Trabelsi" not in seen.text + "".join(seen.said)
    assert list(seen.folder.iterdir()) == []


def test_rows_that_get_lost_on_the_way_are_a_finding(read, monkeypatch):
    whole = table.write_typed

    def lose(*args, **kwargs):
        *others, last = whole(*args, **kwargs)
        return (*others, replace(last, rows=last.rows - 1))

    monkeypatch.setattr(table, "write_typed", lose)
    seen = read({"people.csv": GOOD})
    assert seen.rules == ["ENVELOPE-RECORDS"]
    assert "1 records were counted over the bytes, but 0 were read" in seen.text


def test_what_people_can_mend_passes_unchanged(settings_for, tmp_path):
    def fail():
        raise HimsError("do this")

    with pytest.raises(HimsError, match="do this"):
        guard(settings_for(tmp_path), "step", fail)


def test_a_missing_key_is_no_bad_data(read, tmp_path):
    columns = [{"name": "cin", "sensitivity": "identifier"}]
    with pytest.raises(HimsError, match="hims key init"):
        read({"people.csv": b"cin\n1\n"}, columns, settings={"key_file": tmp_path / "nowhere"})


def test_no_message_of_a_bad_file_quotes_it(read, monkeypatch):
    """Broken in many ways at once, with a name in each place; neither findings nor progress may hold it."""
    rows = ["Trabelsi,Trabelsi,Trabelsi,Trabelsi", '1,"Trabelsi"x,,', "2,Trabelsi", "3,a,b,c,Trabelsi", '4,"Trabelsi,,']
    for count in range(1, len(rows) + 1):
        seen = read({"people.csv": "\n".join(["id,name,birth,weight", *rows[:count], ""]).encode()})
        assert seen.findings
        assert "Trabelsi" not in seen.text + "".join(seen.said) + repr(seen.result)


def test_nothing_is_left_in_scratch(read):
    for content in (GOOD, GOOD[:-1], b""):
        seen = read({"people.csv": content})
        assert not list(seen.settings.scratch.glob("read-*"))
