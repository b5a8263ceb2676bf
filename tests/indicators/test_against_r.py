"""Estimates and errors on samples drawn by chance, beside what R's `survey` computes of them: `make test-r`.

R is no part of the environment (Debian: r-base-core, r-cran-survey). Without it these tests say so and are skipped.
"""

import csv
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hims_pipeline.settings import REPOSITORY
from hims_pipeline.sql import literal
from tests.indicators.test_estimates import tables
from tests.indicators.test_intervals import SAMPLE
from tests.jinja import compiler

SCRIPT = REPOSITORY / "tests/indicators/survey.R"
ASKED = {
    "total": "estimates('X01', 'fct', [[]], measure='met = 1')",
    "share": "estimates('X01', 'fct', [[]], 'share', 'met = 1')",
    "mean": "estimates('X01', 'fct', [[]], 'mean', value='value')",
    "ratio": "estimates('X01', 'fct', [[]], 'ratio', \"met = 1 and sex = 'M'\", \"sex = 'F'\")",
    "mean of women": "estimates('X01', 'fct', [[]], 'mean', value='value', domain=\"sex = 'F'\")",
    "total of women": "estimates('X01', 'fct', [[]], measure='met = 1', domain=\"sex = 'F'\")",
    "difference": "differences('X01', 'fct', [[]], domain=\"sex = 'M'\", against=\"sex = 'F'\", value='value')",
    "quantile 0.1": "quantiles('X01', 'fct', [[]], 'value', 0.1)",
    "quantile 0.5": "quantiles('X01', 'fct', [[]], 'value', 0.5)",
    "quantile 0.8": "quantiles('X01', 'fct', [[]], 'value', 0.8)",
}
PERCENT = ("share", "ratio")


def is_installed() -> bool:
    command = ["Rscript", "-e", "library(survey)"]
    return bool(shutil.which("Rscript")) and subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def render() -> Callable[[str], str]:
    if not is_installed():
        pytest.skip("R's survey is not installed (Debian: apt-get install r-base-core r-cran-survey)")
    compiled = compiler(breakdown_columns=[])
    return lambda call: compiled("{{ " + call + " }}")


def draw_sample(path: Path, seed: int, lonely: bool) -> None:
    """Strata of units, in each several of the second stage with several records; `lonely`: one stratum has one unit."""
    rng = random.Random(seed)  # noqa: S311
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        columns = "stratum psu ssu weight population_units population_ssus sex met value"
        out.writerow(columns.split())
        for stratum in range(6):
            drawn = 1 if lonely and stratum == 0 else rng.randint(2, 6)
            units_there = drawn + rng.randint(1, 9)
            for unit in range(drawn):
                inner = rng.randint(2, 4)
                inner_there = inner + rng.randint(0, 5)
                for part in range(inner):
                    for _ in range(rng.randint(2, 5)):
                        row = [rng.choice("MF"), int(rng.random() < 0.4), round(rng.gauss(40, 15), 3)]
                        out.writerow(
                            [stratum, unit, part, round(rng.uniform(1, 90), 4), units_there, inner_there, *row]
                        )


@pytest.mark.r
@pytest.mark.parametrize(
    ("stages", "lonely"),
    [(0, "fail"), (1, "fail"), (2, "fail"), (0, "adjust"), (1, "average"), (1, "remove"), (0, "certainty")],
)  # fmt: skip
@pytest.mark.parametrize("seed", range(3))
def test_estimates_are_those_of_r(render, tmp_path: Path, seed: int, stages: int, lonely: str) -> None:
    sample = tmp_path / "sample.csv"
    draw_sample(sample, seed, lonely=lonely != "fail")
    command = ["Rscript", str(SCRIPT), str(sample), str(stages), lonely]
    printed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert printed.returncode == 0, printed.stderr
    wanted = {name: (float(value), float(error)) for name, value, error in csv.reader(printed.stdout.splitlines())}
    con = tables(SAMPLE[:1], [], lonely=None if lonely == "fail" else lonely)
    known = [
        f"null::bigint as {name}" if n >= stages else name
        for n, name in enumerate(("population_units", "population_ssus"))
    ]
    con.execute(f"""create or replace table fct as select 'b' as batch_id, 'e' as entity, 'A1' as area_code,
        'XNL' as ref_country, stratum, psu, ssu, {", ".join(known)}, cast(weight as decimal(38, 18)) as weight_persons,
        sex, met, value from read_csv({literal(sample)}, types = {{'stratum': 'varchar', 'psu': 'varchar',
        'ssu': 'varchar', 'weight': 'varchar', 'population_units': 'bigint', 'population_ssus': 'bigint'}})""")
    assert wanted.keys() == ASKED.keys()
    for name, call in ASKED.items():
        [row] = con.execute(f"select obs_value, standard_error from ({render(call)})").fetchall()
        percent = 100 if name in PERCENT else 1
        assert row == pytest.approx([percent * one for one in wanted[name]], rel=1e-9, nan_ok=True), name
