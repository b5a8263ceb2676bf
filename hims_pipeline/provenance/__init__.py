"""What a verdict, a rendered tree, a build and a release rest on beside data: our own code and the libraries under it.

`provenance_of` gives one meaning to "our code" everywhere: the definitions that an entry point reaches (`closure`), by
their syntax trees, and the versions of the packages that these use (`libraries`). A comment, a docstring, another
layout or a module that is not reached changes nothing; a helper deep under a reader, or a new DuckDB, does.

Here: the entry points. Not here: data, contracts and settings such as the time zone; who asks adds those.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hims_pipeline.provenance.closure import Closure, SourceTree
from hims_pipeline.provenance.kept import KeptTree
from hims_pipeline.provenance.libraries import package_of, versions_of

PACKAGE = Path(__file__).resolve().parent.parent
READING = ("hims_pipeline.readers:read_delivery",)  # and of each format that is read, its module's `open_table`
JUDGING = ("hims_pipeline.gates:judge",)
RENDERING = ("hims_pipeline.staging.render:ensure_rendered",)
DECIDING = (  # what dbt's model in Python calls
    "hims_pipeline.disclosure.decide:decide", "hims_pipeline.disclosure.history:earlier_decisions",
    "hims_pipeline.disclosure.history:last_decisions",
)  # fmt: skip
BUILDING = (
    "hims_pipeline.build:prepare", "hims_pipeline.build:close_build", "hims_pipeline.dbt:stream_dbt",
    "hims_pipeline.parsed_dbt:main", "hims_pipeline.spark:take_tables", "hims_pipeline.spark:build_on_spark", *DECIDING,
)  # fmt: skip
CARRYING = (
    "hims_pipeline.carry.fingerprints:fingerprint_nodes", "hims_pipeline.carry.content:content_of",
    "hims_pipeline.parsed_dbt:main", *DECIDING,
)  # fmt: skip
SEARCHING = ("hims_pipeline.release.leaks:find_in_tables", "hims_pipeline.carry.content:content_of")
PUBLISHING = ("hims_pipeline.release.publish:publish",)
STARTED = dict.fromkeys(
    ("hims_pipeline.dbt", "hims_pipeline.parsed_dbt", "hims_pipeline.staging.render"), ("dbt-core", "dbt-duckdb")
)
"""Module of ours -> packages that it starts as commands of their own, which no import names."""


@dataclass(frozen=True)
class Provenance:
    """What one or more entry points rest on.

    Args:
        code: SHA-256 over the definitions of ours that they reach.
        versions: package -> version of all libraries under them, with `python`.
    """

    code: str
    versions: dict[str, str]

    @property
    def libraries(self) -> str:
        """SHA-256 over the versions."""
        return hashlib.sha256(json.dumps(self.versions, sort_keys=True).encode()).hexdigest()


def provenance_of(*entries: str, package: Path | None = None) -> Provenance:
    """What these entry points rest on: equal as long as nothing that they reach changed.

    Args:
        entries: `package.module:name` each, such as those of `READING`, `JUDGING`, `RENDERING`, `BUILDING`,
            `CARRYING`, `SEARCHING` and `PUBLISHING` above.
        package: folder of the sources, by default those that run. These are read once in a process; any other anew.

    Raises:
        LookupError: an entry point is not there, or a library that it uses is not installed.
    """
    if package is None:
        return _provenance_of_running(entries)
    return _provenance(SourceTree(package).closure(*entries))


@lru_cache(maxsize=1)
def _running_tree() -> KeptTree:
    return KeptTree(PACKAGE)


@lru_cache(maxsize=64)
def _provenance_of_running(entries: tuple[str, ...]) -> Provenance:
    return _provenance(_running_tree().closure(*entries))


def _provenance(closure: Closure) -> Provenance:
    packages = {name for module in closure.libraries if (name := package_of(module))}
    for module in closure.modules:
        packages |= set(STARTED.get(module, ()))
    return Provenance(closure.sha256, versions_of(packages))
