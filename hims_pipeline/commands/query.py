"""`hims query`: one question in SQL to a release, answered as it is read, whatever its size."""

import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import click

from hims_pipeline.commands import answers
from hims_pipeline.commands.typed_text import TYPED
from hims_pipeline.release import store
from hims_pipeline.release.reader import connect
from hims_pipeline.settings import load_settings

if TYPE_CHECKING:  # the library takes long to load, and other commands need none of it
    import duckdb

STAFF_ONLY = ("conformed", "indicators")
STAFF_HINT = "The public file holds `published` and `reference`; add --staff for the observatory's own."
ROWS_AT_ONCE = 2_000
BYTE_ORDER_MARK = "\ufeff"
CLOSED = "disabled by configuration"
QUESTIONS = ("SELECT", "EXPLAIN")


@click.command(context_settings={"ignore_unknown_options": True})  # SQL may begin with a comment: `-- …`
@click.argument("sql", type=TYPED)
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table")
@click.option("--bom", is_flag=True, help="Mark the CSV as UTF-8, or Excel shows accents and Arabic wrong.")
@click.option("--staff", is_flag=True, help="The observatory's own file, with unprotected figures.")
@click.option("--release", "release_id", help="A release other than the current one.")
def query(sql: str, form: str, bom: bool, staff: bool, release_id: str | None) -> None:
    """Run SQL on the current release, read-only.

    In CSV, a text that a spreadsheet would take for a formula gets an apostrophe before it; JSON gives it as it is.
    """
    if bom and form != "csv":
        raise click.UsageError("--bom is for --format csv.")
    import duckdb

    settings = load_settings()
    chosen = store.get(settings, release_id) if release_id else store.current_release(settings)
    con = connect(chosen.id if chosen else None, staff=staff, settings=settings)
    assert chosen is not None  # or connect had raised
    try:
        statement = _read_question(con, sql)
        answer = _wait_for(con, lambda: con.execute(statement))
        columns = [column[0] for column in answer.description or []]
        rows = _rows(con, answer)
        first = list(itertools.islice(rows, 1))  # a mistake in the SQL shows before anything is printed
        manifest = chosen.manifest()
        synthetic = " · holds SYNTHETIC data, see data_kind" if manifest.get("contains_synthetic_data") else ""
        click.echo(f"{chosen.id} · published {manifest.get('published_at')}{synthetic}", err=True)
        print_answer(form, columns, itertools.chain(first, rows), bom)
    except duckdb.Error as error:
        hint = "" if staff else f" {STAFF_HINT}" if any(f"{name}." in sql for name in STAFF_ONLY) else ""
        raise click.ClickException(f"{_describe_error(error)}{hint}") from None
    finally:
        con.close()


def _read_question(con: "duckdb.DuckDBPyConnection", sql: str) -> "duckdb.Statement | str":
    """The statement, if it is one and only reads.

    Raises:
        ClickException: none, several, or something that is no question, such as COPY, ATTACH, INSTALL or SET.
    """
    statements = con.extract_statements(sql)
    kinds = [statement.type.name for statement in statements]
    if "pivot" in sql.lower() and kinds == ["CREATE", "SELECT"]:
        return sql  # DuckDB lists the values of a PIVOT first, in a step of its own
    if len(kinds) != 1:
        messages = f"holds {len(kinds)} statements" if kinds else "is empty"
        raise click.ClickException(
            f"The query {messages}; ask one question at a time, such as `from v_indicator_values`."
        )
    if kinds[0] not in QUESTIONS:
        raise click.ClickException(
            f"{kinds[0]} is not a question. A release is only read: SELECT, FROM, WITH, DESCRIBE, SUMMARIZE, EXPLAIN."
        )
    return statements[0]


def _rows(con: "duckdb.DuckDBPyConnection", answer: "duckdb.DuckDBPyConnection") -> Iterator[Sequence[Any]]:
    while some := _wait_for(con, lambda: answer.fetchmany(ROWS_AT_ONCE)):
        yield from some


def _wait_for(con: "duckdb.DuckDBPyConnection", work: Callable[[], Any]) -> Any:
    """Do what may take long in a thread: DuckDB looks for no Ctrl-C while it makes rows, and the main thread must."""
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work)
        try:
            return done.result()
        except KeyboardInterrupt:
            con.interrupt()
            raise


def _describe_error(error: Exception) -> str:
    """DuckDB's words in one line, without the excerpt of the statement that it draws below them."""
    words = " ".join(line.strip() for line in str(error).split("\nLINE ")[0].splitlines() if line.strip())
    if CLOSED in words:
        return "Only the release can be read: files, the network and extensions are closed to queries."
    return answers.escape_controls(words)


def print_answer(form: str, columns: list[str], rows: Iterator[Sequence[Any]], bom: bool = False) -> None:
    """Print rows as a table, CSV or JSON (`form`); `bom` marks the CSV as UTF-8."""
    if form == "table":
        answers.print_table(columns, itertools.islice(rows, answers.LONGEST_TABLE))
        if next(rows, None) is not None:
            click.echo(f"… the first {answers.LONGEST_TABLE:,} rows; --format csv gives all.", err=True)
        return
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")  # both are UTF-8 by definition, whatever the terminal's locale
    for text in _csv(columns, rows, bom) if form == "csv" else _json(columns, rows):
        sys.stdout.write(answers.visible_lines(text) if sys.stdout.isatty() else text)
    sys.stdout.flush()


def _csv(columns: list[str], rows: Iterator[Sequence[Any]], bom: bool) -> Iterator[str]:
    yield (BYTE_ORDER_MARK if bom else "") + answers.csv_line(columns)
    yield from map(answers.csv_line, rows)


def _json(columns: list[str], rows: Iterator[Sequence[Any]]) -> Iterator[str]:
    names, before = answers.make_distinct(columns), "["
    for row in rows:
        yield before + answers.json_text(dict(zip(names, row, strict=True)))
        before = ",\n"
    yield ("[" if before == "[" else "") + "]\n"


COMMANDS = (query,)
