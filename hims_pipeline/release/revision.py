"""The revision of a candidate against the last release: what moved, why, what of it is beyond its limits, and whose
word lets it pass. Beyond them a release is held until a person accepts exactly these movements (`holds`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hims_pipeline.gates.revisions import Cause, judge_revision, load_revision_limits, revision_code
from hims_pipeline.intake import find_destroyed
from hims_pipeline.lake import landing
from hims_pipeline.plain_file import read_json
from hims_pipeline.release import movements
from hims_pipeline.release.causes import Changes, compare_inputs, read_basis
from hims_pipeline.release.held_page import texts
from hims_pipeline.release.movements import Movement
from hims_pipeline.release.store import Release
from hims_pipeline.settings import Settings
from hims_pipeline.staging.render import MANIFEST
from hims_pipeline.words import markdown

ORDER = ("missing", "total", "gone", "new_level", "part", "hidden")  # as a person reads them


@dataclass(frozen=True)
class Revision:
    """What became of the figures since a release.

    Args:
        since: id of the release; "" where there is none to compare with, or the observatory has no limits.
        beyond: movements beyond their limits, by measure, the largest first.
        verdict: of Great Expectations, as the manifest keeps it.
    """

    since: str
    changes: Changes
    beyond: tuple[Movement, ...] = ()
    verdict: Mapping[str, Any] | None = None

    @property
    def codes(self) -> list[str]:
        return sorted({revision_code(one.measure) for one in self.beyond})


def basis_of(settings: Settings, tree: Path) -> dict[str, Any]:
    """What a build's figures follow from beside its batches; `tree` is its rendered dbt project."""
    return read_basis(settings, read_json(tree / MANIFEST))


def revise(
    settings: Settings,
    previous: Release | None,
    database: Path,
    rows: Sequence[Mapping[str, Any]],
    now: Mapping[str, Any],
    part: str = "public",
) -> Revision:
    """Compare a candidate with the last release, and let the gate judge what moved.

    Args:
        database: the candidate's file, of the same `part` as is compared with.
        rows, now: its inputs and its basis.

    Raises:
        GateError: the gate could not do its work.
    """
    limits = load_revision_limits(settings.expectations)
    if previous is None or limits is None:
        return Revision("", Changes())
    withdrawn = {delivery.batch: delivery.withdrawn for delivery in landing.deliveries(settings) if delivery.withdrawn}
    withdrawn |= {one.batch: one.reasons[0] for one in find_destroyed(settings)}
    changes = compare_inputs(settings, previous.manifest("staff"), rows, now, withdrawn)
    moved = movements.find_movements(settings, previous.folder / part / "warehouse.duckdb", database, changes, limits)
    outcome, numbers = judge_revision(settings, limits, movements.movement_evidence(moved))
    beyond = sorted(
        (moved[no] for no in numbers if no >= 0),
        key=lambda one: (ORDER.index(one.measure), -one.percent, one.indicator, one.source, one.area, one.about),
    )
    return Revision(previous.id, changes, tuple(beyond), outcome.as_json() | {"compared": len(moved)})


def revision_notes(revision: Revision, words: Sequence[Mapping[str, Any]]) -> str:
    """What the release notes say: what changed since, and who accepted what."""
    if not revision.since:
        return ""
    lines = ["", f"## Since {revision.since}", ""]
    in_words = texts()["en"]["causes"]
    causes = [f"{in_words[cause]}: {text}" for cause, text in told_changes(revision.changes)]
    lines += [f"- {markdown(text)}" for text in causes] or ["The same deliveries and definitions."]
    for word in words:
        lines += ["", f"Accepted by {markdown(word['account'])}: {markdown(word['reason'])}"]
    if revision.beyond:
        lines += ["", f"Movements beyond their limits: {len(revision.beyond)} ({', '.join(revision.codes)})."]
    return "\n".join(lines) + "\n"


def told_changes(changes: Changes) -> list[tuple[Cause, str]]:
    """What changed since the last release: of which kind, and the batch (`new <- former`), file or library."""
    causes: list[tuple[Cause, str]] = []
    for one in changes.batches:
        behind = f" <- {one.former}" if one.former else ""
        causes.append((one.cause, f"{one.batch}{behind}{f' ({one.why})' if one.why else ''}"))
    ruled = [*changes.sources.values(), *changes.indicators.values(), *changes.shared]
    causes += [("new_rules", name) for name in dict.fromkeys(ruled)]
    return causes + [("new_code", name) for name in changes.code]
