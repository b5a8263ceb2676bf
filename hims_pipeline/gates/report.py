"""A verdict in words: short for Dagster's pages, without a word of the sender; and the letter to the sender, who gets
their own words back and which therefore stays in the closed zone. Codes, counts and lines; never a value."""

from collections.abc import Sequence

from hims_pipeline.contracts.model import Contract
from hims_pipeline.lake.verdict import Finding, Verdict
from hims_pipeline.words import markdown


def reasons_markdown(verdict: Verdict) -> str:
    """The findings as a list, blocking ones first; one line when there are none. A person's decision stands before."""
    accepted_by = verdict.acceptance if verdict.is_overruled else None
    head = (
        f"Accepted against the gate by {markdown(accepted_by.name)}: {markdown(accepted_by.reason)}\n\n"
        if accepted_by
        else ""
    )
    whole = f"All {verdict.evaluated} rules hold." if verdict.accepted else "The gate came to no whole result."
    return head + (_list_findings(verdict.findings) or whole)


def _list_findings(findings: Sequence[Finding]) -> str:
    lines = [f"- {markdown(finding.sentence())}" for finding in findings if finding.severity == "blocking"]
    lines += [f"- warning: {markdown(finding.sentence())}" for finding in findings if finding.severity == "warning"]
    return "\n".join(lines)


def render_letter(verdict: Verdict, contract: Contract, findings: Sequence[Finding]) -> str:
    """What to tell the institution that sent a delivery.

    Args:
        findings: those of the verdict, with the sender's words (`lake.reports`).
    """
    text = _list_findings(findings) or f"All {verdict.evaluated} rules hold."
    head = [
        f"# {contract.title.en}: delivery {verdict.batch}",
        "",
        f"To: {contract.owner.institution} ({contract.owner.contact})",
        "",
        f"The delivery was **{verdict.status}** on {verdict.judged_at}.",
        "",
    ]
    if verdict.status == "accepted":
        return "\n".join([*head, "Nothing needs to be done.", "", text, ""])
    stages = {
        "envelope": "before a row was read",
        "types": "while its values were read",
        "gate": "by the rules on its content",
    }
    body = [
        f"It was stopped {stages[verdict.stage]}. Nothing of it was used, and nothing is lost.",
        "",
        "## To be mended",
        "",
    ]
    return "\n".join([*head, *body, text, "", "Please send the whole delivery again.", ""])
