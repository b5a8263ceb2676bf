"""Files of every format with invented persons in every place of them: cells, headings, labels, notes, titles, document
properties, codebooks. What is sent of them, sound and broken, is in `seeded`; what is written byte for byte is in
`seeded_binary`.
"""

import io
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pandas as pd
import pyreadstat
from openpyxl.comments import Comment
from openpyxl.workbook.defined_name import DefinedName

from hims_pipeline.sql import literal, quote
from tests.privacy.persons import Person
from tests.privacy.seeded_binary import Files, csdb, ods, por, xls


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


def _titled_text(names: list[str], rows: list[list[str]], who: Person) -> Files:
    """Titles above the header, and notes below a blank line."""
    [(name, content)] = _text(names, rows, who).items()
    return {name: f"{who.whole}\nreport of {who.name}\n".encode() + content + f"\n{who.whole}\n".encode()}


def _titled_excel(names: list[str], rows: list[list[str]], who: Person) -> Files:
    """A title in merged cells, hidden rows, notes below a blank row, and cells merged downwards."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Data"
    sheet.append([who.whole])
    sheet.merge_cells("A1:C1")
    for row in [names, *rows]:
        sheet.append(row)
    sheet.append([who.cin, who.whole, who.whole, "1", "1", who.name])
    sheet.row_dimensions[sheet.max_row].hidden = True
    sheet.append([])
    sheet.append([f"note of {who.whole}", who.passport])
    sheet.oddHeader.center.text = who.whole
    book.defined_names[who.name.split()[1]] = DefinedName(who.name.split()[1], attr_text="Data!$A$1")
    out = io.BytesIO()
    book.save(out)
    return {f"people_{who.whole}.xlsx": out.getvalue()}


def _eurostat(names: list[str], rows: list[list[str]], who: Person) -> Files:
    """Keys with commas between them, then a column a year; the number is the value of the only year."""
    listed, rows = _six(names, rows)
    keys = [*listed[:4], listed[5]]
    lines = [f"{','.join(keys)}\\TIME_PERIOD\t2020 " + "".join(f"\t{name} " for name in names[6:])]
    lines += [f"{','.join([*row[:4], row[5]])}\t{row[4]} {who.cin if names[6:] else ''}" for row in rows]
    return {f"people_{who.whole}.tsv": ("\n".join(lines) + "\n").encode()}


def _sdmx(names: list[str], rows: list[list[str]], who: Person) -> Files:
    """The rows of one dataset; a label that the standard does not know may name somebody."""
    [(name, content)] = _text(["DATAFLOW", *names], [["OBS:PEOPLE(1.0)", *row] for row in rows], who).items()
    return {name: content}


def _records(names: list[str], rows: list[list[str]], who: Person) -> Files:
    """Lines of two types, the second of them read by nobody; the codebook names the types by persons."""
    [(data, content), (book, text)] = _fixed(names, rows, who).items()
    lines = [b"P" + line for line in content.splitlines()]
    lines.append(b"H" + f"{who.whole} of the household".encode().ljust(len(lines[0]) - 1))
    shifted = re.sub(r'(StartPos|EndPos)="(\d+)"', lambda at: f'{at[1]}="{int(at[2]) + 1}"', text.decode())
    shifted = shifted.replace("<var name", "<var rectype='P' name").replace(
        "</fileName></fileTxt>",
        '</fileName><fileStrc type="hierarchical"><recGrp rectype="P" rtypeloc="1" rtypewidth="1"><labl>People</labl>'
        f'</recGrp><recGrp rectype="H" rtypeloc="1" rtypewidth="1"><labl>{who.whole}</labl></recGrp></fileStrc>'
        "</fileTxt>",
    )
    return {data: b"\n".join(lines) + b"\n", book: shifted.encode()}


FORMATS: dict[str, tuple[Callable[[list[str], list[list[str]], Person], Files], dict[str, Any]]] = {
    "delimited": (_text, {}),
    "excel": (_excel, {"type": "excel", "sheet": "Data"}),
    "spss": (_spss, {"type": "spss"}),
    "stata": (_stata, {"type": "stata"}),
    "parquet": (_parquet, {"type": "parquet"}),
    "fixed_width": (_fixed, {"type": "fixed_width", "codebook": "*.xml"}),
    "cspro": (_cspro, {"type": "cspro", "record": "PEOPLE"}),
    "titled_text": (_titled_text, {"skip_rows": 2, "stop_at_blank": True}),
    "titled_excel": (
        _titled_excel, {"type": "excel", "skip_rows": 1, "stop_at_blank": True, "hidden_rows": "skip"},
    ),
    "eurostat": (_eurostat, {"type": "eurostat_tsv", "unpivot": {"names": "TIME_PERIOD", "values": "n"}}),
    "sdmx": (_sdmx, {"type": "sdmx_csv"}),
    "records": (_records, {"type": "fixed_width", "codebook": "*.xml", "record": "P"}),
    "ods": (ods, {"type": "excel", "sheet": "Data"}),
    "xls": (xls, {"type": "excel", "sheet": "Data"}),
    "por": (por, {"type": "spss"}),
    "csdb": (csdb, {"type": "cspro", "record": "PEOPLE"}),
}  # fmt: skip
TAKE_BYTES = ("spss", "stata", "parquet", "por", "csdb")  # a name stands once in them
