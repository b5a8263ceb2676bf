"""Text at fixed places: by the contract, by a DDI-Codebook of one or more types of records, by a CSPro dictionary."""

import json
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.readers.corpus.made import EQUAL, Case, Twin, before, behind, cut, sub, whole, without_end

ZEROS = {"type": "integer", "allow": ["leading_zeros"]}
PLACED: tuple[dict[str, Any], ...] = (
    {"name": "id", "start": 1, "width": 3, **ZEROS},
    {"name": "name", "start": 4, "width": 6},
    {"name": "weight", "type": "decimal", "start": 10, "width": 5, "implied_decimals": 2},
)
FIXED = "001Ali    1250\n002Béji   0875\n003Chadli    5\n".encode()
BOOK = (
    b'<codeBook xmlns="ddi:codebook:2_5"><fileDscr ID="F1"><fileTxt><fileName>people.dat</fileName></fileTxt></fileDscr>'  # noqa: E501
    b'<dataDscr><var name="id" files="F1"><location StartPos="1" EndPos="3" width="3"/><varFormat type="numeric"/></var>'  # noqa: E501
    b'<var name="name" files="F1"><location StartPos="4" EndPos="9" width="6"/><varFormat type="character"/></var>'
    b'<var name="weight" files="F1" dcml="2"><location StartPos="10" EndPos="14" width="5"/><varFormat type="numeric"/></var>'  # noqa: E501
    b"</dataDscr></codeBook>"
)
BY_BOOK = tuple({k: v for k, v in one.items() if k not in ("start", "width", "implied_decimals")} for one in PLACED)
TYPED = b"H00011101250\nP000101034  \nP000102003\nH00022300875\nP000201061\n"
TYPES = (
    b'<codeBook xmlns="ddi:codebook:2_5"><fileDscr ID="F1"><fileTxt><fileName>people.dat</fileName>'
    b'<fileStrc type="hierarchical"><recGrp recidvar="KIND" rectype="H"><labl>Household</labl></recGrp>'
    b'<recGrp keyvar="SERIAL" recidvar="KIND" rectype="P"><labl>Person</labl></recGrp></fileStrc></fileTxt></fileDscr><dataDscr>'  # noqa: E501
    + b"".join(
        b'<var name="%s" files="F1" rectype="%s"><location StartPos="%d" EndPos="%d" width="%d"/></var>'
        % (name, kinds, start, start + width - 1, width)
        for name, kinds, start, width in (
            (b"KIND", b"H P", 1, 1), (b"SERIAL", b"H P", 2, 4), (b"REGION", b"H", 6, 2), (b"HHWT", b"H", 8, 5),
            (b"PERNUM", b"P", 6, 2), (b"AGE", b"P", 8, 3),
        )
    )
    + b"</dataDscr></codeBook>"
)  # fmt: skip
CENSUS = b"101 2Tunis\n20101 34\n20102  7\n102 1Gabes\n20201 61\n"
DICTIONARY = json.dumps(
    {
        "software": "CSPro", "version": 8.0, "fileType": "dictionary", "name": "CENSUS",
        "recordType": {"start": 1, "length": 1}, "relativePositions": True,
        "levels": [
            {
                "name": "CENSUS_LEVEL",
                "ids": {"items": [{"name": "HH", "contentType": "numeric", "start": 2, "length": 2, "zeroFill": True}]},
                "records": [
                    {"name": "HOUSE", "recordType": "1", "items": [
                        {"name": "ROOMS", "contentType": "numeric", "length": 2},
                        {"name": "PLACE", "contentType": "alpha", "length": 6}]},
                    {"name": "PERSON", "recordType": "2", "items": [
                        {"name": "LINE", "contentType": "numeric", "length": 2, "zeroFill": True},
                        {"name": "AGE", "contentType": "numeric", "length": 3}]},
                ],
            }
        ],
    }
).encode()  # fmt: skip


def entity(form: dict[str, Any], *columns: dict[str, Any]) -> dict[str, Any]:
    return {"title": {"en": "?"}, "grain": "?", "files": ["people*"], "format": form, "columns": list(columns)}


def typed(record: str, *columns: dict[str, Any]) -> dict[str, Any]:
    form = {"type": "fixed_width", "codebook": "*.xml", "record": record}
    return entity(form, {"name": "KIND"}, {"name": "SERIAL", **ZEROS}, *columns)


def of_census(record: str, *columns: dict[str, Any]) -> dict[str, Any]:
    return entity({"type": "cspro", "record": record}, {"name": "HH", "type": "integer"}, *columns)


def database(*more: str) -> bytes:
    """A case file as CSPro writes it: three cases, of which one is deleted, and what `more` does to them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.csdb"
        with closing(sqlite3.connect(path)) as con:
            con.executescript(
                """
                create table meta (cspro_version, dictionary);
                create table cases (id text primary key, key, label, deleted integer, partial_save_mode text);
                create table "level-1" ("level-1-id" integer primary key, "case-id" text, hh integer, label text);
                create table house ("house-id" integer primary key, "level-1-id" integer, rooms integer, place text);
                create table person ("person-id" integer primary key, "level-1-id" integer, occ integer, line integer,
                    age integer, weight real);
                insert into cases values ('a', '01', '', 0, null), ('b', '02', '', 0, null), ('c', '03', '', 1, null);
                insert into "level-1" values (1, 'a', 1, 'x'), (2, 'b', 2, 'y'), (3, 'c', 3, 'z');
                insert into house values (1, 1, 2, 'Tunis'), (2, 2, 1, 'Gabes'), (3, 3, 9, 'gone');
                insert into person values (1, 1, 1, 1, 34, 1.5), (2, 1, 2, 2, null, 2), (3, 2, 1, 1, 61, 0.25),
                    (4, 3, 1, 1, 99, 1);
                """
            )
            con.executescript(";".join(more))
            con.commit()
        return path.read_bytes()


NUMBER = {"type": "integer"}
TWINS = {
    "fixed": Twin({"people.dat": FIXED}, PLACED, {"format": {"type": "fixed_width"}}),
    "fixed unread": Twin(
        {"people.dat": FIXED}, (PLACED[0], PLACED[2]), {"format": {"type": "fixed_width", "unread_damage": "tell"}}
    ),
    "ddi": Twin(
        {"people.dat": FIXED, "book.xml": BOOK}, BY_BOOK, {"format": {"type": "fixed_width", "codebook": "*.xml"}}
    ),
    "types": Twin(
        {"people.dat": TYPED, "book.xml": TYPES},
        contract={
            "entities": {
                "people": typed("P", {"name": "PERNUM", **ZEROS}, {"name": "AGE", **ZEROS}),
                "houses": typed("H", {"name": "REGION", **NUMBER}, {"name": "HHWT", **ZEROS}),
            }
        },
    ),
    "cspro": Twin(
        {"people.dat": CENSUS, "people.dcf": DICTIONARY},
        contract={
            "entities": {
                "people": of_census("PERSON", {"name": "LINE", **NUMBER}, {"name": "AGE", **NUMBER}),
                "houses": of_census("HOUSE", {"name": "ROOMS", **NUMBER}, {"name": "PLACE"}),
            }
        },
    ),
}
TWINS["csdb"] = Twin(
    {"people.csdb": database()},
    contract={
        "entities": {
            "people": of_census("PERSON", {"name": "LINE", **NUMBER}, {"name": "AGE", **NUMBER}, {"name": "label"}, {"name": "WEIGHT", "type": "decimal"}),  # noqa: E501
            "houses": of_census("HOUSE", {"name": "ROOMS", **NUMBER}, {"name": "PLACE"}, {"name": "label"}),
        }
    },
)  # fmt: skip
_BOOK, _DICTIONARY = "book.xml", "people.dcf"
CASES = {
    "a character too few": Case("fixed", sub(b"   0875", b"  0875"), "ENVELOPE-LINE-LENGTH", "14 characters"),
    "a character too many": Case("fixed", sub(b"Ali ", b"Ali  "), "ENVELOPE-LINE-LENGTH"),
    "a tab among places": Case("fixed", sub(b"Ali ", b"Ali\t"), "ENVELOPE-CONTROL"),
    "a blank line among places": Case("fixed", sub(b"\n002", b"\n\n002"), "ENVELOPE-BLANK-LINE"),
    "places cut off": Case("fixed", without_end(3), "ENVELOPE-TRUNCATED"),
    "places without the last newline": Case("fixed", without_end(1), "ENVELOPE-TRUNCATED"),
    "lines of Windows at places": Case("fixed", sub(b"\n", b"\r\n"), EQUAL),
    "accents in two characters": Case("fixed", sub("é".encode(), "e\u0301".encode()), "ENVELOPE-LINE-LENGTH"),
    "Latin-1 at places": Case("fixed", lambda c: c.decode().encode("latin-1"), "ENVELOPE-ENCODING"),
    "a letter among digits": Case("fixed", sub(b"1250", b"12x0"), "TYPES-DECIMAL"),
    "fields shifted by one": Case("fixed", sub(b"002B", b" 02B"), EQUAL),
    "a header above places": Case("fixed", before(b"id name   weight\n"), "ENVELOPE-LINE-LENGTH"),
    "a damaged byte where nobody reads places": Case("fixed unread", sub(b"Ali", b"A\xffi"), "~ENVELOPE-UNREAD-DAMAGE"),
    "a damaged byte in a place that is read": Case("fixed unread", sub(b"1250", b"1\xff50"), "ENVELOPE-ENCODING"),
    "no codebook": Case("ddi", whole(b""), "ENVELOPE-", file=_BOOK),
    "a codebook cut off": Case("ddi", cut(0.6), "ENVELOPE-CODEBOOK", file=_BOOK),
    "a codebook of another file": Case(
        "ddi", sub(b'EndPos="14" width="5"', b'EndPos="15" width="6"'), "ENVELOPE-", file=_BOOK
    ),
    "a codebook without a variable": Case("ddi", sub(b'name="weight"', b'name="poids"'), "ENVELOPE-HEADER", file=_BOOK),
    "a codebook whose places overlap": Case(
        "ddi",
        sub(b'StartPos="4" EndPos="9" width="6"', b'StartPos="3" EndPos="9" width="7"'),
        "ENVELOPE-CODEBOOK",
        file=_BOOK,
    ),
    "a codebook with decimals without end": Case("ddi", sub(b'dcml="2"', b'dcml="999999999"'), "ENVELOPE-", file=_BOOK),
    "a dictionary that repeats an item without end": Case(
        "cspro",
        sub(b'"name": "AGE",', b'"name": "AGE", "occurrences": 999999999,'),
        "ENVELOPE-DICTIONARY",
        file=_DICTIONARY,
    ),
    "a codebook with an entity of XML": Case(
        "ddi", before(b'<!DOCTYPE x [<!ENTITY a "b">]>'), "ENVELOPE-CODEBOOK", file=_BOOK
    ),
    "a codebook with a variable twice": Case("ddi", sub(b'name="weight"', b'name="name"'), "ENVELOPE-", file=_BOOK),
    "a codebook that is a page": Case("ddi", whole(b"<html><body>Not found</body></html>"), "ENVELOPE-", file=_BOOK),
    "a type of record that nobody knows": Case("types", behind(b"X000201061\n"), "ENVELOPE-RECORD-TYPE"),
    "a record cut short": Case("types", sub(b"P000102003\n", b"P00010200\n"), "ENVELOPE-LINE-LENGTH"),
    "a record too long": Case("types", sub(b"P000102003\n", b"P0001020035\n"), "ENVELOPE-LINE-LENGTH"),
    "a household without its type": Case("types", sub(b"H00022300875", b" 00022300875"), "ENVELOPE-RECORD-TYPE"),
    "types of records left out": Case(
        "types", sub(b'rectype="H"><labl>', b'rectype="Z"><labl>'), "ENVELOPE-", file=_BOOK
    ),
    "types of records cut off": Case("types", cut(0.4), "ENVELOPE-CODEBOOK", file=_BOOK),
    "a line of CSPro that lost digits": Case("cspro", sub(b"20101 34\n", b"20101 3\n"), "ENVELOPE-LINE-LENGTH"),
    "blanks of CSPro added": Case("cspro", sub(b" 34\n", b" 34   \n"), EQUAL),
    "an unknown record of CSPro": Case("cspro", behind(b"30201 61\n"), "ENVELOPE-RECORD-TYPE"),
    "a CSPro file cut off": Case("cspro", without_end(4), "ENVELOPE-TRUNCATED"),
    "a CSPro file of one record alone": Case(
        "cspro", lambda c: b"".join(line for line in c.splitlines(True) if line[:1] == b"1"), "ENVELOPE-ROWS"
    ),
    "a dictionary cut off": Case("cspro", cut(0.7), "ENVELOPE-DICTIONARY", file=_DICTIONARY),
    "a dictionary without a record": Case(
        "cspro", sub(b'"PERSON"', b'"HOMME"'), "ENVELOPE-DICTIONARY", file=_DICTIONARY
    ),
    "a dictionary without an item": Case("cspro", sub(b'"AGE"', b'"YEARS"'), "ENVELOPE-HEADER", file=_DICTIONARY),
    "a dictionary with longer items": Case(
        "cspro",
        sub(
            b'"name": "AGE", "contentType": "numeric", "length": 3',
            b'"name": "AGE", "contentType": "numeric", "length": 4',
        ),
        "ENVELOPE-LINE-LENGTH",
        file=_DICTIONARY,
    ),
    "a case file cut off": Case("csdb", cut(0.5), "ENVELOPE-DAMAGED"),
    "a case file overwritten within": Case(
        "csdb", lambda c: c[:4096] + bytes([255]) * 9000 + c[13096:], "ENVELOPE-DAMAGED"
    ),
    "a case file without a record": Case("csdb", whole(database("drop table person")), "ENVELOPE-DICTIONARY"),
    "a case file without an item": Case(
        "csdb", whole(database("alter table person rename column age to years")), "ENVELOPE-HEADER"
    ),
    "a case file with an unfinished case": Case(
        "csdb",
        whole(
            database(
                "insert into cases values ('d', '04', '', 0, 'add')",
                "insert into \"level-1\" values (4, 'd', 4, 'w')",
                "insert into person values (5, 4, 1, 1, 7, 1)",
                "insert into house values (4, 4, 1, 'half')",
            )
        ),
        "~ENVELOPE-PARTIAL",
    ),
    "a case file with a text for a number": Case(
        "csdb", whole(database("update person set age = 'old' where \"person-id\" = 1")), "TYPES-INTEGER"
    ),
    "a case file with a photo": Case(
        "csdb", whole(database("update house set place = x'ffd8' where rooms = 2")), "ENVELOPE-SCHEMA"
    ),
    "a case file with a record that nobody reads": Case(
        "csdb",
        whole(
            database(
                'create table land ("land-id" integer, "level-1-id" integer, ha real)',
                "insert into land values (1, 1, 2)",
            )
        ),
        "~ENVELOPE-UNREAD-RECORD",
    ),
    "another SQLite database": Case("csdb", whole(database("drop table cases")), "ENVELOPE-KIND"),
    "an encrypted case file": Case("csdb", lambda c: bytes(b ^ 90 for b in c), "ENVELOPE-"),
    "a dictionary that is no text": Case("cspro", whole(b"\0\1\2"), "ENVELOPE-DICTIONARY", file=_DICTIONARY),
}
