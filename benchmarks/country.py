"""The synthetic country from nothing to a release: time, memory and size, and published figures against controls.

python -m benchmarks.country [SCALE] [--sources rgph,…] [--keep FOLDER]

At scale 1.0 control figures must come out as they are, at another scale as their share. What is measured is printed;
nothing here passes or fails, since times depend on the machine.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from benchmarks.linkage import compared, truth_of
from hims_pipeline import intake
from hims_pipeline.contracts.controls import Control, load_controls
from hims_pipeline.lake import landing
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.release.reader import connect
from hims_pipeline.settings import REPOSITORY, Settings

KEYS = ("indicator", "source", "vintage", "time_period", "ref_area", "counterpart_area", "sex")
# Units that follow the scale; rates do not. Amounts do: they are sums over the persons of the country.
SCALED = ("PERSONS", "PASSAGES", "PERMITS", "CONTRACTS", "INCIDENTS", "MILLION")
MEMORY = "6GB"  # of DuckDB, for 42 million persons; the usual limit is for a night on a small machine
MINIMUM_COUNT = 10  # of observatory.yml
SUMMED = 0.0025  # of a sum over cells that are each a whole number of persons at another scale than 1
ROUNDING = 0.05  # of a rate: what the rounding of its small parts may do at another scale than 1


@dataclass(frozen=True)
class Score:
    """One control: what should come out at this scale, and what did."""

    control_id: str
    data_kind: str
    wanted: float
    tolerance: float
    found: float | None
    is_scaled: bool = False

    @property
    def is_too_small(self) -> bool:
        """So few at this scale that disclosure control withholds it."""
        return self.is_scaled and self.found is None and self.wanted < MINIMUM_COUNT

    @property
    def holds(self) -> bool:
        return self.found is not None and abs(self.found - self.wanted) <= self.tolerance + 1e-9


def measured(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Run a command; returns seconds, and the peak memory in GB of the largest process so far."""
    started = time.perf_counter()
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SystemExit(done.stdout[-4000:])
    return time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6


def deliver(settings: Settings, deliveries: Path, sources: set[str]) -> dict[str, int]:
    """Put the deliveries into landing; returns bytes by source."""
    sizes: dict[str, int] = defaultdict(int)
    with installation_lock(settings, "bench"):
        for folder in sorted(path for path in deliveries.glob("*/*") if path.is_dir()):
            source, files = folder.parent.name, sorted(folder.iterdir())
            sizes[source] += sum(file.stat().st_size for file in files)
            if not sources or source in sources:
                landing.take_over(settings, intake.contract_of(settings, source), folder.name, files)
    return dict(sizes)


def scores(settings: Settings, scale: float) -> list[Score]:
    """Every control whose source is in the release, each with the kind of data that its figure has."""
    con = connect(staff=True, settings=settings)
    try:
        held = {source for (source,) in con.execute("select distinct source from indicator_value").fetchall()}
        asked = [one for one in load_controls(settings.data) if one.source in held and (one.indicator or one.breakdown)]
        return [_score(con, one, scale) for one in asked]
    finally:
        con.close()


def _score(con, one: Control, scale: float) -> Score:
    found = (_figures if one.indicator else _persons)(con, one)
    found = found if len(found) == 1 else []  # a control names one figure
    kinds = con.execute("select data_kind from reference.sources where source = ?", [one.source]).fetchall()
    kind = kinds[0][0] if kinds else "missing"
    follows = kind == "synthetic" and one.unit.rsplit("_", 1)[-1] in SCALED
    wanted = one.value * (scale if follows else 1)
    slack = 0.0 if scale == 1 else (max(1.0, SUMMED * wanted) if follows else ROUNDING * abs(wanted))
    tolerance = one.tolerance * (scale if follows else 1) + (slack if kind == "synthetic" else 0)
    return Score(one.control_id, kind, wanted, tolerance, found[0] if found else None, follows)


def _figures(con, one: Control) -> list[float | None]:
    """The published figures that a control names: what it does not break down is the total."""
    breakdowns = {name: "_T" for (name,) in con.execute("select breakdown from reference.breakdowns").fetchall()}
    cell = {"age": "_T"} | breakdowns | one.broken_down | {key: getattr(one, key) for key in KEYS}
    query = f"select obs_value from indicator_value where {' and '.join(f'{name} = ?' for name in cell)}"
    return [value for (value,) in con.execute(query, list(cell.values())).fetchall()]


def _persons(con, one: Control) -> list[float | None]:
    """For a control about the fact: persons who meet its conditions, or moves into or out of areas within its area."""
    given = one.broken_down
    query = "select cast(sum(weight_persons) as double) from conformed.fct_persons where source = ? and time_period = ?"
    if "moves" in given:
        side = {"in": "destination_code", "out": "origin_code"}[given.pop("moves")]
        query = f"""
            select cast(sum(moves.persons) as double)
            from conformed.int_persons__moves as moves
            join conformed.dim_batch as batches on moves.batch_id = batches.batch_id and moves.entity = batches.entity
            where batches.source = ? and batches.time_period = ? and moves.has_moved and moves.{side} in (
                select area_code from conformed.dim_area_ancestor where ancestor_code = ?
            )
        """
        given = {"ancestor_code": one.ref_area}
    else:
        query += "".join(f" and {name} = ?" for name in given)
    return [value for (value,) in con.execute(query, [one.source, one.time_period, *given.values()]).fetchall()]


def show(found: list[Score]) -> None:
    """The table of controls, kinds of data apart: a figure of invented data says nothing about real data."""
    for kind in sorted({one.data_kind for one in found}):
        of_kind = [one for one in found if one.data_kind == kind]
        print(f"\ncontrols, {kind}: {sum(one.holds for one in of_kind)} of {len(of_kind)} hold")
        for one in of_kind:
            value = "none" if one.found is None else f"{one.found:,.2f}"
            mark = "ok  " if one.holds else "few " if one.is_too_small else "MISS"
            print(f"  {mark} {one.control_id:28} wanted {one.wanted:>16,.2f}  found {value:>16}")


def main(scale: float, sources: set[str], keep: Path | None) -> None:
    """Generate, deliver, run, compare; everything lies in one folder that is removed unless it is to be kept."""
    folder = keep or Path(tempfile.mkdtemp(prefix="hims-country-"))
    limit = os.environ.get("HIMS_MEMORY_LIMIT", MEMORY)
    environment = {**os.environ, "HIMS_HOME": str(folder / "home"), "HIMS_ENV": "dev", "HIMS_MEMORY_LIMIT": limit}
    settings = Settings(
        REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", folder / "home", memory_limit=limit
    )
    hims = [sys.executable, "-m", "hims_pipeline.cli"]
    try:
        seconds, peak = measured([*hims, "synth", "--scale", str(scale), "--out", str(folder / "out")], environment)
        print(f"generated at scale {scale:g}: {seconds:,.0f} s, {peak:.1f} GB at most")
        started = time.perf_counter()
        sizes = deliver(settings, folder / "out" / "deliveries", sources)
        for source, size in sorted(sizes.items(), key=lambda one: -one[1]):
            print(f"  {source:24} {size / 1e6:>10,.1f} MB")
        print(f"delivered: {time.perf_counter() - started:,.0f} s")
        seconds, peak = measured([*hims, "run"], environment)
        print(f"taken in, built and released: {seconds:,.0f} s, {peak:.1f} GB at most so far")
        show(scores(settings, scale))
        print("\nlinkage, against the true persons:")
        for one in compared(settings, *(truth_of(folder / "out", name) for name in ("persons", "true_keys"))):
            print(f"  {one}")
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("scale", type=float, nargs="?", default=1.0)
    parser.add_argument("--sources", default="", help="deliver these alone, by comma")
    parser.add_argument("--keep", type=Path, help="work here, and leave everything")
    given = parser.parse_args()
    main(given.scale, set(filter(None, given.sources.split(","))), given.keep)
