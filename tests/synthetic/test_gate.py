"""Sent through the real door: good samples are accepted without a word, broken ones caught by the rule named."""

from pathlib import Path

import pytest

from hims_pipeline import intake
from hims_pipeline.lake import landing
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.lake.verdict import Verdict
from hims_pipeline.settings import Settings
from hims_synthetic import BrokenSample, Sample
from hims_synthetic.broken_files import FILE_FAULTS
from hims_synthetic.broken_rows import ROW_FAULTS

# Rules on single rows must say which row it is.
LINE_NAMED = ("two_heads", "born_abroad_at_home", "identity_twice", "abroad_without_country", "duplicate_keys")
FAULTS = [fault.name for fault in (*FILE_FAULTS, *ROW_FAULTS)]


def verdict_on(settings: Settings, source: str, period: str, files: list[Path]) -> Verdict:
    contract = intake.contract_of(settings, source)
    with installation_lock(settings, "test"):
        delivery, _ = landing.take_over(settings, contract, period, files)
        return intake.take_in(settings, delivery, lambda text: None)


@pytest.mark.parametrize(
    ("source", "period"),
    [("rgph", "2014"), ("rgph", "2024"), *(("border_crossings", f"2024-0{month}") for month in range(1, 7))],
)
def test_good_samples_are_accepted_without_a_warning(
    settings: Settings, good: dict[tuple[str, str], Sample], source: str, period: str
) -> None:
    verdict = verdict_on(settings, source, period, good[source, period].files)
    assert (verdict.status, verdict.findings) == ("accepted", ())
    assert verdict.declared == verdict.evaluated > 20


@pytest.mark.parametrize("name", FAULTS)
def test_broken_samples_are_caught_by_the_named_rule(
    settings: Settings, broken: dict[str, BrokenSample], name: str
) -> None:
    one = broken[name]
    verdict = verdict_on(settings, one.source, one.period, one.files)
    severity = "blocking" if one.refused else "warning"
    caught = [finding for finding in verdict.findings if finding.severity == severity]
    named = [finding for finding in caught if finding.rule.startswith(one.expected_rule)]
    assert named, verdict.findings
    assert verdict.status == "refused" or not one.refused  # what its own rule lets pass, another may stop
    if name in LINE_NAMED:
        assert named[0].lines
        assert min(named[0].lines) > 1
