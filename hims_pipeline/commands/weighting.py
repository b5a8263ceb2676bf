"""`hims method calibrate` and `hims method replicates`: estimates from a survey's own table whose error needs more than
its design: totals that its weights are calibrated to, or replicate weights that came with it.

Not here: the methods (`methods/calibration`).
"""

from pathlib import Path

import click
import numpy as np

from hims_pipeline.commands.method import Row, method, print_rows, takes_table
from hims_pipeline.errors import MethodError
from hims_pipeline.methods.calibration import (
    calibrate,
    estimate_calibrated,
    replicate_scales,
    variance_of_replicates,
)
from hims_pipeline.methods.likelihood import NORMAL_95
from hims_pipeline.methods.tables import read_table

DESIGNED = ("its interval is 1.96 errors wide on each side: with few sampling units it is rather too narrow",)


def _row(name: str, estimate: float, error: float, note: str = "") -> Row:
    low, high = (estimate + side * NORMAL_95 * error for side in (-1, 1))
    return Row("ESTIMATE", name, estimate, low, high, f"standard error {error:,.6g}{note}")


@method.command("calibrate")
@takes_table
@click.option("--weight", required=True, help="Column: design weight.")
@click.option("--value", required=True, help="Column: what is estimated.")
@click.option("--totals", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="CSV `name,total`: of (constant), each class but the first (`column=class`), numbers.")  # fmt: skip
@click.option("--column", "classes", multiple=True, help="Column of classes whose totals are known.")
@click.option("--number", "numbers", multiple=True, help="Column of numbers whose total is known.")
@click.option("--stratum", help="Column: stratum; one without it.")
@click.option("--unit", help="Column: primary sampling unit; each record without it.")
@click.option("--population-units", help="Column: units of the record's stratum in the population.")
@click.option("--raking", is_flag=True, help="Keep weights positive: factors are exponential, not linear.")
def calibrate_weights(
    table: Path, form: str, weight: str, value: str, totals: Path, classes: tuple[str, ...], numbers: tuple[str, ...],
    raking: bool, **design_columns: str | None,
) -> None:  # fmt: skip
    """Mean and total under weights that add up to published totals, with the gain in their errors."""
    read = read_table(table)
    names, design = read.design(classes, numbers)
    known = read_table(totals)
    given = dict(zip(known.texts("name"), known.numbers("total"), strict=True))
    if set(given) != set(names):
        raise MethodError(f"{totals.name} must name exactly these: {', '.join(names)}")
    made = calibrate(read.numbers(weight), design, np.array([given[name] for name in names]), raking)
    stratum, unit, there = (design_columns[name] for name in ("stratum", "unit", "population_units"))
    strata = read.texts(stratum) if stratum else [""] * len(read)
    units = read.texts(unit) if unit else [str(n) for n in range(len(read))]
    of_stratum = read.numbers(there) if there else None
    mean, total = estimate_calibrated(made, read.numbers(value), strata, units, of_stratum)
    low, high = made.ratios.min(), made.ratios.max()
    rows = [_row("mean", *mean), _row("total", *total), Row("WEIGHTS", "multiplied by", None, float(low), float(high))]
    print_rows(rows, form, DESIGNED, digits=6)


@method.command("replicates")
@takes_table
@click.option("--weight", required=True, help="Column: full-sample weight.")
@click.option("--replicates", "prefix", required=True, help="Beginning of the names of the replicate weights' columns.")
@click.option("--value", required=True, help="Column: what is estimated.")
@click.option("--kind", type=click.Choice(["JK1", "BRR", "OTHER"]), required=True, help="OTHER needs --scale.")
@click.option(
    "--fay",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    help="BRR: weight that stays in the half left out.",
)
@click.option("--scale", type=float, help="OTHER: factor of all squares, as its producer says.")
@click.option("--factors", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="OTHER: CSV with a column `factor`, one a replicate, as (n - 1) / n of JKn.")  # fmt: skip
def replicate_errors(
    table: Path, form: str, weight: str, prefix: str, value: str, kind: str, fay: float, scale: float | None,
    factors: Path | None,
) -> None:  # fmt: skip
    """Mean and total with errors from the replicate weights that a survey came with."""
    read = read_table(table)
    names = [name for name in read.columns if name.startswith(prefix) and name != weight]
    if len(names) < 2:
        raise MethodError(f"fewer than two columns begin with {prefix}: replicate weights are several")
    if (kind == "OTHER") != (scale is not None) or (factors and kind != "OTHER"):
        raise MethodError("--scale, and --factors if any, are for --kind OTHER, which needs --scale")
    each = read_table(factors).numbers("factor") if factors else None
    if each is not None and len(each) != len(names):
        raise MethodError(f"{len(each)} factors for {len(names)} replicates: one each is needed")
    sets = np.stack([read.numbers(name) for name in names])
    full, values = read.numbers(weight), read.numbers(value)
    factor = scale if scale is not None else replicate_scales(kind, len(names), fay)
    totals, wholes = sets @ values, sets.sum(axis=1)
    note = f"; {len(names)} replicates"
    rows = [
        _row(
            "mean",
            float(full @ values / full.sum()),
            variance_of_replicates(totals / wholes, factor, each) ** 0.5,
            note,
        ),
        _row("total", float(full @ values), variance_of_replicates(totals, factor, each) ** 0.5, note),
    ]
    print_rows(rows, form, DESIGNED, digits=6)


COMMANDS = (method,)
