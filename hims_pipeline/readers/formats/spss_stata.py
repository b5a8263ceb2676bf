"""SPSS and Stata: values with their user-missing codes as they are, and the labels as a codebook.

Numbers are floats in these files, so a whole one is written `3`. The library is not trusted alone: of Stata every value
is read a second time by another one (which also tells the letters of missing values; the first gives memory contents
for `.` when it is asked for them), of SPSS the first rows once more in another mode. Where the two differ, nothing is
read. Days and times come as the numbers that the file holds, and are written out by `instants`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
from pandas.io.stata import StataMissingValue

from hims_pipeline.contracts.formats import Format
from hims_pipeline.errors import DataError
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.files.signatures import NAMES, kind_of
from hims_pipeline.readers.findings import blocking, refuses
from hims_pipeline.readers.formats.codebook import UNKNOWN, Codebook, label_findings
from hims_pipeline.readers.formats.excel import text_of
from hims_pipeline.readers.formats.instants import ON_CALENDAR, Counted, counted_as, write_out
from hims_pipeline.readers.formats.parquet import texts_of
from hims_pipeline.readers.formats.spss_portable import Portable, mask, read_portable
from hims_pipeline.readers.shape import Shape, fit_header
from hims_pipeline.readers.table import Table
from hims_pipeline.readers.typing.parts import Part, reading
from hims_pipeline.settings import Settings
from hims_pipeline.sql import literal, quote
from hims_pipeline.words import own, words

CHUNK_ROWS = 100_000
SECOND_LOOK = 10  # of an SPSS file the first tenth is read twice, but no fewer rows than these
SECOND_LOOK_ROWS = 5_000
_PLAIN = Format()
_DAMAGED = words("is incomplete or damaged; send it again")
_ENCODING = words("has texts that are not in the encoding which the file itself names; save it anew in Unicode (UTF-8)")
_NAMES = {"spss": "an SPSS file", "stata": "a Stata file"}
_KINDS = {"spss": ("spss", "spss_portable"), "stata": ("stata",)}
_RAW: dict[str, Any] = {"disable_datetime_conversion": True}
_WHOLE = ("int8", "int16", "int32")  # of Stata; SPSS keeps all numbers as floats


def read_codebook(path: Path, kind: str) -> Codebook:
    """What the file says about itself.

    Raises:
        DataError: it is damaged.
    """
    meta = _meta(path, kind)
    plain: dict[str, dict[str, tuple[str, ...]]] = {
        name: {text_of(code, _PLAIN): (str(label),) for code, label in labels.items()}
        for name, labels in meta.variable_value_labels.items()
    }
    labels = {name: label for name, label in meta.column_names_to_labels.items() if label}
    missing, ranges = _missing(meta, plain if kind == "stata" else {})
    return Codebook(list(meta.column_names), labels, plain, missing, meta.number_rows or 0, ranges)


def _meta(path: Path, kind: str) -> Any:
    if kind_of(path) == "spss_portable":
        return read_portable(path)
    read = pyreadstat.read_sav if kind == "spss" else pyreadstat.read_dta
    try:
        _, meta = read(str(path), metadataonly=True, user_missing=True)
    except pyreadstat.ReadstatError:
        raise DataError("ENVELOPE-DAMAGED", _DAMAGED) from None
    return meta


def _missing(
    meta: Any, labelled: dict[str, dict[str, tuple[str, ...]]]
) -> tuple[dict[str, dict[str, str]], dict[str, tuple[tuple[float, float], ...]]]:
    """Single codes that the file calls missing, and ranges of them; of Stata the letters that have a label."""
    codes: dict[str, list[str]] = {}
    ranges: dict[str, tuple[tuple[float, float], ...]] = {}
    for name, declared in (meta.missing_ranges or {}).items():
        codes[name] = [text_of(one["lo"], _PLAIN) for one in declared if one["lo"] == one["hi"]]
        if wide := tuple((float(one["lo"]), float(one["hi"])) for one in declared if one["lo"] != one["hi"]):
            ranges[name] = wide
    for name, labels in labelled.items():
        codes.setdefault(name, []).extend(code for code in labels if len(code) == 1 and code.isalpha())
    return {name: dict.fromkeys(found, UNKNOWN) for name, found in codes.items() if found}, ranges


def open_table(settings: Settings, shape: Shape, member: Member, scratch: Path) -> tuple[Table | None, list[Finding]]:
    """The table of an SPSS or Stata file, or what is wrong with it; warnings about labels come with the table."""
    kind = shape.format.type
    if (found := kind_of(member.path)) not in _KINDS[kind]:
        message = words("is {found}; {kind} is expected", found=own(NAMES[found]), kind=own(_NAMES[kind]))
        return None, [blocking("ENVELOPE-KIND", message, member.shown, entity=shape.name)]
    try:
        if not _whole(member.path):
            raise DataError("ENVELOPE-DAMAGED", _DAMAGED)
        codebook, meta = read_codebook(member.path, kind), _meta(member.path, kind)
        shape, said = fit_header(shape, codebook.names, member.shown, ordered=False)
        if refuses(said):
            return None, said
        if floats := _identifiers_as_floats(shape, meta, member):
            return None, floats
        files = list(_chunks(settings, member.path, shape, meta, scratch))
        if impossible := _days_beyond(settings, shape, _kinds(shape, meta), files, member):
            return None, impossible
    except DataError as error:
        return None, [blocking(error.rule, error.message, member.shown, entity=shape.name)]
    except pyreadstat.ReadstatError:
        return None, [blocking("ENVELOPE-DAMAGED", _DAMAGED, member.shown, entity=shape.name)]
    except UnicodeDecodeError:
        return None, [blocking("ENVELOPE-ENCODING", _ENCODING, member.shown, entity=shape.name)]
    return Table(_parts(settings, shape, files), codebook.rows), said + label_findings(shape, codebook, member.shown)


def _whole(path: Path) -> bool:
    """Newer Stata files end in a tag; where labels alone are cut off, the library reads on without a word."""
    with path.open("rb") as file:
        if file.read(11) != b"<stata_dta>":
            return True
        file.seek(-12, 2)
        return file.read() == b"</stata_dta>"


def _identifiers_as_floats(shape: Shape, meta: Any, member: Member) -> list[Finding]:
    """A float keeps seven or fifteen digits and no zero in front: two persons could get one pseudonym."""
    found = []
    for column, position in zip(shape.columns, shape.positions, strict=True):
        kind = meta.readstat_variable_types[shape.header[position]]
        if column.sensitivity == "identifier" and kind != "string" and kind not in _WHOLE:
            message = words(
                "is stored as a floating-point number, which loses digits and zeros in front. Store it as text "
                "(string) in the register itself and send the file again"
            )
            found.append(blocking("ENVELOPE-IDENTIFIER", message, member.shown, entity=shape.name, column=column.name))
    return found


def _kinds(shape: Shape, meta: Any) -> dict[str, Counted | None]:
    return {name: counted_as(shape.format.type, str(form)) for name, form in meta.original_variable_types.items()}


def _days_beyond(
    settings: Settings, shape: Shape, kinds: dict[str, Counted | None], files: list[tuple[Path, int]], member: Member
) -> list[Finding]:
    """Days that no calendar has, in columns that are read as text; in one of dates their type finds them."""
    found, before = [], 0
    wanted = {
        column.name: shape.header[position]
        for column, position in zip(shape.columns, shape.positions, strict=True)
        if column.type == "text" and (kind := kinds.get(shape.header[position])) is not None and kind.what != "time"
    }
    places: dict[str, list[int]] = {name: [] for name in wanted}
    with reading(settings) as con:
        for file, rows in files:
            for name, sent_as in wanted.items():
                numbered = f"select row_number() over () + {before} as n, {quote(sent_as)} as t from '{file}'"
                beyond = f"select n from ({numbered}) where not regexp_full_match(t::varchar, {literal(ON_CALENDAR)})"
                places[name] += [number for (number,) in con.execute(beyond).fetchall()]
            before += rows
    message = words("dates lie beyond the calendar (years 1 to 9999). Correct them at the source")
    for name, lines in places.items():
        if lines:
            more = {"count": len(lines), "total": before, "lines": tuple(lines[:5])}
            found.append(blocking("TYPES-DATE", message, member.shown, entity=shape.name, column=name, **more))
    return found


def _chunks(settings: Settings, path: Path, shape: Shape, meta: Any, scratch: Path) -> Iterator[tuple[Path, int]]:
    """Write the file chunk by chunk as Parquet, values typed as the file has them; (chunk, rows)."""
    formats = {shape.header[p]: c.date_format for c, p in zip(shape.columns, shape.positions, strict=True)}
    kinds = _kinds(shape, meta)
    names = _names_read(shape, meta)
    if isinstance(meta, Portable):
        frames = _portable_frames(mask(path, scratch / "masked.por"), meta, names)
    else:
        frames = _stata_frames(path, names) if shape.format.type == "stata" else _spss_frames(path, meta, names)
    with reading(settings) as con:
        con.execute("set pandas_analyze_sample = 0")  # objects are texts here; guessing from a sample could fail later
        for number, frame in enumerate(frames):
            target = scratch / f"chunk-{number:06d}.parquet"
            con.register("chunk", _plain(frame, kinds, formats))
            con.execute(f"copy (from chunk) to {literal(target)} (format parquet)")
            con.unregister("chunk")
            yield target, len(frame)


def _names_read(shape: Shape, meta: Any) -> list[str]:
    """The variables that are read, in the file's order; nothing of the others can stop a file."""
    wanted = {shape.header[position] for position in shape.positions}
    # Records are counted along a column: of a file of which none is read, along the first.
    return [name for name in meta.column_names if name in wanted] or meta.column_names[:1]


def _spss_frames(path: Path, meta: Any, names: list[str]) -> Iterator[pd.DataFrame]:
    """The file in chunks; its first rows are read in another mode too, in which user-missing values are none."""
    rows = max(SECOND_LOOK_ROWS, (meta.number_rows or 0) // SECOND_LOOK)
    second, _ = pyreadstat.read_sav(str(path), row_limit=rows, usecols=names, **_RAW)
    ranges = meta.missing_ranges or {}
    chunks = pyreadstat.read_file_in_chunks(
        pyreadstat.read_sav, str(path), chunksize=CHUNK_ROWS, user_missing=True, usecols=names, **_RAW
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
    second, _ = pyreadstat.read_por(str(masked), usecols=names, **_RAW)
    if len(second) != len(frame) or list(second.columns) != names:
        raise _unsafe(None)
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
            raise _unsafe(place)


def _is_declared(value: Any, declared: list[dict[str, Any]]) -> bool:
    if isinstance(value, str):
        return value == "" or any(value.rstrip() == str(one["lo"]).rstrip() for one in declared)
    return any(one["lo"] <= value <= one["hi"] for one in declared if not isinstance(one["lo"], str))


def _stata_frames(path: Path, names: list[str]) -> Iterator[pd.DataFrame]:
    """The file in chunks, each value as two libraries read it, and the letters of missing values as texts."""
    chunks = pyreadstat.read_file_in_chunks(pyreadstat.read_dta, str(path), chunksize=CHUNK_ROWS, usecols=names, **_RAW)
    with pd.read_stata(
        path, iterator=True, convert_dates=False, convert_categoricals=False, convert_missing=True
    ) as second:
        for frame, _ in chunks:
            other = second.read(len(frame), columns=names) if len(frame) else frame
            if len(other) != len(frame) or list(other.columns) != list(frame.columns):
                raise _unsafe(None)
            other.index = frame.index
            yield pd.DataFrame({name: _agreed(frame[name], other[name], n) for n, name in enumerate(frame.columns)})


def _agreed(first: pd.Series, other: pd.Series, place: int) -> pd.Series:
    """A column as both have it; with letters, all of its values are Python objects."""
    if pd.api.types.is_numeric_dtype(other.dtype):
        if not np.array_equal(first.to_numpy(dtype=float), other.to_numpy(dtype=float), equal_nan=True):
            raise _unsafe(place)
        return first
    missing = np.fromiter((isinstance(value, StataMissingValue) for value in other), bool, len(other))
    if not missing.any():
        if _blanks(first) != _blanks(other):
            raise _unsafe(place)
        return first
    values = first.to_numpy(dtype=float)
    if not np.array_equal(np.isnan(values), missing) or not np.array_equal(
        values[~missing], other[~missing].to_numpy(dtype=float)
    ):
        raise _unsafe(place)
    letters = [value.string[1:] if there else "" for value, there in zip(other, missing, strict=True)]
    if not any(letters):
        return first
    mixed = first.astype(object)
    mixed[missing] = [letter or None for letter in np.array(letters, dtype=object)[missing]]
    return mixed


def _blanks(values: pd.Series) -> int:
    """Texts that are empty, or nothing."""
    return int(values.isna().sum() + (values == "").sum())


def _unsafe(place: int | None) -> DataError:
    where = words("") if place is None else words("column {place}: ", place=place + 1)
    return DataError(
        "ENVELOPE-UNSAFE",
        words(
            "{where}two independent looks at the file do not agree, so we cannot read this safely. Send it as "
            "delimited text, or saved anew by the newest version of your program",
            where=where,
        ),
    )


def _plain(frame: pd.DataFrame, kinds: dict[str, Counted | None], formats: dict[str, str]) -> pd.DataFrame:
    """Days, times and columns with letters become texts; all other numbers stay numbers."""
    made = {}
    for name in frame.columns:
        values, kind = frame[name], kinds.get(name)
        if kind is not None and values.dtype != object:
            values = write_out(values, kind, formats.get(name))
        elif values.dtype == object:
            texts = [None if pd.isna(v) else _text(v, kind, formats.get(name)) for v in values]
            values = pd.Series(texts, index=frame.index, dtype=object)
        made[name] = values
    return pd.DataFrame(made)


def _text(value: Any, kind: Counted | None, date_format: str | None) -> str:
    if kind is not None and isinstance(value, float | int):
        return str(write_out(pd.Series([value]), kind, date_format).iloc[0])
    return text_of(value, _PLAIN)


def _parts(settings: Settings, shape: Shape, files: list[tuple[Path, int]]) -> list[Part]:
    parts, before = [], 0
    with reading(settings) as con:
        for file, rows in files:
            source = f"read_parquet({literal(file)})"
            types = {name: kind for name, kind, *_ in con.execute(f"describe select * from {source}").fetchall()}
            parts.append(texts_of(shape, source, types, whole=True, number=f"row_number() over () + {before}"))
            before += rows
    return parts
