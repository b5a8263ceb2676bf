"""DDI-Codebook 1.2 to 2.5: where variables stand in a fixed-width file, their labels, and which codes are missing; of a
file with several types of records, those of one.

Codes and ranges are written as the digits in the data are: where a point is implied, it is put into them too. Not here:
XML (`ddi_xml`).
"""

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from hims_pipeline.errors import DataError
from hims_pipeline.readers.formats.codebook import Codebook, Description, Place, RecordTypes
from hims_pipeline.readers.formats.ddi_xml import RULE, DdiFile, DdiGroup, DdiVariable, Reader, number
from hims_pipeline.words import join_words, senders_text, words

MAXIMUM_BYTES = 50_000_000
_OPEN = 1e308
_DIGITS = re.compile(r"-?[0-9]+")


def read_ddi(path: Path, data_name: str, record: str | None = None) -> Description:
    """The variables of one data file, and what the codebook says of them.

    Args:
        data_name: name of the data file, which tells its variables from others where the codebook describes several.
        record: type of record, by its code or its label, where lines are of several.

    Raises:
        DataError: it is no DDI-Codebook, unsafe, malformed or too large, a place in it is no number, or it has types of
            records of which none is named, or not this one.
    """
    reader = _read(path)
    files = _files(reader, data_name)
    chosen, group = _record(files, record)
    variables = [
        variable for variable in reader.variables if chosen is None or not variable.files or chosen.id in variable.files
    ]
    types = _types(files, group, variables) if group else None
    if group:
        variables = [variable for variable in variables if not variable.records or group.type in variable.records]
    names = [variable.name for variable in variables]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        named = senders_text(", ".join(doubled[:5]), f"{len(doubled)} of them")
        raise DataError(RULE, words("describes variables twice: {names}", names=named))
    book = _book(variables)
    length = chosen.length if chosen and not group else None
    return Description(book, {variable.name: _place(variable) for variable in variables}, length, types)


def read_ddi_labels(path: Path, data_name: str) -> Codebook:
    """What a codebook says of the variables of a file that is not of fixed places: its codes are written with their
    points. Raises as `read_ddi`."""
    reader = _read(path)
    chosen = {file.id for file in _files(reader, data_name)}
    variables = {
        variable.name: variable
        for variable in reader.variables
        if not chosen or not variable.files or chosen & set(variable.files)
    }
    return _book([replace(variable, decimals=0) for variable in variables.values()])


def _book(variables: list[DdiVariable]) -> Codebook:
    return Codebook(
        [variable.name for variable in variables],
        {variable.name: variable.label for variable in variables if variable.label},
        {
            variable.name: {_insert_point(code, variable): label_texts for code, label_texts in variable.values.items()}
            for variable in variables
            if variable.values
        },
        {
            variable.name: {_insert_point(code, variable): to for code, to in variable.missing.items()}
            for variable in variables
            if variable.missing
        },
        missing_ranges={
            variable.name: tuple(_ends(variable, label_texts) for label_texts in variable.ranges)
            for variable in variables
            if variable.ranges
        },
    )


def ddi_records(path: Path, data_name: str) -> list[tuple[str, str]]:
    """(type, label) of each type of record in a data file; empty where all lines are of one. Raises as `read_ddi`."""
    return [(group.type, group.label) for file in _files(_read(path), data_name) for group in file.groups if group.type]


def _read(path: Path) -> Reader:
    if path.stat().st_size > MAXIMUM_BYTES:
        message = words(
            "the codebook has more than {limit:,} bytes; send one that describes this file", limit=MAXIMUM_BYTES
        )
        raise DataError(RULE, message)
    reader = Reader()
    reader.read(path)
    if not reader.variables:
        raise DataError(RULE, words("describes no variable; a DDI-Codebook (codeBook, dataDscr, var) is expected"))
    return reader


def _files(reader: Reader, data_name: str) -> list[DdiFile]:
    """The descriptions of a data file: one, or one for each type of record in it; empty where nothing is said."""
    if len(reader.files) < 2:
        return reader.files
    stem = _stem(data_name)
    named = [file for file in reader.files if stem in map(_stem, file.names)]
    if not named or (len(named) > 1 and not all(one.groups for one in named)):
        message = words(
            "describes {count} files, but none (or more than one) is called {name}",
            count=len(reader.files),
            name=senders_text(data_name, "as the data file is"),
        )
        raise DataError(RULE, message)
    return named


def _stem(name: str) -> str:
    return name.lower().rsplit(".", 1)[0]


def _record(files: list[DdiFile], record: str | None) -> tuple[DdiFile | None, DdiGroup | None]:
    """The description that holds, and the type of record that a contract names."""
    groups = [(file, group) for file in files for group in file.groups if group.type]
    if not groups and record is None:
        return (files[0] if files else None), None
    named = [pair for pair in groups if pair[1].type == record]
    named = named or [pair for pair in groups if record and pair[1].label.casefold() == record.casefold()]
    if len(named) == 1:
        return named[0]
    if not groups:
        raise DataError(RULE, words("has no types of records (recGrp with rectype); the contract names one, `record`"))
    types = join_words(senders_text(one.type, f"type {place}") for place, (_, one) in enumerate(groups, 1))
    message = words(
        "describes types of records ({types}); the contract says by `record` which an entity is", types=types
    )
    raise DataError(RULE, message)


def _types(files: list[DdiFile], group: DdiGroup, variables: list[DdiVariable]) -> RecordTypes:
    """Where in a line its type stands: at a variable, or at a place that the codebook gives."""
    key = next((variable for variable in variables if variable.name == group.attributes.get("recidvar")), None)
    where = words("the type of a record")
    start, width = (number(where, group.attributes.get(name)) for name in ("rtypeloc", "rtypewidth"))
    if key is not None:
        place = _place(key)
        start, width = place.start, place.width
    if start is None or start < 1:
        raise DataError(RULE, words("does not say where the type of a record stands (recGrp: recidvar, or rtypeloc)"))
    known = {one.type: one.type for file in files for one in file.groups if one.type}
    return RecordTypes(start, width or max(map(len, known)), known, group.type)


def _insert_point(code: str, variable: DdiVariable) -> str:
    """A code with the point that the data do not write either."""
    if not variable.decimals or not _DIGITS.fullmatch(code):
        return code
    return f"{Decimal(code).scaleb(-variable.decimals):f}"


def _ends(variable: DdiVariable, range_ends: dict[str, str]) -> tuple[float, float]:
    """Lowest and highest value of an invalid range, both included."""
    name, ends = senders_text(variable.name, f"variable {variable.number}"), []
    for bound, beyond, step, open_ in (("min", "minExclusive", 1, -_OPEN), ("max", "maxExclusive", -1, _OPEN)):
        text = (range_ends.get(bound) or range_ends.get(beyond) or "").strip()
        try:
            value = Decimal(_insert_point(text, variable)) if text else None
        except ArithmeticError:
            raise DataError(RULE, words("an invalid range of {name} goes to no number", name=name)) from None
        if value is not None and not range_ends.get(bound):
            value += step * Decimal(1).scaleb(min(int(value.as_tuple().exponent), 0))  # the next value as it is written
        ends.append(open_ if value is None else float(value))
    return ends[0], ends[1]


def _place(variable: DdiVariable) -> Place:
    location, name = variable.location, senders_text(variable.name, f"variable {variable.number}")
    start, end, width = (number(name, location.get(place)) for place in ("StartPos", "EndPos", "width"))
    if start is None or (end is None and width is None):
        message = words("does not say where {name} stands (location: StartPos, and EndPos or width)", name=name)
        raise DataError(RULE, message)
    if end is not None and width is not None and end - start + 1 != width:
        message = words(
            "{name} stands from {start} to {end}, which is not its width, {width}",
            name=name,
            start=start,
            end=end,
            width=width,
        )
        raise DataError(RULE, message)
    wide = width if width is not None else (end or 0) - start + 1
    if start < 1 or wide < 1:
        message = words(
            "{name} stands from {start} to {end}, which is no place in a line",
            name=name,
            start=start,
            end=start + wide - 1,
        )
        raise DataError(RULE, message)
    return Place(variable.name, start, wide, variable.decimals, variable.numeric)
