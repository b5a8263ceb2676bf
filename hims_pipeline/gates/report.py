"""A verdict in words: for the deliverer, and short for Dagster's pages. Codes, counts and lines; never a value."""

from hims_pipeline.contracts.model import Contract
from hims_pipeline.lake.verdict import Verdict


def reasons_markdown(verdict: Verdict) -> str:
    """The findings as a list, blocking ones first; one line when there are none."""
    lines = [f"- **{finding.rule}** {finding.sentence().split(': ', 1)[1]}" for finding in verdict.reasons]
    lines += [f"- warning: {finding.sentence()}" for finding in verdict.findings if finding.severity == "warning"]
    return "\n".join(lines) or f"All {verdict.evaluated} rules hold."


def deliverer_report(verdict: Verdict, contract: Contract) -> str:
    """What to tell the institution that sent a delivery."""
    head = [
        f"# {contract.title.en}: delivery {verdict.batch}",
        "",
        f"To: {contract.owner.institution} ({contract.owner.contact})",
        "",
        f"The delivery was **{verdict.status}** on {verdict.judged_at}.",
        "",
    ]
    if verdict.status == "accepted":
        return "\n".join([*head, "Nothing needs to be done.", "", reasons_markdown(verdict), ""])
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
    return "\n".join([*head, *body, reasons_markdown(verdict), "", "Please send the whole delivery again.", ""])
