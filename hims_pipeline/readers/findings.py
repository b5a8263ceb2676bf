"""What readers report: a finding that refuses the delivery. Not here: the record itself (`lake.verdict`)."""

from typing import Any

from hims_pipeline.lake.verdict import Finding


def blocking(rule: str, message: str, file: str = "", **more: Any) -> Finding:
    """A finding that refuses its delivery; `more` are further members of `Finding`."""
    return Finding(rule=rule, severity="blocking", message=message, file=file, **more)
