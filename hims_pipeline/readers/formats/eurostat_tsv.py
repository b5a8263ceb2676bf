"""Eurostat's tab-separated tables: all keys in the first field, separated by commas, then a column a period.

The heading of the first field names the keys and, behind a backslash, what the other headings are:
`freq,citizen,geo\\TIME_PERIOD`. The file is written anew with a field for each key and without the blanks that pad
headings and cells, and then takes the way of wide delimited text. Flags behind values are a matter of the contract.
"""

from dataclasses import replace
from pathlib import Path

from hims_pipeline.contracts.formats import Format
from hims_pipeline.errors import DataError
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.files.delimited_records import BOM
from hims_pipeline.readers.files.encodings import make_too_long_error
from hims_pipeline.readers.files.signatures import kind_of
from hims_pipeline.readers.findings import block
from hims_pipeline.readers.formats import delimited
from hims_pipeline.readers.shape import TableShape
from hims_pipeline.readers.table import Table
from hims_pipeline.settings import Settings
from hims_pipeline.words import our_text, words


def open_table(
    settings: Settings, shape: TableShape, member: Member, scratch: Path
) -> tuple[Table | None, list[Finding]]:
    """The long table of a file, or what is wrong with its envelope."""
    sent = shape.format
    as_text = Format(
        delimiter="\t", quote="", unpivot=sent.unpivot, decimal=sent.decimal, final_newline=sent.final_newline
    )
    wide = replace(shape, format=as_text)
    if kind_of(member.path) != "text":
        return delimited.open_table(settings, wide, member, scratch)  # which says what it is instead
    target = scratch / "keys.tsv"
    try:
        _write_anew(shape, member.path, target)
    except DataError as error:
        return None, [block(error.rule, error.message, member.shown, entity=shape.name)]
    return delimited.open_table(settings, wide, replace(member, path=target), scratch)


def split_heading(text: str) -> tuple[list[str], str] | None:
    """Names of the keys, and of what the other headings are; None where a first heading is not of this kind."""
    keys, mark, period = text.strip().partition("\\")
    names = [key.strip() for key in keys.split(",")]
    return (names, period.strip()) if mark and period.strip() and all(names) else None


def _write_anew(shape: TableShape, path: Path, target: Path) -> None:
    limit = shape.limits.line_bytes
    with path.open("rb") as file, target.open("wb") as out:
        heading, *cells = file.readline(limit + 1).removeprefix(BOM).split(b"\t")
        keys = _keys(shape, heading)
        out.write(b"\t".join([*(key.encode() for key in keys), *map(_strip_padding, cells)]))
        number = 1
        while line := file.readline(limit + 1):
            number += 1
            if len(line) > limit:
                raise make_too_long_error(number, limit)
            first, *cells = line.split(b"\t")
            out.write(b"\t".join([first.replace(b",", b"\t"), *map(_strip_padding, cells)]))


def _keys(shape: TableShape, heading: bytes) -> list[str]:
    assert shape.format.unpivot is not None  # the contract does not load without
    split = split_heading(heading.decode(errors="replace"))
    if split is None:
        message = words(
            "the first heading is not Eurostat's (`key,key,geo\\TIME_PERIOD`); if this is another kind of table, "
            "say so in the contract (`format.type`)"
        )
        raise DataError("ENVELOPE-HEADER", message)
    wanted = dict(
        zip((column.name for column in shape.columns), (shape.header[p] for p in shape.positions), strict=True)
    )
    name = wanted[shape.format.unpivot.names]
    if split[1] != name:
        raise DataError(
            "ENVELOPE-HEADER", words("the headings are not called {name}, as in the contract", name=our_text(name))
        )
    return split[0]


def _strip_padding(cell: bytes) -> bytes:
    """A cell without the blanks around it; the end of a line stays."""
    return cell.strip(b" ") if not cell.endswith(b"\n") else cell.strip(b" \r\n") + cell[len(cell.rstrip(b"\r\n")) :]
