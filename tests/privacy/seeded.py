"""Deliveries that carry invented persons in every place where a sender can write: cells, headings, sheets, file and
member names, labels, notes, document properties, codebooks; sound ones and broken ones, in every format.

Used by the leak scan. Not here: looking for the persons afterwards (`leak_scan`).
"""

import gzip
import io
import random
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pandas as pd
import pyreadstat
import yaml
from openpyxl.comments import Comment

from hims_pipeline.sql import literal, quote

NAMES = ["cin", "name", "remark", "sex", "n", "office"]
Files = dict[str, bytes]


@dataclass(frozen=True)
class Person:
    """Somebody who does not exist; `cin` 8 digits, `passport` a letter and 6 digits, `phone` 8 digits."""

    name: str
    cin: str
    passport: str
    phone: str

    @property
    def whole(self) -> str:
        return f"{self.name} {self.cin}"

    @property
    def words(self) -> tuple[str, ...]:
        return (self.name, self.name.split()[1], self.cin, self.passport, self.phone)


def people(count: int, seed: int = 7) -> list[Person]:
    """Persons with names that stand nowhere else, accents among their letters."""
    draw = random.Random(seed)  # noqa: S311 - a seed makes the scan repeatable
    syllables = ["zô", "khï", "rbé", "mja", "gou", "wiq", "dhè", "sfu", "ylo", "bnã"]
    found = []
    for _ in range(count):
        first, last = ("".join(draw.sample(syllables, 4)).capitalize() for _ in range(2))
        cin = f"{draw.choice('01')}{draw.randrange(10**7):07d}"
        passport = f"{draw.choice('QWXYZ')}{draw.randrange(10**6):06d}"
        found.append(Person(f"{first} {last}", cin, passport, f"9{draw.randrange(10**7):07d}"))
    return found


def rows_of(persons: list[Person]) -> list[list[str]]:
    """A sound row for each person; what is open text holds everything about them."""
    return [
        [one.cin, one.name, f"{one.whole} {one.passport} tel {one.phone}", str(1 + i % 2), str(i), f"office {i}"]
        for i, one in enumerate(persons)
    ]


def _text(names: list[str], rows: list[list[str]], who: Person) -> Files:
    lines = [",".join(f'"{cell}"' for cell in row) for row in [names, *rows]]
    return {f"people_{who.whole}.csv": ("\n".join(lines) + "\n").encode()}


def _excel(names: list[str], rows: list[list[str]], who: Person) -> Files:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Data"
    for row in [names, *rows]:
        sheet.append(row)
    sheet["A1"].comment = Comment(who.whole, who.name)
    book.create_sheet(who.whole[:31]).append([who.whole])
    properties = book.properties
    properties.creator, properties.title, properties.description = who.name, who.whole, who.passport
    out = io.BytesIO()
    book.save(out)
    return {f"people_{who.whole}.xlsx": out.getvalue()}


def _frame(names: list[str], rows: list[list[str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[name.replace(" ", "_")[:31] for name in names])


def _spss(names: list[str], rows: list[list[str]], who: Person) -> Files:
    return _statistical(names, rows, who, "sav", pyreadstat.write_sav, note=[who.whole])


def _stata(names: list[str], rows: list[list[str]], who: Person) -> Files:
    return _statistical(names, rows, who, "dta", pyreadstat.write_dta)


def _statistical(
    names: list[str], rows: list[list[str]], who: Person, suffix: str, write: Callable[..., None], **more: Any
) -> Files:
    frame = _frame(names, rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x.{suffix}"
        labels = {name: f"{name[:9]} {who.whole}" for name in frame.columns}
        if suffix == "sav" and "sex" in frame.columns:
            more["variable_value_labels"] = {"sex": {"1": who.name, "2": "Female", who.cin: who.whole}}
        write(frame, str(path), file_label=who.whole, column_labels=labels, **more)
        return {f"people_{who.whole}.{suffix}": path.read_bytes()}


def _parquet(names: list[str], rows: list[list[str]], who: Person) -> Files:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as con:
        path = Path(folder) / "x.parquet"
        values = ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
        columns = ", ".join(f"{quote(f'c{i}')} as {quote(name)}" for i, name in enumerate(dict.fromkeys(names)))
        taken = ", ".join(f"c{i}" for i in range(len(rows[0])))
        con.execute(
            f"copy (select {columns} from (values {values}) as t({taken})) to {literal(path)} "
            f"(format parquet, kv_metadata {{note: {literal(who.whole)}}})"
        )
        return {f"people_{who.whole}.parquet": path.read_bytes()}


WIDTHS = (30, 45, 90, 30, 30, 45)


def _lines(rows: list[list[str]]) -> bytes:
    return "".join("".join(c.ljust(w)[:w] for c, w in zip(row, WIDTHS, strict=True)) + "\n" for row in rows).encode()


def _six(names: list[str], rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    return (names * 2)[:6], [row[:6] for row in rows]


def _fixed(names: list[str], rows: list[list[str]], who: Person) -> Files:
    listed, rows = _six(names, rows)
    listed = listed + names[6:]
    start, variables = 1, ""
    for name, width in zip(listed, (*WIDTHS, 1), strict=False):
        categories = (
            f"<catgry><catValu>{who.cin}</catValu><labl>{who.whole}</labl></catgry>"
            f"<catgry><catValu>1</catValu><labl>{who.name}</labl></catgry>"
        )
        variables += (
            f'<var name="{name}"><location StartPos="{start}" EndPos="{start + width - 1}"/>'
            f"<labl>{who.whole}</labl>{categories}</var>"
        )
        start += width
    book = (
        f"<codeBook><stdyDscr><titl>{who.whole}</titl></stdyDscr><fileDscr><fileTxt><fileName>{who.whole}</fileName>"
        f"</fileTxt></fileDscr><dataDscr>{variables}</dataDscr></codeBook>"
    )
    return {f"people_{who.whole}.txt": _lines(rows), f"{who.whole}.xml": book.encode()}


def _cspro(names: list[str], rows: list[list[str]], who: Person) -> Files:
    listed, rows = _six(names, rows)
    listed = listed + names[6:]
    items, start = "", 2
    for name, width in zip(listed, (*WIDTHS, 1), strict=False):
        items += (
            f"[Item]\nLabel={who.whole}\nName={name}\nStart={start}\nLen={width}\nDataType=Alpha\n\n"
            f"[ValueSet]\nLabel={who.name}\nName={who.cin}\nValue='{who.cin}';{who.whole}\nValue='1';{who.name}\n\n"
        )
        start += width
    book = (
        f"[Dictionary]\nVersion=CSPro 7.4\nLabel={who.whole}\nName={who.passport}\n"
        "RecordTypeStart=1\nRecordTypeLen=1\n\n"
        f"[Level]\nLabel={who.whole}\nName={who.passport}\n\n[IdItems]\n\n"
        f"[Record]\nLabel={who.whole}\nName=PEOPLE\nRecordTypeValue='1'\n\n{items}"
        f"[Record]\nLabel={who.whole}\nName={who.whole}\nRecordTypeValue='2'\n\n"
        f"[Item]\nName={who.name}\nStart=2\nLen=1\nDataType=Alpha\n\n"
    )
    data = b"".join(b"1" + line for line in _lines(rows).splitlines(keepends=True)) + f"2{who.name[0]}\n".encode()
    return {f"people_{who.whole}.dat": data, f"{who.whole}.dcf": book.encode()}


FORMATS: dict[str, tuple[Callable[[list[str], list[list[str]], Person], Files], dict[str, Any]]] = {
    "delimited": (_text, {}),
    "excel": (_excel, {"type": "excel", "sheet": "Data"}),
    "spss": (_spss, {"type": "spss"}),
    "stata": (_stata, {"type": "stata"}),
    "parquet": (_parquet, {"type": "parquet"}),
    "fixed_width": (_fixed, {"type": "fixed_width", "codebook": "*.xml"}),
    "cspro": (_cspro, {"type": "cspro", "record": "PEOPLE"}),
}


def source_of(form: str) -> str:
    return f"leak_{form}"


def write_contract(data: Path, form: str) -> None:
    """The contract of one format's source, as a person would write it."""
    columns: list[dict[str, Any]] = [
        {"name": "cin", "sensitivity": "identifier", "pattern": "[0-9]{8}", "required": True},
        {"name": "name", "sensitivity": "free_text"},
        {"name": "remark", "sensitivity": "free_text"},
        {"name": "sex", "codes": {"1": "Male", "2": "Female"}, "may_be_empty": True},
        {"name": "n", "type": "integer", "may_be_empty": True},
        {"name": "office", "open_text": "the office's name, from a list", "may_be_empty": True},
    ]
    contract = {
        "source": source_of(form),
        "title": {"en": f"Seeded {form}", "fr": f"Essai {form}", "ar": f"{form} تجربة"},
        "description": "Invented persons in every place.",
        "data_kind": "synthetic",
        "personal": True,
        "owner": {"institution": "nobody", "contact": "nobody"},
        "licence": {"name": "none", "attribution": "none", "redistributable": True},
        "purpose": "the leak scan",
        "legal": {"basis": "none", "record": "none", "retention_years": 1},
        "cadence": "annual",
        "period": {"pattern": "year"},
        "clock": "none",
        "universe": "residents",
        "duration_rule": "NONE",
        "measure_type": "stock",
        "format": FORMATS[form][1],
        "entities": {
            "people": {
                "title": {"en": "People", "fr": "Personnes", "ar": "أشخاص"},
                "grain": "a person",
                "files": ["people*"],
                "columns": columns,
            }
        },
    }
    (data / "contracts" / f"{contract['source']}.yml").write_text(yaml.safe_dump(contract, allow_unicode=True))


def zipped(files: Files, who: Person) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.comment = who.whole.encode()
        for name, content in files.items():
            archive.writestr(f"{who.whole}/{name}", content)
    return out.getvalue()


def gzipped(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(filename=name, mode="wb", fileobj=out) as archive:
        archive.write(content)
    return out.getvalue()


def variants(form: str, persons: Iterator[Person]) -> Iterator[tuple[str, Files]]:
    """(what, files) of one format: a sound delivery, and one for each fault, with persons of its own in each."""
    build = FORMATS[form][0]

    def some(count: int = 3) -> tuple[list[Person], list[list[str]]]:
        chosen = [next(persons) for _ in range(count)]
        return chosen, rows_of(chosen)

    def changed(column: int, value: Callable[[Person], str]) -> Files:
        chosen, rows = some()
        rows[1][column] = value(chosen[1])
        return build(NAMES, rows, chosen[0])

    chosen, rows = some()
    sound = build(NAMES, rows, chosen[0])
    yield "sound", sound
    yield "heading added", build([*NAMES, chosen[1].whole], [[*row, row[0]] for row in rows], chosen[0])
    yield "heading replaced", build([*NAMES[:3], chosen[2].whole, *NAMES[4:]], rows, chosen[0])
    if form not in ("spss", "stata", "parquet"):
        twice = [*NAMES[:4], chosen[2].whole, chosen[2].whole]
        yield "heading twice", build(twice, rows, chosen[0])
    yield "unknown code", changed(3, lambda one: one.name)
    yield "wrong type", changed(4, lambda one: one.whole)
    yield "no identifier", changed(0, lambda one: one.passport + one.name.split()[0])
    yield "number in open text", changed(5, lambda one: f"{one.whole} {one.phone}"[:45])
    chosen, rows = some()
    sound = build(NAMES, rows, chosen[0])
    yield "cut off", {name: content[: len(content) * 2 // 3] for name, content in sound.items()}
    data, content = next(iter(sound.items()))
    yield "empty", sound | {data: b""}
    yield "another kind", sound | {data: b"%PDF-1.7 " + chosen[1].whole.encode()}
    yield "unknown name", {f"{chosen[1].whole}.{data.rsplit('.', 1)[1]}": content}
    yield "twice", sound | {data.replace("people_", f"people_{chosen[2].name} "): content + b"\n"}
    yield "zip", {f"{chosen[1].whole}.zip": zipped(sound, chosen[2])}
    yield "zip of a stranger", {f"{chosen[1].whole}.zip": zipped(sound | {f"{chosen[2].whole}.doc": b"x"}, chosen[2])}
    yield "zip within", {f"{chosen[1].whole}.zip": zipped({f"{data}.zip": zipped(sound, chosen[2])}, chosen[2])}
    yield "zip with a way out", {f"{chosen[1].whole}.zip": zipped({f"../{data}": content}, chosen[2])}
    yield "zip cut off", {f"{chosen[1].whole}.zip": zipped(sound, chosen[2])[:-40]}
    books = {name: book for name, book in sound.items() if name != data}
    yield "gz", books | {f"{data}.gz": gzipped(chosen[2].whole, content)}
    yield "gz cut off", {f"{data}.gz": gzipped(chosen[2].whole, content)[:-9]}
    yield from _of_this_format(form, sound, data, chosen)


def _of_this_format(form: str, sound: Files, data: str, chosen: list[Person]) -> Iterator[tuple[str, Files]]:
    """Faults that only some formats have."""
    one, two, _ = chosen
    content = sound[data]
    if form == "delimited":
        yield "ragged row", {data: content + f'"{one.whole}","{two.whole}"\n'.encode()}
        yield "open quote", {data: content + f'"{one.whole}\n'.encode()}
        yield "wrong encoding", {data: content + one.whole.encode("cp1252", "replace") + b"\n"}
        yield "persons for a header", {data: content.split(b"\n", 1)[1]}
        yield "one heading", {data: content.replace(b",", b";")}
    if form == "excel":
        book = openpyxl.load_workbook(io.BytesIO(content))
        book["Data"].title = one.whole[:31]
        out = io.BytesIO()
        book.save(out)
        yield "other sheets", {data: out.getvalue()}
    if form in ("fixed_width", "cspro"):
        book_name = next(name for name in sound if name != data)
        text = sound[book_name].decode()
        yield "no codebook", {data: content}
        yield "two codebooks", sound | {f"{two.whole}.{book_name.rsplit('.', 1)[1]}": sound[book_name]}
        yield "line too long", sound | {data: content + f"1{one.whole}\n".encode()}
        named = text.replace("office", one.name.replace(" ", "_"))
        yield "variable named", sound | {book_name: named.encode()}
        yield "no place", sound | {book_name: named.replace('StartPos="226"', "").replace("Start=227\n", "").encode()}
        shared = named.replace('StartPos="226"', 'StartPos="200"').replace("Start=227\n", "Start=200\n")
        yield "shared place", sound | {book_name: shared.replace('EndPos="270"', 'EndPos="244"').encode()}
        worded = named.replace('StartPos="226"', f'StartPos="{two.whole}"').replace("Start=227", f"Start={two.whole}")
        yield "place in words", sound | {book_name: worded.encode()}
        if form == "cspro":
            yield "other record", sound | {book_name: text.replace("Name=PEOPLE", f"Name={two.whole}").encode()}
