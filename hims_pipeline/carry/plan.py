"""What a build carries over from the last one, and the proof at its end that it did.

    build/<run>/plan.json     which nodes are carried over and which not, sealed before dbt starts

A node is carried over where its fingerprint is the one it was built with, its table or view is in the verified copy of
the last build's file, and what its view names lies where it did. Everything else is dropped from the copy before dbt
starts, so what is there afterwards and was not carried over is tonight's. When dbt has ended, every table is read once:
one that was carried over must have the content that it was built with, and where a full build makes a node anew whose
fingerprint did not change, so must that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hims_pipeline.carry.content import ASSEMBLED, content_of, relations
from hims_pipeline.carry.fingerprints import Node, fingerprint_nodes
from hims_pipeline.carry.last_build import Kept, copy_kept, read_kept
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.disclosure.history import EARLIER, TABLE, write_decided
from hims_pipeline.errors import Damaged, HimsError
from hims_pipeline.lake.files import sha256_of
from hims_pipeline.lake.seal import read_sealed, write_sealed
from hims_pipeline.plain_file import read_json
from hims_pipeline.provenance import CARRYING, provenance_of
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection, quote
from hims_pipeline.staging.render import MANIFEST, TREE

PLAN, KIND = "plan.json", "plan"
DECISIONS = tuple(TABLE.split("."))
OWN_ENGINE = "duckdb"
Log = Callable[[str], None]


@dataclass(frozen=True)
class CarryPlan:
    """What a build does anew, and what not.

    Attributes:
        carried: unique id -> what the record of the last build says of it, or what another engine made tonight.
        since_full: builds in a row, this one included, that carried something over.
        engine: what made the nodes that are there before DuckDB begins; only DuckDB's are of an earlier build.
    """

    carried: dict[str, dict[str, Any]]
    since_full: int
    engine: str = OWN_ENGINE


def nodes_of(settings: Settings, folder: Path, tree: Path) -> dict[str, Node]:
    """The nodes of a build by its tree's manifest and its inputs.

    Raises:
        Damaged: the manifest or the tree's record is not what we wrote.
    """
    path = tree / MANIFEST
    try:
        manifest = read_json(path)
    except (OSError, ValueError) as error:
        raise Damaged(path, f"cannot be read ({type(error).__name__})") from None
    files = read_sealed(settings, tree / TREE, "tree")["files"]
    inputs = folder / "inputs.json"
    own = provenance_of(*CARRYING)
    earlier = sha256_of(folder / EARLIER) if (folder / EARLIER).exists() else ""
    return fingerprint_nodes(manifest, files, read_json(inputs), str(inputs), (own.code, own.libraries), earlier)


def make_plan(settings: Settings, folder: Path, tree: Path, *, full: bool, log: Log = lambda text: None) -> CarryPlan:
    """Decide what is carried over, put the copy that holds it where dbt builds, and seal the decision.

    Args:
        folder: of the build, with its inputs.
        full: carry nothing over.
    """
    nodes, carried, since_full = nodes_of(settings, folder, tree), dict[str, dict[str, Any]](), 0
    kept = None if full else _find_usable(settings, log)
    if kept is not None and (wanted := _find_unchanged(nodes, kept)):
        carried = _copy_kept(settings, folder, nodes, kept, wanted, log)
        since_full = kept.since_full + 1 if carried else 0
        log(f"{len(carried)} of {len(nodes)} nodes of dbt have the inputs they had, and are carried over")
    return _seal_plan(settings, folder, CarryPlan(carried, since_full))


def _seal_plan(settings: Settings, folder: Path, plan: CarryPlan) -> CarryPlan:
    write_sealed(settings, folder / PLAN, KIND, vars(plan))
    return plan


def read_plan(settings: Settings, folder: Path) -> CarryPlan:
    """The sealed plan of a build.

    Raises:
        Damaged: it is not what we wrote.
    """
    record = read_sealed(settings, folder / PLAN, KIND)
    return CarryPlan(record["carried"], record["since_full"], record["engine"])


def note_taken(
    settings: Settings, folder: Path, tree: Path, warehouse: Path, taken: Mapping[str, Mapping[str, Any]], engine: str
) -> None:
    """Have a build go on from what another engine made of the same inputs, and that lies in its file already: as if it
    were carried over. A node without a fingerprint is built again.

    Args:
        taken: unique id -> status and failures, of what the other engine built or tested.
    """
    carried = {}
    with connection(settings, warehouse, read_only=True, spill=folder / "spill") as con:
        for name, node in nodes_of(settings, folder, tree).items():
            if name in taken and node.fingerprint is not None:
                carried[name] = dict(taken[name]) | {"fingerprint": node.fingerprint, "place": node.place}
                if node.relation is not None and not node.is_view:
                    carried[name] |= vars(content_of(con, *node.relation)) | {"table": ".".join(node.relation)}
    _seal_plan(settings, folder, CarryPlan(carried, 0, engine))


def _find_usable(settings: Settings, log: Log) -> Kept | None:
    """The last build, where it may be built upon tonight."""
    try:
        kept = read_kept(settings)
    except Damaged as error:
        log(f"{error}: everything is built anew.")
        return None
    every = load_observatory(settings.data).policies.full_build_every
    if kept is not None and kept.since_full + 1 >= every:
        log(f"this is the {every}th build since the last full one: everything is built anew, and compared")
        return None
    return kept


def _find_unchanged(nodes: Mapping[str, Node], kept: Kept) -> dict[str, dict[str, Any]]:
    return {
        name: kept.nodes[name]
        for name, node in nodes.items()
        if name in kept.nodes
        and node.fingerprint is not None
        and (node.fingerprint, node.place) == (kept.nodes[name]["fingerprint"], kept.nodes[name]["place"])
    }


def _copy_kept(
    settings: Settings, folder: Path, nodes: Mapping[str, Node], kept: Kept, wanted: dict[str, dict[str, Any]], log: Log
) -> dict[str, dict[str, Any]]:
    """Copy the last build's file, drop what is not carried over; returns what is, which is there."""
    target = folder / "warehouse.duckdb"
    try:
        copy_kept(kept, target)
    except Damaged as error:
        log(f"{error}: everything is built anew.")
        return {}
    with connection(settings, target, spill=folder / "spill") as con:
        there = relations(con, target.stem)
        carried = {
            name: facts
            for name, facts in wanted.items()
            if (place := nodes[name].relation) is None or there.get(place) is nodes[name].is_view
        }
        stays = {nodes[name].relation for name in carried}
        if DECISIONS in there.keys() - stays:
            write_decided(con, folder)
        for (schema, name), is_view in there.items():
            if (schema, name) not in stays:
                con.execute(f"drop {'view' if is_view else 'table'} {quote(schema)}.{quote(name)}")
    return carried


def find_unproven(nodes: Mapping[str, Node], plan: CarryPlan, good: set[str]) -> list[str]:
    """Nodes that neither dbt built tonight with success nor were carried over with tonight's fingerprint."""
    held = {
        name
        for name, facts in plan.carried.items()
        if name in nodes and nodes[name].fingerprint is not None and nodes[name].fingerprint == facts["fingerprint"]
    }
    return sorted(set(nodes) - good - held)


def record_nodes(
    settings: Settings, folder: Path, tree: Path, warehouse: Path, results: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """What there is to know of each node of a whole build; every table is read for it.

    Args:
        results: unique id -> status and failures, of what dbt built tonight.

    Raises:
        Damaged: a table or view is missing, or one that was carried over has not the content it was built with.
        HimsError: a full build made something else of the same inputs than the last one.
    """
    nodes, plan = nodes_of(settings, folder, tree), read_plan(settings, folder)
    recorded: dict[str, dict[str, Any]] = {}
    with connection(settings, warehouse, read_only=True, spill=folder / "spill") as con:
        there = relations(con, warehouse.stem)
        for name, node in nodes.items():
            known = results.get(name) or plan.carried[name]
            facts = {"status": known["status"], "failures": known["failures"]}
            if node.relation is not None and there.get(node.relation) is not node.is_view:
                raise Damaged(warehouse, f"does not hold {'.'.join(node.relation)} as dbt says it does")
            if node.relation is not None and (not node.is_view or node.relation in ASSEMBLED):
                facts |= vars(content_of(con, *node.relation)) | {"table": ".".join(node.relation)}
            recorded[name] = facts | {"fingerprint": node.fingerprint, "place": node.place}
    changed = [name for name, facts in plan.carried.items() if name not in results and _differs(facts, recorded[name])]
    if changed:
        raise Damaged(warehouse, f"holds another {changed[0]} than the one that was carried over")
    if plan.engine == OWN_ENGINE:  # two engines' floating point differs in the last digits
        _compare(settings, recorded)
    return recorded


def _differs(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    return any(before.get(name) != now.get(name) for name in ("rows", "content_hash"))


def _compare(settings: Settings, recorded: Mapping[str, Mapping[str, Any]]) -> None:
    """Hold what was built anew against what the last build has for the same fingerprint."""
    try:
        kept = read_kept(settings)
    except Damaged:  # told when the build began
        return
    same = {name: facts for name, facts in (kept.nodes if kept else {}).items() if facts["fingerprint"] is not None}
    changed = [
        name
        for name, facts in recorded.items()
        if name in same and same[name]["fingerprint"] == facts["fingerprint"] and _differs(same[name], facts)
    ]
    if changed:
        raise HimsError(
            f"Not published: from the same inputs as the last build, dbt made another {', '.join(changed[:5])}"
            f"{f' and {len(changed) - 5} more' if len(changed) > 5 else ''}. Such a node follows from more than its "
            "text says (chance, time, the order of rows): change its SQL so that two builds are equal. Where what was "
            f"carried over is wrong, remove {settings.kept}: then everything is built anew and compared with nothing."
        )
