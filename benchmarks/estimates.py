"""Estimates for many domains at once: the project's macro beside R's `svyby`, on one sample and in one run.

python -m benchmarks.estimates 1000000      records

60 strata of 50 sampling units each, 384 domains (24 areas, sexes, eight groups of age), the mean of a value in each
with its error. R, where it is installed (Debian: r-base-core, r-cran-survey), reads the same file; the time for reading
is not counted.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from hims_pipeline.settings import REPOSITORY
from hims_pipeline.sql import MISTAKEN, literal
from hims_pipeline.staging.macros import compiler

DOMAINS = ("area", "sex", "age")
WANTED = 50  # times as fast as R
R = """suppressMessages(library(survey)); s <- read.csv(commandArgs(TRUE)[1], stringsAsFactors = TRUE)
t <- proc.time()[["elapsed"]]
d <- svydesign(id = ~psu, strata = ~stratum, weights = ~weight, data = s, nest = TRUE)
b <- svyby(~value, ~area + sex + age, d, svymean)
cat(proc.time()[["elapsed"]] - t, nrow(b), format(c(sum(coef(b)), sum(SE(b))), digits = 16))"""


def make_sample(con: duckdb.DuckDBPyConnection, records: int) -> None:
    """Tables `fct` and `dim_batch`, as the warehouse has them, of a made-up sample."""
    con.execute(f"""create table fct as select 'b' as batch_id, 'e' as entity, 'h' || n % 60 as stratum,
        'u' || (n // 60) % 50 as psu, null::varchar as ssu, null::bigint as population_units,
        null::bigint as population_ssus, 'XNL' as ref_country,
        cast(10 + hash('w' || n) % 900 / 100 as decimal(38, 18)) as weight_persons,
        'a' || hash('a' || n) % 24 as area, 'MF'[1 + (hash('s' || n) % 2)::integer] as sex,
        'g' || hash('g' || n) % 8 as age,
        cast(hash('v' || n) % 10000 as double) / 100 + (n // 60) % 50 as value
        from (select unnest(range({records})) as n)""")
    con.execute("create table fct_sampling_units (batch_id varchar, stratum varchar, psu varchar)")
    con.execute("""create table dim_batch as select 'b' as batch_id, 'e' as entity, 'survey' as source,
        'sample' as design_kind, null::bigint as expand_to_persons, null::double as sampling_fraction,
        null::varchar as design_fallback, null::varchar as lonely_units, null::double as error_level,
        null::double as error_slope, null::double as error_smallest, null::double as error_largest,
        'A' as freq, '2021' as time_period,
        date '2021-01-01' as period_start_date, date '2021-12-31' as period_end_date, '_Z' as vintage,
        'synthetic' as data_kind, 'XNL' as ref_country, 'all' as universe, 'NONE' as duration_rule""")


def estimate_all(con: duckdb.DuckDBPyConnection) -> tuple[float, int, float, float]:
    """Seconds, domains, and the sums of their means and of their errors."""
    observatory = {"breakdown_columns": ["area"], "languages": "en", "imputable_columns": {}}
    compiled = compiler(REPOSITORY / "dbt_project", observatory)
    own = dict(zip(DOMAINS, DOMAINS, strict=True))
    call = f"estimates('X01', 'fct', [{list(DOMAINS)}], 'mean', value='value', dimensions={own})"
    sql = compiled("{{ " + call + " }}")
    started = time.perf_counter()
    [row] = con.execute(f"select count(*), sum(obs_value), sum(standard_error) from ({sql})").fetchall()
    return time.perf_counter() - started, *row


def ask_r(con: duckdb.DuckDBPyConnection, folder: Path) -> tuple[float, int, float, float] | None:
    """As `estimate_all`, by R; None where it is not installed."""
    if not shutil.which("Rscript"):
        return None
    sample = folder / "sample.csv"
    con.execute(
        f"copy (select stratum, psu, weight_persons as weight, area, sex, age, value from fct) to {literal(sample)}"
    )
    printed = subprocess.run(["Rscript", "-e", R, str(sample)], capture_output=True, text=True, check=True)
    seconds, domains, means, errors = printed.stdout.split()
    return float(seconds), int(domains), float(means), float(errors)


def main(records: int) -> None:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(config={"threads": 2, **MISTAKEN}) as con:
        make_sample(con, records)
        ours = estimate_all(con)
        print(f"estimates: {records:,} records, {ours[1]} domains: {ours[0]:.2f} s")
        theirs = ask_r(con, Path(folder))
    if theirs is None:
        print("estimates: R's survey is not installed (Debian: r-base-core, r-cran-survey): nothing to compare with")
        return
    apart = max(abs(a / b - 1) for a, b in zip(ours[2:], theirs[2:], strict=True))
    print(f"  svyby {theirs[0]:.1f} s: {theirs[0] / ours[0]:.0f} times ours (wanted: {WANTED}); apart by {apart:.1e}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
