"""Deliveries that carry invented persons in every place where a sender can write: sound ones and broken ones, in every
format. Used by the leak scan. Not here: the files (`seeded_formats`), and looking for the persons (`leak_scan`).
"""

import gzip
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import yaml

from tests.privacy.persons import NAMES, Person, rows_of
from tests.privacy.seeded_binary import xlsb
from tests.privacy.seeded_formats import FORMATS, TAKE_BYTES, Files


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
    if form == "eurostat":  # the keys stand before the headings
        columns = [*columns[:4], columns[5], {"name": "TIME_PERIOD", "type": "integer"}, columns[4]]
    if form == "por":  # which knows no small letters
        columns = [{**column, "name": column["name"].upper()} for column in columns]
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
        "universe": "resident_population",
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
    if form not in TAKE_BYTES:
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
    if form == "sdmx":
        yield "another dataset", {data: content.replace(b"OBS:PEOPLE", f"{one.cin}:{two.name}".encode(), 1)}
        yield "an action", {data: content.replace(b"DATAFLOW", f"DATAFLOW:{one.whole}".encode())}
    if form == "eurostat":
        yield "keys of a person", {data: content.replace(b"TIME_PERIOD", one.whole.encode())}
        yield "a flag", {data: content.replace(b" \n", f" {one.name}\n".encode())}
    if form == "titled_text":
        yield "notes without a blank line", {data: content.replace(b"\n\n", b"\n")}
    if form == "records":
        yield "a type of a person", sound | {data: content.replace(b"\nH", b"\n" + one.name[:1].encode(), 1)}
    if form == "delimited":
        yield "ragged row", {data: content + f'"{one.whole}","{two.whole}"\n'.encode()}
        yield "open quote", {data: content + f'"{one.whole}\n'.encode()}
        yield "wrong encoding", {data: content + one.whole.encode("cp1252", "replace") + b"\n"}
        yield "persons for a header", {data: content.split(b"\n", 1)[1]}
        yield "one heading", {data: content.replace(b",", b";")}
    if form == "excel":
        yield "a binary workbook", {f"people_{one.whole}.xlsb": xlsb(two)}
        book = openpyxl.load_workbook(io.BytesIO(content))
        book["Data"].title = one.whole[:31]
        out = io.BytesIO()
        book.save(out)
        yield "other sheets", {data: out.getvalue()}
    if form in ("fixed_width", "cspro", "records"):
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
