"""`hims estimate`: a domain of one's own with its error, from a release's facts, under the rules of a release.

Here: options, and how the answer is printed. Not here: estimates and what may be shown of them (`estimating`).
"""

from collections.abc import Sequence
from typing import Any

import click

from hims_pipeline.commands import answers
from hims_pipeline.commands.query import print_answer
from hims_pipeline.commands.typed_text import TYPED
from hims_pipeline.contracts.indicators import load_indicators
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.errors import QuestionError
from hims_pipeline.estimating.answer import BESIDE, FEW, MEASURES, Estimate, answer_question
from hims_pipeline.estimating.question import KINDS, compose_question
from hims_pipeline.release import store
from hims_pipeline.release.reader import connect
from hims_pipeline.settings import load_settings

REASONS = {
    FEW: "they rest on fewer records than may be shown",
    BESIDE: "beside published figures they would lead to fewer records than may be shown",
}


@click.command()
@click.option("--source", required=True, help="Contract whose records are asked, such as hims_survey.")
@click.option("--kind", type=click.Choice(KINDS), default="total", show_default=True)
@click.option("--measure", type=TYPED, default="", help="SQL condition: who is counted.")
@click.option("--value", type=TYPED, default="", help="SQL number: what a mean or quantile is of.")
@click.option(
    "--quantile",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Which quantile of --value, between 0 and 1; the median without it.",
)
@click.option("--domain", type=TYPED, default="", help="SQL condition: among whom.")
@click.option("--against", type=TYPED, default="", help="SQL condition: the domain that a difference is from.")
@click.option("--where", type=TYPED, default="", help="SQL condition that limits all of it.")
@click.option("--by", multiple=True, help="Column that the answer is broken down by; as often as needed.")
@click.option("--period", help="One period, such as 2021; each without it.")
@click.option("--fact", default="", help="Fact, where the source feeds several: persons, migrants.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table")
@click.option("--release", "release_id", help="A release other than the current one.")
def estimate(
    source: str,
    where: str,
    by: tuple[str, ...],
    period: str | None,
    form: str,
    release_id: str | None,
    quantile: float | None,
    **given: str,
) -> None:
    """Estimate for a domain of your own, with its error: see docs/estimates.md.

    SQL reads columns of the fact: hims query --staff "describe conformed.fct_migrants". Figures that a release would
    withhold are withheld.
    """
    import duckdb

    settings = load_settings()
    chosen = store.get(settings, release_id) if release_id else store.current_release(settings)
    con = connect(chosen.id if chosen else None, staff=True, settings=settings)
    assert chosen is not None  # or connect had raised
    try:
        given["quantile"] = "" if quantile is None else str(quantile)
        question = compose_question(con, source, given, by, where, period)
        policies = load_observatory(settings.data).policies
        indicators = load_indicators(settings.data).values()
        estimates = answer_question(con, question, settings.dbt_project, indicators, policies)
    except duckdb.Error as error:
        raise QuestionError(f"It cannot be computed: {answers.escape_controls(str(error).splitlines()[0])}") from None
    finally:
        con.close()
    kind = " · SYNTHETIC data among it" if chosen.manifest().get("contains_synthetic_data") else ""
    click.echo(f"{chosen.id} · {given['kind']} of {source}{kind}", err=True)
    _print(form, question.by, estimates)


def _print(form: str, by: Sequence[str], estimates: Sequence[Estimate]) -> None:
    named = ["estimate", *MEASURES[1:]]
    rows: list[list[Any]] = [
        [one.entity, one.time_period, *one.by, *one.measures, one.records, one.status] for one in estimates
    ]
    columns = ["entity", "time_period", *by, *named, "records", "status"]
    print_answer(form, columns, iter([[_shorten(v) for v in row] for row in rows] if form == "table" else rows))
    for status, reason in REASONS.items():
        if number := sum(one.status == status for one in estimates):
            click.echo(f"{number} of {len(estimates)} withheld: {reason}.", err=True)
    if not estimates:
        click.echo("Nobody is in that domain.", err=True)


def _shorten(value: Any) -> Any:
    return (
        f"{value:,.6g}"
        if isinstance(value, float) and abs(value) < 1e6
        else f"{value:,.0f}"
        if isinstance(value, float)
        else value
    )


COMMANDS = (estimate,)
