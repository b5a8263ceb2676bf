"""Parts of a file that are read at the same time, each by one thread: slices of a text, and the SQL that reads them.

A slice is a virtual file `slice://…`: DuckDB reads bytes [start, end) of the real one, so nothing is copied.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from fsspec import AbstractFileSystem

from hims_pipeline.contracts.formats import Format
from hims_pipeline.readers.shape import TableShape
from hims_pipeline.readers.typing.lexical import MISFIT
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection, literal, literals

RECORD = "record"  # column in front of texts that bring their own record numbers


@dataclass(frozen=True)
class TextPart:
    """A relation of texts `t0, t1, …` in the order of the shape's columns, and SQL for the record number of a row."""

    relation: str
    number: str


class Slices(AbstractFileSystem):  # type: ignore[misc]
    """Byte ranges of files as files; DuckDB asks an fsspec file system for anything named `slice://…`."""

    protocol = "slice"
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self._ranges: dict[str, tuple[Path, int, int]] = {}

    def add(self, path: Path, start: int, end: int) -> str:
        name = f"{len(self._ranges):06d}"
        self._ranges[name] = (path, start, end)
        return f"slice://{name}"

    def _range(self, path: str) -> tuple[Path, int, int]:
        return self._ranges[str(self._strip_protocol(path))]

    def _open(self, path: str, mode: str = "rb", **_: Any) -> "_Slice":  # noqa: ARG002 - the library's
        return _Slice(*self._range(path))

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:  # noqa: ARG002 - the library's
        _, start, end = self._range(path)
        return {"name": self._strip_protocol(path), "size": end - start, "type": "file"}

    def glob(self, path: str, **_: Any) -> list[str]:
        return [str(self._strip_protocol(path))]

    def modified(self, path: str) -> datetime:
        return datetime.fromtimestamp(self._range(path)[0].stat().st_mtime, UTC)


class _Slice:
    def __init__(self, path: Path, start: int, end: int) -> None:
        self._file = path.open("rb", buffering=0)
        self._start, self._end = start, end
        self._file.seek(start)
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        left = self._end - self._file.tell()
        return self._file.read(left if size < 0 else min(size, left))

    def seek(self, offset: int, whence: int = 0) -> int:
        base = (self._start, self._file.tell(), self._end)[whence]
        return self._file.seek(base + offset) - self._start

    def tell(self) -> int:
        return self._file.tell() - self._start

    def close(self) -> None:
        self._file.close()
        self.closed = True


@contextmanager
def open_for_parts(settings: Settings, slices: Slices | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection for parts: each query runs on the thread that asks (two askers on two threads of DuckDB's own took
    half as long again)."""
    with connection(replace(settings, threads=1)) as con:
        if slices is not None:
            con.register_filesystem(slices)
        yield con


def text_parts(shape: TableShape, slices: Slices, path: Path, cuts: Sequence[int], part_records: int) -> list[TextPart]:
    """The parts of a delimited text between `cuts`, all but the last with `part_records` records."""
    first = shape.format.skip_rows + (2 if shape.format.header else 1)
    counted = RECORD if shape.headings else "row_number() over ()"
    return [
        TextPart(
            _read_csv(shape, shape.format, slices.add(path, start, end)),
            f"{counted} + {first - 1 + index * part_records}",
        )
        for index, (start, end) in enumerate(itertools.pairwise(cuts))
    ]


def numbered_part(shape: TableShape, form: Format, path: Path) -> TextPart:
    """A text whose records begin with their number and end in a newline, whatever newlines its quoted fields hold."""
    return TextPart(_read_csv(shape, form, str(path), numbered=True), f"{RECORD}::bigint")


def no_rows(shape: TableShape) -> TextPart:
    """The part of a file that has a header and nothing else, where the contract lets an entity be empty."""
    texts = ", ".join(f"null::varchar as t{number}" for number in range(len(shape.columns)))
    return TextPart(f"select {texts or NO_TEXTS} where false", "0::bigint")


NO_TEXTS = "null as nothing"
"""SQL: what is selected of a file of which every column stays unread; rows are counted all the same."""


def null_texts() -> str:
    """SQL: the list of texts that stand for no value in every column; null words belong to single ones."""
    return literals(("",))


def _read_csv(shape: TableShape, form: Format, path: str, numbered: bool = False) -> str:
    width = len(shape.header) + form.trailing_delimiter
    names = [RECORD] * numbered + [f"f{number}" for number in range(width)]
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    # DuckDB guesses the newline from the first one it meets, be it inside quotes; told `\\r\\n`, it refuses good files.
    newline = ", new_line = '\\n'" if numbered else ""
    source = (
        f"read_csv({literal(path)}, columns = {{{columns}}}, auto_detect = false, header = false, "
        f"delim = {literal(form.delimiter)}, quote = {literal(form.quote)}, escape = {literal(form.quote)}, "
        f"nullstr = [{null_texts()}], strict_mode = true, ignore_errors = false, null_padding = false, "
        f"max_line_size = {max(shape.limits.line_bytes, 1000)}{newline})"
    )
    # What stands behind a trailing delimiter would be a field without a name.
    behind = f" where case when f{width - 1} is null then true else error({literal(MISFIT)})::boolean end"
    source += behind if form.trailing_delimiter else ""
    if shape.headings and not numbered:
        source = f"(select *, row_number() over () as {RECORD} from {source})"
    return f"select {', '.join(_wanted_texts(shape, numbered))} from {source}"


def _wanted_texts(shape: TableShape, numbered: bool) -> list[str]:
    """SQL: the texts by the place of their columns; of a wide table a row for each heading."""
    wanted = [f"f{position} as t{number}" for number, position in enumerate(shape.positions)]
    if shape.headings and (unpivot := shape.format.unpivot):
        first = len(shape.header) - len(shape.headings)
        cells = ", ".join(f"f{number}" for number in range(first, len(shape.header)))
        made = {unpivot.names: literals(shape.headings), unpivot.values: cells}
        for number, column in enumerate(shape.columns):
            if column.name in made:
                wanted[number] = f"unnest([{made[column.name]}]) as t{number}"
    return (wanted or [NO_TEXTS]) + [RECORD] * (numbered or bool(shape.headings))


def run_in_parallel(
    settings: Settings,
    con: duckdb.DuckDBPyConnection,
    tasks: Sequence[str],
    prepare: Callable[[duckdb.DuckDBPyConnection], None] = lambda con: None,
    done: Callable[[int], None] = lambda count: None,
) -> list[list[tuple[Any, ...]]]:
    """Run SQL statements on `settings.threads` threads; their rows, in the order of the tasks.

    Args:
        prepare: what a cursor needs before it runs a statement.
        done: told how many have ended, each time one has.

    Raises:
        Exception: the first error of any; tasks not yet begun are left out.
    """

    def run(sql: str) -> list[tuple[Any, ...]]:
        with con.cursor() as cursor:
            prepare(cursor)
            return cursor.execute(sql).fetchall()

    with ThreadPoolExecutor(max(1, min(settings.threads, len(tasks)))) as pool:
        futures = [pool.submit(run, sql) for sql in tasks]
        try:
            for count, future in enumerate(as_completed(futures), start=1):
                future.result()
                done(count)
        except BaseException:  # an interruption too: let each end its task, or the connection closes under it
            pool.shutdown(cancel_futures=True)
            raise
    return [future.result() for future in futures]
