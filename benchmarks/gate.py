"""The gate of 15 rules against one hand-written DuckDB query with the same checks, side by side on the same Parquet.

python -m benchmarks.gate [ROWS]      five interleaved rounds, warm cache; the ratio is the median
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from hims_pipeline.contracts.model import Contract
from hims_pipeline.gates import judge
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sql import connection, literal

COLUMNS = [
    {"name": "house", "type": "integer", "required": True},
    {"name": "line", "type": "integer", "required": True, "minimum": 1, "maximum": 60},
    {"name": "region", "type": "integer", "required": True, "codes": {i: str(i) for i in range(24)}},
    {"name": "sex", "type": "integer", "required": True, "codes": {1: "men", 2: "women"}},
    {"name": "age", "type": "integer", "required": True, "minimum": 0, "maximum": 110},
    {"name": "birth", "type": "date", "minimum": "1900-01-01", "maximum": "2024-12-31"},
    {"name": "card", "type": "text", "pattern": "[A-Z]{2}[0-9]{8}"},
    {"name": "weight", "type": "decimal", "required": True, "minimum": 0},
]
HAND_WRITTEN = """
    select
        count(*) >= 1,
        count(*) filter (house is null), count(*) filter (line is null), count(*) filter (line not between 1 and 60),
        count(*) filter (region is null),
        count(*) filter (region not between 0 and 23), count(*) filter (sex is null),
        count(*) filter (sex not in (1, 2)), count(*) filter (age is null), count(*) filter (age < 0 or age > 110),
        count(*) filter (birth < date '1900-01-01' or birth > date '2024-12-31'),
        count(*) filter (not regexp_full_match(card, '[A-Z]{2}[0-9]{8}')), count(*) filter (weight is null),
        count(*) filter (weight < 0),
        (select count(*) from (select 1 from sent group by house, line having count(*) > 1))
    from sent
"""


def contract() -> Contract:
    return Contract.model_validate(
        {
            "source": "bench", "title": {"en": "Bench"}, "description": "For measuring.", "data_kind": "synthetic",
            "owner": {"institution": "none", "contact": "none"},
            "licence": {"name": "none", "attribution": "none", "redistributable": True},
            "purpose": "measuring", "legal": {"basis": "none", "retention_years": 1}, "cadence": "annual",
            "period": {"pattern": "year"}, "clock": "none", "universe": "resident_population", "duration_rule": "NONE",
            "measure_type": "stock",
            "entities": {
                "people": {
                    "title": {"en": "People"}, "grain": "a person", "files": ["people*"], "key": ["house", "line"],
                    "columns": COLUMNS,
                }
            },
        }
    )  # fmt: skip


def make_file(settings: Settings, path: Path, rows: int) -> None:
    with connection(settings) as con:
        con.execute(
            f"""copy (
                select
                    i // 4 as house, i % 4 + 1 as line, i % 24 as region, i % 2 + 1 as sex, i % 90 as age,
                    date '1930-01-01' + cast(i % 30000 as integer) as birth,
                    'TN' || lpad(cast(i % 100000000 as varchar), 8, '0') as card,
                    cast(1 + i % 7 as decimal(18, 2)) as weight, i + 2 as _line
                from range({rows}) as t (i)
            ) to {literal(path)} (format parquet)"""
        )


def by_hand(settings: Settings, path: Path) -> None:
    with connection(settings) as con:
        con.execute(f"create view sent as from read_parquet({literal(path)})")
        found = con.execute(HAND_WRITTEN).fetchall()[0]
    if found[0] is not True or any(found[1:]):
        raise SystemExit(f"the hand-written query found {found} on a good table")


def by_gate(settings: Settings, path: Path) -> int:
    outcome = judge(settings, contract(), "2024", {"people": path})
    if not outcome.accepted:
        raise SystemExit(f"the gate refused a good table: {outcome.findings}")
    return outcome.evaluated


def main(rows: int, repetitions: int = 5) -> None:
    """Print the ratio for `rows` rows."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(REPOSITORY, REPOSITORY / "data", Path(folder) / "none", Path(folder) / "home")
        path = Path(folder) / "people.parquet"
        make_file(settings, path, rows)
        rules = by_gate(settings, path)  # imports Great Expectations and shows the canary, once a process
        rounds = []
        for _ in range(repetitions):
            started = time.perf_counter()
            by_hand(settings, path)
            halfway = time.perf_counter()
            by_gate(settings, path)
            rounds.append((halfway - started, time.perf_counter() - halfway))
        ratios = [gate / hand for hand, gate in rounds]
        hand, gate = (statistics.median(column) for column in zip(*rounds, strict=True))
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}; wanted: at most 3"
        print(f"gate, {rules} rules on {rows:,} rows: {gate:.1f} s, by hand {hand:.1f} s,"
              f" ratio {statistics.median(ratios):.2f} ({spread})")  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="?", type=int, default=12_000_000)
    main(parser.parse_args().rows)
