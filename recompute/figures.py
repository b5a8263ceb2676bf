"""What is compared: a figure by its question, and what the current release publishes of it."""

import json
from pathlib import Path
from typing import NamedTuple

import duckdb  # only to open the release's Parquet files


class Key(NamedTuple):
    """One question. `direction` is of border crossings; `_T` and `_Z` as the release has them."""

    indicator: str
    source: str
    vintage: str
    universe: str
    period: str
    area: str
    counterpart: str
    sex: str
    direction: str = "_T"

    def __str__(self) -> str:
        parts = [self.counterpart if self.counterpart != "_Z" else "", self.sex, self.direction]
        cell = " ".join(part for part in parts if part not in ("", "_T"))
        edition = "" if self.vintage == "_Z" else f" {self.vintage}"
        return f"{self.indicator} {self.area} {self.period} {cell or 'all'} ({self.source}{edition})"


CELLS = {"", "sex", "counterpart_area", "counterpart_area sex", "direction", "direction sex"}


def current_release(home: Path) -> Path:
    """The folder of the release that readers get."""
    return home / "releases" / (home / "releases/CURRENT").read_text(encoding="utf-8").strip()


def batches_of(release: Path) -> list[str]:
    """The deliveries that the release was made of: `source/period/id`."""
    manifest = json.loads((release / "staff/manifest.json").read_text(encoding="utf-8"))
    return sorted({row["batch_id"] for row in manifest["inputs"]})


def published_figures(release: Path) -> dict[Key, float | None]:
    """Every published figure of the cells that are made again; None where it is withheld."""
    folder = release / "public/parquet"
    with duckdb.connect() as con:
        rows = con.execute(
            f"""select s.indicator, s.source, o.vintage, s.universe, o.time_period, s.ref_area, s.counterpart_area,
                    s.sex, s.direction, s.cell, s.level, o.obs_value
                from '{folder}/indicator_series.parquet' s
                join '{folder}/indicator_observation.parquet' o using (series_no)"""
        ).fetchall()
    return {Key(*row[:9]): row[11] for row in rows if row[9] in CELLS and row[10] in ("country", "governorate")}
