"""The last look before a release leaves: does anything in the candidate name somebody?

Every text column of every table of both files, and every word of the notes and manifests beside them, is searched for
the shapes of `data/identifier_shapes.csv` and for the number of anybody in the batches that count. A column whose
values look like numbers of persons and are none stands, with the reason, in `data/identifier_lookalikes.csv`, as
`<schema>.<table>.<column>` in which `*` stands for anything. Hits are
counted and never told. Not here: how a number is recognised (`privacy.identifier_search`).
"""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase as fnmatch
from pathlib import Path
from typing import Any

from hims_pipeline.errors import ContractError, ReleaseError
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.privacy.identifier_search import (
    KNOWN,
    NUMBER,
    Hit,
    Known,
    find_identifiers,
    list_tokens,
    load_identifier_shapes,
    load_known,
    named_tokens,
)
from hims_pipeline.privacy.keys import load_key
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection, literal, quote, read_parquet
from hims_pipeline.staging.in_force import find_in_force
from hims_pipeline.staging.inputs import current_batches

RULE = "RELEASE-IDENTIFIERS"
LOOKALIKES = "identifier_lookalikes.csv"
OWN_RULES = "rules.json"  # bounds and codes out of data/ and expectations/: no delivery has a part in it
_HASH = re.compile(r"\b(?:0x)?(?=[0-9]*[a-f])[0-9a-f]{12,64}\b")
_MAY_NAME = f"{NUMBER}|@"  # all else names nobody, and most codes are passed over


def load_lookalikes(data: Path) -> dict[str, set[str]]:
    """Glob of `<schema>.<table>.<column>` -> shapes that its values have without naming anybody.

    Raises:
        ContractError: an entry names an unknown shape or gives no reason.
    """
    path = data / LOOKALIKES
    if not path.exists():
        return {}
    known, lookalikes = {KNOWN, *(shape.name for shape in load_identifier_shapes(data))}, dict[str, set[str]]()
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["shape"] not in known or not (row["reason_en"] or "").strip():
                raise ContractError(f"{LOOKALIKES}: {row['place']}: {row['shape']} is no shape, or has no reason.")
            lookalikes.setdefault(row["place"], set()).add(row["shape"])
    return lookalikes


@dataclass(frozen=True)
class Search:
    """What a search found, and what it looked for anybody in.

    Attributes:
        findings: one a column that names somebody.
        tokens: (`<schema>.<table>`, what within may be the number of somebody, and is nobody's as yet).
    """

    findings: list[Finding]
    tokens: set[tuple[str, str]]


def find_in_tables(
    settings: Settings, database: Path, schemas: tuple[str, ...], looked_at: Collection[str] = ()
) -> Search:
    """Look through all columns of text of a database.

    Args:
        looked_at: `<schema>.<table>` whose equals were looked through before.
    """
    allowed = load_lookalikes(settings.data)
    with connection(settings) as con:
        con.execute("set enable_progress_bar = false")  # it would be taken for a line of the audit
        con.execute("create temp table candidates (place varchar, value varchar, n bigint, line bigint)")
        con.execute(f"attach {literal(database)} as candidate (read_only)")
        passed_over = defaultdict[str, set[str]](set)
        for schema, table, columns in _text_columns(con, schemas):
            if f"{schema}.{table}" not in looked_at:
                con.execute(f"insert into candidates {_values(schema, table, columns)}")
                for place in (f"{schema}.{table}.{column}" for column in columns):
                    for what in (what for glob, known in allowed.items() if fnmatch(place, glob) for what in known):
                        passed_over[what].add(place)
        listed, known_here = load_identifier_shapes(settings.data), known_persons(settings, con)
        identifiers = find_identifiers(con, "from candidates", listed, known_here, passed_over)
        tokens = list_tokens(con, passed_over)
    findings = [_finding(place, hit) for place, hits in identifiers.items() for hit in hits]
    return Search(findings, {(place.rsplit(".", 1)[0], token) for place, token in tokens})


def find_named(settings: Settings, tokens: Collection[tuple[str, str]]) -> set[str]:
    """Tables of an earlier search that name somebody who has come into the batches since.

    Args:
        tokens: of that search.
    """
    with connection(settings) as con:
        con.execute(
            "create temp table tokens as select unnest($1::varchar[]) as place, unnest($2::varchar[]) as token",
            [[place for place, _ in tokens], [token for _, token in tokens]],
        )
        if (known := known_persons(settings, con)) is None:
            return set()
        named = con.execute(f"select distinct place from tokens where token in ({named_tokens(con, known)})")
        return {place for (place,) in named.fetchall()}


def check_files(settings: Settings, folder: Path) -> None:
    """Look through the notes, manifests and verdicts of a candidate.

    Raises:
        ReleaseError: one of them names somebody.
    """
    with connection(settings) as con:
        con.execute("set enable_progress_bar = false")  # it would be taken for a line of the audit
        con.execute("create temp table candidates (place varchar, value varchar, n bigint, line bigint)")
        files = (path for path in folder.rglob("*") if path.suffix in (".json", ".md") and path.name != OWN_RULES)
        for path in sorted(files):
            inside, texts = str(path.relative_to(folder)), sorted(set(_texts(path)))
            con.execute("insert into candidates select $1, unnest($2::varchar[]), 1, null", [inside, texts])
        identifiers = find_identifiers(
            con, "from candidates", load_identifier_shapes(settings.data), known_persons(settings, con)
        )
    if identifiers:
        leaks_text = "; ".join(f"{file} ({', '.join(hit.what for hit in hits)})" for file, hits in identifiers.items())
        raise ReleaseError(f"The candidate names somebody, so it is not published: {leaks_text}.")


def known_persons(settings: Settings, con: Any) -> Known | None:
    """Everybody who stands in the batches that count, as a view of pseudonyms."""
    contracts, ids = find_in_force(settings).contracts, []
    for batch in current_batches(settings):
        contract = contracts[batch.manifest.source]
        for name in batch.manifest.entities:
            for column in contract.entity_in(name, batch.manifest.period).kept_columns:
                if column.sensitivity == "identifier":
                    source = read_parquet(batch.parquet(name))
                    ids.append((column.domain or contract.source, f"select {quote(column.name)} from {source}"))
    return load_known(con, load_key(settings), ids) if ids else None


def _values(schema: str, table: str, columns: list[str]) -> str:
    """SQL: the distinct texts of a table's columns that may name somebody; one statement, since a release has thousands
    of columns and most are short."""
    name = f"candidate.{quote(schema)}.{quote(table)}"
    return " union all ".join(
        f"select {literal(f'{schema}.{table}.{column}')}, value, n, null from "
        f"(select {quote(column)} as value, count(*) as n from {name} group by 1) "
        f"where regexp_matches(value, {literal(_MAY_NAME)})"
        for column in columns
    )


def _text_columns(con: Any, schemas: tuple[str, ...]) -> list[tuple[str, str, list[str]]]:
    """(schema, table, its columns of text) of all tables that hold a row."""
    listed = ", ".join(literal(schema) for schema in schemas)
    columns: list[tuple[str, str, list[str]]] = con.execute(
        "select c.schema_name, c.table_name, list(c.column_name) from duckdb_columns() as c "
        "join duckdb_tables() as t using (database_name, schema_name, table_name) "
        f"where database_name = 'candidate' and schema_name in ({listed}) and data_type = 'VARCHAR' "
        "and estimated_size > 0 group by all order by all"
    ).fetchall()
    return columns


def _finding(place: str, hit: Hit) -> Finding:
    table, column = place.rsplit(".", 1)
    message = (
        f"values that name somebody ({hit.what}) would leave. Have the contract behind the column call it `identifier`"
        f" or `free_text`; where they name nobody, say so in data/{LOOKALIKES}"
    )
    return Finding(RULE, "blocking", message, entity=table, column=column, count=hit.rows)


def _texts(path: Path) -> Iterator[str]:
    """The words of a file: strings of JSON, keys among them, and lines of text; without our own hashes and numbers of
    batches, in which any number may stand by chance."""
    text = path.read_text(encoding="utf-8")
    texts = _strings(json.loads(text)) if path.suffix == ".json" else text.splitlines()
    yield from (_HASH.sub("", one) for one in texts)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
