"""Stocks of migrants from a real edition of the United Nations, added up from its rows."""

import csv
import gzip
from collections import defaultdict
from pathlib import Path

from recompute.figures import Key

ORIGIN = "TUN"
SEXES = {"female": "F", "male": "M"}


def add_up_stocks(folder: Path, edition: str) -> dict[Key, float]:
    """A07 born in Tunisia and living abroad, by destination and sex, of each year of an edition."""
    sums: defaultdict[Key, float] = defaultdict(float)
    with gzip.open(next(folder.glob("undesa_stocks*.csv.gz")), "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["from"] != ORIGIN:
                continue
            for country in ("_T", row["geo"]):
                for sex in ("_T", SEXES[row["sex"]]):
                    key = Key(
                        "A07", "undesa_migrant_stock", edition, "international_migrants", row["t"], ORIGIN, country, sex
                    )
                    sums[key] += float(row["n"])
    return dict(sums)
