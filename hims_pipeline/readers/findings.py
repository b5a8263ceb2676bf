"""What readers report. Not here: the record itself (`lake.verdict`).

Messages are made by `words`, files are shown by ordinals; plain text is taken for a sender's and stays in the closed
zone, so that what nobody thought of leaks nothing.
"""

from typing import Any

from hims_pipeline.lake.verdict import Finding
from hims_pipeline.words import Words, as_message, senders_text


def block(rule: str, message: str, file: str = "", **more: Any) -> Finding:
    """A finding that refuses its delivery; `more` are further members of `Finding`."""
    return Finding(rule=rule, severity="blocking", message=as_message(message), file=_file(file), **more)


def warn(rule: str, message: str, file: str = "", **more: Any) -> Finding:
    """A finding that is told and refuses nothing."""
    return Finding(rule=rule, severity="warning", message=as_message(message), file=_file(file), **more)


def refuses(findings: list[Finding]) -> bool:
    """Is one of them more than a warning?"""
    return any(finding.severity == "blocking" for finding in findings)


def _file(file: str) -> str:
    return file if not file or isinstance(file, Words) else senders_text(file, "a file")
