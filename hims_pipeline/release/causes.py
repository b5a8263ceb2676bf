"""What changed since the last release that may have moved figures: deliveries, what people edit, our own code.

Each release keeps what it was made of, file by file (`read_basis` in its staff manifest). A figure may move where a
delivery of its source changed whose days meet its own, where its indicator's record or model, or its source's contract
or corrections, say something else, and where something changed that all figures rest on. Not here: what did move
(`movements`), and how far it may (`gates.revisions`).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.indicators import code_in_name, load_indicators
from hims_pipeline.contracts.load import fingerprint
from hims_pipeline.contracts.model import Contract
from hims_pipeline.gates.revisions import Cause
from hims_pipeline.provenance import CARRYING, RENDERING, provenance_of
from hims_pipeline.settings import Settings
from hims_pipeline.staging.in_force import find_in_force

DEFINITIONS = "indicators"  # in data/: compared record by record
TOLD = ("controls", "samples", "deliveries.yml", "identifier_shapes.csv", "identifier_lookalikes.csv")  # move no figure
LENIENT: tuple[Cause, ...] = (
    "withdrawn_delivery", "growing_period", "new_edition", "corrected_delivery", "new_rules", "new_period", "new_code",
)  # fmt: skip


@dataclass(frozen=True)
class BatchChange:
    """A delivery that counts now and did not, or did and does not.

    Args:
        start, end: the days that its figures may be about; None where all of its source's may.
        batch: the one that counts now, or that did where `cause` says that it was withdrawn.
        former: the batch that it replaces; "" where there was none.
        why: why it was withdrawn.
    """

    cause: Cause
    source: str
    period: str
    batch: str
    former: str = ""
    why: str = ""
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True)
class Changes:
    """All that changed since a release.

    Args:
        indicators, sources: whose records, models, contracts or corrections changed, with the files.
        shared: files that every figure may rest on.
        code: what changed of ours: `code`, names of libraries.
        behind: indicator -> sources that its figures follow from without naming them.
        linked: indicator -> registers that its figures join by number: a batch of either end moves them.
    """

    batches: tuple[BatchChange, ...] = ()
    indicators: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    shared: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    behind: dict[str, frozenset[str]] = field(default_factory=dict)
    linked: dict[str, frozenset[str]] = field(default_factory=dict)

    def causes_of_figure(self, indicator: str, source: str, start: date, end: date) -> list[tuple[Cause, str]]:
        """What may have moved the figures of an indicator and source (`a+b` for several) about these days, the most
        lenient first, in words: a batch, a file."""
        own = set(source.split("+"))
        causes: list[tuple[Cause, str]] = []
        for one in self.batches:
            if one.source in self.linked.get(indicator, ()) and one.cause != "new_period":
                causes.append((one.cause, one.batch))
            elif one.source in own:
                meets = one.start is None or one.end is None or (one.start <= end and start <= one.end)
                several = len(own) > 1
                if one.cause == "new_period":
                    causes.append(("growing_period" if meets else "new_period", one.batch))
                elif meets or several:
                    causes.append((one.cause, one.batch))
            elif one.source in self.behind.get(indicator, ()):
                causes.append(("new_edition", one.batch))
        ruled = [
            self.indicators.get(indicator, ""),
            *(self.sources.get(name, "") for name in sorted(own)),
            *self.shared,
        ]
        causes += [("new_rules", text) for text in ruled if text]
        causes += [("new_code", text) for text in self.code]
        return sorted(causes, key=lambda one: LENIENT.index(one[0]))


def read_basis(settings: Settings, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What a release's figures follow from beside its batches, hash by hash.

    Args:
        manifest: dbt's, of the rendered project.
    """
    own = provenance_of(*RENDERING, *CARRYING)
    files = {
        path.relative_to(settings.data).as_posix(): _sha256(path)
        for path in sorted(settings.data.rglob("*"))
        if path.suffix in (".yml", ".csv")
        and path.name[0] != "."
        and path.relative_to(settings.data).parts[0] not in (DEFINITIONS, *TOLD)
    }
    models = {
        path.relative_to(settings.dbt_project).as_posix(): _sha256(path)
        for path in sorted(settings.dbt_project.rglob("*"))
        if path.suffix in (".yml", ".sql") and "tests" not in path.parts and "unit_tests" not in path.name
    }
    return {
        "files": files,
        "models": models,
        "indicators": {code: fingerprint(one) for code, one in load_indicators(settings.data).items()},
        "code": own.code,
        "versions": own.versions,
        "behind": {code: sorted(names) for code, names in _sources_behind(manifest).items()},
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _sources_behind(manifest: Mapping[str, Any]) -> dict[str, set[str]]:
    """Indicator -> sources whose staging models its models read."""
    nodes = manifest.get("nodes", {})
    known: dict[str, set[str]] = {}

    def sources(name: str) -> set[str]:
        if name not in known:
            known[name] = set()
            node = nodes.get(name, {})
            if node.get("name", "").startswith("stg_") and "__" in node["name"]:
                known[name] = {node["name"][4:].split("__")[0]}
            else:
                for other in node.get("depends_on", {}).get("nodes", ()):
                    known[name] |= sources(other)
        return known[name]

    sources_of_indicator: dict[str, set[str]] = {}
    for name, node in nodes.items():
        if node.get("resource_type") == "model" and (code := code_in_name(node["name"])):
            sources_of_indicator.setdefault(code, set()).update(sources(name))
    return sources_of_indicator


def compare_inputs(
    settings: Settings,
    before: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    now: Mapping[str, Any],
    withdrawn: Mapping[str, str],
) -> Changes:
    """Compare with a release.

    Args:
        before: the release's staff manifest.
        rows: the inputs of what is to be published.
        now: its basis.
        withdrawn: batch -> why it counts no longer, of those taken out by people or destroyed.
    """
    contracts = find_in_force(settings).contracts
    batches = tuple(_batches(before["inputs"], rows, contracts, withdrawn))
    then = before.get("basis")
    if then is None:
        return Changes(batches, shared=("an earlier version did not keep what it was made of",))
    files = _find_differing(then["files"], now["files"])
    sources = {Path(name).stem: name for name in files if name.split("/")[0] in ("contracts", "corrections")}
    models = {name: code_in_name(Path(name).stem) for name in _find_differing(then["models"], now["models"])}
    indicators = {code: name for name, code in models.items() if code}
    indicators |= {code: f"the record of {code}" for code in _find_differing(then["indicators"], now["indicators"])}
    versions = _find_differing(then["versions"], now["versions"])
    named = {name for row in (*before["inputs"], *rows) for name in [row["source"]] if _has_figures(name, contracts)}
    linked = {name for name, c in contracts.items() if any(col.links for e in c.entities.values() for col in e.columns)}
    joining = {name for name in contracts if not _has_figures(name, contracts)}
    return Changes(
        batches=batches,
        indicators=indicators,
        sources=sources,
        shared=tuple(name for name in files if Path(name).stem not in sources),
        code=tuple(
            [*(["our own code"] if then["code"] != now["code"] else []), *versions]
            + [f"dbt_project/{name}" for name, code in models.items() if not code]
        ),
        behind={code: frozenset(set(names) - named) for code, names in now["behind"].items()},
        linked={code: frozenset(linked) for code, names in now["behind"].items() if set(names) & joining},
    )


def _has_figures(source: str, contracts: Mapping[str, Contract]) -> bool:
    """Whether figures name a source as theirs; what only joins others is named by none."""
    return source in contracts and contracts[source].period.supersedes != "earlier_deliveries"


def _find_differing(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def _batches(
    before: Iterable[Mapping[str, Any]],
    now: Iterable[Mapping[str, Any]],
    contracts: Mapping[str, Contract],
    withdrawn: Mapping[str, str],
) -> Iterable[BatchChange]:
    then, current = _widest_by_batch(before), _widest_by_batch(now)
    replaced = {(row["source"], row["period"]): name for name, row in then.items() if name not in current}
    for name, row in current.items():
        if name in then:
            continue
        contract = contracts[row["source"]]
        edition = contract.period.kind == "edition" or contract.period.supersedes in (
            "earlier_editions",
            "earlier_deliveries",
        )
        former = replaced.pop((row["source"], row["period"]), "")
        cause: Cause = "corrected_delivery" if former else "new_edition" if edition else "new_period"
        if former in withdrawn:
            cause = "withdrawn_delivery"
        start, end = (None, None) if edition else _days(row)
        yield BatchChange(cause, row["source"], row["period"], name, former, withdrawn.get(former, ""), start, end)
    for (source, period), name in replaced.items():
        row, known = then[name], contracts.get(source)
        superseded = known is not None and known.period.supersedes in ("earlier_editions", "earlier_deliveries")
        if superseded and name not in withdrawn and any(row["source"] == source for row in current.values()):
            continue  # the edition that took its place is told
        start, end = (None, None) if superseded else _days(row)
        why = withdrawn.get(name, "it counts no longer")
        yield BatchChange("withdrawn_delivery", source, period, name, "", why, start, end)


def _widest_by_batch(rows: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Batch -> its row with the longest window."""
    widest: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        known = widest.get(row["batch_id"])
        if known is None or (row.get("window_years") or 0) > (known.get("window_years") or 0):
            widest[row["batch_id"]] = row
    return widest


def _days(row: Mapping[str, Any]) -> tuple[date, date]:
    """The days that a batch's figures may be about: its own, and the window of years before them."""
    first, last = date.fromisoformat(row["period_start_date"]), date.fromisoformat(row["period_end_date"])
    return first - timedelta(days=366 * int(row.get("window_years") or 0)), last
