"""Stata: values with the letters of their missing ones, and the labels as a codebook.

The library is not trusted alone: every value is read a second time by another one, which also tells the letters (the
first gives memory contents for `.` when it is asked for them). Where the two differ, nothing is read.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
from pandas.io.stata import StataMissingValue, StataReader

from hims_pipeline.errors import DataError
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.formats import labelled
from hims_pipeline.readers.formats.codebook import Codebook
from hims_pipeline.readers.formats.labelled import DAMAGED, RAW, Program, make_unsafe_error, open_labelled
from hims_pipeline.readers.shape import TableShape
from hims_pipeline.readers.table import Table
from hims_pipeline.settings import Settings

_DIFFERENT_TEXTS = 10_000  # of a file, kept while it is read


class SecondReader(StataReader):  # type: ignore[misc]
    """The other library, which makes values of the named variables alone, and decodes a text that comes again once.

    By itself it makes them of all variables and then drops some: of a survey with sixty, of which six are read, that
    took three times as long as the first reading.
    """

    def __init__(self, path: Path, names: list[str]) -> None:
        super().__init__(path, convert_dates=False, convert_categoricals=False, convert_missing=True)
        self._names = names
        self._decode = lru_cache(_DIFFERENT_TEXTS)(super()._decode)

    def _open_file(self) -> None:
        super()._open_file()
        places, record = [self._varlist.index(name) for name in self._names], self._setup_dtype()
        fields = [list(record.fields.values())[place] for place in places]
        kept: Any = {"names": [f"s{place}" for place in places], "itemsize": record.itemsize}
        self._dtype = np.dtype(kept | {"formats": [kind for kind, _ in fields], "offsets": [at for _, at in fields]})
        for of_each in ("_varlist", "_typlist", "_dtyplist", "_fmtlist", "_lbllist"):
            setattr(self, of_each, [getattr(self, of_each)[place] for place in places])


def open_table(
    settings: Settings, shape: TableShape, member: Member, scratch: Path
) -> tuple[Table | None, list[Finding]]:
    """The table of a Stata file, or what is wrong with it; warnings about labels come with the table."""
    return open_labelled(_PROGRAM, settings, shape, member, scratch)


def read_codebook(path: Path) -> Codebook:
    """What the file says about itself.

    Raises:
        DataError: it is damaged.
    """
    return labelled.read_codebook(_PROGRAM, path)


def _read_meta(path: Path) -> Any:
    if not _is_whole(path):
        raise DataError("ENVELOPE-DAMAGED", DAMAGED)
    try:
        _, meta = pyreadstat.read_dta(str(path), metadataonly=True, user_missing=True)
    except pyreadstat.ReadstatError:
        raise DataError("ENVELOPE-DAMAGED", DAMAGED) from None
    return meta


def _is_whole(path: Path) -> bool:
    """Newer Stata files end in a tag; where labels alone are cut off, the library reads on without a word."""
    with path.open("rb") as file:
        if file.read(11) != b"<stata_dta>":
            return True
        file.seek(-12, 2)
        return file.read() == b"</stata_dta>"


def _frames(path: Path, meta: Any, names: list[str], _scratch: Path) -> Iterator[pd.DataFrame]:
    """The file in chunks, each value as two libraries read it, and the letters of missing values as texts."""
    chunks = pyreadstat.read_file_in_chunks(
        pyreadstat.read_dta, str(path), chunksize=labelled.CHUNK_ROWS, usecols=names, **RAW
    )
    with SecondReader(path, names) as second:
        for frame, _ in chunks:
            other = second.read(len(frame)) if len(frame) else frame
            if len(other) != len(frame) or list(other.columns) != list(frame.columns):
                raise make_unsafe_error(None)
            other.index = frame.index
            yield pd.DataFrame(
                {
                    name: _require_agreement(
                        frame[name], other[name], n, is_text=meta.readstat_variable_types[name] == "string"
                    )
                    for n, name in enumerate(frame.columns)
                }
            )


def _require_agreement(first: pd.Series, other: pd.Series, place: int, is_text: bool) -> pd.Series:
    """A column as both have it; with letters, all of its values are Python objects."""
    if pd.api.types.is_numeric_dtype(other.dtype):
        if not np.array_equal(first.to_numpy(dtype=float), other.to_numpy(dtype=float), equal_nan=True):
            raise make_unsafe_error(place)
        return first
    if is_text:
        if _blanks(first) != _blanks(other):
            raise make_unsafe_error(place)
        return first
    values, objects = first.to_numpy(dtype=float), other.to_numpy(dtype=object)
    missing = np.isnan(values)
    letters = [value.string[1:] if isinstance(value, StataMissingValue) else None for value in objects[missing]]
    if None in letters or not _is_equal(values[~missing], objects[~missing]):
        raise make_unsafe_error(place)
    if not any(letters):
        return first
    mixed = first.astype(object)
    mixed[missing] = [letter or None for letter in letters]
    return mixed


def _is_equal(values: np.ndarray, objects: np.ndarray) -> bool:
    """Are these the same numbers, none of which the other library calls missing?"""
    try:
        return np.array_equal(values, objects.astype(float))
    except TypeError:  # one of them stands for no value
        return False


def _blanks(values: pd.Series) -> int:
    """Texts that are empty, or nothing."""
    return int(values.isna().sum() + np.count_nonzero(values.to_numpy(dtype=object) == ""))


_PROGRAM = Program("stata", "a Stata file", ("stata",), _read_meta, _frames, letters_are_codes=True)
