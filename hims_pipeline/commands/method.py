"""`hims method`: methods for what no register sees, on a table of one's own. Nothing of it enters the warehouse.

Each prints one table of the same columns, whatever the method: `part` says what a row is (an estimate, what another
choice gives, a coefficient), so that no estimate is printed without what it hangs on. Not here: the methods
(`hims_pipeline/methods`).
"""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from hims_pipeline.commands import answers
from hims_pipeline.errors import MethodError
from hims_pipeline.methods.captures import fit_captures
from hims_pipeline.methods.irregular import Cells, GammaProfile, Irregular, fit_irregular, profile_gamma, totals_without
from hims_pipeline.methods.likelihood import NORMAL_95, Array
from hims_pipeline.methods.lists import Fan, count_patterns, fan_around
from hims_pipeline.methods.small_areas import fit_areas
from hims_pipeline.methods.tables import CROSSED, OwnTable, read_table

LONGEST_FAN = 60  # classes that are left out in turn; each is a fit of its own
ESTIMATED = "status E: estimated, counted by nobody; never to be added to counts"


class Row(NamedTuple):
    """One line of an answer; `estimate` and the bounds are in the unit of the method."""

    part: str
    name: str
    estimate: float | None
    ci_lower: float | None = None
    ci_upper: float | None = None
    note: str = ""


def print_rows(rows: Sequence[Row], form: str, warnings: Sequence[str], digits: int = 0) -> None:
    """Print an answer as a table or CSV, and behind it on stderr what to know of it."""

    def format_value(value: Any) -> Any:
        if form == "table" and isinstance(value, float):
            return f"{value:,.{digits}f}"
        return value

    if form == "csv":
        click.echo(answers.csv_line(Row._fields), nl=False)
        for row in rows:
            click.echo(answers.csv_line(row), nl=False)
    else:
        answers.print_table(Row._fields, [[format_value(value) for value in row] for row in rows])
    for warning in (*warnings, ESTIMATED):
        click.echo(f"{warning}.", err=True)


def takes_table(command: Callable[..., None]) -> Callable[..., None]:
    """A command on a table of one's own, printed in a form that is asked for."""
    command = click.option("--format", "form", type=click.Choice(["table", "csv"]), default="table")(command)
    return click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path))(command)


@click.group()
def method() -> None:
    """Estimate what no register sees, from a table (CSV) of your own. See docs/methods.md."""


@method.command()
@takes_table
@click.option("--apprehended", required=True, help="Column: persons apprehended for their stay.")
@click.option("--identified", required=True, help="Column: persons whom the police identified otherwise.")
@click.option("--registered", required=True, help="Column: persons in a register of regular stay.")
@click.option("--alpha", multiple=True, help="Column of classes that α differs by, or several crossed (`year:sex`).")
@click.option("--beta", multiple=True, help="Column of classes that β differs by.")
@click.option("--total", "total", multiple=True, help="Column: a total of each of its classes.")
def irregular(
    table: Path,
    form: str,
    apprehended: str,
    identified: str,
    registered: str,
    alpha: tuple[str, ...],
    beta: tuple[str, ...],
    total: tuple[str, ...],
) -> None:
    """Irregular residents from aggregated apprehensions and registers (Zhang 2008)."""
    read = read_table(table)
    persons, others, regular = (read.numbers(name) for name in (apprehended, identified, registered))
    cells = Cells(persons, others, regular, read.design(alpha)[1], read.design(beta)[1])
    fit, profile = fit_irregular(cells), profile_gamma(cells)
    rows = [Row("TOTAL", "all cells", *fit.total(np.ones(len(read), dtype=bool)))]
    for name, chosen in _classes(read, total).items():
        rows.append(Row("TOTAL", name, *fit.total(chosen)))
    rows += _gamma_rows(fit, profile)
    rows += _rows_without(fit, _classes(read, tuple(dict.fromkeys((*alpha, *beta, *total)))))
    low, high = profile.range_of_total
    warnings = [f"Totals over the γ that the data do not rule out: {low:,.0f} to {high:,.0f}"]
    if not profile.is_identified:
        warnings.append("γ is not identified: the data bound it on one side at most, and the intervals do not tell so")
    print_rows(rows, form, warnings)


def _classes(table: OwnTable, names: tuple[str, ...]) -> dict[str, Any]:
    """`column=class` -> which rows are in it, of each single column that is named."""
    single = dict.fromkeys(part for name in names for part in name.split(CROSSED))
    texts = {name: table.texts(name) for name in single}
    return {
        f"{name}={level}": np.array([text == level for text in column])
        for name, column in texts.items()
        for level in sorted(set(column))
    }


def _gamma_rows(fit: Irregular, profile: GammaProfile) -> list[Row]:
    """γ itself, and totals along it: where the data do not rule it out, and one step beyond on each side."""
    places = np.flatnonzero(profile.likely)
    seen = range(max(0, places[0] - 1), min(len(profile.gamma), places[-1] + 2))
    words = {True: "not ruled out", False: "ruled out"}
    return [
        Row("FIT", f"log-likelihood {fit.top.log_likelihood:.2f}", None, note=f"dispersion {profile.dispersion:.1f}"),
        *(
            Row(
                "GAMMA", f"{profile.gamma[at]:.5f}", float(profile.total[at]),
                note=f"{words[bool(profile.likely[at])]}; log-likelihood {profile.log_likelihood[at]:.2f}",
            )
            for at in seen
        ),
        Row("GAMMA", f"{fit.gamma:.5f}", float(fit.residents.sum()), note="most likely"),
    ]  # fmt: skip


def _rows_without(fit: Irregular, classes: dict[str, Any]) -> list[Row]:
    rows = []
    for name, out in itertools.islice(classes.items(), LONGEST_FAN):
        if np.all(out):
            continue
        try:
            before, after = totals_without(fit, {name: out})[name]
            rows.append(Row("WITHOUT", name, after, note=f"the same cells by the fit to all: {before:,.0f}"))
        except MethodError as error:
            rows.append(Row("WITHOUT", name, None, note=f"no estimate: {error}"))
    if len(classes) > LONGEST_FAN:
        rows.append(Row("WITHOUT", "…", None, note=f"the other {len(classes) - LONGEST_FAN} classes were not tried"))
    return rows


@method.command()
@takes_table
@click.option("--captures", required=True, help="Column: how often each person of the row was taken, one or more.")
@click.option("--persons", help="Column: how many persons the row stands for; one each without it.")
@click.option("--column", "classes", multiple=True, help="Column of classes that the rate differs by, in this order.")
@click.option("--number", "numbers", multiple=True, help="Column of numbers that the rate changes with.")
def captures(
    table: Path, form: str, captures: str, persons: str | None, classes: tuple[str, ...], numbers: tuple[str, ...]
) -> None:
    """Persons whom one list never held, from how often it held the others (van der Heijden 2003).

    Printed is the model with each column more, so that it shows what the estimate hangs on.
    """
    read = read_table(table)
    taken, count = read.numbers(captures), read.numbers(persons) if persons else np.ones(len(read))
    rows = []
    for upto in range(len(classes) + len(numbers) + 1):
        here = (classes[:upto], numbers[: max(0, upto - len(classes))])
        names, design = read.design(*here)
        fit = fit_captures(design, taken, count)
        used = ", ".join((*here[0], *here[1])) or "no column"
        rows.append(
            Row("SIZE", used, fit.size, *fit.interval, f"AIC {fit.aic:.2f}, standard error {fit.standard_error:,.2f}")
        )
    errors = np.sqrt(np.diag(fit.top.covariance))
    for name, value, error in zip(names, fit.top.estimate, errors, strict=True):
        low, high = (float(np.exp(value + side * NORMAL_95 * error)) for side in (-1, 1))
        rows.append(Row("RATE_RATIO", name, float(np.exp(value)), low, high))
    warnings = [
        f"{fit.seen:,.0f} persons were seen. What makes people differ and is in no column makes the size too low"
    ]
    print_rows(rows, form, warnings, digits=2)


@method.command(name="lists")
@takes_table
@click.option(
    "--list", "lists", multiple=True, required=True, help="Column: 1 where the row's persons are on the list."
)
@click.option("--persons", help="Column: how many persons the row stands for; one each without it.")
def several_lists(table: Path, form: str, lists: tuple[str, ...], persons: str | None) -> None:
    """Persons whom none of several lists holds: what each of a fan of log-linear models says."""
    read = read_table(table)
    on: Array = np.stack([read.numbers(name) for name in lists], axis=1)
    fan = fan_around(*count_patterns(on, read.numbers(persons) if persons else np.ones(len(read))))
    print_rows(_model_rows(fan, lists), form, _fan_warnings(fan))


def _model_rows(fan: Fan, lists: tuple[str, ...]) -> list[Row]:
    return [
        Row(
            "MODEL", " ".join(f"{lists[a]}{CROSSED}{lists[b]}" for a, b in one.pairs) or "main effects", one.size,
            *one.interval, f"AIC {one.aic:.2f}",
        )
        for one in fan.models
    ]  # fmt: skip


def _fan_warnings(fan: Fan) -> list[str]:
    low, high = fan.range_of_size
    return [
        f"{fan.seen:,.0f} persons are on a list. The models say {low:,.0f} to {high:,.0f}: no single one is the result",
        "Each interval speaks as if its model were true",
    ]


@method.command()
@takes_table
@click.option("--area", required=True, help="Column: name of the area.")
@click.option("--estimate", required=True, help="Column: the direct estimate.")
@click.option("--error", required=True, help="Column: its standard error.")
@click.option("--column", "classes", multiple=True, help="Column of classes that the model knows of the areas.")
@click.option("--number", "numbers", multiple=True, help="Column of numbers that it knows of them.")
def areas(
    table: Path, form: str, area: str, estimate: str, error: str, classes: tuple[str, ...], numbers: tuple[str, ...]
) -> None:
    """Areas with too few records: the Fay-Herriot model by REML, with the error of each prediction."""
    read = read_table(table)
    names, design = read.design(classes, numbers)
    direct, errors = read.numbers(estimate), read.numbers(error)
    fit = fit_areas(design, direct, errors**2)
    rows = [
        Row("AREA", name, float(value), float(value - NORMAL_95 * wide), float(value + NORMAL_95 * wide),
            f"direct {own:.6g} ± {of:.6g}; weight of direct {share:.3f}; mse {wide**2:.7f}")
        for name, value, wide, own, of, share in zip(
            read.texts(area), fit.predicted, np.sqrt(fit.mean_squared_error), direct, errors, fit.share, strict=True
        )
    ]  # fmt: skip
    for name, value, wide in zip(names, fit.beta, fit.beta_error, strict=True):
        rows.append(
            Row("COEFFICIENT", name, float(value), float(value - NORMAL_95 * wide), float(value + NORMAL_95 * wide))
        )
    rows.append(Row("VARIANCE", "of areas around the model", fit.variance, note=f"{fit.variance:.7f}"))
    warnings = [] if fit.variance > 0 else ["The areas vary no more than their errors: every figure is the model's"]
    print_rows(rows, form, warnings, digits=6)
