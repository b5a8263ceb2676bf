"""`hims why`: what a figure rests on, or why there is none. Not here: how it is traced (`hims_pipeline.tracing`)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from hims_pipeline.commands import answers
from hims_pipeline.commands.typed_text import TYPED
from hims_pipeline.errors import ReleaseError
from hims_pipeline.release import store
from hims_pipeline.settings import load_settings

if TYPE_CHECKING:
    from hims_pipeline.tracing.trace import Trace

WIDEST = 15  # characters of a heading, which stands before what it is about
MOST_BATCHES = 12


@click.command()
@click.argument("indicator", type=TYPED)
@click.option("--area", required=True, type=TYPED, help="Code of the country or area whose figure it is.")
@click.option("--period", required=True, type=TYPED, help="2024, 2024-Q1 or 2024-06.")
@click.option("--cell", default="", type=TYPED, help="What it is broken down by: 'sex=F;age=Y15T24'.")
@click.option("--source", default="", type=TYPED, help="One of several figures: that of this source …")
@click.option("--vintage", default="", type=TYPED, help="… of this edition …")
@click.option("--universe", default="", type=TYPED, help="… about this group of people, as emigrants_15_plus.")
@click.option("--release", "release_id", help="A release other than the current one.")
@click.option("--staff", is_flag=True, help="From the observatory's own file: verdicts, and what is withheld.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def why(release_id: str | None, staff: bool, as_json: bool, **question: str) -> None:
    """Lead from a figure, or one that is missing, to what it rests on, and write the lines that make it again.

    Reads the public file, so it tells no more than was published; --staff reads the observatory's own.
    """
    from hims_pipeline.tracing.trace import trace_figure

    settings = load_settings()
    chosen = store.get(settings, release_id) if release_id else store.current_release(settings)
    if chosen is None:
        raise ReleaseError(f"Nothing has been published in {settings.home} yet; `make run` does it.")
    trace = trace_figure(settings, chosen, question, staff=staff)
    if as_json:
        click.echo(answers.visible_lines(answers.json_text(trace.as_json())))
        return
    for line in describe_trace(trace, staff=staff):
        click.echo(answers.visible_lines(line))


def describe_trace(trace: "Trace", *, staff: bool) -> Iterator[str]:
    """The answer as a person reads it, line by line."""
    question = trace.question
    cell = ", ".join(f"{name} = {code}" for name, code in question.cell.items())
    where = f"{question.area} {question.area_name}".strip()
    yield f"{question.code} {question.indicator['name_en']} · {where} · {question.period}" + (
        f" · {cell}" if cell else ""
    )
    built = f", built on {trace.engine}" if trace.engine else ""
    yield f"{trace.release}, the {'staff' if staff else 'public'} file{built}. {question.indicator['definition_en']}"
    yield ""
    if trace.figure is None:
        yield "There is no figure:"
        for one in trace.absence:
            yield f"  {one.reason.name}  {one.reason.value}: {one.evidence}"
        yield from _section("Its sources", map(_ledger_line, trace.ledger))
        yield from _section("Claims", _claim_lines(trace))
        return
    yield from _figure_lines(trace)
    yield from _section("Doubts", trace.doubts)
    yield from _section("How", _making_lines(trace))
    yield from _section("Sources", (f"{one['source']}: {one['name_en']}. {one['owner']}" for one in trace.sources))
    yield from _section("Batches", _batch_lines(trace.batches))
    yield from _section("Corrections", (_correction_line(one) for one in trace.corrections))
    yield from _section("Controls", (_control_line(one, trace) for one in trace.controls))
    yield from _section("Claims", _claim_lines(trace))
    yield from ("", "-- SQL on the public file", trace.sql, "", "# R", trace.r)


def _section(name: str, lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f"{name if not number else '':<{WIDEST}} {line}"


def _figure_lines(trace: "Trace") -> Iterator[str]:
    figure = trace.figure
    assert figure is not None
    unit = figure["unit_measure"]
    value = "withheld" if figure["obs_value"] is None else f"{figure['obs_value']:,.10g} {unit}"
    yield from _section("Figure", [
        f"{value}   status {figure['obs_status']}, confidentiality {figure['conf_status']}, {figure['data_kind']}"
    ])  # fmt: skip
    if trace.withheld:
        kept = trace.withheld
        yield from _section("Withheld by", [f"{kept['rule']}: {kept.get('obs_value')} on {kept.get('n_obs')} records"])
    elif figure["conf_status"] == "C":
        record = trace.question.indicator
        least = f"{record['minimum_records']} records, {record['strict_records']} where its subject is sensitive"
        yield from _section("Withheld by", [f"disclosure control (fewer than {least}); --staff tells the rule"])
    yield from _section("Interval", _interval_lines(figure))
    named = f"{figure['source']}, edition {figure['vintage']}, {figure['universe']}, stay {figure['duration_rule']}"
    yield from _section("Series", [f"{figure['series_key']}: {named}, window {figure['window_length']}"])
    if figure["obs_value"] is not None:
        yield from _section("Preferred", ["yes" if figure["is_preferred"] else "no: another one is quoted, see below"])
    yield from _section("Other figures", (_other_line(one) for one in trace.others))


def _interval_lines(figure: Mapping[str, Any]) -> Iterator[str]:
    if figure["obs_value"] is None:
        return
    if figure["ci_lower"] is None:
        yield f"none ({figure.get('interval_kind') or 'not told by this release'})"
        return
    degrees = f", {figure['degrees_of_freedom']} degrees of freedom" if figure.get("degrees_of_freedom") else ""
    bounds = f"{figure['ci_lower']:,.10g} to {figure['ci_upper']:,.10g}"
    yield f"{bounds} (95 %, {figure.get('interval_kind') or 'kind not told'}{degrees})"
    if figure["standard_error"] is not None:
        yield f"standard error {figure['standard_error']:,.6g} by {figure['variance_basis']}"


def _other_line(other: Mapping[str, Any]) -> str:
    value = "withheld" if other["obs_value"] is None else f"{other['obs_value']:,.10g}"
    mark = "preferred" if other["is_preferred"] else other["why_not"]
    return f"{value}  {other['source']}, edition {other['vintage']}, {other['universe']}" + (
        f" ({mark})" if mark else ""
    )


def _making_lines(trace: "Trace") -> Iterator[str]:
    making, figure = trace.making, trace.figure
    assert making is not None
    assert figure is not None
    yield f"{making.kind}: {making.says}"
    for name in ("numerator", "denominator"):
        value = "" if figure[name] is None else f"{figure[name]:,.10g}"
        if getattr(making, name) or value:
            yield f"{name}: " + " = ".join(filter(None, [getattr(making, name), value]))
    if making.reads:
        yield f"reads {', '.join(making.reads)}" + (f" in {', '.join(making.files)}" if making.files else "")


def _batch_lines(batches: list[dict[str, Any]]) -> Iterator[str]:
    for one in batches[:MOST_BATCHES]:
        rules = f", {one['rules_evaluated']} rules" if "rules_evaluated" in one else ""
        warnings = f"; warnings: {', '.join(one['warnings'])}" if one.get("warnings") else ""
        broken = f"; broken: {', '.join(one['broken_rules'])}" if one.get("broken_rules") else ""
        yield f"{one['batch']}: {one['verdict']}{rules}{warnings}{broken}"
    if len(batches) > MOST_BATCHES:
        yield f"and {len(batches) - MOST_BATCHES} more; --json lists all"


def _correction_line(one: Mapping[str, Any]) -> str:
    changed = sum(row["rows_changed"] for row in one.get("applied", ()))
    rows = f" {changed:,} rows changed." if "applied" in one else ""
    return f"{one['correction_id']} ({one['kind']}, {one['status']}): {one['reason_en']}{rows}"


def _ledger_line(one: Mapping[str, Any]) -> str:
    if one["absence"]:
        return f"{one['source']}: {one['absence']} {one['absence_name_en']}"
    return f"{one['source']}: {one['figures']:,} figures, {one['first_time_period']} to {one['last_time_period']}"


def _control_line(one: Mapping[str, Any], trace: "Trace") -> str:
    value = f"{one['published_value']:,.10g} ± {one['tolerance']:,.6g} {one['unit']}"
    scaled = (
        trace.figure is not None
        and trace.figure["data_kind"] == "synthetic"
        and one["unit"] not in ("PERCENT", "PER_1000")
    )
    return f"{one['control_id']}: {value}, {one['published_by']}" + (" (a sample is a part of it)" if scaled else "")


def _claim_lines(trace: "Trace") -> Iterator[str]:
    for one in trace.claims:
        reason = f": {one['why']}" if one["why"] else ""
        value = f"{one['claimed_value']:,.10g} {one['unit_measure']}"
        yield f"{one['claim_id']} {one['publisher']} says {value}, {one['verdict']}{reason}"


COMMANDS = (why,)
