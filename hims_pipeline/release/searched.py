"""Which tables of a candidate the search for identifiers need not look through again.

    $HIMS_HOME/kept/searched-<hash>.parquet    of each table searched what within may be somebody's number
    $HIMS_HOME/kept/searched.json              sealed: this file's SHA-256, and a mark for each of these tables

A mark is a hash over a table's name, its columns with their types, its content, and all that the search follows from:
shapes, look-alikes, key, code, libraries. A table is passed over where the sealed plan of this build carries it over
(so its inputs are by SHA-256 those of then), where what the audit read is what the plan says, where its mark is the
one kept, and where nothing kept of it is the number of anybody who is known tonight: who came since is looked for in
what may be numbers, which is little. All else is searched: what is damaged, missing or planted, what changed, and
everything on a night that carries nothing over. Removed with the kept build by what destroys data. Not here: the
search itself (`leaks`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hims_pipeline.carry.plan import OWN_ENGINE, read_plan
from hims_pipeline.contracts.load import fingerprint
from hims_pipeline.errors import Damaged
from hims_pipeline.lake.files import private_folder, sha256_of
from hims_pipeline.lake.seal import read_sealed, write_sealed
from hims_pipeline.privacy import identifier_search
from hims_pipeline.privacy.keys import load_key
from hims_pipeline.provenance import SEARCHING, provenance_of
from hims_pipeline.release import leaks
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection, literal, read_parquet

RECORD, KIND = "searched.json", "searched tables"
Facts = Mapping[str, Any]
Token = tuple[str, str]


@dataclass(frozen=True)
class Earlier:
    """What need not be searched again, of the tables that this build carries over.

    Attributes:
        carried: `<schema>.<table>` -> rows and content hash, by the plan.
        marks: of those in which nobody is named by what is kept of them.
        tokens: (`<schema>.<table>`, what may be a number).
    """

    carried: dict[str, Facts]
    marks: dict[str, str]
    tokens: set[Token]

    def find_unchanged(self, contents: Mapping[str, Facts], marks: Mapping[str, str]) -> set[str]:
        """Of the tables that the audit read those that are just what was searched."""
        return {
            name
            for name, facts in contents.items()
            if self.carried.get(name) == facts and self.marks.get(name) == marks[name]
        }


def read_earlier(settings: Settings, build: Path) -> Earlier:
    """What earlier searches leave to pass over; nothing where they cannot be proved.

    Args:
        build: folder of the build, with its plan.
    """
    try:
        plan, record = read_plan(settings, build), read_sealed(settings, settings.kept / RECORD, KIND)
        path, marks = settings.kept / record["file"], record["marks"]
        made_tonight = plan.engine != OWN_ENGINE
        if made_tonight or not path.is_file() or sha256_of(path) != record["sha256"]:
            return Earlier({}, {}, set())
    except Damaged:
        return Earlier({}, {}, set())
    carried: dict[str, Facts] = {
        facts["table"]: {one: facts[one] for one in ("rows", "content_hash")}
        for facts in plan.carried.values()
        if "table" in facts
    }
    with connection(settings) as con:
        tokens = {row for row in con.execute(f"from {read_parquet(path)}").fetchall() if row[0] in carried}
    named = leaks.find_named(settings, tokens) if tokens else set()
    return Earlier(carried, {name: mark for name, mark in marks.items() if name not in named}, tokens)


def keep_searched(settings: Settings, marks: Mapping[str, str], tokens: Collection[Token]) -> None:
    """Keep what a search found nobody in, in place of what was kept before.

    Args:
        marks: `<schema>.<table>` -> mark, of all tables of a candidate.
    """
    folder = private_folder(settings.kept)
    written = folder / "searched.parquet"
    with connection(settings) as con:
        con.execute(
            "create temp table kept as select unnest($1::varchar[]) as place, unnest($2::varchar[]) as token",
            [list(column) for column in zip(*sorted(tokens), strict=True)] or [[], []],
        )
        con.execute(f"copy kept to {literal(written)} (format parquet)")
    sha256 = sha256_of(written)
    path = written.rename(folder / f"searched-{sha256[:16]}.parquet")
    write_sealed(settings, folder / RECORD, KIND, {"file": path.name, "sha256": sha256, "marks": dict(marks)})
    for old in folder.glob("searched-*"):
        if old != path:
            old.unlink()


def fingerprint_search(settings: Settings) -> str:
    """Hash of all that a search follows from beside what it looks through and whom it knows."""
    own = provenance_of(*SEARCHING)
    lists = [settings.data / name for name in (identifier_search.FILE, leaks.LOOKALIKES)]
    hashes = [sha256_of(path) if path.exists() else "" for path in lists]
    return fingerprint([own.code, own.libraries, load_key(settings).version, hashes])


def mark_tables(con: Any, database: str, contents: Mapping[str, Facts], basis: str) -> dict[str, str]:
    """`<schema>.<table>` -> its mark.

    Args:
        database: in which they lie.
        contents: `<schema>.<table>` -> rows and content hash, as they were read.
        basis: `fingerprint_search`.
    """
    columns = dict(
        con.execute(
            "select schema_name || '.' || table_name, list([column_name, data_type] order by column_index)"
            " from duckdb_columns() where database_name = ? group by all",
            [database],
        ).fetchall()
    )
    return {name: fingerprint([basis, name, columns[name], dict(facts)]) for name, facts in contents.items()}
