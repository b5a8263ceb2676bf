"""What a second look at a sheet found, for whatever kind of workbook. Not here: looking (`excel_look`, `ods_look`), and
what follows from it (`excel_checks`)."""

from dataclasses import dataclass, field

from hims_pipeline.errors import DataError
from hims_pipeline.words import words

Range = tuple[tuple[int, int], tuple[int, int]]  # first and last cell of merged ones: row and column, from 0


@dataclass
class Look:
    """What stands in one sheet.

    Args:
        errors: (row from 1, column from 0) -> the error as Excel writes it.
        uncomputed: cells whose formula has no value.
        hidden_rows: rows that the sheet does not show.
        merged: cells that the library does not tell to be merged.
        misread: cells of which the library gives another text than is shown.
        since_1904: days are counted from 1 January 1904.
        numbers: cells that hold a number, a date or a truth value in the first rows; None where this kind of file does
            not tell.
    """

    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    uncomputed: list[tuple[int, int]] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    merged: list[Range] = field(default_factory=list)
    misread: list[tuple[int, int]] = field(default_factory=list)
    since_1904: bool = False
    numbers: int | None = 0


def make_unsafe_workbook_error() -> DataError:
    """What is raised where two looks at a workbook differ."""
    return DataError(
        "ENVELOPE-UNSAFE",
        words(
            "two independent looks at the workbook do not agree, so we cannot read this safely. Open it in Excel, save "
            "it as .xlsx and send that, or send delimited text"
        ),
    )
