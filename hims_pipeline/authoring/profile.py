"""What the columns of an unknown file hold, found over the whole of it with the checks that a delivery would meet."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from hims_pipeline.authoring.column_kinds import Facts, begins_with_row, find_kind, has_both_orders
from hims_pipeline.authoring.dialect import Dialect
from hims_pipeline.authoring.total_rows import find_sums, take_out_totals
from hims_pipeline.contracts.basics import Text
from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.entities import is_reserved
from hims_pipeline.contracts.formats import Format, FormatLimits
from hims_pipeline.contracts.model import Entity
from hims_pipeline.contracts.values import NUMERIC
from hims_pipeline.errors import HimsError
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.formats import open_table
from hims_pipeline.readers.shape import TableShape
from hims_pipeline.readers.table import Table
from hims_pipeline.readers.typing.parts import TextPart, open_for_parts
from hims_pipeline.settings import Settings
from hims_pipeline.sql import literal, literals
from hims_pipeline.words import inner_text

NULL_WORDS = ("NA", "N/A", "n/a", "NULL", "null", "NaN", "nan", ".", "-")
MAXIMUM_CODES = 40
_MAXIMUM_CODE_LENGTH = 12
_DIGITS = "[0-9٠-٩۰-۹ '’\u00a0\u202f]"  # and what may stand between groups of them
# A sign in place of a number (`*`, `..`, `:`), and a number or such a sign with flags of one letter each behind it.
_SIGN = r"[^0-9\pL\s]{1,3}(\s|$)"
_FLAGGED = r"^(-?[0-9][0-9.,]*|[^0-9\pL\s]{1,3})(\s*)([a-z]{0,4})$"
_MOST_SIGNS = 3
# What flags mean at Eurostat and, mostly, elsewhere.
FLAGS = {"c": "_C", "z": "_Z"}


@dataclass(frozen=True)
class FileProfile:
    """What a file shows of itself: its format, and the facts of each column, in counts alone.

    Args:
        rows: without those that are totals of the others.
        totals: columns that call rows totals, and what share of the file these are.
    """

    form: Format
    rows: int
    columns: list[Facts]
    key: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    totals: Mapping[str, float] = field(default_factory=dict)


def profile_file(
    settings: Settings,
    member: Member,
    seen: Dialect,
    scratch: Path,
    marks: Mapping[str, Sequence[str]] | None = None,
    numeric: Collection[str] = (),
    labelled: Mapping[str, Collection[str]] | None = None,
) -> FileProfile:
    """Look at every value of a file.

    Args:
        marks: column -> texts that may stand for missing and are no value of any type, such as Stata's letters.
        numeric: columns that hold numbers by a codebook, so that zeros in front of them mean nothing.
        labelled: column -> codes that have a label in a codebook, or are missing by it.

    Raises:
        HimsError: its envelope does not hold, or two columns have one name.
    """
    shape = shape_as_seen(member, seen)
    table, findings = open_table(settings, shape, member, scratch)
    beyond = [finding.column for finding in findings if finding.rule == "TYPES-DATE"]
    if table is None and len(beyond) == len(findings):
        table, findings = open_table(settings, _mark_dates(shape, beyond), member, scratch)
    if table is None:
        raise HimsError("\n".join(finding.full_text() for finding in findings))
    with open_for_parts(settings, table.slices) as con:
        gather_texts(con, table, shape, member, scratch)
        totals = take_out_totals(con, [column.name for column in shape.columns])
        rows = table.records - totals.rows
        words = _null_words(con, shape)
        decimal = "," if _has_mostly_commas(con, shape) else "."
        form = seen.form.model_copy(update={"null_values": (*seen.form.null_values, *words), "decimal": decimal})
        columns = [
            _facts(con, form, number, column.name, (marks or {}).get(column.name, ()), column.name in numeric)
            for number, column in enumerate(shape.columns)
        ]
        for number, facts in enumerate(columns):
            if facts.kind["type"] == "integer" and (labels := (labelled or {}).get(facts.name)):
                facts.unlabelled = _count_unlabelled(con, number, labels)
        for facts in columns:
            facts.kind = {"type": "date"} if facts.name in beyond else facts.kind
            facts.codes = None if facts.name in beyond else facts.codes
        if seen.form.type in ("delimited", "excel") and not seen.form.unpivot and begins_with_row(con, form, columns):
            raise HimsError(
                f"{inner_text(member.shown)}: the first line seems to be a row, for its numbers and dates stand where "
                "names should. Send the file with a header"
            )
        if any(facts.kind["type"] == "text" and facts.words for facts in columns):
            form = form.model_copy(update={"null_values": seen.form.null_values})  # then each column says its own
        remarks = [
            f"column {name} holds days that no calendar has, and the file is refused until they are mended"
            for name in beyond
        ]
        if alike := len(seen.names) - len(seen.unread) - len(columns):
            remarks.append(
                f"{alike} columns have names that differ from others in case alone, or that we use ourselves (such as "
                "_line), and are left unread"
            )
        remarks += [
            f"dates of column {facts.name} fit as {facts.kind['date_format']} and with day and month exchanged"
            for facts in columns
            if facts.fits_both_orders
        ]
        numbers = {
            number: facts.name
            for number, facts in enumerate(columns)
            if facts.kind["type"] in NUMERIC and facts.codes is None
        }
        remarks += [*totals.remarks, *find_sums(con, numbers, decimal), *_tell_quotes(con, form, columns)]
        shares = dict.fromkeys(totals.columns, totals.rows / table.records)
        return FileProfile(form, rows, columns, _key(con, columns, rows), tuple(remarks), shares)


def _tell_quotes(con: duckdb.DuckDBPyConnection, form: Format, columns: Sequence[Facts]) -> list[str]:
    """A remark on columns whose values stand in single quotes, which are read as part of them."""
    if form.type != "delimited" or form.quote == "'":
        return []
    in_quotes = literal("'_%'")
    quoted = [
        facts.name
        for number, facts in enumerate(columns)
        if con.execute(f"select 1 from texts where t{number} like {in_quotes} limit 1").fetchall()
    ]
    remark = 'values stand in single quotes, which are read as part of them; `quote: "\'"` takes them off'
    return [f"column {', '.join(quoted)}: {remark}"] if quoted else []


def _count_unlabelled(con: duckdb.DuckDBPyConnection, number: int, labels: Collection[str]) -> int:
    """Different whole numbers of a column that are none of the codes."""
    codes = ", ".join(code for code in labels if code.lstrip("-").isdecimal()) or "null"
    value = f"try_cast(try_cast(trim(t{number}) as double) as bigint)"
    [(count,)] = con.execute(
        f"select count(distinct {value}) from texts where t{number} <> '' and not coalesce({value} in ({codes}), false)"
    ).fetchall()
    return int(count)


def _mark_dates(shape: TableShape, names: list[str]) -> TableShape:
    """The shape with these columns as dates, so that days beyond the calendar are left to their type."""
    columns = tuple(
        Column(name=column.name, type="date") if column.name in names else column for column in shape.columns
    )
    return replace(shape, columns=columns)


def shape_as_seen(member: Member, seen: Dialect) -> TableShape:
    """A shape by which a file is read as texts under the names that it has.

    Raises:
        HimsError: a column has no name, or two have one.
    """
    names = seen.names
    if nameless := [place for place, name in enumerate(names, 1) if not name.strip()]:
        listed = ", ".join(map(str, nameless[:10]))
        raise HimsError(
            f"{inner_text(member.shown)}: column {listed} has no name. Is the first line the header? Then name it"
        )
    if doubled := [place for place, name in enumerate(names, 1) if names.count(name) > 1]:
        listed = ", ".join(map(str, doubled[:10]))  # not by name: the first line may be a row
        raise HimsError(
            f"{inner_text(member.shown)}: columns {listed} share a name. Is the first line the header? "
            "Names that stand in several rows belong into one"
        )
    lower = [name.lower() for name in names]
    readable = [place for place, name in enumerate(names) if name not in seen.unread]
    apart = [place for place in readable if lower.index(lower[place]) == place]  # SQL has one name for both
    places = tuple(place for place in apart if not is_reserved(names[place]))
    columns = tuple(Column(name=names[place]) for place in places)
    entity = Entity(title=Text(en="?"), grain="?", files=("*",), columns=columns)
    return TableShape("draft", "draft", entity, seen.form, FormatLimits(), tuple(names), columns, places)


def gather_texts(
    con: duckdb.DuckDBPyConnection, table: Table, shape: TableShape, member: Member, scratch: Path
) -> None:
    """All texts of a file as the table `texts`.

    Raises:
        HimsError: there are none, or records do not split into the columns; it quotes none of them.
    """
    parts = table.parts
    if not parts or not table.counted:
        raise HimsError(f"{inner_text(member.shown)} holds no rows, and a draft follows from what stands in them.")
    structure = table.structure
    try:
        con.execute(f"create temp table texts as {' union all '.join(_relation(part) for part in parts)}")
        [(rows,)] = con.execute("select count(*) from texts").fetchall()
    except duckdb.InvalidInputException as error:
        if table.examine is None or "CSV" not in str(error):
            raise
        rows = -1
    if table.examine is not None and rows != table.records:
        structure, _ = table.examine(scratch)
    if structure is not None and structure.misfits:
        raise HimsError("\n".join(finding.full_text() for finding in structure.findings(shape, member.shown)))


def _relation(part: TextPart) -> str:
    return f"(select * from ({part.relation}))"


def _null_words(con: duckdb.DuckDBPyConnection, shape: TableShape) -> list[str]:
    """Words for missing that stand in the file; whether a column means them so, its type decides later."""
    null_words: set[str] = set()
    for number in range(len(shape.columns)):
        rows = con.execute(
            f"select distinct t{number} from texts where t{number} in ({literals(NULL_WORDS)})"
        ).fetchall()
        others = con.execute(
            f"select count(*) filter (regexp_matches(t{number}, '[0-9]')), count(*) from texts "
            f"where t{number} not in ({literals(NULL_WORDS)})"
        ).fetchall()[0]
        if rows and others[0] == others[1] > 0:
            null_words |= {word for (word,) in rows}
    return sorted(null_words)


def _has_mostly_commas(con: duckdb.DuckDBPyConnection, shape: TableShape) -> bool:
    """True where more columns have numbers with a decimal comma than with a point."""
    counts = []
    for sign in (r"\.", ","):
        number = literal(f"-?{_DIGITS}+(({sign}|٫){_DIGITS}+)?{_DIGITS}*%?")
        tests = [
            f"(bool_and(regexp_full_match(t{n}, {number})) and bool_or(contains(t{n}, '{sign[-1]}')))::int"
            for n in range(len(shape.columns))
        ]
        counts.append(
            con.execute(f"select {' + '.join(f'coalesce({test}, 0)' for test in tests)} from texts").fetchall()
        )
    has_more: bool = counts[1][0][0] > counts[0][0][0]
    return has_more


def _facts(
    con: duckdb.DuckDBPyConnection, form: Format, number: int, name: str, marks: Sequence[str], is_numeric: bool
) -> Facts:
    nothing = (*form.null_values, *marks)
    there = con.execute(f"select distinct t{number} from texts where t{number} in ({literals(nothing)})").fetchall()
    words = {word for (word,) in there}
    filled, distinct, length = _gather(con, number, nothing)
    facts = Facts(name, filled=filled, distinct=distinct)
    facts.words = tuple(sorted(words & set(form.null_values) - {""}))
    facts.marks = tuple(sorted(words & set(marks)))
    if filled:
        facts.kind = find_kind(con, form, is_numeric)
        facts.fits_both_orders = has_both_orders(con, form, facts.kind)
    if facts.kind["type"] == "text" and filled:
        filled, distinct, length = _look_for_marks(con, form, facts, number, nothing, is_numeric)
    if facts.kind["type"] == "text":  # in a text, a word for missing may be a code: NA is Namibia
        filled, distinct, length = _gather(con, number, ("",))
        facts.filled, facts.distinct = filled, distinct
    few = 0 < distinct <= MAXIMUM_CODES and filled >= 5 * distinct and length <= _MAXIMUM_CODE_LENGTH
    if few and facts.kind["type"] in ("integer", "text") and not facts.flags:
        value = "trunc(t0::double)::bigint::varchar" if facts.kind.get("allow") == ("zero_fraction",) else "trim(t0)"
        order = "length(v), v" if facts.kind["type"] == "integer" else "v"
        rows = con.execute(f"select distinct {value} as v from one order by {order}").fetchall()
        facts.codes = [code for (code,) in rows if code]
        padded = "select count(*), coalesce(sum(n) filter (trim(t0) = ''), 0)::bigint from one where t0 <> trim(t0)"
        [(with_blanks, blank)] = con.execute(padded).fetchall()
        if with_blanks and facts.kind == {"type": "text"}:
            facts.kind, facts.filled = {"type": "text", "allow": ("padding",)}, facts.filled - blank
    return facts


def _look_for_marks(
    con: duckdb.DuckDBPyConnection, form: Format, facts: Facts, number: int, nothing: Sequence[str], is_numeric: bool
) -> tuple[int, int, int]:
    """Take a few short signs without a digit for missing values, and letters behind numbers for flags, where all else
    is a number or a date then."""
    signs = [
        sign
        for (sign,) in con.execute(
            f"select distinct trim(regexp_replace(t0, {literal(_FLAGGED)}, '\\1')) as sign from one "
            f"where regexp_matches(t0, {literal('^' + _SIGN)}) order by 1"
        ).fetchall()
        if sign
    ]
    behind = f"regexp_extract(t0, {literal(_FLAGGED)}, 3)"
    flagged = con.execute(f"select distinct unnest(regexp_extract_all({behind}, '.')) from one order by 1").fetchall()
    flags = {flag: FLAGS.get(flag, flag.upper()) for (flag,) in flagged}
    seen = _gather(con, number, (*nothing, *signs))
    if not seen[0] or len(signs) > _MOST_SIGNS:
        return seen
    for chosen in ({}, flags) if flags else ({},):
        kind = find_kind(con, form, is_numeric, {"flags": chosen, "null_values": ["", *signs]} if chosen else {})
        if kind["type"] != "text":
            facts.kind, facts.flags, facts.filled, facts.distinct = kind, chosen, seen[0], seen[1]
            nulls = [sign for sign in signs if sign in (":", *NULL_WORDS)]
            facts.words = tuple(sorted({*facts.words, *nulls}))
            facts.marks = tuple(sorted({*facts.marks, *signs} - set(nulls)))
            break
    return seen


def _gather(con: duckdb.DuckDBPyConnection, number: int, nothing: Sequence[str]) -> tuple[int, int, int]:
    """Put the different texts of a column into the table `one`: how many values, how many different, the longest."""
    con.execute(
        f"create or replace temp table one as select t as t0, count(*) as n from "
        f"(select t{number} as t from texts where t{number} not in ({literals(tuple(nothing))})) group by t"
    )
    [rows] = con.execute(
        "select coalesce(sum(n), 0)::bigint, count(*), coalesce(max(length(t0)), 0) from one"
    ).fetchall()
    return rows


def _key(con: duckdb.DuckDBPyConnection, columns: Sequence[Facts], rows: int) -> tuple[str, ...]:
    """The first column, or the shortest run of the first columns, that tells all rows apart; empty where none does."""
    whole = [(number, facts) for number, facts in enumerate(columns) if facts.filled == rows and not facts.is_free_text]
    for _, facts in whole:
        if facts.distinct == rows > 1 and facts.kind["type"] in ("integer", "text"):
            return (facts.name,)
    usable = [one for one in whole if one[1].kind["type"] in ("integer", "text", "date")][:6]
    for size in range(2, len(usable) + 1):
        together = ", ".join(f"t{number}" for number, _ in usable[:size])
        [(distinct,)] = con.execute(f"select count(*) from (select distinct {together} from texts)").fetchall()
        if distinct == rows > 1:
            return _shortest(con, usable[:size], rows)
    return ()


def _shortest(con: duckdb.DuckDBPyConnection, together: list[tuple[int, Facts]], rows: int) -> tuple[str, ...]:
    """Leave out what the key does not need."""
    for one in list(together):
        rest = [other for other in together if other is not one]
        if len(rest) < 2:
            break
        names = ", ".join(f"t{number}" for number, _ in rest)
        if con.execute(f"select count(*) from (select distinct {names} from texts)").fetchall()[0][0] == rows:
            together = rest
    return tuple(facts.name for _, facts in together)
