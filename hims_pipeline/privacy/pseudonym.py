"""Keyed pseudonyms in SQL: HMAC-SHA-256 of the normalised identifier, 128 bits of it kept as a UUID.

The domain keys reach DuckDB as variables of the connection, so neither SQL text nor a log ever holds one.
"""

import duckdb

from hims_pipeline.privacy.keys import Key
from hims_pipeline.sql import literal

# Arabic-Indic and Persian digits stand for the same number as ASCII ones; blanks, tatweel, bidi marks and zero-width
# characters are how the same number was typed or copied, not part of it.
_DIGITS = "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹"
_ASCII = "01234567890123456789"
_DROPPED = (
    " \t\r\n\u00a0\u202f\u2007\u2009\u0640\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2066\u2067\u2068\u2069\u061c\ufeff"
)
_INNER, _OUTER = 0x36, 0x5C


def normalise_sql(text: str) -> str:
    """SQL: an identifier as it is hashed. NULL stays NULL; what is nothing but blanks becomes NULL.

    Plain upper-case letters and digits, the usual case, are recognised first: the rest costs six times as much.
    """
    plain = f"regexp_full_match({text}, '[0-9A-Z]+')"
    full = f"nullif(upper(translate(nfc_normalize({text}), {literal(_DIGITS + _DROPPED)}, {literal(_ASCII)})), '')"
    return f"case when {plain} then {text} else {full} end"


def install(con: duckdb.DuckDBPyConnection, key: Key, domains: list[str]) -> None:
    """Make `pseudonym(…)` work for these domains on this connection and the cursors it hands the variables to.

    Variables belong to one connection: call it once on each cursor.
    """
    for number, domain in enumerate(domains):
        block = key.derive_domain_key(domain).ljust(64, b"\0")
        con.execute(f"set variable hims_inner_{number} = $1", [bytes(byte ^ _INNER for byte in block)])
        con.execute(f"set variable hims_outer_{number} = $1", [bytes(byte ^ _OUTER for byte in block)])


def pseudonym(value: str, domains: list[str], domain: str) -> str:
    """SQL: the pseudonym (UUID) of a normalised identifier in a domain that was installed; NULL stays NULL."""
    number = domains.index(domain)
    inner = f"unhex(sha256(getvariable('hims_inner_{number}')::blob || encode({value})))"
    return f"left(sha256(getvariable('hims_outer_{number}')::blob || {inner}), 32)::uuid"
