"""Broken deliveries, one for each rule that matters: a good file with one thing wrong, and the rule that must catch it.

Here: which there are, and writing them. How each is broken stands in `broken_files` (files that are no proper table)
and `broken_rows` (tables with wrong values).
"""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from hims_pipeline.settings import Settings
from hims_synthetic.broken_files import FILE_FAULTS, FileFault
from hims_synthetic.broken_rows import ROW_FAULTS, RowFault, Rows
from hims_synthetic.country import SEED
from hims_synthetic.samples import make_samples

SMALL = 0.001  # one resident in a thousand is enough to break
WRITTEN = {"2014": (";", "windows-1256")}  # delimiter and encoding where they are not a comma and UTF-8


@dataclass(frozen=True)
class BrokenSample:
    """One broken delivery.

    Args:
        name: what is wrong, as a word.
        why: the same as a sentence.
        expected_rule: start of the code of the rule that must catch it.
        refused: False where the rule warns, and lets the delivery pass as far as it goes.
    """

    name: str
    source: str
    period: str
    files: list[Path]
    why: str
    expected_rule: str
    refused: bool = True


def make_broken(settings: Settings, out: Path, seed: int = SEED, scale: float = SMALL) -> list[BrokenSample]:
    """Write the good sample to `out/good/` and the broken ones to `out/broken/<name>/`; returns the broken ones."""
    good = {
        (sample.source, sample.period): sample.files for sample in make_samples(settings, out / "good", seed, scale)
    }
    broken_samples = []
    for fault in FILE_FAULTS:
        path, *others = good[fault.source, fault.period]
        files = fault.make(path.name, path.read_bytes())
        broken_samples.append(_write(out, fault, files | {other.name: other.read_bytes() for other in others}))
    for row_fault in ROW_FAULTS:
        path, *others = good[row_fault.source, row_fault.period]
        delimiter, encoding = WRITTEN.get(row_fault.period, (",", "utf-8"))
        rows = row_fault.make(read_good_rows(path, delimiter, encoding))
        sent = {path.name: _as_bytes(rows, delimiter, encoding)} | {one.name: one.read_bytes() for one in others}
        broken_samples.append(_write(out, row_fault, sent))
    return broken_samples


def _write(out: Path, fault: FileFault | RowFault, files: dict[str, bytes]) -> BrokenSample:
    folder = out / "broken" / fault.name
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    paths = [folder / name for name in files]
    return BrokenSample(fault.name, fault.source, fault.period, paths, fault.why, fault.expected_rule, fault.refused)


def read_good_rows(path: Path, delimiter: str = ",", encoding: str = "utf-8") -> Rows:
    """A sample file as one dictionary a row."""
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def _as_bytes(rows: Rows, delimiter: str, encoding: str) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)
