"""A candidate, read by a fresh process before it may be published: every column of every table, the hashes, the
release's own Great Expectations suite, and a last look for identifiers. `python -m hims_pipeline.release.audit FOLDER`
writes `FOLDER/audit.json`.

A fresh process has no cache and no connection of the builder's: what it reads is what readers will read.
"""

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hims_pipeline.carry.content import content_of
from hims_pipeline.errors import HimsError, ReleaseError
from hims_pipeline.failures import explain
from hims_pipeline.lake.files import sha256_of, write_json
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.plain_file import read_json
from hims_pipeline.release import leaks
from hims_pipeline.release import searched as searching
from hims_pipeline.release.tables import PUBLIC_SCHEMAS, STAFF_SCHEMAS, is_large, linking_relations, tables
from hims_pipeline.settings import Settings, close_umask, is_debugging, load_settings
from hims_pipeline.sql import connection

PARTS = {"public": PUBLIC_SCHEMAS, "staff": STAFF_SCHEMAS}


def audit_release(settings: Settings, folder: Path, log: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    """Read both files of a candidate whole and judge the public one.

    Args:
        folder: of the candidate, in that of its build.
        log: is told of each table that takes long.

    Returns:
        Tables with rows and content hashes, the file hashes, and the verdict of `expectations/release.json`.

    Raises:
        ReleaseError: a file changed while it was read, or a schema holds what it must not.
    """
    from hims_pipeline.gates import judge_database

    audited: dict[str, Any] = {}
    named: list[Finding] = []
    basis, earlier = searching.fingerprint_search(settings), searching.read_earlier(settings, folder.parent)
    searched, tokens = dict[str, str](), set[searching.Token]()
    for part, schemas in PARTS.items():
        path = folder / part / "warehouse.duckdb"
        sha256 = sha256_of(path)
        with connection(settings, path, read_only=True) as con:
            present = {
                row[0] for row in con.execute("select schema_name from duckdb_schemas() where not internal").fetchall()
            }
            if strange := present - set(schemas) - {"main"}:
                raise ReleaseError(
                    f"{part}/warehouse.duckdb holds schemas that may not leave: {', '.join(sorted(strange))}."
                )
            if apart := linking_relations(con, path.stem):
                raise ReleaseError(
                    f"{part}/warehouse.duckdb holds a table that joins registers: {', '.join(map('.'.join, apart))}."
                )
            counted = {}
            for schema, table in tables(con, path.stem, schemas):
                if is_large(con, schema, table, path.stem):
                    log(f"reading {part} {schema}.{table}")
                counted[f"{schema}.{table}"] = vars(content_of(con, schema, table))
            marks = searching.mark_tables(con, path.stem, counted, basis)
        before = earlier.find_unchanged(counted, marks)
        log(f"looking for identifiers in {len(marks) - len(before)} of {len(marks)} tables of the {part} file")
        same = {name for name, mark in marks.items() if searched.get(name) == mark}  # the staff file has them too
        search = leaks.find_in_tables(settings, path, schemas, before | same)
        named += search.findings
        tokens |= search.tokens | {token for token in earlier.tokens if token[0] in before}
        searched |= marks
        if part == "public":
            outcome = judge_database(settings, path, settings.expectations / "release.json")
            audited["verdict"] = outcome.as_json()
        if sha256_of(path) != sha256:
            raise ReleaseError(f"{part}/warehouse.duckdb changed while it was audited.")
        audited[part] = {"sha256": sha256, "tables": counted}
    verdict = audited["verdict"]
    verdict["accepted"] = verdict["accepted"] and not named
    verdict["findings"] += [asdict(one) for one in named]
    if not named:
        searching.keep_searched(settings, searched, tokens)
    return audited


def main(folder: Path) -> int:
    """Audit a candidate; what went wrong is one line on the error output, since a trace may quote data."""
    close_umask()
    try:
        result = audit_release(load_settings(), folder, lambda text: print(text, flush=True))
        write_json(folder / "audit.json", result)
    except Exception as error:
        if is_debugging() and not isinstance(error, HimsError):
            raise
        print(explain(error), file=sys.stderr)
        return 1
    return 0


def result_of(folder: Path) -> dict[str, Any]:
    """What the audit of a release's files found, as it wrote it down."""
    record: dict[str, Any] = read_json(folder / "audit.json")
    return record


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
