"""A fingerprint for each of dbt's nodes, over all that its result follows from.

It is a hash over the node's own text and configuration, the macros that it reaches, the fingerprints of the nodes it
reads, the entity files that it opens, a seed's bytes, and what all nodes rest on: the code and the libraries that run
them, the project's and the profile's text. Equal fingerprints therefore mean equal tables and equal verdicts. A node
whose text asks for anything else (the time, chance, the environment, a query while it compiles, a file of its own) has
none, nor has any node behind it, and is built every night. Not here: who compares fingerprints (`plan`).
"""

import hashlib
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from hims_pipeline.carry.batch_joins import BATCHES, joins_by_batch

KINDS = ("model", "seed", "snapshot", "test", "unit_test")
# Our macros that open files: what they open is known from their callers' text and the build's inputs.
DOOR, LIST = "inputs_of", "read_inputs"
DOORS = {DOOR, LIST, "read_batches", "read_files", "default__read_files", "listed_inputs", "default__listed_inputs"}
VALIDATED = "source.hims.validated."
ONE_ENTITY = re.compile(r"\bread_batches\(\s*'([^']*)',\s*'([^']*)'")
NO_CONTENT = ("path", "manifest_sha256", "verdict_sha256")  # of a row of inputs: where it lies, and who says so
SOURCE = re.compile(r"\bsource\s*\(")
# Of a configuration what tells people of a node and changes no row.
TOLD = ("meta", "tags", "docs", "group", "access")
# Only whole lines: two dashes within one may stand in a text, with what matters behind it.
COMMENT = re.compile(r"\{#.*?#\}|^[ \t]*--[^\n]*", re.DOTALL | re.MULTILINE)
# What a text may not ask for: its answer is in no fingerprint.
UNPROVABLE = re.compile(
    # of dbt and its Jinja
    r"run_query|\bstatement\b|load_result|env_var|\bvar\s*\(|run_started_at|invocation_id|\bgraph\b|\bmodules\s*\."
    r"|\bdbt_version\b|(?-i:\bflags\s*\.\s*[A-Z])|selected_resources|\badapter\s*\.(?!dispatch)|\bcontext\s*\["
    r"|dbt_metadata_envs|invocation_args_dict|thread_id|\bbuiltins\b|\bmodel\s*[.\[]"
    # of DuckDB: the time, chance, the session, the catalogue, files
    r"|\bcurrent_(?:date|time|timestamp|setting|user|role|database|schemas?|query)\b|\blocaltime|\bget_current_"
    r"|\b(?:now|today|random|uuid|gen_random_uuid|uuidv[47]|nextval|setseed|getenv|glob|query|query_table)\s*\("
    r"|\btablesample\b|\busing\s+sample\b|\bduckdb_\w+\s*\(|\bpragma_|\binformation_schema\b|\bpg_catalog\b"
    r"|\bread_(?!batches\b|inputs\b)\w+\s*\(|\b(?:sniff_csv|\w+_scan)\s*\(|\b(?:from|join)\s+['\"][^'\"]*[./]",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Node:
    """One of dbt's nodes tonight.

    Attributes:
        kind: `model`, `seed`, `snapshot`, `test` or `unit_test`.
        relation: (schema, name) of its table or view; None for tests and models that are written into others.
        is_view: its relation has no rows of its own.
        fingerprint: 64 hexadecimal digits; None where its inputs cannot be proved.
        place: hash of where the files lie that its view names; the same content elsewhere makes the view anew.
        selector: its name in dbt's syntax.
    """

    unique_id: str
    kind: str
    relation: tuple[str, str] | None
    is_view: bool
    fingerprint: str | None
    place: str
    selector: str


def digest(value: Any) -> str:
    """SHA-256 of a plain value, whatever the order of its members."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def fingerprint_nodes(
    manifest: Mapping[str, Any],
    files: Mapping[str, str],
    rows: list[dict[str, Any]],
    inputs_path: str,
    rests_on: Sequence[str],
    earlier: str = "",
) -> dict[str, Node]:
    """All nodes that a whole build has.

    Args:
        manifest: dbt's, of the rendered tree.
        files: path in the rendered tree -> SHA-256.
        rows: the build's inputs, one an entity file.
        inputs_path: of the file that holds these rows, which views may name.
        rests_on: hashes of the code and the libraries that run the nodes and read what they made.
        earlier: hash of what earlier releases showed, which models in Python may ask for.
    """
    return _Project(manifest, files, rows, inputs_path, rests_on, earlier).nodes()


class _Project:
    """dbt's manifest of tonight beside the inputs of tonight."""

    def __init__(
        self, manifest: Mapping[str, Any], files: Mapping[str, str], rows: list[dict[str, Any]], inputs_path: str,
        rests_on: Sequence[str], earlier: str = "",
    ) -> None:  # fmt: skip
        self.all = {**manifest["nodes"], **manifest["unit_tests"]}
        self.macros = manifest["macros"]
        self.name = manifest["metadata"]["project_name"]
        self.files, self.rows, self.inputs_path, self.rests_on = files, rows, inputs_path, list(rests_on)
        self.earlier = earlier
        self._full: dict[str, str | None] = {}
        self._plain: dict[str, str] = {}
        self._reached: dict[str, frozenset[str]] = {}

    def nodes(self) -> dict[str, Node]:
        return {
            name: Node(
                name, node["resource_type"], _relation(node), node["config"].get("materialized") == "view",
                self.fingerprint_result(name), self._place(name), f"fqn:{'.'.join(node['fqn'])}",
            )
            for name, node in self.all.items()
            if node["resource_type"] in KINDS and node["config"].get("enabled", True)
            and node["config"].get("materialized") != "ephemeral"
        }  # fmt: skip

    @cached_property
    def salt(self) -> str:
        """What all rest on, and our macros that dbt calls without being asked to."""
        others = {macro["name"] for macro in self.macros.values() if macro["package_name"] != self.name}
        implicit = {
            name: macro["macro_sql"]
            for name, macro in self.macros.items()
            if macro["package_name"] == self.name
            and (macro["name"] in others or "__" in macro["name"] or macro["name"].startswith("materialization_"))
        }
        hooks = [name for name, node in self.all.items() if node["resource_type"] == "operation"]
        project = [self.files.get(name) for name in ("dbt_project.yml", "profiles.yml")]
        return digest([self.rests_on, project, time.tzname, implicit, sorted(hooks)])

    def fingerprint_result(self, name: str) -> str | None:
        """Fingerprint of a node's result; None where it cannot be proved."""
        if name not in self._full:
            self._full[name] = None  # what reads itself proves nothing
            self._full[name] = self._fingerprint_rows(name) if self._is_provable(name) else None
        return self._full[name]

    def _fingerprint_rows(self, name: str) -> str | None:
        node = self.all[name]
        if node["resource_type"] == "unit_test":  # it reads no table: rows given, rows expected
            return self.fingerprint_text(name)
        read: list[list[str | None]] = []
        for parent in sorted(node["depends_on"].get("nodes", ())):
            if parent.startswith(VALIDATED) and not any(SOURCE.search(text) for text in self._texts(name)):
                continue  # named in a comment, for dbt's graph; the files that are read are among `_inputs`
            if parent not in self.all:
                return None  # read as a source, or what a later dbt may have: its rows are in no fingerprint
            if self.all[parent]["name"] in BATCHES and joins_by_batch(self._texts(name), self.all[parent]["name"]):
                read.append([parent, self.fingerprint_text(parent)])  # of its rows only those of batches read otherwise
            else:
                read.append([parent, self.fingerprint_result(parent)])
        if any(fingerprint is None for _, fingerprint in read):
            return None
        seed = self.files.get(node["original_file_path"]) if node["resource_type"] == "seed" else ""
        earlier = self.earlier if node.get("language") == "python" else ""
        return None if seed is None else digest([self.fingerprint_text(name), read, seed, self._inputs(name), earlier])

    def fingerprint_text(self, name: str) -> str:
        """Fingerprint of what a node says, and of what those say that it reads, whatever rows there are."""
        if name not in self._plain:
            node = self.all[name]
            parents = [
                self.fingerprint_text(one) for one in sorted(node["depends_on"].get("nodes", ())) if one in self.all
            ]
            macros = [[one, _hash_text(self.macros[one]["macro_sql"])] for one in sorted(self._reach(name))]
            self._plain[name] = digest([self.salt, name, _reduce_node(node), macros, parents])
        return self._plain[name]

    def _reach(self, name: str) -> frozenset[str]:
        """Macros that a node or macro calls, and those that these call."""
        if name not in self._reached:
            self._reached[name] = frozenset()
            caller = self.all[name] if name in self.all else self.macros[name]
            called = [one for one in caller["depends_on"].get("macros", ()) if one in self.macros]
            self._reached[name] = frozenset(called).union(*(self._reach(one) for one in called))
        return self._reached[name]

    def _ours(self, name: str) -> list[Mapping[str, Any]]:
        return [self.macros[one] for one in self._reach(name) if self.macros[one]["package_name"] == self.name]

    def _texts(self, name: str) -> list[str]:
        """A node's text and those of our macros that it reaches, without comments."""
        return [
            _plain_text(self.all[name].get("raw_code") or ""),
            *(_plain_text(one["macro_sql"]) for one in self._ours(name)),
        ]

    def _is_provable(self, name: str) -> bool:
        node = self.all[name]
        known = [one["macro_sql"] for one in self._ours(name) if one["name"] not in DOORS]
        texts = [node.get("raw_code") or "", json.dumps(node.get("test_metadata") or {}), *known]
        hooked = any(node["config"].get(hook) for hook in ("pre-hook", "post-hook"))
        return not hooked and not any(map(_asks_for_more, texts))

    def _entities(self, name: str) -> set[tuple[str, str]] | None:
        """(source, entity) whose files a node opens; None where it may be any."""
        doors = {one["name"] for one in self._ours(name)} & {DOOR, LIST}
        if LIST in doors:
            return None
        raw = _plain_text(self.all[name].get("raw_code") or "")
        calls = ONE_ENTITY.findall(raw)
        through = [one for one in self._ours(name) if one["name"] not in DOORS and "read_batches" in one["macro_sql"]]
        if DOOR in doors and (through or raw.count("read_batches") != len(calls) or DOOR in raw):
            return None
        return set(calls)

    def _find_opened(self, name: str) -> list[dict[str, Any]]:
        wanted = self._entities(name)
        return [row for row in self.rows if wanted is None or (row["source"], row["entity"]) in wanted]

    def _inputs(self, name: str) -> list[dict[str, Any]]:
        plain = [{k: v for k, v in row.items() if k not in NO_CONTENT} for row in self._find_opened(name)]
        return sorted(plain, key=lambda row: (row["batch_id"], row["entity"]))

    def _place(self, name: str) -> str:
        if self._entities(name) is None:
            return digest(self.inputs_path)
        return digest(sorted(row["path"] for row in self._find_opened(name)))


@cache
def _hash_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _plain_text(text: str) -> str:
    return COMMENT.sub("", text)


@cache
def _asks_for_more(text: str) -> bool:
    return UNPROVABLE.search(_plain_text(text)) is not None


def _reduce_node(node: Mapping[str, Any]) -> dict[str, Any]:
    """Of what dbt knows of a node, that which its result can follow from."""
    names = (
        "resource_type", "schema", "alias", "language", "raw_code", "contract", "constraints", "test_metadata",
        "column_name", "model", "given", "expect", "overrides", "versions",
    )  # fmt: skip
    columns = {
        name: [column.get("data_type"), column.get("constraints"), column.get("quote")]
        for name, column in (node.get("columns") or {}).items()
    }
    config = {name: value for name, value in node["config"].items() if name not in TOLD}
    described = node.get("description") if any((config.get("persist_docs") or {}).values()) else ""
    return {name: node.get(name) for name in names} | {"columns": columns, "config": config, "described": described}


def _relation(node: Mapping[str, Any]) -> tuple[str, str] | None:
    built = node["resource_type"] in ("model", "seed", "snapshot") and node["config"]["materialized"] != "ephemeral"
    return (node["schema"], node["alias"]) if built else None
