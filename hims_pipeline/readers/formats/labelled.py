"""Files that bring their labels with them (SPSS, Stata): the way that both take, once a module of theirs reads values.

Numbers are floats in these files, so a whole one is written `3`. Days and times come as the numbers that the file
holds, and are written out by `instants`. Not here: reading, and the second look at what was read (`spss`, `stata`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat

from hims_pipeline.contracts.formats import Format
from hims_pipeline.errors import DataError
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.files.signatures import NAMES, kind_of
from hims_pipeline.readers.findings import block, refuses
from hims_pipeline.readers.formats.cells import text_of
from hims_pipeline.readers.formats.codebook import UNKNOWN, Codebook, label_findings
from hims_pipeline.readers.formats.instants import ON_CALENDAR, Counted, counted_as, write_out
from hims_pipeline.readers.formats.parquet import find_lost_digits, texts_of
from hims_pipeline.readers.shape import TableShape, fit_header
from hims_pipeline.readers.table import Table
from hims_pipeline.readers.typing.parts import TextPart, open_for_parts
from hims_pipeline.settings import Settings
from hims_pipeline.sql import literal, quote, read_parquet
from hims_pipeline.words import our_text, words

CHUNK_ROWS = 100_000
PLAIN = Format()
DAMAGED = words("is incomplete or damaged; send it again")
RAW: dict[str, Any] = {"disable_datetime_conversion": True}
_ENCODING = words("has texts that are not in the encoding which the file itself names; save it anew in Unicode (UTF-8)")
_WHOLE = ("int8", "int16", "int32")  # of Stata; SPSS keeps all numbers as floats
Labels = dict[str, dict[str, tuple[str, ...]]]


@dataclass(frozen=True)
class Program:
    """What is a program's own in its files.

    Args:
        name: as contracts call it.
        called: in a message.
        kinds: what the first bytes of its files may say.
        read_meta: variables, types and labels of a file.
        frames: the values of the named variables, in chunks, each looked at twice; a scratch folder comes with them.
        letters_are_codes: labels of single letters are those of missing values.
    """

    name: str
    called: str
    kinds: tuple[str, ...]
    read_meta: Callable[[Path], Any]
    frames: Callable[[Path, Any, list[str], Path], Iterator[pd.DataFrame]]
    letters_are_codes: bool = False


def read_codebook(program: Program, path: Path) -> Codebook:
    """What the file says about itself.

    Raises:
        DataError: it is damaged.
    """
    meta = program.read_meta(path)
    plain: Labels = {
        name: {text_of(code, PLAIN): (str(label),) for code, label in labels.items()}
        for name, labels in meta.variable_value_labels.items()
    }
    labels = {name: label for name, label in meta.column_names_to_labels.items() if label}
    missing, ranges = _read_missing(meta, plain if program.letters_are_codes else {})
    return Codebook(list(meta.column_names), labels, plain, missing, meta.number_rows or 0, ranges)


def _read_missing(
    meta: Any, labelled: Labels
) -> tuple[dict[str, dict[str, str]], dict[str, tuple[tuple[float, float], ...]]]:
    """Single codes that the file calls missing, and ranges of them; of Stata the letters that have a label."""
    codes: dict[str, list[str]] = {}
    ranges: dict[str, tuple[tuple[float, float], ...]] = {}
    for name, declared in (meta.missing_ranges or {}).items():
        codes[name] = [text_of(one["lo"], PLAIN) for one in declared if one["lo"] == one["hi"]]
        if wide := tuple((float(one["lo"]), float(one["hi"])) for one in declared if one["lo"] != one["hi"]):
            ranges[name] = wide
    for name, labels in labelled.items():
        codes.setdefault(name, []).extend(code for code in labels if len(code) == 1 and code.isalpha())
    return {
        name: dict.fromkeys(special_codes, UNKNOWN) for name, special_codes in codes.items() if special_codes
    }, ranges


def open_labelled(
    program: Program, settings: Settings, shape: TableShape, member: Member, scratch: Path
) -> tuple[Table | None, list[Finding]]:
    """The table of a file, or what is wrong with it; warnings about labels come with the table."""
    if (kind := kind_of(member.path)) not in program.kinds:
        message = words("is {found}; {kind} is expected", found=our_text(NAMES[kind]), kind=our_text(program.called))
        return None, [block("ENVELOPE-KIND", message, member.shown, entity=shape.name)]
    try:
        codebook, meta = read_codebook(program, member.path), program.read_meta(member.path)
        shape, findings = fit_header(shape, codebook.names, member.shown, ordered=False)
        if refuses(findings):
            return None, findings
        if floats := _identifiers_as_floats(shape, meta, member):
            return None, floats
        files = list(_chunks(program, settings, member.path, shape, meta, scratch))
        called = _stored_names(shape, meta)
        if impossible := _find_days_beyond(settings, shape, _kinds(shape, meta), files, called, member):
            return None, impossible
    except DataError as error:
        return None, [block(error.rule, error.message, member.shown, entity=shape.name)]
    except pyreadstat.ReadstatError:
        return None, [block("ENVELOPE-DAMAGED", DAMAGED, member.shown, entity=shape.name)]
    except UnicodeDecodeError:
        return None, [block("ENVELOPE-ENCODING", _ENCODING, member.shown, entity=shape.name)]
    parts, lost = _parts(settings, shape, files, called, member)
    if lost:
        return None, lost
    return Table(parts, codebook.rows), findings + label_findings(shape, codebook, member.shown)


def _identifiers_as_floats(shape: TableShape, meta: Any, member: Member) -> list[Finding]:
    """A float keeps seven or fifteen digits and no zero in front: two persons could get one pseudonym."""
    findings = []
    for column, position in zip(shape.columns, shape.positions, strict=True):
        kind = meta.readstat_variable_types[shape.header[position]]
        if column.sensitivity == "identifier" and kind != "string" and kind not in _WHOLE:
            message = words(
                "is stored as a floating-point number, which loses digits and zeros in front. Store it as text "
                "(string) in the register itself and send the file again"
            )
            findings.append(block("ENVELOPE-IDENTIFIER", message, member.shown, entity=shape.name, column=column.name))
    return findings


def _kinds(shape: TableShape, meta: Any) -> dict[str, Counted | None]:
    return {name: counted_as(shape.format.type, str(form)) for name, form in meta.original_variable_types.items()}


def _find_days_beyond(
    settings: Settings,
    shape: TableShape,
    kinds: dict[str, Counted | None],
    files: list[tuple[Path, int]],
    called: dict[str, str],
    member: Member,
) -> list[Finding]:
    """Days that no calendar has, in columns that are read as text; in one of dates their type finds them."""
    findings, before = [], 0
    wanted = {
        column.name: called[shape.header[position]]
        for column, position in zip(shape.columns, shape.positions, strict=True)
        if column.type == "text" and (kind := kinds.get(shape.header[position])) is not None and kind.what != "time"
    }
    places: dict[str, list[int]] = {name: [] for name in wanted}
    with open_for_parts(settings) as con:
        for file, rows in files:
            for name, stored_as in wanted.items():
                numbered = f"select row_number() over () + {before} as n, {quote(stored_as)} as t from '{file}'"
                beyond = f"select n from ({numbered}) where not regexp_full_match(t::varchar, {literal(ON_CALENDAR)})"
                places[name] += [number for (number,) in con.execute(beyond).fetchall()]
            before += rows
    message = words("dates lie beyond the calendar (years 1 to 9999). Correct them at the source")
    for name, lines in places.items():
        if lines:
            more = {"count": len(lines), "total": before, "lines": tuple(lines[:5])}
            findings.append(block("TYPES-DATE", message, member.shown, entity=shape.name, column=name, **more))
    return findings


def _chunks(
    program: Program, settings: Settings, path: Path, shape: TableShape, meta: Any, scratch: Path
) -> Iterator[tuple[Path, int]]:
    """Write the file chunk by chunk as Parquet, values typed as the file has them; (chunk, rows)."""
    formats = {shape.header[p]: c.date_format for c, p in zip(shape.columns, shape.positions, strict=True)}
    kinds, narrow, called = _kinds(shape, meta), _find_narrow(shape, meta), _stored_names(shape, meta)
    frames = program.frames(path, meta, _names_read(shape, meta), scratch)
    with open_for_parts(settings) as con:
        con.execute("set pandas_analyze_sample = 0")  # objects are texts here; guessing from a sample could fail later
        for number, frame in enumerate(frames):
            target = scratch / f"chunk-{number:06d}.parquet"
            con.register("chunk", _as_texts(frame, kinds, formats, narrow).rename(columns=called))
            con.execute(f"copy (from chunk) to {literal(target)} (format parquet)")
            con.unregister("chunk")
            yield target, len(frame)


def _names_read(shape: TableShape, meta: Any) -> list[str]:
    """The variables that are read, in the file's order; nothing of the others can stop a file."""
    wanted = {shape.header[position] for position in shape.positions}
    # Records are counted along a column: of a file of which none is read, along the first.
    return [name for name in meta.column_names if name in wanted] or meta.column_names[:1]


def _stored_names(shape: TableShape, meta: Any) -> dict[str, str]:
    """What variables are called in the chunks: SQL has one name for `sex` and `Sex`, Stata two."""
    return {name: f"c{number}" for number, name in enumerate(_names_read(shape, meta))}


def _find_narrow(shape: TableShape, meta: Any) -> set[str]:
    """Variables kept in four bytes that are no binary numbers to the contract: 12.34 is not 12.34000015258789."""
    sent_as = {shape.header[p] for c, p in zip(shape.columns, shape.positions, strict=True) if c.type != "number"}
    return {name for name in sent_as if meta.readstat_variable_types[name] == "float"}


def make_unsafe_error(place: int | None) -> DataError:
    """What is raised where two looks at a file differ; `place` counts the columns that are read, from 0."""
    where = words("") if place is None else words("column {place}: ", place=place + 1)
    return DataError(
        "ENVELOPE-UNSAFE",
        words(
            "{where}two independent looks at the file do not agree, so we cannot read this safely. Send it as "
            "delimited text, or saved anew by the newest version of your program",
            where=where,
        ),
    )


def _as_texts(
    frame: pd.DataFrame, kinds: dict[str, Counted | None], formats: dict[str, str], narrow: set[str]
) -> pd.DataFrame:
    """Days, times and columns with letters become texts; all other numbers stay numbers."""
    made = {}
    for name in frame.columns:
        values, kind = frame[name], kinds.get(name)
        if name in narrow and kind is None:
            values = _make_narrow(values)
        if kind is not None and values.dtype != object:
            values = write_out(values, kind, formats.get(name))
        elif values.dtype == object:
            codes, different = pd.factorize(values)  # -1 for no value, which is the last of the texts
            texts = np.array([*(_text(v, kind, formats.get(name)) for v in different), None], dtype=object)
            values = pd.Series(texts[codes], index=frame.index, dtype=object)
        made[name] = values
    return pd.DataFrame(made)


def _make_narrow(values: pd.Series) -> pd.Series:
    """Numbers of four bytes as such; beside letters as the number that is written like them."""
    if values.dtype != object:
        return values.astype("float32")
    return values.map(lambda value: float(str(np.float32(value))) if isinstance(value, float) else value)


def _text(value: Any, kind: Counted | None, date_format: str | None) -> str:
    if kind is not None and isinstance(value, float | int):
        return str(write_out(pd.Series([value]), kind, date_format).iloc[0])
    return text_of(value, PLAIN)


def _parts(
    settings: Settings, shape: TableShape, files: list[tuple[Path, int]], called: dict[str, str], member: Member
) -> tuple[list[TextPart], list[Finding]]:
    """The parts of the table, and what the first of them with floats of too many digits says."""
    parts, before = [], 0
    with open_for_parts(settings) as con:
        for file, rows in files:
            source = read_parquet(file)
            kinds = {name: kind for name, kind, *_ in con.execute(f"describe select * from {source}").fetchall()}
            types = {name: kinds[stored] for name, stored in called.items()}
            if lost := find_lost_digits(settings, shape, source, types, called, member):
                return [], lost
            parts.append(texts_of(shape, source, types, called, whole=True, number=f"row_number() over () + {before}"))
            before += rows
    return parts, []
