"""What the columns of an unknown file hold, found over the whole of it with the checks that a delivery would meet."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from hims_pipeline.authoring.dialect import Dialect
from hims_pipeline.contracts.basics import Text
from hims_pipeline.contracts.columns import OF_NUMBERS, Column
from hims_pipeline.contracts.formats import Format, Limits
from hims_pipeline.contracts.model import Entity
from hims_pipeline.errors import HimsError
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.formats import open_table
from hims_pipeline.readers.shape import Shape
from hims_pipeline.readers.typing.fitting import fitting_words, misfits
from hims_pipeline.readers.typing.parts import Part, reading
from hims_pipeline.settings import Settings
from hims_pipeline.sql import literal, literals
from hims_pipeline.words import inner

NULL_WORDS = ("NA", "N/A", "n/a", "NULL", "null", "NaN", "nan", ".", "-")
MAXIMUM_CODES = 40
_MAXIMUM_CODE_LENGTH = 12
_DATES = ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S")
_PLAIN: list[dict[str, object]] = [
    {"type": "integer"},
    {"type": "integer", "allow": ("zero_fraction",)},
    {"type": "integer", "allow": ("padding",)},
]
_FRACTIONS: list[dict[str, object]] = [{"type": "decimal", "scale": scale} for scale in (2, 4, 6)]
_DAYS: list[dict[str, object]] = [{"type": "date", "date_format": form} for form in _DATES]
# Tried in this order; the first that every value fits is proposed. Text, which anything fits, is what remains.
_CANDIDATES: list[dict[str, object]] = [*_PLAIN, *_FRACTIONS, {"type": "number"}, *_DAYS]
_WORDS = ("padding", *OF_NUMBERS)  # of `allow`, tried where nothing plain fits
_DIGITS = "[0-9٠-٩۰-۹ '’\u00a0\u202f]"  # and what may stand between groups of them
# Names that suggest persons, in the languages of the region; a person decides.
_FREE_TEXT = re.compile(
    r"(^|_)(nom|prenom|((first|middle|last|family|sur|full)_?)name|adresse|address|street|phone|tel|e?mail)($|_)", re.I
)
_NAME = re.compile(r"(^|_)name($|_)", re.I)  # of a person, or of a country: then few are different


@dataclass
class Facts:
    """One column: what type fits, how many values, how many different, the codes where they are few, and words for
    missing that stand in it."""

    name: str
    kind: dict[str, object] = field(default_factory=lambda: {"type": "text"})
    filled: int = 0
    distinct: int = 0
    codes: list[str] | None = None
    words: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()

    @property
    def is_free_text(self) -> bool:
        """Its name suggests names or addresses of persons."""
        named = _FREE_TEXT.search(self.name) or (3 * self.distinct > self.filled and _NAME.search(self.name))
        return self.kind["type"] == "text" and bool(named)


@dataclass(frozen=True)
class Profile:
    form: Format
    rows: int
    columns: list[Facts]
    key: tuple[str, ...]


def profile(
    settings: Settings, member: Member, seen: Dialect, scratch: Path, marks: Mapping[str, Sequence[str]] | None = None
) -> Profile:
    """Look at every value of a file.

    Args:
        marks: column -> texts that may stand for missing and are no value of any type, such as Stata's letters.

    Raises:
        HimsError: its envelope does not hold, or two columns have one name.
    """
    shape = _shape(member, seen)
    table, findings = open_table(settings, shape, member, scratch)
    if table is None:
        raise HimsError("\n".join(finding.in_full() for finding in findings))
    with reading(settings, table.slices) as con:
        con.execute(f"create temp table texts as {' union all '.join(_relation(part) for part in table.parts)}")
        words = _null_words(con, shape)
        decimal = "," if _mostly_commas(con, shape) else "."
        form = seen.form.model_copy(update={"null_values": ("", *words), "decimal": decimal})
        columns = [
            _facts(con, form, number, column.name, (marks or {}).get(column.name, ()))
            for number, column in enumerate(shape.columns)
        ]
        if any(facts.kind["type"] == "text" and facts.words for facts in columns):
            form = form.model_copy(update={"null_values": ("",)})  # then each column says its own
        return Profile(form, table.records, columns, _key(con, columns, table.records))


def _shape(member: Member, seen: Dialect) -> Shape:
    names = seen.names
    if any(not name.strip() for name in names):
        raise HimsError(f"{inner(member.shown)}: a column has no name. Is the first line the header?")
    if doubled := {name for name in names if names.count(name) > 1}:
        raise HimsError(f"{inner(member.shown)}: columns named twice: {', '.join(sorted(doubled))}.")
    columns = tuple(Column(name=name) for name in names)
    entity = Entity(title=Text(en="?"), grain="?", files=("*",), columns=columns)
    return Shape("draft", "draft", entity, seen.form, Limits(), tuple(names), columns, tuple(range(len(names))))


def _relation(part: Part) -> str:
    return f"(select * from ({part.relation}))"


def _null_words(con: duckdb.DuckDBPyConnection, shape: Shape) -> list[str]:
    """Words for missing that stand in the file; whether a column means them so, its type decides later."""
    found: set[str] = set()
    for number in range(len(shape.columns)):
        rows = con.execute(
            f"select distinct t{number} from texts where t{number} in ({literals(NULL_WORDS)})"
        ).fetchall()
        others = con.execute(
            f"select count(*) filter (regexp_matches(t{number}, '[0-9]')), count(*) from texts "
            f"where t{number} not in ({literals(NULL_WORDS)})"
        ).fetchall()[0]
        if rows and others[0] == others[1] > 0:
            found |= {word for (word,) in rows}
    return sorted(found)


def _mostly_commas(con: duckdb.DuckDBPyConnection, shape: Shape) -> bool:
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
    return counts[1][0][0] > counts[0][0][0]


def _facts(con: duckdb.DuckDBPyConnection, form: Format, number: int, name: str, marks: Sequence[str]) -> Facts:
    nothing = (*form.null_values, *marks)
    there = con.execute(f"select distinct t{number} from texts where t{number} in ({literals(nothing)})").fetchall()
    words = {word for (word,) in there}
    filled, distinct, length = _gather(con, number, nothing)
    facts = Facts(name, filled=filled, distinct=distinct)
    facts.words = tuple(sorted(words & set(form.null_values) - {""}))
    facts.marks = tuple(sorted(words & set(marks)))
    if filled:
        facts.kind = _kind(con, form)
    if facts.kind["type"] == "text":  # in a text, a word for missing may be a code: NA is Namibia
        filled, distinct, length = _gather(con, number, ("",))
        facts.filled, facts.distinct = filled, distinct
    few = 0 < distinct <= MAXIMUM_CODES and filled >= 5 * distinct and length <= _MAXIMUM_CODE_LENGTH
    if few and facts.kind["type"] in ("integer", "text"):
        value = "trunc(t0::double)::bigint::varchar" if facts.kind.get("allow") == ("zero_fraction",) else "trim(t0)"
        order = "length(v), v" if facts.kind["type"] == "integer" else "v"
        rows = con.execute(f"select distinct {value} as v from one order by {order}").fetchall()
        facts.codes = [code for (code,) in rows]
    return facts


def _gather(con: duckdb.DuckDBPyConnection, number: int, nothing: Sequence[str]) -> tuple[int, int, int]:
    """Put the different texts of a column into the table `one`: how many values, how many different, the longest."""
    con.execute(
        f"create or replace temp table one as select t as t0, count(*) as n from "
        f"(select t{number} as t from texts where t{number} not in ({literals(tuple(nothing))})) group by t"
    )
    [found] = con.execute(
        "select coalesce(sum(n), 0)::bigint, count(*), coalesce(max(length(t0)), 0) from one"
    ).fetchall()
    return found


def _kind(con: duckdb.DuckDBPyConnection, form: Format) -> dict[str, object]:
    """The first candidate that all values fit, as it is or with spellings that a contract may allow."""
    for candidate in _CANDIDATES:
        if misfits(con, Column.model_validate({"name": "x", **candidate}), form, "one") == 0:
            return dict(candidate)
    for candidate in ({"type": "integer"}, *_FRACTIONS, {"type": "number"}):
        column = Column.model_validate({"name": "x", **candidate})
        needed, _ = fitting_words(con, column, form, "one", _WORDS)
        if misfits(con, column.model_copy(update={"allow": tuple(needed)}), form, "one") == 0:
            return {**candidate, "allow": tuple(needed)}
    return {"type": "text"}


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
