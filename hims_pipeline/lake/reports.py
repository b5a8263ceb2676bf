"""Findings with the sender's own words, inside the closed zone: what the letter to the sender is written from.

    identified/reports/<source>/<period>/<id>/findings.json   sealed, mode 0600
    identified/rejects/<source>/<period>/<id>/<entity>.parquet   lines that were set aside; their hashes stand in it

Outside the zone verdicts, logs and pages hold the outer reading of the same findings (`words`), with `file 1` for a
name and `column 12` for a heading. Not here: the letter itself (`gates.report`).
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from hims_pipeline.lake.files import private_folder, sha256_of
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.seal import read_sealed, write_sealed
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.settings import Settings
from hims_pipeline.words import inner_text

REPORTS, REJECTS, FINDINGS, KIND = "reports", "rejects", "findings.json", "findings"


def write_findings(settings: Settings, delivery: Delivery, findings: tuple[Finding, ...]) -> None:
    """Keep the findings on a delivery in full, in the place of those of an earlier reading."""
    folder = private_folder(settings.identified)
    for part in (REPORTS, delivery.source, delivery.period, delivery.id):
        folder = private_folder(folder / part)
    set_aside = sorted(rejects_folder(settings, delivery).glob("*.parquet"))
    record = {
        "batch": delivery.batch,
        "rejects": {path.name: sha256_of(path) for path in set_aside},
        "files": {f"file {number}": file.name for number, file in enumerate(delivery.files, 1)},
        "findings": [
            asdict(finding)
            | {"message": inner_text(finding.message), "file": inner_text(finding.file), "lines": list(finding.lines)}
            for finding in findings
        ],
    }
    write_sealed(settings, folder / FINDINGS, KIND, record)


def read_findings(settings: Settings, delivery: Delivery) -> tuple[Finding, ...] | None:
    """The findings with the sender's words; None where the delivery was never read.

    Raises:
        Damaged: the record is not what we wrote, or this account may not read the closed zone.
    """
    path = _place(settings, delivery)
    if not path.exists():
        return None
    record: dict[str, Any] = read_sealed(settings, path, KIND)
    return tuple(Finding(**{**one, "lines": tuple(one["lines"])}) for one in record["findings"])


def rejects_folder(settings: Settings, delivery: Delivery) -> Path:
    """Where the lines of a delivery that were set aside lie, with their raw values."""
    return settings.identified / REJECTS / delivery.source / delivery.period / delivery.id


def damaged_rejects(settings: Settings, delivery: Delivery) -> list[str]:
    """Names of files of lines set aside that are not what was written, are missing, or were added since.

    Raises:
        Damaged: the record that tells which there are is not what we wrote.
    """
    path, folder = _place(settings, delivery), rejects_folder(settings, delivery)
    known = read_sealed(settings, path, KIND).get("rejects", {}) if path.exists() else {}
    present = {one.name: sha256_of(one) for one in folder.iterdir()} if folder.is_dir() else {}
    return sorted(name for name in known.keys() | present.keys() if known.get(name) != present.get(name))


def _place(settings: Settings, delivery: Delivery) -> Path:
    return settings.identified / REPORTS / delivery.source / delivery.period / delivery.id / FINDINGS
