"""Identifiers where none is declared: numbers by their shape and check digits, and known persons by their pseudonyms.

`data/identifier_shapes.csv` lists the shapes (a regular expression, a check, the country), so another country edits a
file. A value is cut into tokens; a token that makes the pseudonym of somebody who stands in the data is that person's
number, whatever its shape. Values are looked at inside DuckDB and come out as counts. Not here: which columns are
looked at and what a hit means (`readers.undeclared_identifiers` for a delivery, `release.leaks` for a candidate).
"""

import csv
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import duckdb

from hims_pipeline.errors import ContractError
from hims_pipeline.privacy.keys import Key
from hims_pipeline.privacy.pseudonym import install, normalise_sql, pseudonym
from hims_pipeline.sql import literal

FILE = "identifier_shapes.csv"
KNOWN = "KNOWN_PERSON"  # what a hit by pseudonym is called, beside the names of the shapes
LINES = 5
# Digits of every script, superscripts and circles among them, and the wide letters of East Asian keyboards, with the
# plain characters that they stand for.
_SPELT = {chr(code): str(unicodedata.digit(chr(code))) for code in range(128, 0x1FC00) if chr(code).isdigit()}
_SPELT |= {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_EASTERN, _WESTERN = "".join(_SPELT), "".join(_SPELT.values())
_EDGE_BEFORE, _EDGE_AFTER = r"(?:^|[^\pL\pN])", r"(?:$|[^\pL\pN])"
# What may be a number within a text: words of letters and digits, digits in groups, letters with digits behind.
_TOKENS = (r"[\pL\pN]+", r"\pN[\pN ./-]{3,}\pN", r"\pL{1,3}(?:[ ./-]?\pN){4,}")
_PSEUDONYM = r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"  # its groups may be digits alone
NUMBER = r"\pN.*\pN.*\pN"  # a token without three digits is a word: names are no identifiers here
SHORTEST = 5  # characters of a token that may be somebody's number


@dataclass(frozen=True)
class IdentifierShape:
    """How a kind of number is written: a regular expression (RE2) without the characters around it, and its check."""

    name: str
    country: str
    pattern: str
    check: str

    @property
    def search(self) -> str:
        """The regular expression with its edges; group 1 is the number."""
        return f"{_EDGE_BEFORE}({self.pattern}){_EDGE_AFTER}"


@lru_cache(maxsize=8)
def _read(path: Path, _modified: int) -> tuple[IdentifierShape, ...]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    identifier_shapes = tuple(
        IdentifierShape(row["shape"], row["country"], row["pattern"], row["check"]) for row in rows
    )
    for one in identifier_shapes:
        if one.check and one.check not in CHECKS:
            raise ContractError(f"{path.name}: {one.name}: check {one.check!r} is none of {', '.join(CHECKS)}.")
        try:
            re.compile(one.pattern)
        except re.error as error:
            raise ContractError(f"{path.name}: {one.name} is no regular expression: {error}") from None
    return identifier_shapes


def load_identifier_shapes(data: Path) -> tuple[IdentifierShape, ...]:
    """The shapes of an installation; none where it has no list.

    Raises:
        ContractError: a shape is no regular expression, or its check is unknown.
    """
    path = data / FILE
    return _read(path, path.stat().st_mtime_ns) if path.exists() else ()


def _passes_mod97(digits: str) -> bool:
    return int(digits) % 97 == 0


def _is_iban(text: str) -> bool:
    turned = text[4:] + text[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1


CHECKS: dict[str, Callable[[str], bool]] = {"MOD97": _passes_mod97, "IBAN": _is_iban}


Place = tuple[str, int, int | None]  # column, rows, first line
PassedOver = Mapping[str, Collection[str]]


@dataclass(frozen=True)
class Hit:
    """Values of one column that name somebody: which shape (or `KNOWN`), in how many rows, and the first lines."""

    what: str
    rows: int
    lines: tuple[int, ...]


@dataclass(frozen=True)
class Known:
    """A view of `domain` and `id` (UUID), in a connection where the domains' keys are installed."""

    table: str
    domains: tuple[str, ...]


def load_known(con: duckdb.DuckDBPyConnection, key: Key, ids: Sequence[tuple[str, str]]) -> Known | None:
    """Put the pseudonyms of known persons into the connection; None where there are none.

    Args:
        ids: (key domain, SQL that selects a UUID column) of each column of pseudonyms.
    """
    if not ids:
        return None
    domains = tuple(sorted({domain for domain, _ in ids}))
    install(con, key, list(domains))
    together = " union all ".join(
        f"select {literal(domain)} as domain, id from ({sql}) as t(id)" for domain, sql in ids
    )
    con.execute(f"create or replace temp view known_persons as {together}")  # there may be tens of millions
    return Known("known_persons", domains)


def find_identifiers(
    con: duckdb.DuckDBPyConnection,
    values: str,
    listed: Sequence[IdentifierShape],
    known: Known | None,
    passed_over: PassedOver = MappingProxyType({}),
) -> dict[str, list[Hit]]:
    """Look through the values of columns; column -> what was found, where something was.

    Args:
        values: SQL that selects `place` (the column), `value` (text), `n` (rows) and `line`, one row a distinct value.
        passed_over: shape (or `KNOWN`) -> columns that are not searched for it.
    """
    digits = f"translate(nfc_normalize(value), {literal(_EASTERN)}, {literal(_WESTERN)})"
    digits = f"if(strlen(value) = length(value), value, {digits})"  # as many bytes as characters: plain already
    digits = f"regexp_replace({digits}, {literal(_PSEUDONYM)}, '', 'g')"
    spelt = f"select place, {digits} as value, n, line from ({values})"
    con.execute(f"create or replace temp table looked_at as from ({spelt}) where value != ''")  # not pseudonyms alone
    hits: dict[str, list[Hit]] = {}
    for shape in listed:
        for place, hit in _hits(
            shape.name, _places_of_shape(con, shape, _place_condition(passed_over.get(shape.name, ())))
        ):
            hits.setdefault(place, []).append(hit)
    here = _place_condition(passed_over.get(KNOWN, ()))
    _cut_tokens(con, here)
    if known is not None:
        for place, hit in _hits(KNOWN, _places_of_persons(con, known, here)):
            hits.setdefault(place, []).append(hit)
    return hits


def _place_condition(places: Collection[str]) -> str:
    """A condition in SQL: not in these columns."""
    return f"place not in ({', '.join(map(literal, sorted(places)))})" if places else "true"


def _places_of_shape(con: duckdb.DuckDBPyConnection, shape: IdentifierShape, here: str) -> list[Place]:
    """(column, rows, line) of each value in which the shape stands, and its check holds."""
    where = f"from looked_at where {here} and regexp_matches(value, {literal(shape.search)})"
    if not shape.check:
        return con.execute(f"select place, n, line {where}").fetchall()
    numbers = f"regexp_extract_all(value, {literal(shape.search)}, 1)"
    holds = CHECKS[shape.check]
    return [
        (place, n, line)
        for place, n, line, digits in con.execute(f"select place, n, line, {numbers} {where}").fetchall()
        if any(map(holds, _readings(digits)))
    ]


def _cut_tokens(con: duckdb.DuckDBPyConnection, here: str) -> None:
    """Make the table `tokens`: of each value what within may be somebody's number."""
    tokens = ", ".join(f"regexp_extract_all(value, {literal(one)})" for one in _TOKENS)
    bare = normalise_sql("regexp_replace(token, '[ ./-]', '', 'g')")
    values = f"select distinct value from looked_at where {here}"
    listed = f"select value, unnest(flatten([{tokens}, [value]])) as token from ({values})"
    con.execute(
        f"create or replace temp table tokens as select * from (select distinct value, {bare} as token "
        f"from ({listed})) where length(token) >= {SHORTEST} and regexp_matches(token, {literal(NUMBER)})"
    )


def _places_of_persons(con: duckdb.DuckDBPyConnection, known: Known, here: str) -> list[Place]:
    """(column, rows, line) of each value in which some known person's number stands."""
    named = f"select value from tokens where token in ({named_tokens(con, known)})"
    return con.execute(f"select place, n, line from looked_at where {here} and value in ({named})").fetchall()


def list_tokens(con: duckdb.DuckDBPyConnection, passed_over: PassedOver) -> list[tuple[str, str]]:
    """(column, token) of all that `find_identifiers` has just looked for known persons in, for those yet to come."""
    here = _place_condition(passed_over.get(KNOWN, ()))
    query = f"select distinct place, token from looked_at join tokens on looked_at.value = tokens.value where {here}"
    return con.execute(query).fetchall()


def named_tokens(con: duckdb.DuckDBPyConnection, known: Known) -> str:
    """SQL: those of the table `tokens` that are the number of somebody known."""
    domains = list(known.domains)
    made = " union all ".join(
        f"select token, {literal(domain)} as domain, {pseudonym('token', domains, domain)} as id "
        f"from (select distinct token from tokens)"
        for domain in domains
    )
    con.execute(f"create or replace temp table made as {made}")
    return f"select distinct token from {known.table} as k join made on k.domain = made.domain and k.id = made.id"


def _hits(what: str, places: Sequence[Place]) -> list[tuple[str, Hit]]:
    hits = []
    for place in dict.fromkeys(place for place, _, _ in places):
        own = [(n, line) for there, n, line in places if there == place]
        lines = sorted(line for _, line in own if line is not None)[:LINES]
        hits.append((place, Hit(what, sum(n for n, _ in own), tuple(lines))))
    return hits


def _readings(texts: Sequence[str]) -> list[str]:
    """Each number without its blanks, and its beginnings: words behind it may have been taken for its last groups."""
    parts = [re.split(r"[ .-]", one) for one in texts]
    return ["".join(part[:end]).upper() for part in parts for end in range(len(part), 0, -1)]
