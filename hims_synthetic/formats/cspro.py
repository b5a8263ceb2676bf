"""Data files of CSPro with several records, and their dictionary: sections (version 7) or JSON (version 8)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from hims_pipeline.sql import literal, quote
from hims_synthetic.formats.variables import Code, Label, Variable, fixed_width_line, label_texts, write_lines

ENGLISH = ("EN",)


@dataclass(frozen=True)
class CsproRecord:
    """One record of a dictionary.

    Args:
        type: one character, by which its lines are known.
        query: SQL with the identification and the record's variables as columns; their order is kept within a case.
    """

    name: str
    type: str
    query: str
    variables: Sequence[Variable]
    label: Label = ""


def write_cspro(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    dictionary: Path,
    name: str,
    ids: Sequence[Variable],
    records: Sequence[CsproRecord],
    version: int = 7,
    languages: Sequence[str] = ENGLISH,
    encoding: str = "utf-8",
) -> Path:
    """Write the records as one data file, case by case, and its dictionary; returns the data file's path.

    Args:
        name: of the dictionary, such as `CENSUS_DICT`.
        ids: the identification that stands on every line.
        version: 7 for sections, 8 for JSON.
        encoding: of the data file, and of the sections.
    """
    key = ", ".join(quote(column) for one in ids for column in one.columns)
    parts = [
        f"select {key}, {rank} as _rank, row_number() over () as _row, "
        f"{fixed_width_line([*ids, *record.variables], literal(record.type))} as l from ({record.query})"
        for rank, record in enumerate(records)
    ]
    # Blanks at a line's end are left away, as they may be in such files.
    query = f"select rtrim(l) as l from ({' union all '.join(parts)}) order by {key}, _rank, _row"
    write_lines(con, query, path, encoding)
    text = _json(name, ids, records, languages) if version >= 8 else _sections(name, ids, records, languages)
    dictionary.parent.mkdir(parents=True, exist_ok=True)
    dictionary.write_text(text, encoding="utf-8" if version >= 8 else encoding, newline="")
    return path


def _sections(name: str, ids: Sequence[Variable], records: Sequence[CsproRecord], languages: Sequence[str]) -> str:
    lines = [f"[Dictionary]\nVersion=CSPro 7.7\nLabel={name}\nName={name}\nRecordTypeStart=1\nRecordTypeLen=1"]
    lines[0] += "\nPositions=Relative\nZeroFill=No\nDecimalChar=No"
    if len(languages) > 1:
        lines.append("\n".join(["[Languages]", *(f"{language}={language}" for language in languages)]))
    lines.append(f"[Level]\nLabel={name}\nName={name}_LEVEL")
    lines.append("[IdItems]")
    start, items = _item_sections(ids, 2, languages)
    lines += items
    for record in records:
        end, items = _item_sections(record.variables, start, languages)
        label = "|".join(label_texts(record.label, languages))
        head = f"[Record]\nLabel={label}\nName={record.name}\nRecordTypeValue='{record.type}'\nRecordLen={end - 1}"
        lines += [head, *items]
    return "".join(f"{section}\n\n" for section in lines).replace("\n", "\r\n")


def _item_sections(variables: Sequence[Variable], start: int, languages: Sequence[str]) -> tuple[int, list[str]]:
    entries = []
    for variable in variables:
        lines = [
            "[Item]",
            f"Label={'|'.join(label_texts(variable.label, languages))}",
            f"Name={variable.name}",
            f"Start={start}",
        ]
        lines += [f"Len={variable.width}", f"DataType={'Numeric' if variable.numeric else 'Alpha'}"]
        lines += [f"Occurrences={variable.occurrences}"] * (variable.occurrences > 1)
        lines += [f"Decimal={variable.decimals}", f"DecimalChar={'Yes' if variable.decimal_mark else 'No'}"] * bool(
            variable.decimals
        )
        lines += ["ZeroFill=Yes"] * variable.zero_fill
        entries.append("\n".join(lines))
        if codes := _codes(variable):
            values = ["[ValueSet]", lines[1], f"Name={variable.name}_VS1"]
            for code, label in codes.items():
                written = str(code) if variable.numeric else f"'{code}'"
                values.append(f"Value={written};{'|'.join(label_texts(label, languages))}")
                if code in variable.special:
                    values.append(f"Name={variable.special[code]},Special")
            entries.append("\n".join(values))
        start += variable.width * variable.occurrences
    return start, entries


def _json(name: str, ids: Sequence[Variable], records: Sequence[CsproRecord], languages: Sequence[str]) -> str:
    start, items = 2, []
    for one in ids:
        items.append(_json_item(one, languages) | {"start": start})
        start += one.width
    level = {
        "name": f"{name}_LEVEL",
        "labels": [{"text": name}],
        "ids": {"items": items},
        "records": [
            {
                "name": record.name,
                "labels": _json_labels(record.label, languages),
                "recordType": record.type,
                "occurrences": {"required": False, "maximum": 999},
                "items": [_json_item(variable, languages) for variable in record.variables],
            }
            for record in records
        ],
    }
    head = {
        "software": "CSPro",
        "version": 8.0,
        "fileType": "dictionary",
        "name": name,
        "labels": [{"text": name}],
        "recordType": {"start": 1, "length": 1},
        "defaults": {"decimalMark": False, "zeroFill": False},
        "relativePositions": True,
        "levels": [level],
    }
    return json.dumps(head, indent=2, ensure_ascii=False) + "\n"


def _json_item(variable: Variable, languages: Sequence[str]) -> dict[str, Any]:
    item: dict[str, Any] = {
        "name": variable.name,
        "labels": _json_labels(variable.label, languages),
        "contentType": "numeric" if variable.numeric else "alpha",
        "length": variable.width,
    }
    if variable.numeric:
        item["zeroFill"] = variable.zero_fill
    if variable.decimals:
        item |= {"decimals": variable.decimals, "decimalMark": variable.decimal_mark}
    if variable.occurrences > 1:
        item["occurrences"] = {"maximum": variable.occurrences}
    values = [
        {"labels": _json_labels(label, languages), "pairs": [{"value": str(code)}]}
        | ({"special": variable.special[code]} if code in variable.special else {})
        for code, label in _codes(variable).items()
    ]
    return item | ({"valueSets": [{"name": f"{variable.name}_VS1", "values": values}]} if values else {})


def _json_labels(label: Label, languages: Sequence[str]) -> list[dict[str, str]]:
    texts = label_texts(label, languages)
    if len(texts) == 1:
        return [{"text": texts[0]}]
    return [{"text": text, "language": language} for text, language in zip(texts, languages, strict=True)]


def _codes(variable: Variable) -> dict[Code, Label]:
    return dict(variable.values) | {code: "" for code in variable.special if code not in variable.values}
