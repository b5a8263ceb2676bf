"""SPSS, Stata and Parquet."""

import datetime as dt
import re
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyreadstat

from tests.readers.corpus.made import EQUAL, Case, Change, Twin, before, behind, cut, sub, whole, without_end

COLUMNS: tuple[dict[str, Any], ...] = (
    {"name": "pid", "type": "integer", "required": True},
    {"name": "name"},
    {"name": "age", "type": "integer"},
    {"name": "w", "type": "decimal", "scale": 4},
)
FRAME = pd.DataFrame(
    {
        "pid": [1.0, 2.0, 3.0, 4.0],
        "name": ["Ali", "Zoé", "", "Béa"],
        "age": [30.0, 998.0, np.nan, 41.0],
        "w": [1.5, 2.25, 0.125, 3.0],
    }
)
ASCII = FRAME.assign(name=["Ali", "Zoe", "", "Bea"])


def written(kind: str, frame: pd.DataFrame = FRAME, **more: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"made.{kind}"
        if kind == "parquet":
            with duckdb.connect() as con:
                con.register("frame", frame)
                con.execute(f"copy (select * from frame) to '{path}' (format parquet)")
        elif kind == "old.dta":
            frame.to_stata(path, write_index=False, version=114)
        elif kind == "por":
            pyreadstat.write_por(frame, str(path))
        else:
            {"sav": pyreadstat.write_sav, "dta": pyreadstat.write_dta}[kind](frame, str(path), **more)
        return path.read_bytes()


def portable(*changes: tuple[bytes, bytes]) -> bytes:
    """A portable file, its records changed and its lines wrapped anew."""
    content = written("por", ASCII).replace(b"\r\n", b"").rstrip(b"Z")
    for old, new in changes:
        assert old in content, content
        content = content.replace(old, new)
    content += b"Z" * (80 - len(content) % 80)
    return b"".join(content[place : place + 80] + b"\r\n" for place in range(0, len(content), 80))


def with_column(kind: str, name: str, values: list[Any], **more: Any) -> Change:
    return whole(written(kind, FRAME.assign(**{name: values}), **more))


def without(kind: str, name: str) -> Change:
    return whole(written(kind, FRAME.drop(columns=name)))


def renamed(kind: str, old: str, new: str) -> Change:
    return whole(written(kind, FRAME.rename(columns={old: new})))


RANGES = {"missing_ranges": {"age": [{"lo": 997, "hi": 999}]}}
MISSING = tuple(one | {"missing": {"997..999": "_U"}} if one["name"] == "age" else one for one in COLUMNS)
FLOATS = [{**one, "allow": ["zero_fraction"]} if one.get("type") == "integer" else one for one in COLUMNS]
CARD = ({"name": "pid", "type": "integer"}, {"name": "cin", "sensitivity": "identifier"})
CARDS = pd.DataFrame({"pid": [1, 2], "cin": ["07654321", "87654322"]})
NUMBERED = CARDS.assign(cin=[7654321.0, 87654322.0])
EXTRA = FRAME.assign(spare=["a", "b", "c", "d"])
BY_NAME = {"header": "by_name"}
SPARED = {"entity": {"header": ["pid", "name", "age", "w", "spare"]}}
DAYS = pd.DataFrame({"pid": [1.0, 2.0], "day": [13_166_064_000.0, np.nan]})
BEYOND = DAYS.assign(day=[6_306_000_000_000.0, np.nan])
DAY = ({"name": "pid", "type": "integer"}, {"name": "day", "type": "date"})
AS_DAYS = {"variable_format": {"day": "DATE11"}}
UPPER = [one | {"name": one["name"].upper()} for one in COLUMNS]
AGE_MISSING = (b"3/AGE5/8/2/5/8/2/", b"3/AGE5/8/2/5/8/2/8138/")  # 998 to the base of 30


def of(kind: str) -> dict[str, Any]:
    return {"format": {"type": kind}}


TWINS = {
    "sav": Twin({"people.sav": written("sav", **RANGES)}, MISSING, of("spss")),
    "sav by name": Twin(
        {"people.sav": written("sav", EXTRA)}, COLUMNS, SPARED | {"format": {"type": "spss", **BY_NAME}}
    ),
    "sav of days": Twin({"people.sav": written("sav", DAYS, **AS_DAYS)}, DAY, of("spss")),
    "sav of cards": Twin({"people.sav": written("sav", CARDS)}, CARD, of("spss")),
    "por": Twin({"people.por": portable()}, UPPER, of("spss")),
    "por of missing codes": Twin(
        {"people.por": portable(AGE_MISSING)},
        [one | ({"missing": {"998": "_U"}} if one["name"] == "AGE" else {}) for one in UPPER],
        of("spss"),
    ),
    "dta": Twin({"people.dta": written("dta")}, COLUMNS, of("stata")),
    "dta by name": Twin(
        {"people.dta": written("dta", EXTRA)}, COLUMNS, SPARED | {"format": {"type": "stata", **BY_NAME}}
    ),
    "dta of cards": Twin({"people.dta": written("dta", CARDS)}, CARD, of("stata")),
    "old dta": Twin({"people.dta": written("old.dta", ASCII)}, COLUMNS, of("stata")),
    "parquet": Twin({"people.parquet": written("parquet")}, FLOATS, of("parquet")),
    "parquet by name": Twin(
        {"people.parquet": written("parquet", EXTRA)}, FLOATS, SPARED | {"format": {"type": "parquet", **BY_NAME}}
    ),
    "parquet of cards": Twin({"people.parquet": written("parquet", CARDS)}, CARD, of("parquet")),
}
UNREADABLE = "ENVELOPE-"


def statistical(kind: str, label: str) -> dict[str, Case]:
    """What can be done to files of both programs."""
    return {
        f"{label}: cut to a third": Case(kind, cut(0.33), UNREADABLE),
        f"{label}: cut in the data": Case(kind, without_end(20), UNREADABLE),
        f"{label}: last byte missing": Case(kind, without_end(1), UNREADABLE),
        f"{label}: head alone": Case(kind, cut(0.1), UNREADABLE),
        f"{label}: text under its name": Case(kind, whole(b"pid,name\n1,a\n"), "ENVELOPE-KIND"),
        f"{label}: another program's file": Case(
            kind, whole(written("dta" if kind == "sav" else "sav")), "ENVELOPE-KIND"
        ),
        f"{label}: bytes before it": Case(kind, before(b"\r\n"), "ENVELOPE-"),
        f"{label}: a column gone": Case(kind, without(kind, "age"), "ENVELOPE-HEADER"),
        f"{label}: a column renamed": Case(kind, renamed(kind, "age", "years"), "ENVELOPE-HEADER"),
        f"{label}: a column more": Case(kind, whole(written(kind, EXTRA)), "ENVELOPE-HEADER"),
        f"{label}: a text for a number": Case(kind, with_column(kind, "age", ["30", "x", "", "41"]), "TYPES-INTEGER"),
        f"{label}: a fraction for a whole number": Case(
            kind, with_column(kind, "age", [30.5, 1.0, 2.0, 3.0]), "TYPES-INTEGER"
        ),
        f"{label}: more digits than agreed": Case(kind, with_column(kind, "w", [1.123456, 1, 1, 1]), "TYPES-DECIMAL"),
        f"{label}: no rows": Case(kind, whole(written(kind, FRAME.head(0))), "ENVELOPE-"),
        f"{label}: a column more, by name": Case(
            f"{kind} by name", whole(written(kind, EXTRA.assign(more=1.0))), "~ENVELOPE-DRIFT"
        ),
        f"{label}: cards as numbers": Case(f"{kind} of cards", whole(written(kind, NUMBERED)), "ENVELOPE-IDENTIFIER"),
    }


CASES = {
    **statistical("sav", "SPSS"),
    **statistical("dta", "Stata"),
    "SPSS: a day beyond the calendar": Case("sav of days", whole(written("sav", BEYOND, **AS_DAYS)), "TYPES-DATE"),
    "SPSS: codes called missing that the contract counts": Case(
        "sav of days", whole(written("sav", DAYS, missing_ranges={"pid": [2]}, **AS_DAYS)), "~ENVELOPE-LABELS"
    ),
    "SPSS: damaged letters where nobody reads": Case("sav by name", sub(b"a       ", b"\xff       "), EQUAL),
    "Stata: damaged letters where nobody reads": Case("dta by name", sub(b"d</data>", b"\xff</data>"), EQUAL),
    "SPSS: damaged letters in what is read": Case("sav by name", sub("Zoé".encode(), b"Zo\xff\xfe"), "ENVELOPE-"),
    "portable: cut off before its end": Case("por", lambda c: c[: c.index(b"Bea")], "ENVELOPE-DAMAGED"),
    "portable: cut in its labels": Case("por", cut(0.7), "ENVELOPE-DAMAGED"),
    "portable: a record that nobody knows": Case("por", whole(portable((b"3/PID", b"3/PIDX"))), "ENVELOPE-"),
    "portable: a digit changed to no digit": Case("por", whole(portable((b"F1/", b"F#/"))), "ENVELOPE-DAMAGED"),
    "portable: a number without end": Case("por", whole(portable((b"F1/", b"F1+TTTTTT/"))), "ENVELOPE-DAMAGED"),
    "portable: a code declared missing that the contract counts": Case(
        "por", whole(portable(AGE_MISSING)), "~ENVELOPE-LABELS"
    ),
    "portable: lines without blanks at their end": Case(
        "por", lambda c: b"\n".join(line.rstrip() for line in c.split(b"\r\n")), EQUAL
    ),
    "portable: without its declaration of missing codes": Case("por of missing codes", whole(portable()), EQUAL),
    "portable: a column gone": Case("por", whole(written("por", ASCII.drop(columns="age"))), "ENVELOPE-HEADER"),
    "portable: text under its name": Case("por", whole(b"pid,name\n"), "ENVELOPE-KIND"),
    "Stata: its end tag missing": Case("dta", sub(b"</stata_dta>", b""), "ENVELOPE-DAMAGED"),
    "Stata: an old file cut off": Case("old dta", without_end(9), "ENVELOPE-"),
    "Stata: an old file cut in half": Case("old dta", cut(0.5), "ENVELOPE-"),
    "Stata: of a version that nobody knows": Case(
        "dta", lambda c: re.sub(rb"<release>...", b"<release>199", c), "ENVELOPE-"
    ),
    "Stata: damaged letters in what is read": Case("dta by name", sub("Zoé".encode(), b"Zo\xff\xfe"), "ENVELOPE-"),
    "Parquet: cut off": Case("parquet", without_end(8), "ENVELOPE-"),
    "Parquet: its end alone": Case("parquet", lambda c: b"PAR1" + c[-200:], "ENVELOPE-"),
    "Parquet: a damaged footer": Case("parquet", lambda c: c[:-200] + bytes(150) + c[-50:], "ENVELOPE-"),
    "Parquet: bytes behind it": Case("parquet", behind(b"\n"), "ENVELOPE-"),
    "Parquet: text under its name": Case("parquet", whole(b"pid,name\n1,a\n"), "ENVELOPE-KIND"),
    "Parquet: data overwritten": Case("parquet", lambda c: c[:8] + b"\xff" * 60 + c[68:], "ENVELOPE-"),
    "Parquet: a column renamed": Case("parquet", renamed("parquet", "age", "years"), "ENVELOPE-HEADER"),
    "Parquet: a column gone": Case("parquet", without("parquet", "w"), "ENVELOPE-HEADER"),
    "Parquet: a list for a number": Case(
        "parquet", with_column("parquet", "age", [[1], [2], [3], [4]]), "ENVELOPE-SCHEMA"
    ),
    "Parquet: bytes for a text": Case(
        "parquet", with_column("parquet", "name", [b"a", b"b", b"c", b"d"]), "ENVELOPE-SCHEMA"
    ),
    "Parquet: an instant for a number": Case(
        "parquet", with_column("parquet", "age", [dt.datetime(2024, 1, 1)] * 4), "TYPES-INTEGER"
    ),
    "Parquet: a truth value for a number": Case(
        "parquet", with_column("parquet", "age", [True, False, True, False]), "TYPES-INTEGER"
    ),
    "Parquet: a fraction for a whole number": Case(
        "parquet", with_column("parquet", "age", [30.5, 1, 2, 3]), "TYPES-INTEGER"
    ),
    "Parquet: no rows": Case("parquet", whole(written("parquet", FRAME.head(0))), "ENVELOPE-ROWS"),
    "Parquet: a column more, by name": Case(
        "parquet by name", whole(written("parquet", EXTRA.assign(more=1.0))), "~ENVELOPE-DRIFT"
    ),
    "Parquet: a list where nobody reads": Case(
        "parquet by name", whole(written("parquet", EXTRA.assign(spare=[[1], [2], [3], [4]]))), EQUAL
    ),
    "Parquet: cards as days": Case(
        "parquet of cards",
        whole(written("parquet", CARDS.assign(cin=[dt.datetime(2024, 5, 12)] * 2))),
        "ENVELOPE-IDENT",
    ),
    "Parquet: cards as truth values": Case(
        "parquet of cards", whole(written("parquet", CARDS.assign(cin=[True, False]))), "ENVELOPE-IDENTIFIER"
    ),
    "Parquet: cards with decimals": Case(
        "parquet of cards",
        whole(written("parquet", CARDS.assign(cin=[Decimal("12.5"), Decimal("7.0")]))),
        "ENVELOPE-IDENTIFIER",
    ),
    "Parquet: cards as numbers": Case("parquet of cards", whole(written("parquet", NUMBERED)), "ENVELOPE-IDENTIFIER"),
}
