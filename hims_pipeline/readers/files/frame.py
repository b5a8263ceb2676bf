"""What stands around the table in a text made for people: lines of titles above it, notes below, a last line cut short,
the end mark of DOS.

The table alone is copied, so that whatever quotes or marks stand in titles and notes is no matter of its reading. Line
numbers stay those of the file: `skip_rows` is added wherever lines are numbered. Not here: the table (`envelope`).
"""

from pathlib import Path

from hims_pipeline.contracts.formats import Format
from hims_pipeline.errors import DataError
from hims_pipeline.readers.files.delimited_records import BOM
from hims_pipeline.words import words

_DOS_END = b"\x1a"


def is_framed(form: Format) -> bool:
    """Does the format say that something stands around the table?"""
    return bool(form.skip_rows) or form.stop_at_blank or not form.final_newline


def ends_in_dos_mark(path: Path) -> bool:
    """Is the last byte the one by which DOS, and programs that outlived it, mark the end of a text?"""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 1))
        return file.read() == _DOS_END


def cut_frame(path: Path, form: Format, target: Path) -> Path:
    """Copy the table of a UTF-8 text to `target` and return it.

    Raises:
        DataError: it has fewer lines than stand above the table, or what stands below looks like more of the table.
    """
    quote, delimiter = form.quote.encode(), form.delimiter.encode()
    padding = delimiter + b" \t\r\n"  # a sheet saved as text fills every line up to its last column
    inside, usual, blank, number, line, newline = False, 0, 0, 0, b"", b"\n"
    with path.open("rb") as file, target.open("wb") as out:
        for number, line in enumerate(file, 1):
            if number <= form.skip_rows:
                continue
            text = line.removeprefix(BOM) if number == 1 else line
            if text == _DOS_END:
                line = b"\n"
                continue
            line = text = text.removesuffix(_DOS_END)
            if blank:
                _check_note(text.rstrip(padding), delimiter, usual, blank, number)
                continue
            if form.stop_at_blank and not inside and not text.strip(padding):
                blank = number
                continue
            usual, newline = usual or text.count(delimiter), b"\r\n" if line.endswith(b"\r\n") else newline
            inside ^= bool(quote and text.count(quote) % 2)
            out.write(text)
        if number <= form.skip_rows:
            message = words(
                "has {lines:,} lines; {titles} of titles and a table are expected", lines=number, titles=form.skip_rows
            )
            raise DataError("ENVELOPE-EMPTY", message)
        if not form.final_newline and not blank and not line.endswith(b"\n"):
            out.write(newline)
    return target


def _check_note(text: bytes, delimiter: bytes, usual: int, blank: int, number: int) -> None:
    """Notes fill a field or two: what looks like more of the table is no note."""
    if text.count(delimiter) > max(1, usual / 2):
        raise DataError(
            "ENVELOPE-BLANK-LINE",
            words(
                "line {blank:,} is blank, but line {more:,} looks like more of the table; remove blank lines within "
                "the table, and leave one before notes",
                blank=blank,
                more=number,
            ),
        )
