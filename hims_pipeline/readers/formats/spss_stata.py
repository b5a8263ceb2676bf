"""SPSS and Stata: values with their user-missing codes as they are, and the labels as a codebook.

Numbers are floats in these files, so a whole one is written `3`.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat

from hims_pipeline.contracts.formats import Format
from hims_pipeline.errors import DataError
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.files.signatures import NAMES, kind_of
from hims_pipeline.readers.findings import blocking
from hims_pipeline.readers.formats.codebook import UNKNOWN, Codebook, label_findings
from hims_pipeline.readers.formats.excel import text_of
from hims_pipeline.readers.formats.parquet import check_names, texts_of
from hims_pipeline.readers.shape import Shape
from hims_pipeline.readers.table import Table
from hims_pipeline.readers.typing.parts import Part, reading
from hims_pipeline.settings import Settings
from hims_pipeline.sql import literal

CHUNK_ROWS = 100_000
_PLAIN = Format()
_DAMAGED = "is incomplete or damaged; send it again"
_READERS: dict[str, Callable[..., Any]] = {"spss": pyreadstat.read_sav, "stata": pyreadstat.read_dta}
_NAMES = {"spss": "an SPSS file", "stata": "a Stata file"}


def read_codebook(path: Path, kind: str) -> Codebook:
    """What the file says about itself.

    Raises:
        DataError: it is damaged.
    """
    try:
        _, meta = _READERS[kind](str(path), metadataonly=True, user_missing=True)
    except pyreadstat.ReadstatError:
        raise DataError("ENVELOPE-DAMAGED", _DAMAGED) from None
    plain: dict[str, dict[str, tuple[str, ...]]] = {
        name: {text_of(code, _PLAIN): (str(label),) for code, label in labels.items()}
        for name, labels in meta.variable_value_labels.items()
    }
    labels = {name: label for name, label in meta.column_names_to_labels.items() if label}
    return Codebook(list(meta.column_names), labels, plain, _missing(meta), meta.number_rows or 0)


def _missing(meta: Any) -> dict[str, dict[str, str]]:
    """Single codes that are user-missing; a range of them is no list of codes and is left to the labels."""
    found: dict[str, list[str]] = {}
    for name, ranges in (meta.missing_ranges or {}).items():
        found[name] = [text_of(one["lo"], _PLAIN) for one in ranges if one["lo"] == one["hi"]]
    for name, letters in (meta.missing_user_values or {}).items():
        found.setdefault(name, []).extend(map(str, letters))
    return {name: dict.fromkeys(codes, UNKNOWN) for name, codes in found.items()}


def open_statistical(
    settings: Settings, shape: Shape, member: Member, scratch: Path
) -> tuple[Table | None, list[Finding]]:
    """The table of an SPSS or Stata file, or what is wrong with it; warnings about labels come with the table."""
    kind = shape.format.type
    if (found := kind_of(member.path)) != kind:
        message = f"is {NAMES[found]}; {_NAMES[kind]} is expected"
        return None, [blocking("ENVELOPE-KIND", message, member.shown, entity=shape.name)]
    try:
        if not _whole(member.path):
            raise DataError("ENVELOPE-DAMAGED", _DAMAGED)
        codebook = read_codebook(member.path, kind)
        if differs := check_names(shape, codebook.names, member.shown):
            return None, differs
        files = list(_chunks(settings, member.path, kind, shape, scratch))
    except (DataError, pyreadstat.ReadstatError):
        return None, [blocking("ENVELOPE-DAMAGED", _DAMAGED, member.shown, entity=shape.name)]
    rows = sum(count for _, count in files)
    if rows < shape.entity.minimum_rows:
        message = f"holds {rows:,} rows; at least {shape.entity.minimum_rows:,} are expected. Send the complete file"
        return None, [blocking("ENVELOPE-ROWS", message, member.shown, entity=shape.name)]
    return Table(_parts(settings, shape, files), codebook.rows), label_findings(shape, codebook, member.shown)


def _whole(path: Path) -> bool:
    """Newer Stata files end in a tag; where labels alone are cut off, the library reads on without a word."""
    with path.open("rb") as file:
        if file.read(11) != b"<stata_dta>":
            return True
        file.seek(-12, 2)
        return file.read() == b"</stata_dta>"


def _chunks(settings: Settings, path: Path, kind: str, shape: Shape, scratch: Path) -> Iterator[tuple[Path, int]]:
    """Write the file chunk by chunk as Parquet, values typed as the file has them; (chunk, rows)."""
    dates = {shape.header[p]: c.date_format for c, p in zip(shape.columns, shape.positions, strict=True)}
    chunks = pyreadstat.read_file_in_chunks(_READERS[kind], str(path), chunksize=CHUNK_ROWS, user_missing=True)
    with reading(settings) as con:
        con.execute("set pandas_analyze_sample = 0")  # objects are texts here; guessing from a sample could fail later
        for number, (frame, _) in enumerate(chunks):
            target = scratch / f"chunk-{number:06d}.parquet"
            con.register("chunk", _plain(frame, dates))
            con.execute(f"copy (from chunk) to {literal(target)} (format parquet)")
            con.unregister("chunk")
            yield target, len(frame)


def _plain(frame: pd.DataFrame, dates: dict[str, str]) -> pd.DataFrame:
    """Columns of Python objects (days, times, Stata's lettered missing values among numbers) become texts."""
    for name in frame.columns:
        if frame[name].dtype == object:
            texts = [None if pd.isna(v) else text_of(v, _PLAIN, dates.get(name)) for v in frame[name]]
            frame[name] = pd.Series(texts, index=frame.index, dtype=object)
    return frame


def _parts(settings: Settings, shape: Shape, files: list[tuple[Path, int]]) -> list[Part]:
    parts, before = [], 0
    with reading(settings) as con:
        for file, rows in files:
            source = f"read_parquet({literal(file)})"
            types = {name: kind for name, kind, *_ in con.execute(f"describe select * from {source}").fetchall()}
            parts.append(texts_of(shape, source, types, whole=True, number=f"row_number() over () + {before}"))
            before += rows
    return parts
