"""`make recompute`: the current release's figures made again, printed one by one. Fails on any difference.

A figure that is published and not made again is a difference, and so is one that is made again and not published; what
the release withholds is counted and never printed. `HIMS_HOME` names the installation (`.hims` without it).
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from recompute import registers, stocks
from recompute.figures import Key, batches_of, current_release, published_figures

# Source -> how one delivery of it is counted, and the periods whose files are read here.
COUNTED: dict[str, tuple[Callable[[Path, str], dict[Key, float]], tuple[str, ...]]] = {
    "rgph": (registers.count_census, ("2014", "2024")),
    "civil_registration": (registers.count_vital_events, ()),
    "border_crossings": (registers.count_passages, ()),
    "consular_register": (registers.count_registered, ()),
    "undesa_migrant_stock": (stocks.add_up_stocks, ()),
}


def recompute(home: Path) -> tuple[dict[Key, float], set[tuple[str, str, str, str]]]:
    """All figures that the deliveries of the current release give, and the series of figures that these should fill:
    indicator, source, edition and period or, where an edition brings many years, `*`."""
    made: dict[Key, float] = {}
    for batch in batches_of(current_release(home)):
        source, period, _ = batch.split("/")
        count, periods = COUNTED.get(source, (None, ()))
        if count is not None and (not periods or period in periods):
            made |= count(home / "identified/landing" / batch, period)
    return made, {(key.indicator, key.source, key.vintage, key.period) for key in made}


def compare(made: dict[Key, float], published: dict[Key, float | None], filled: set[tuple[str, str, str, str]]) -> int:
    """Print figure by figure; returns how many differ."""
    wrong = equal = withheld = 0
    areas = {key.area for key in made}
    expected = {
        key for key in published if (key.indicator, key.source, key.vintage, key.period) in filled and key.area in areas
    }
    for key in sorted(made.keys() | expected):
        if key in published and published[key] is None:
            withheld += 1
            continue
        if key not in published and key.sex == "_U":
            continue  # those of unknown sex are in the total alone
        theirs = published.get(key)
        ours = made.get(key, 0 if theirs == 0 else None)  # nobody was counted, and the release says so
        same = ours is not None and theirs is not None and abs(ours - theirs) <= 1e-9 * max(1.0, abs(ours))
        equal, wrong = equal + same, wrong + (not same)
        sign = "=" if same else "DIFFERS FROM"
        print(f"{key}: {'not made' if ours is None else f'{ours:,.12g}'} {sign} "
              f"{'not published' if theirs is None else f'{theirs:,.12g}'}")  # fmt: skip
    print(f"{equal} figures are the same, {wrong} differ, {withheld} are withheld and were not compared")
    return wrong if equal else 1


def main() -> int:
    """Returns the exit code: 1 on any difference, 2 where there is no release."""
    home = Path(os.environ.get("HIMS_HOME") or ".hims")
    if not (home / "releases/CURRENT").is_file():
        print(f"Nothing has been published in {home}: `make run` does it.", file=sys.stderr)
        return 2
    made, filled = recompute(home)
    return int(compare(made, published_figures(current_release(home)), filled) > 0)


if __name__ == "__main__":
    sys.exit(main())
