"""SPSS, .sav and .por: values with their user-missing codes as they are, and the labels as a codebook.

The library is not trusted alone: the first rows are read once more in another mode, in which user-missing values are
none; a portable file is read by its tags too (`spss_portable`). Where the two differ, nothing is read.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat

from hims_pipeline.errors import DataError
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.files.signatures import kind_of
from hims_pipeline.readers.formats import labelled
from hims_pipeline.readers.formats.codebook import Codebook
from hims_pipeline.readers.formats.labelled import DAMAGED, RAW, Program, make_unsafe_error, open_labelled
from hims_pipeline.readers.formats.spss_portable import Portable, mask, read_portable
from hims_pipeline.readers.shape import TableShape
from hims_pipeline.readers.table import Table
from hims_pipeline.settings import Settings

SECOND_LOOK = 10  # the first tenth is read twice, but no fewer rows than these
SECOND_LOOK_ROWS = 5_000


def open_table(
    settings: Settings, shape: TableShape, member: Member, scratch: Path
) -> tuple[Table | None, list[Finding]]:
    """The table of an SPSS file, or what is wrong with it; warnings about labels come with the table."""
    return open_labelled(_PROGRAM, settings, shape, member, scratch)


def read_codebook(path: Path) -> Codebook:
    """What the file says about itself.

    Raises:
        DataError: it is damaged.
    """
    return labelled.read_codebook(_PROGRAM, path)


def _read_meta(path: Path) -> Any:
    if kind_of(path) == "spss_portable":
        return read_portable(path)
    try:
        _, meta = pyreadstat.read_sav(str(path), metadataonly=True, user_missing=True)
    except pyreadstat.ReadstatError:
        raise DataError("ENVELOPE-DAMAGED", DAMAGED) from None
    return meta


def _frames(path: Path, meta: Any, names: list[str], scratch: Path) -> Iterator[pd.DataFrame]:
    if isinstance(meta, Portable):
        return _portable_frames(mask(path, scratch / "masked.por"), meta, names)
    return _spss_frames(path, meta, names)


def _spss_frames(path: Path, meta: Any, names: list[str]) -> Iterator[pd.DataFrame]:
    """The file in chunks; its first rows are read in another mode too, in which user-missing values are none."""
    rows = max(SECOND_LOOK_ROWS, (meta.number_rows or 0) // SECOND_LOOK)
    second, _ = pyreadstat.read_sav(str(path), row_limit=rows, usecols=names, **RAW)
    ranges = meta.missing_ranges or {}
    chunks = pyreadstat.read_file_in_chunks(
        pyreadstat.read_sav, str(path), chunksize=labelled.CHUNK_ROWS, user_missing=True, usecols=names, **RAW
    )
    begin = 0
    for frame, _ in chunks:
        if begin < len(second):
            _compare_spss(frame, second.iloc[begin : begin + len(frame)], ranges)
        begin += len(frame)
        yield frame


def _portable_frames(masked: Path, made: Portable, names: list[str]) -> Iterator[pd.DataFrame]:
    """The file at once; the library's values must be the same, but for codes declared missing, which it drops."""
    frame = made.masked_frame()[names]
    second, _ = pyreadstat.read_por(str(masked), usecols=names, **RAW)
    if len(second) != len(frame) or list(second.columns) != names:
        raise make_unsafe_error(None)
    for name in names:
        if made.readstat_variable_types[name] == "double":
            alike = np.isclose(frame[name], second[name], rtol=1e-12, atol=0)
            second[name] = np.where(alike, frame[name], second[name])
    _compare_spss(frame, second, made.missing_ranges)
    yield made.frame()[names]


def _compare_spss(frame: pd.DataFrame, second: pd.DataFrame, ranges: dict[str, Any]) -> None:
    """What both modes give must be equal, and what one leaves out must be declared to be missing."""
    for place, name in enumerate(frame.columns):
        first = frame[name].iloc[: len(second)].reset_index(drop=True)
        other = second[name].reset_index(drop=True)
        left_out = other.isna().to_numpy() & ~first.isna().to_numpy()
        same = (first.astype(object).where(~left_out) == other.astype(object)) | other.isna()
        declared = all(_is_declared(value, ranges.get(name, [])) for value in first[left_out].unique())
        if not same.all() or not declared or (first.isna() & ~other.isna()).any():
            raise make_unsafe_error(place)


def _is_declared(value: Any, declared: list[dict[str, Any]]) -> bool:
    if isinstance(value, str):
        return value == "" or any(value.rstrip() == str(one["lo"]).rstrip() for one in declared)
    return any(one["lo"] <= value <= one["hi"] for one in declared if not isinstance(one["lo"], str))


_PROGRAM = Program("spss", "an SPSS file", ("spss", "spss_portable"), _read_meta, _frames)
