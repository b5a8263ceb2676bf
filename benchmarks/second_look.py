"""What the second look at files with types costs, as a share of reading them: at most a fifth is wanted.

    python -m benchmarks.second_look [ROWS] [--repetitions N]

A census-like file of numbers, texts and missing codes is written as Stata, SPSS and Excel and read from landing to
bronze; seconds of CPU spent in the second look are counted within. Each share is the median over the repetitions.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pyreadstat

from hims_pipeline.contracts.model import Contract
from hims_pipeline.lake.landing import take_over
from hims_pipeline.readers import read_delivery
from hims_pipeline.readers.formats import excel, spss, stata
from hims_pipeline.settings import REPOSITORY, Settings

KINDS = {"stata": "dta", "spss": "sav", "excel": "xlsx"}
TYPES = {
    "household": "integer", "age": "integer", "sex": "integer", "income": "number", "place": "text", "reason": "text",
}  # fmt: skip


class Clock:
    """Seconds of CPU spent in what it is put around."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **more: Any) -> Any:
            began = time.process_time()
            try:
                return function(*args, **more)
            finally:
                self.seconds += time.process_time() - began

        return run


def make_frame(rows: int) -> pd.DataFrame:
    """Columns like those of a survey."""
    random = np.random.default_rng(1)
    income = random.normal(1000, 300, rows)
    income[random.random(rows) < 0.2] = np.nan
    return pd.DataFrame(
        {
            "household": np.arange(rows), "age": random.integers(0, 100, rows), "sex": random.integers(1, 3, rows),
            "income": income, "place": random.choice(["Tunis", "Sfax", "Béja", ""], rows),
            "reason": random.choice(["work", "study", "family"], rows),
        }
    )  # fmt: skip


def write(frame: pd.DataFrame, kind: str, path: Path) -> None:
    """Write it in one of the formats."""
    if kind == "stata":
        pyreadstat.write_dta(frame, str(path))
    elif kind == "spss":
        pyreadstat.write_sav(frame, str(path), missing_ranges={"sex": [9]})
    else:
        frame.to_excel(path, index=False)


@contextmanager
def looks_timed(clock: Clock) -> Iterator[None]:
    """Count what belongs to the second look alone."""
    sav, own = pyreadstat.read_sav, clock.around(pyreadstat.read_sav)
    places = [
        (excel, "look_at"), (excel, "check_numbers"), (excel, "find_unreal_days"), (spss, "_compare_spss"),
        (stata, "_require_agreement"), (pd.io.stata.StataReader, "read"),
    ]  # fmt: skip

    def read_sav(*args: Any, **more: Any) -> Any:
        """Chunks are read by the same function, from an offset each."""
        return own(*args, **more) if more.get("row_limit") and "row_offset" not in more else sav(*args, **more)

    with ExitStack() as stack:
        for owner, name in places:
            stack.enter_context(mock.patch.object(owner, name, clock.around(getattr(owner, name))))
        stack.enter_context(mock.patch.object(pyreadstat, "read_sav", read_sav))
        yield


def measure(settings: Settings, kind: str, path: Path, count: int) -> tuple[float, float]:
    """Seconds of CPU of the whole reading, and of the second look within it."""
    columns = [{"name": name, "type": type_} for name, type_ in TYPES.items()]
    people = {"title": {"en": "P"}, "grain": "p", "files": ["people.*"], "columns": columns, "format": {"type": kind}}
    contract = Contract.model_validate(
        {
            "source": f"b_{kind}", "title": {"en": "B"}, "description": "", "data_kind": "synthetic",
            "owner": {"institution": "none", "contact": "none"}, "purpose": "",
            "licence": {"name": "none", "attribution": "none", "redistributable": True},
            "legal": {"basis": "none", "retention_years": 1}, "cadence": "annual", "period": {"pattern": "year"},
            "clock": "none", "universe": "all", "duration_rule": "NONE", "measure_type": "stock",
            "entities": {"people": people},
        }
    )  # fmt: skip
    delivery, _ = take_over(settings, contract, str(2000 + count), [path])
    folder = settings.bronze / kind / str(count)
    folder.mkdir(parents=True)
    clock, began = Clock(), time.process_time()
    with looks_timed(clock):
        result = read_delivery(settings, contract, delivery, folder, lambda text: None)
    whole = time.process_time() - began
    if any(finding.severity == "blocking" for finding in result.findings):
        raise SystemExit("\n".join(finding.full_text() for finding in result.findings))
    return whole, clock.seconds


def main() -> None:
    """Print the share of each format."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="?", type=int, default=200_000)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        settings = Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", root / "home", env="test")
        frame = make_frame(options.rows)
        for kind, ending in KINDS.items():
            write(frame, kind, path := root / f"people.{ending}")
            spent = [measure(settings, kind, path, count) for count in range(options.repetitions)]
            share = statistics.median(look / whole for whole, look in spent)
            print(f"{kind:8} {statistics.median(whole for whole, _ in spent):6.2f} s of CPU, second look {share:5.0%}")


if __name__ == "__main__":
    main()
