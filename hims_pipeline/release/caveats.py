"""What readers of a release should know of its batches beside their figures: which count against the gate's word and on
whose, which rows were set aside, which sources are late."""

from typing import Any

from hims_pipeline.lake.batches import Batch
from hims_pipeline.lake.lateness import late_sources
from hims_pipeline.lake.periods import today_of
from hims_pipeline.settings import Settings
from hims_pipeline.staging.in_force import find_in_force
from hims_pipeline.words import markdown

Caveats = dict[str, list[Any]]


def caveats_of(settings: Settings, batches: list[Batch]) -> Caveats:
    """As they stand in both manifests; accounts stand in the audit trail alone."""
    late = late_sources(settings, [(one.manifest.source, one.manifest.period) for one in batches], today_of(settings))
    return {
        "accepted_against_the_gate": [
            {
                "batch": one.manifest.batch, "rules": sorted({reason.rule for reason in one.verdict.reasons}),
                "name": accepted_by.name, "reason": accepted_by.reason, "at": accepted_by.at,
            }
            for one in batches if one.verdict.is_overruled and (accepted_by := one.verdict.acceptance)
        ],
        "rows_set_aside": [
            {
                "batch": one.manifest.batch, "entity": name, "rows": entity.rows, "unreadable": entity.rejected,
                "by_rule": {part.rule: part.rows for part in one.verdict.set_aside if part.entity == name},
            }
            for one in batches for name, entity in one.manifest.entities.items() if entity.rejected or entity.set_aside
        ],
        "by_former_contract": sorted({one.manifest.source for one in batches} & find_in_force(settings).former),
        "late_sources": [
            {"source": one.source, "last_period": one.last_period, "due": one.due.isoformat()} for one in late
        ],
    }  # fmt: skip


def caveat_notes(caveats: Caveats) -> str:
    """The part of the release notes about them, with fixed headings."""
    accepted = [
        f"- {caveat['batch']} ({', '.join(caveat['rules'])}), by {markdown(caveat['name'])} on {caveat['at'][:10]}:"
        f" {markdown(caveat['reason'])}"
        for caveat in caveats["accepted_against_the_gate"]
    ]
    aside = [
        f"- {caveat['batch']}, {caveat['entity']}: {caveat['rows']:,} rows count."
        + (f" {caveat['unreadable']:,} lines could not be read." if caveat["unreadable"] else "")
        + "".join(f" {rows:,} rows break {rule}." for rule, rows in caveat["by_rule"].items())
        for caveat in caveats["rows_set_aside"]
    ]
    late = [
        f"- {caveat['source']}: stands on {caveat['last_period']}; the next delivery was due {caveat['due']}."
        for caveat in caveats["late_sources"]
    ]
    former = [
        f"- {source}: what is edited for it does not hold; its figures follow the contract that last did, and its new"
        " deliveries wait."
        for source in caveats["by_former_contract"]
    ]
    parts = [
        ("Accepted against the gate", accepted, "Nothing was."),
        ("Rows set aside", aside, "None were."),
        ("Late sources", late, "None is."),
        ("Sources by a former contract", former, "None is."),
    ]
    return "".join(f"\n## {title}\n\n" + "\n".join(lines or [none]) + "\n" for title, lines, none in parts)
