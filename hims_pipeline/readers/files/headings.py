"""Tables made for people: headings in several rows, merged ones among them, and wide tables whose headings are data.

A wide table becomes rows: what stands before the headings (a country, say), one heading, and the cell under it. Such a
row keeps the number of the line or sheet row it came from.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.findings import block
from hims_pipeline.readers.shape import TableShape, check_header, compose_letters, fit_header, listed_as_sent
from hims_pipeline.words import words

JOINED_BY = " / "
HEADING, CELL = -1, -2


def joined_names(lines: Sequence[Sequence[str]]) -> list[str]:
    """One name a column from the rows of a header, joined from above.

    A merged cell holds its text in its first column: an upper heading goes on to the right until another begins, over
    columns that have a heading of their own below. One with nothing below it stands alone (merged downwards).
    """
    width = max((len(line) for line in lines), default=0)
    carried = [""] * len(lines)
    names = []
    for place in range(width):
        cells = [line[place].strip() if place < len(line) else "" for line in lines]
        first = next((level for level, cell in enumerate(cells) if cell), len(cells))
        below = any(cells[first + 1 :])
        for level in range(len(cells) - 1):
            if level >= first:
                carried[level] = cells[level] if below else ""
        taken = [cell or (carried[level] if level < first < len(cells) else "") for level, cell in enumerate(cells)]
        names.append(JOINED_BY.join(part for part in taken if part))
    return names


def fit_names(shape: TableShape, names: list[str], file: str) -> tuple[TableShape, list[Finding]]:
    """The shape as a table has it, and how its header differs; that of a wide one begins with the contract's names."""
    if shape.format.unpivot is None:
        return fit_header(shape, names, file)
    return shape, _check_headings(shape, names, file)


def _check_headings(shape: TableShape, names: list[str], file: str) -> list[Finding]:
    named = names_before_headings(shape)
    names = [compose_letters(name) for name in names]
    if different := check_header(replace(shape, header=named), names[: len(named)], file):
        return different
    headings = names[len(named) :]
    doubled = [name for name, count in Counter(headings).items() if count > 1 and name.strip()]
    blank = sum(not name.strip() for name in headings)
    if headings and not doubled and not blank:
        return []
    problem = (
        words("named twice: {names}", names=listed_as_sent(doubled, names))
        if doubled
        else words("{blank} of {all} headings are blank", blank=blank, all=len(headings))
    )
    message = words(
        "the headings of this wide table are not in order: {problem}; each column of cells needs one of its own",
        problem=problem,
    )
    return [block("ENVELOPE-HEADER", message, file, entity=shape.name)]


def names_before_headings(shape: TableShape) -> tuple[str, ...]:
    """Names in the file of the columns that stand before the headings of a wide table."""
    return tuple(name for name, column in _sent_columns(shape) if column not in _made_columns(shape))


def widen_shape(shape: TableShape, names: list[str]) -> TableShape:
    """The shape of the wide file itself, once its header is known; `headings` are what becomes rows."""
    named = names_before_headings(shape)
    headings = tuple(compose_letters(name) for name in names[len(named) :])
    made = _made_columns(shape)
    positions = tuple(
        len(named) if column.name in made else named.index(shape.header[position])
        for column, position in zip(shape.columns, shape.positions, strict=True)
    )
    return replace(shape, header=(*named, *headings), headings=headings, positions=positions)


def long_places(shape: TableShape) -> list[int]:
    """Where each column of the long table comes from: a place in the wide row, HEADING or CELL."""
    named, places = names_before_headings(shape), []
    for name, column in _sent_columns(shape):
        made = _made_columns(shape)
        places.append((HEADING, CELL)[made.index(column)] if column in made else named.index(name))
    return places


def _made_columns(shape: TableShape) -> tuple[str, ...]:
    unpivot = shape.format.unpivot
    return (unpivot.names, unpivot.values) if unpivot else ()


def _sent_columns(shape: TableShape) -> list[tuple[str, str]]:
    """(name in the file, name in the contract or nothing) in the order of the long table."""
    known = {position: column.name for column, position in zip(shape.columns, shape.positions, strict=True)}
    return [(name, known.get(position, "")) for position, name in enumerate(shape.header)]
