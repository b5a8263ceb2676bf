"""SDMX-CSV 1.0 and 2.x: delimited text in UTF-8 whose first columns say what the rows are, by rules of the standard.

Version 1.0 begins with DATAFLOW, 2.x with STRUCTURE and STRUCTURE_ID and may have ACTION. All other columns are found
by their names, in any order. One file is one dataset, and adds to it: rows that delete, or are of another dataset, are
refused. Codes alone are read: labels beside them (`labels=both`) are refused, since a cell then holds two things.
"""

from dataclasses import replace
from pathlib import Path

import duckdb

from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.formats import Format
from hims_pipeline.errors import DataError
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.files.delimited_records import read_header
from hims_pipeline.readers.files.signatures import kind_of
from hims_pipeline.readers.findings import block, refuses
from hims_pipeline.readers.formats import delimited
from hims_pipeline.readers.shape import TableShape
from hims_pipeline.readers.table import Table
from hims_pipeline.readers.typing.parts import open_for_parts
from hims_pipeline.settings import Settings
from hims_pipeline.words import our_text, words

OF_THE_STANDARD = ("DATAFLOW", "STRUCTURE", "STRUCTURE_ID", "STRUCTURE_NAME", "ACTION")
_STRUCTURES = ("dataflow", "datastructure", "dataprovision")
_ADDING = ("I", "A", "R", "M")  # information, append, replace, merge


def open_table(
    settings: Settings, shape: TableShape, member: Member, scratch: Path
) -> tuple[Table | None, list[Finding]]:
    """The table of a file, or what is wrong with it."""
    sent = shape.format
    form = Format(delimiter=sent.delimiter, header="by_name", decimal=sent.decimal, final_newline=sent.final_newline)
    shape = replace(shape, format=form)
    if kind_of(member.path) != "text":
        return delimited.open_table(settings, shape, member, scratch)  # which says what it is instead
    try:
        names = read_header(member.path, form, shape.limits.line_bytes).names
        _check_names(names)
    except DataError as error:
        return None, [block(error.rule, error.message, member.shown, entity=shape.name)]
    fixed = [name for name in OF_THE_STANDARD if name in names]
    known = replace(shape, header=(*shape.header, *(name for name in fixed if name not in shape.header)))
    table, table_findings = delimited.open_table(settings, known, member, scratch)
    if table is None:
        return None, table_findings
    table_findings += _wrong_rows(settings, known, fixed, member, scratch)
    return (None if refuses(table_findings) else table), table_findings


def version_of(names: list[str]) -> str | None:
    """`1.0` or `2.0` by the first names of a header; None for other tables."""
    first = [name.split(":")[0].strip() for name in names[:2]]
    if first[:1] == ["DATAFLOW"]:
        return "1.0"
    return "2.0" if len(first) == 2 and first[0].split("[")[0] == "STRUCTURE" and first[1] == "STRUCTURE_ID" else None


def _check_names(names: list[str]) -> None:
    if version_of(names) is None:
        message = words(
            "the header does not begin with DATAFLOW (SDMX-CSV 1.0) or STRUCTURE and STRUCTURE_ID (2.x); "
            "if this is another kind of table, say so in the contract (`format.type`)"
        )
        raise DataError("ENVELOPE-HEADER", message)
    if any(":" in name for name in names):
        message = words("the header has labels beside codes; ask for codes alone (`labels=id`)")
        raise DataError("ENVELOPE-HEADER", message)
    if any("[" in name for name in names):
        message = words("has columns that hold several values in a cell (`NAME[;]`), which are not read")
        raise DataError("ENVELOPE-HEADER", message)


def _wrong_rows(
    settings: Settings, shape: TableShape, fixed: list[str], member: Member, scratch: Path
) -> list[Finding]:
    """Rows that do something else than add to one dataset."""
    columns = tuple(Column(name=name) for name in fixed)
    entity = shape.entity.model_copy(update={"columns": columns})
    positions = tuple(shape.header.index(name) for name in fixed)
    table, findings = delimited.open_table(
        settings, replace(shape, entity=entity, columns=columns, positions=positions), member, scratch
    )
    if table is None:
        return findings
    if table.structure is None and table.records == 0:
        return []
    place = {name: f"t{number}" for number, name in enumerate(fixed)}
    adding = ", ".join(f"'{one}'" for one in _ADDING)
    action = f"coalesce(upper({place['ACTION']}), 'I') not in ({adding})" if "ACTION" in place else "false"
    kinds = ", ".join(f"'{one}'" for one in _STRUCTURES)
    kind = f"coalesce(lower({place['STRUCTURE']}), '') not in ({kinds})" if "STRUCTURE" in place else "false"
    dataset = place.get("STRUCTURE_ID") or place["DATAFLOW"]
    relation = " union all ".join(f"(select * from ({part.relation}))" for part in table.parts)
    try:
        with open_for_parts(settings, table.slices) as con:
            [(actions, kinds_of, datasets)] = con.execute(
                f"select count(*) filter ({action}), count(*) filter ({kind}), count(distinct coalesce({dataset}, '')) "
                f"from ({relation})"
            ).fetchall()
    except duckdb.InvalidInputException as error:
        if "CSV" not in str(error):
            raise
        return []  # records that do not split are told, one by one, where all columns are read
    messages = (
        (
            actions,
            words("rows have an ACTION that is not I, A, R or M: a delivery adds and replaces, it deletes nothing"),
        ),
        (kinds_of, words("rows have a STRUCTURE that is not {kinds}", kinds=our_text(", ".join(_STRUCTURES)))),
        (datasets if datasets > 1 else 0, words("different datasets are in one file; send a file for each")),
    )
    return [
        block(
            "ENVELOPE-SDMX",
            message,
            member.shown,
            entity=shape.name,
            count=count,
        )
        for count, message in messages
        if count
    ]
