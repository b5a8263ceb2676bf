"""What a figure rests on, as its release tells: sources, batches and their verdicts, corrections, controls, claims,
breaks, and what to doubt of it. Not here: the figure (`figures`) and how it is made (`formulas`).
"""

import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hims_pipeline.tracing.figures import Figure
from hims_pipeline.tracing.questions import FigureQuestion, fetch_rows

if TYPE_CHECKING:
    import duckdb

FLAGS = {
    "is_estimated": "E", "is_break": "B", "is_other_definition": "D", "is_unreliable": "U", "is_imputed": "I",
    "is_provisional": "P",
}  # fmt: skip
NO_INTERVAL = ("LONELY_UNIT", "NO_DEGREES_OF_FREEDOM", "NOBODY_COUNTED", "NOT_WORKED_OUT")


def sources_of_figure(con: "duckdb.DuckDBPyConnection", figure: Figure) -> list[dict[str, Any]]:
    """Who made what the figure is made of, and how they count."""
    return fetch_rows(
        con,
        "select source, name_en, owner, data_kind, licence, cadence, universe, duration_rule, design_kind,"
        " expand_to_persons, design_note from reference.sources where list_contains(string_split(?, '+'), source)"
        " order by source",
        [figure["source"]],
    )


def batches_of_figure(figure: Figure, manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The batches of its sources and edition whose period has a day of the figure's, or, where a batch brings a whole
    series of years, all of the edition. Manifests of earlier releases name periods alone."""
    sources = figure["source"].split("+")
    if "batches" not in manifest:
        return [
            {"batch": f"{one['source']}/{period}", "verdict": "accepted"}
            for one in manifest["sources"] if one["source"] in sources for period in one["periods"]
        ]  # fmt: skip
    first, last = str(figure["period_start_date"]), str(figure["period_end_date"])
    of_edition = [
        one
        for one in manifest["batches"]
        if one["source"] in sources and (figure["vintage"] == "_Z" or {figure["vintage"], "_Z"} & set(one["vintages"]))
    ]
    chosen = []
    for source in sources:
        own = [one for one in of_edition if one["source"] == source]
        overlapping = [one for one in own if one["period_start_date"] <= last and one["period_end_date"] >= first]
        chosen += overlapping or own
    return chosen


def corrections_of_figure(
    con: "duckdb.DuckDBPyConnection", figure: Figure, batches: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Known errors of its sources that were mended in the periods of its batches."""
    periods = {one["batch"].split("/")[1] for one in batches}
    rows = fetch_rows(
        con,
        "select correction_id, source, kind, status, columns_changed, periods, condition, reason_en"
        " from reference.corrections where list_contains(string_split(?, '+'), source) order by correction_id",
        [figure["source"]],
    )
    return [
        row
        for row in rows
        if not row["periods"]
        or any(fnmatch.fnmatchcase(period, glob) for glob in row["periods"].split() for period in periods)
    ]


def controls_of_figure(
    con: "duckdb.DuckDBPyConnection", question: FigureQuestion, figure: Figure
) -> list[dict[str, Any]]:
    """Published figures that ours must equal, of the same question, source and edition."""
    breakdown = ";".join(
        f"{name}={code}" for name, code in question.cell.items() if name not in ("sex", "counterpart_area")
    )
    rows = fetch_rows(
        con,
        "select control_id, cast(value as double) as published_value, cast(tolerance as double) as tolerance, unit,"
        " published_by, note, breakdown from reference.controls where indicator = ? and source = ? and vintage = ?"
        " and time_period = ? and ref_area = ? and counterpart_area = ? and sex = ? order by control_id",
        [figure[name] for name in (
            "indicator", "source", "vintage", "time_period", "ref_area", "counterpart_area", "sex"
        )],
    )  # fmt: skip
    same = {breakdown, f"universe={figure['universe']}" + (f";{breakdown}" if breakdown else "")}
    return [row for row in rows if (row.pop("breakdown") or "") in same]


def claims_of(con: "duckdb.DuckDBPyConnection", question: FigureQuestion) -> list[dict[str, Any]]:
    """What others have published of the same indicator, area and year, and what the observatory says of it."""
    return fetch_rows(
        con,
        "select distinct claim_id, publisher, claim_period, cast(claimed_value as double) as claimed_value,"
        " unit_measure, definition, verdict, why from published.published_claim"
        " where indicator = ? and ref_area = ? and replace(counterpart_area, '_Z', '_T') = ? and sex = ?"
        " and left(?, 4) between left(claim_period, 4) and left(split_part(claim_period, '/', -1), 4)"
        " order by claim_id",
        [
            question.code, question.area, question.cell.get("counterpart_area", "_T"), question.cell.get("sex", "_T"),
            question.period,
        ],
    )  # fmt: skip


def find_expected(con: "duckdb.DuckDBPyConnection", question: FigureQuestion) -> list[dict[str, Any]]:
    """What the catalogue expects of each source by these dimensions, and why there is nothing to read; earlier releases
    have no such ledger."""
    if not con.execute("select 1 from duckdb_views() where view_name = 'v_expected_figures'").fetchall():
        return []
    return fetch_rows(
        con,
        "select source, absence, absence_name_en, figures, figures_withheld, first_time_period, last_time_period"
        " from published.v_expected_figures where indicator = ? and cell = ? order by source",
        [question.code, question.cell_name],
    )


def doubts_of(
    con: "duckdb.DuckDBPyConnection", figure: Figure, batches: Iterable[Mapping[str, Any]], manifest: Mapping[str, Any]
) -> Iterator[str]:
    """What one should know before the figure is quoted."""
    names = {
        (row["kind"], row["code"]): ". ".join(filter(None, [row["name_en"], row["description_en"]]))
        for row in fetch_rows(con, "from reference.definitions where kind in ('obs_status', 'interval_kind')")
    }
    if figure["data_kind"] == "synthetic":
        yield "SYNTHETIC: it describes no real person or event"
    if figure["conf_status"] == "C":
        yield "withheld: it rests on too few records, or would give another figure away that does"
    for flag, code in FLAGS.items():
        if figure.get(flag):
            yield f"status {code}: {names.get(('obs_status', code), code)}"
    if (kind := figure.get("interval_kind")) in NO_INTERVAL:
        yield f"no interval: {names.get(('interval_kind', kind), kind)}"
    if figure.get("variance_basis") not in (None, "DESIGN"):
        yield f"its error rests on {figure['variance_basis']}, which stands in for the design (reference.sources)"
    for (name,) in con.execute(
        "select name_en from reference.series_breaks where list_contains(string_split(?, ' '), break_id)",
        [figure["break_id"] or ""],
    ).fetchall():
        yield f"the first after a break: {name}"
    yield from _tell_of_batches(figure, {one["batch"] for one in batches}, manifest)


def _tell_of_batches(figure: Figure, batches: set[str], manifest: Mapping[str, Any]) -> Iterator[str]:
    caveats, sources = manifest["caveats"], figure["source"].split("+")
    for one in caveats["accepted_against_the_gate"]:
        if one["batch"] in batches:
            yield f"{one['batch']} was accepted against {', '.join(one['rules'])} by {one['name']}: {one['reason']}"
    for one in caveats["rows_set_aside"]:
        if one["batch"] in batches:
            away = sum(one["by_rule"].values()) + one["unreadable"]
            yield f"{away:,} rows of {one['batch']} ({one['entity']}) were set aside"
    for one in caveats["late_sources"]:
        if one["source"] in sources:
            yield f"{one['source']} is late: it stands on {one['last_period']}, the next was due {one['due']}"
    for batch, codes in (manifest.get("held_back") or {}).items():
        if batch.split("/")[0] in sources:
            yield f"{batch} is held back by {', '.join(codes)}; the delivery before counts"
