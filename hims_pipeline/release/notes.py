"""The words that go out with a release: what is new, what changed, what was refused, and where it comes from.

Findings stand in their outer reading, without a word of a sender; what our own people typed is escaped.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.model import Contract
from hims_pipeline.gates.warehouse import Broken
from hims_pipeline.intake import BatchState
from hims_pipeline.lake.batches import Batch
from hims_pipeline.release.compare import Change
from hims_pipeline.release.deliveries import LEFT_OUT
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection
from hims_pipeline.words import markdown


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


def correction_notes(settings: Settings, warehouse: Path) -> list[dict[str, Any]]:
    """What corrections did in a build, correction by correction and batch by batch."""
    with connection(settings, warehouse, read_only=True) as con:
        cursor = con.execute("""
            select applied.*, sources.is_personal
            from conformed.corrections_applied as applied
            join conformed.dim_source as sources on applied.source = sources.source
            order by applied.correction_id, applied.batch_id
        """)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def controls_of(settings: Settings, warehouse: Path) -> list[tuple[str, int, int, list[str]]]:
    """Controls by kind of data: kind, those with a figure of ours, those met, and the names of those missed."""
    with connection(settings, warehouse, read_only=True) as con:
        return con.execute("""
            select
                data_kind, count(our_value), count(*) filter (is_met),
                list(control_id order by control_id) filter (not is_met)
            from indicators.controls_compared group by data_kind order by data_kind
        """).fetchall()


def write_notes(
    facts: dict[str, Any],
    batches: list[BatchState],
    corrections: list[dict[str, Any]],
    controls: list[tuple[str, int, int, list[str]]],
    changes: list[Change] | None,
) -> str:
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
        origin = f"{markdown(source['attribution'].rstrip('.'))}. Licence: {markdown(source['licence'])}"
        lines.append(f"- {markdown(source['title']['en'])} ({kind}; {', '.join(source['periods'])}). {origin}")
    lines += ["", "## Not in this release", ""]
    absent = [batch for batch in batches if batch.state in LEFT_OUT]
    # Rules and counts only: which values were wrong stays with the deliverer.
    lines += [f"- {b.batch}: {b.state}. {markdown(' '.join(b.reasons))}" for b in absent] or [
        "Nothing was refused or withdrawn."
    ]
    lines += ["", "## Corrections", ""]
    lines += [_describe_mended(correction) for correction in corrections] or ["No known error was mended."]
    lines += ["", "## Controls", ""]
    lines += [_describe_control(*control) for control in controls] or ["No control figure is about these sources."]
    lines += ["", "## Revisions", ""]
    if changes is None:
        is_first = facts["release"] == "r000001"
        lines.append("This is the first release." if is_first else "No earlier release is left to compare with.")
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


def cross_source_notes(broken_rules: Sequence[Broken], back: Mapping[str, Mapping[str, Any]]) -> str:
    """Rules across sources that are broken and were before, and deliveries that their sources fell back from."""
    if not broken_rules and not back:
        return ""
    lines = ["", "## Across sources", ""]
    lines += [
        f"- {name} is held back; the delivery before counts. {markdown(why['reason'])}" for name, why in back.items()
    ]
    lines += [f"- {markdown(one.sentence())}" for one in broken_rules]
    return "\n".join(lines) + "\n"


def _describe_control(kind: str, compared: int, met: int, missed: list[str]) -> str:
    what = "SYNTHETIC: {} of {} figures equal published ones, scaled to the sample."
    what = what if kind == "synthetic" else f"{kind}: {{}} of {{}} figures equal published ones."
    return f"- {what.format(f'{met:,}', f'{compared:,}')}" + (f" Missed: {', '.join(missed)}." if missed else "")


def _row(change: Change) -> str:
    largest = "" if change.largest_percent is None else f"{change.largest_percent:.2f} %"
    return f"| {change.indicator} | {change.source} | {change.added} | {change.gone} | {change.changed} | {largest} |"


def _describe_mended(mended: dict[str, Any]) -> str:
    before, after = (f"{mended[name] or 0:,.6g}" for name in ("measure_before", "measure_after"))
    matched = f"{mended['rows_matched']:,} rows matched, {mended['rows_changed']:,} changed"
    if not mended["rows_matched"]:
        matched = "**matches no row any more: was it mended at the source?**"
    if not mended["is_personal"]:  # of persons, rows are told and no sums over them
        matched += f"; {mended['measure']} {before} -> {after}"
    return (
        f"- {mended['correction_id']} ({mended['kind']}, {mended['status']}), {mended['batch_id']}: {matched}. "
        f"{markdown(mended['reason_en'])}"
    )
