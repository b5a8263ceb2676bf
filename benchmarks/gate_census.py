"""The gate on a census of 12 million rows with all its rules, suite and comparisons, against one query by hand that
asks the same, side by side on the same Parquet, with warm cache.

python -m benchmarks.gate_census [ROWS]      three interleaved rounds; the ratio is the median
"""

import argparse
import resource
import statistics
import tempfile
import time
from pathlib import Path

from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.contracts.model import Contract
from hims_pipeline.gates import judge, rules_of
from hims_pipeline.gates.inputs import load_lists
from hims_pipeline.gates.predecessor_evidence import Predecessor
from hims_pipeline.gates.profile import SAMPLE
from hims_pipeline.gates.roles import roles_of
from hims_pipeline.lake.landing import take_over
from hims_pipeline.readers import read_delivery
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sql import connection, literal, quote
from hims_synthetic import make_samples

PERIOD, ENTITY = "2024", "persons"
CODED = ("sex", "area", "post", "country", "category", "age", "year", "birth_year")


def make_census(settings: Settings, contract: Contract, folder: Path, rows: int) -> dict[str, Path]:
    """A small sample of a census again and again, whole, its households and persons under numbers of their own:
    `rows` or somewhat more."""
    make_samples(settings, folder / "sent", 1, 0.002, only=(contract.source,))
    files = sorted(one for one in (folder / "sent" / contract.source / PERIOD).iterdir() if one.is_file())
    delivery, _ = take_over(settings, contract, PERIOD, files)
    (folder / "read").mkdir()
    read_delivery(settings, contract, delivery, folder / "read", lambda text: None)
    tables = {path.stem: path for path in (folder / "read").glob("*.parquet")}
    large = folder / "persons.parquet"
    with connection(settings) as con:
        numbered = "dense_rank() over (order by household_no) as household"
        con.execute(f"create table small as select *, {numbered} from read_parquet({literal(tables[ENTITY])})")
        count, step = con.execute("select count(*), max(household) from small").fetchone()
        number = f"lpad(cast(household + copy * {step} as varchar), 8, '0')"
        con.execute(
            f"""copy (
                select small.* exclude (household) replace (
                    {number} as household_no, md5(national_id || copy) as national_id, _line + copy * {count} as _line
                )
                from range({-(-rows // count)}) as copies (copy), small
            ) to {literal(large)} (format parquet)"""
        )
    return {ENTITY: large}


def by_hand(settings: Settings, contract: Contract, tables: dict[str, Path]) -> int:
    """All that the gate asks, as one query: what is about single rows in one pass; returns how many figures it gave."""
    with connection(settings) as con:
        for name, path in tables.items():
            con.execute(f"create view {quote(name)} as from read_parquet({literal(path)})")
        load_lists(con, settings.data)
        filters, others = [], []
        for rule in rules_of(settings, contract, PERIOD):
            if rule.table or rule.entity not in tables:
                continue
            if rule.broken_rows and "{table}" not in rule.broken_rows and rule.entity == ENTITY:
                filters.append(f"count(*) filter ({rule.broken_rows})")
            elif query := rule.kwargs.get("unexpected_rows_query"):
                others.append(f"(select count(*) from ({query.format(batch=quote(rule.entity))}))")
        step = -(-con.execute(f"select count(*) from {ENTITY}").fetchone()[0] // SAMPLE)
        roles = roles_of(contract, ENTITY, PERIOD)
        coded = [quote(name) for name in roles.columns_with(*CODED)]
        seen = f"(from {ENTITY} where hash(_line) % {step} = 0)"
        others += [f"(select count(*) from (select {one}, count(*) from {seen} group by all))" for one in coded]
        pairs = [(one, other) for place, one in enumerate(coded[:9]) for other in coded[place + 1 : 9]]
        others += [
            f"(select count(*) from (select {one}, {other}, count(*) from {seen} group by all))" for one, other in pairs
        ]
        content = ", ".join(quote(name) for name in roles.of if name not in ("household_no", "line_no"))
        others.append(f"(select count(*) - count(distinct h) from (select hash({content}) as h from {ENTITY}))")
        filters += [f"count(*) filter ({quote(name)} is null)" for name in roles.of]
        con.execute(f"select {', '.join([*filters, *others])} from {ENTITY}").fetchall()
        return len(filters) + len(others)


def main(rows: int, rounds: int = 3) -> None:
    """Print the ratio for `rows` rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", folder / "home", env="test")
        contract = load_contracts(settings.data)["rgph"]
        tables = make_census(settings, contract, folder, rows)
        first = judge(settings, contract, PERIOD, tables, profile_to=folder / "profile.parquet")
        before = [Predecessor("rgph/2024/before", PERIOD, folder / "profile.parquet", first.profile_sha256)]
        took = []
        for _ in range(rounds):
            started = time.perf_counter()
            asked = by_hand(settings, contract, tables)
            halfway = time.perf_counter()
            outcome = judge(settings, contract, PERIOD, tables, before=before)
            took.append((halfway - started, time.perf_counter() - halfway))
            if strange := [one.rule for one in outcome.findings if "PROFILE" not in one.rule]:
                raise SystemExit(f"the gate refused a good table: {', '.join(strange)}")
        hand, gate = (statistics.median(column) for column in zip(*took, strict=True))
        ratios = [one / other for other, one in took]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}; wanted: at most 3"
        print(f"gate, {outcome.evaluated} rules on {rows:,} rows with comparisons: {gate:.1f} s")
        print(f"by hand, {asked} figures: {hand:.1f} s; ratio {statistics.median(ratios):.2f} ({spread})")
        print(f"peak {peak:.1f} GB (wanted: below 4)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="?", type=int, default=12_000_000)
    main(parser.parse_args().rows)
