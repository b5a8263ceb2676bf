"""The words that go out with a release: what is new, what changed, what was refused, and where it comes from."""

from typing import Any

from hims_pipeline.contracts.model import Contract
from hims_pipeline.intake import BatchState
from hims_pipeline.lake.batches import Batch
from hims_pipeline.release.compare import Change
from hims_pipeline.settings import Settings


def sources_of(batches: list[Batch], contracts: dict[str, Contract]) -> list[dict[str, Any]]:
    """The sources in a release: periods that count, kind of data, licence and attribution."""
    names = sorted({batch.manifest.source for batch in batches})
    return [
        {
            "source": name,
            "title": contracts[name].title.model_dump(),
            "periods": [batch.manifest.period for batch in batches if batch.manifest.source == name],
            "data_kind": contracts[name].data_kind,
            "licence": contracts[name].licence.name,
            "attribution": contracts[name].licence.attribution,
        }
        for name in names
    ]


def write(settings: Settings, facts: dict[str, Any], batches: list[BatchState], changes: list[Change] | None) -> str:
    """Release notes in Markdown, with fixed headings."""
    lines = [
        f"# Release {facts['release']}",
        "",
        f"{facts['observatory']['en']}. Published {facts['published_at']}.",
        "",
    ]
    if facts["contains_synthetic_data"]:
        lines += ["**SYNTHETIC: rows with `data_kind = 'synthetic'` describe no real person or event.**", ""]
    lines += ["## Sources", ""]
    for source in facts["sources"]:
        kind = "SYNTHETIC" if source["data_kind"] == "synthetic" else source["data_kind"]
        origin = f"{source['attribution'].rstrip('.')}. Licence: {source['licence']}"
        lines.append(f"- {source['title']['en']} ({kind}; {', '.join(source['periods'])}). {origin}")
    lines += ["", "## Not in this release", ""]
    absent = [batch for batch in batches if batch.state in ("refused", "withdrawn", "pending")]
    # Rules and counts only: which values were wrong stays with the deliverer.
    lines += [f"- {b.batch}: {b.state}. {' '.join(b.reasons)}" for b in absent] or ["Nothing was refused or withdrawn."]
    lines += ["", "## Revisions", ""]
    if changes is None:
        lines.append("This is the first release.")
    elif not changes:
        lines.append(f"No figure differs from {facts['previous']}.")
    else:
        lines += [
            f"Against {facts['previous']}:",
            "",
            "| indicator | source | added | gone | changed | largest change |",
            "|---|---|---|---|---|---|",
        ]
        lines += [_row(change) for change in changes]
    return "\n".join(lines) + "\n"


def _row(change: Change) -> str:
    largest = "" if change.largest_percent is None else f"{change.largest_percent:.2f} %"
    return f"| {change.indicator} | {change.source} | {change.added} | {change.gone} | {change.changed} | {largest} |"
