"""How long delimited text takes from landing to bronze, against DuckDB's own typed copy of the same file.

    python benchmarks/read_delimited.py [ROWS] [--repetitions N]

The reader does all it always does: envelope, independent record count, lexical types, Parquet, SHA-256 and fsync. The
copy reads with the types given and writes Parquet with DuckDB's defaults. The runs are interleaved, the cache is warm,
and each ratio is the median over the repetitions of (reader / copy of the same round).
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hims_pipeline.contracts.model import Contract
from hims_pipeline.lake.landing import Delivery, take_over
from hims_pipeline.readers import read_delivery
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sql import connection, literal

TYPES = {
    "cin": "VARCHAR", "household": "BIGINT", "rank": "BIGINT", "year": "BIGINT", "gov": "BIGINT", "deleg": "BIGINT",
    "sex": "BIGINT", "age": "BIGINT", "birth_date": "DATE", "nationality": "VARCHAR", "place": "VARCHAR",
    "reason": "BIGINT", "income": "BIGINT", "weight": "DECIMAL(18,4)", "isco": "BIGINT", "flag": "VARCHAR",
}  # fmt: skip
MODEL_TYPES = {"VARCHAR": "text", "BIGINT": "integer", "DATE": "date", "DECIMAL(18,4)": "decimal"}


def make_file(settings: Settings, path: Path, rows: int) -> None:
    """Sixteen columns like a census file: codes, small numbers, dates, French and Arabic names, empty fields."""
    with connection(settings) as con:
        con.execute(f"""
            copy (select
                lpad((hash(i * 64 + 1) % 100000000)::varchar, 8, '0') as cin,
                i // 5 as household, i % 5 + 1 as rank, 2024 as year,
                hash(i * 64 + 2) % 24 + 11 as gov, hash(i * 64 + 3) % 264 + 1100 as deleg,
                hash(i * 64 + 4) % 2 + 1 as sex, hash(i * 64 + 5) % 100 as age,
                date '1930-01-01' + (hash(i * 64 + 6) % 30000)::int as birth_date,
                ['TUN', 'DZA', 'LBY', 'FRA', 'ITA', 'MAR'][(hash(i * 64 + 7) % 6)::int + 1] as nationality,
                ['Tunis', 'Sfax', 'صفاقس', 'Béja', 'Gabès'][(hash(i * 64 + 8) % 5)::int + 1] as place,
                case when hash(i * 64 + 9) % 3 = 0 then null else hash(i * 64 + 9) % 9 + 1 end as reason,
                1000 + hash(i * 64 + 10) % 100000 as income,
                ((hash(i * 64 + 11) % 1000000) / 10000)::decimal(9, 4) as weight,
                hash(i * 64 + 12) % 9999 as isco, case when hash(i * 64 + 13) % 4 = 0 then 'x' end as flag
            from range({rows}) as numbers(i)) to {literal(path)} (header, delimiter ';')""")


def contract(identifier: bool) -> Contract:
    columns = []
    for name, kind in TYPES.items():
        column: dict[str, object] = {"name": name, "type": MODEL_TYPES[kind], "scale": 4}
        if name == "cin":  # closed by its form, or the search for identifiers would refuse the file
            column |= {"pattern": "[0-9]{8}"} | ({"sensitivity": "identifier"} if identifier else {})
        columns.append(column)
    people = {"title": {"en": "Persons"}, "grain": "a person", "files": ["people.csv"], "columns": columns}
    return Contract.model_validate(
        {
            "source": "benchmark_named" if identifier else "benchmark",
            "title": {"en": "Benchmark"}, "description": "Made here.", "data_kind": "synthetic",
            "owner": {"institution": "none", "contact": "none"}, "purpose": "timing", "cadence": "annual",
            "licence": {"name": "none", "attribution": "none", "redistributable": True},
            "legal": {"basis": "none", "retention_years": 1}, "period": {"pattern": "year"}, "clock": "none",
            "universe": "all", "duration_rule": "NONE", "measure_type": "stock", "format": {"delimiter": ";"},
            "entities": {"people": people},
        }
    )  # fmt: skip


def copy(settings: Settings, path: Path, target: Path) -> None:
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in TYPES.items())
    with connection(settings) as con:
        con.execute(
            f"copy (from read_csv({literal(path)}, columns = {{{columns}}}, auto_detect = false, header = true, "
            f"delim = ';')) to {literal(target)} (format parquet)"
        )


def read(settings: Settings, terms: Contract, delivery: Delivery) -> None:
    target = settings.bronze / terms.source
    target.mkdir(parents=True, exist_ok=True)
    result = read_delivery(settings, terms, delivery, target, lambda text: None)
    if result.stage != "read":
        raise SystemExit("\n".join(finding.sentence() for finding in result.findings))


def timed(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main(rows: int, repetitions: int = 5) -> None:
    """Print the ratios for a file of `rows` records, the median of interleaved repetitions."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", home)
        path = home / "people.csv"
        make_file(settings, path, rows)
        runs: dict[str, Callable[[], None]] = {
            "DuckDB's typed copy": lambda: copy(settings, path, home / "copy.parquet")
        }
        for label, named in (("reader", False), ("reader, one identifier", True)):
            terms = contract(named)
            delivery, _ = take_over(settings, terms, "2024", [path])
            runs[label] = lambda terms=terms, delivery=delivery: read(settings, terms, delivery)  # type: ignore[misc]
        rounds = [{label: timed(work) for label, work in runs.items()} for _ in range(repetitions)]
        print(f"{rows:,} rows, {path.stat().st_size / 1e9:.2f} GB, {settings.threads} threads, "
              f"{repetitions} rounds")  # fmt: skip
        base = next(iter(runs))
        print(f"{'':25}{'seconds (median)':>18}{'ratio (median)':>16}{'least':>8}{'most':>8}")
        for label in runs:
            ratios = [one[label] / one[base] for one in rounds]
            print(f"{label:25}{statistics.median(one[label] for one in rounds):18.1f}"
                  f"{statistics.median(ratios):16.2f}{min(ratios):8.2f}{max(ratios):8.2f}")  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="?", type=int, default=12_000_000)
    parser.add_argument("--repetitions", type=int, default=5)
    main(**vars(parser.parse_args()))
