"""Why there is no figure: reasons of a closed list, each with what bears it out in the release.

Only what was published is asked: the catalogue, the series, and what the manifest says of deliveries. Not here: figures
that are there and withheld, which have a row of their own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from hims_pipeline.sql import literals
from hims_pipeline.tracing.questions import FigureQuestion, fetch_rows

if TYPE_CHECKING:
    import duckdb

NEAREST = 6  # periods or areas that are named instead


class Reason(StrEnum):
    """The closed list."""

    PLANNED = "the indicator is planned: nothing computes it yet"
    NOT_PUBLISHED = "the indicator is computed for the observatory and not published"
    NOT_A_CELL = "figures are not published by these dimensions"
    EMPTY_CELL = "figures by these dimensions may be published, and no delivery in this release gives any"
    NO_SOURCE = "none of its sources is in this release"
    NOT_GIVEN = "none of its sources that are in this release gives it"
    LEFT_OUT = "a delivery that would cover it is not in this release"
    LATE = "its source has not delivered since"
    OTHER_PERIODS = "its sources cover other periods of this area"
    OTHER_SIDE = "the area is on the other side of such figures"
    OTHER_BOUNDARIES = "the area stands on other boundaries"
    OTHER_AREAS = "its sources cover other areas"
    NOBODY = "its sources cover the area and period, and no record falls under it"
    OTHER_SOURCE = "there is one, of another source, edition or universe than what was named"


@dataclass(frozen=True)
class Absence:
    """A reason and its evidence: codes, periods, batches, in words."""

    reason: Reason
    evidence: str

    def as_json(self) -> dict[str, str]:
        return {"reason": self.reason.name, "meaning": self.reason.value, "evidence": self.evidence}


def explain_absence(
    con: "duckdb.DuckDBPyConnection", question: FigureQuestion, manifest: Mapping[str, Any]
) -> list[Absence]:
    """Why a question has no figure, the reason that weighs most first; never nothing."""
    record = question.indicator
    sources = (record["sources"] or "").split()
    if record["status"] == "planned":
        return [Absence(Reason.PLANNED, f"sources that it waits for: {', '.join(sources) or 'none is known'}")]
    if record["is_published"] != "true":
        return [Absence(Reason.NOT_PUBLISHED, "its record in data/indicators says publish: false")]
    allowed = {cell or "" for (cell,) in con.execute(
        "select cell from reference.indicator_cells where indicator = ?", [question.code]
    ).fetchall()}  # fmt: skip
    if question.cell_name not in allowed:
        listed = "; ".join(sorted(one or "the area as a whole" for one in allowed))
        return [Absence(Reason.NOT_A_CELL, f"it is published by: {listed}")]
    reasons = list(_explain_deliveries(question, manifest, sources))
    if not _has_series(con, question.code):
        return [*reasons, *([] if reasons else [_explain_sources(sources, manifest)])]
    if not _has_series(con, question.code, cell=question.cell_name):
        return [Absence(Reason.EMPTY_CELL, f"sources in the release: {_list_present(sources, manifest)}"), *reasons]
    return _order([*reasons, *_explain_coverage(con, question)])


def _order(reasons: list[Absence]) -> list[Absence]:
    """In the order of the list, but what says that a period is covered elsewhere stands behind what explains why."""
    places = list(Reason)
    return sorted(reasons, key=lambda one: places.index(one.reason))


def _explain_sources(sources: list[str], manifest: Mapping[str, Any]) -> Absence:
    there = _list_present(sources, manifest)
    if there != "none":
        return Absence(Reason.NOT_GIVEN, f"sources in the release: {there}")
    return Absence(Reason.NO_SOURCE, f"it is made from {', '.join(sources)}")


def _list_present(sources: list[str], manifest: Mapping[str, Any]) -> str:
    there = {one["source"]: one["periods"] for one in manifest["sources"]}
    listed = [f"{name} ({', '.join(there[name][-3:])})" for name in sources if name in there]
    return "; ".join(listed) or "none"


def _explain_deliveries(question: FigureQuestion, manifest: Mapping[str, Any], sources: list[str]) -> Iterator[Absence]:
    """What the manifest says of deliveries that would have covered the period."""
    for one in manifest.get("left_out", ()):
        if one["source"] in sources and _covers(one, question.period):
            yield Absence(Reason.LEFT_OUT, f"{one['batch']}: {one['state']}. {' '.join(one['reasons'])}".strip())
    last = max(
        (period[:4] for one in manifest["sources"] if one["source"] in sources for period in one["periods"]), default=""
    )
    for one in manifest["caveats"]["late_sources"]:
        if one["source"] in sources and last < question.period[:4]:
            yield Absence(Reason.LATE, f"{one['source']} stands on {one['last_period']}; the next was due {one['due']}")
    there = {one["source"] for one in manifest["sources"]}
    if not there & set(sources):
        yield Absence(Reason.NO_SOURCE, f"it is made from {', '.join(sources)}")


def _covers(delivery: Mapping[str, Any], period: str) -> bool:
    """Does a delivery's period have a day of the year, quarter or month that is asked for?"""
    first, last = delivery.get("period_start_date", ""), delivery.get("period_end_date", "")
    if not first:
        return str(delivery["period"])[:4] == period[:4]
    start, end = days_of(period)
    return bool(first <= end and last >= start)


def days_of(period: str) -> tuple[str, str]:
    """First and last day of an SDMX period, as ISO texts; texts are compared, so each month may have 31 days."""
    if "Q" in period:
        year, quarter = period.split("-Q")
        return f"{year}-{3 * int(quarter) - 2:02d}-01", f"{year}-{3 * int(quarter):02d}-31"
    return f"{period}-01-01"[:10], f"{period}-12-31" if len(period) == 4 else f"{period}-31"[:10]


def _explain_coverage(con: "duckdb.DuckDBPyConnection", question: FigureQuestion) -> Iterator[Absence]:
    """Other areas, other periods, or nobody."""
    if not _has_series(con, question.code, ref_area=question.area):
        yield from _explain_area(con, question)
        return
    periods = _periods_of(con, question, cell=question.cell_name)
    if not periods:
        having = con.execute(
            "select distinct ref_area from published.indicator_series where indicator = ? and cell = ? order by 1",
            [question.code, question.cell_name],
        ).fetchall()
        yield Absence(Reason.EMPTY_CELL, f"of areas that have any: {', '.join(area for (area,) in having[:NEAREST])}")
    elif question.period in periods:
        yield Absence(Reason.NOBODY, f"by {question.cell_name or 'the area as a whole'} it has other figures")
    else:
        near = sorted(periods, key=lambda one: (abs(int(one[:4]) - int(question.period[:4])), one))[:NEAREST]
        yield Absence(Reason.OTHER_PERIODS, ", ".join(sorted(near)))


def _explain_area(con: "duckdb.DuckDBPyConnection", question: FigureQuestion) -> Iterator[Absence]:
    if _has_series(con, question.code, counterpart_area=question.area):
        side = question.indicator["counterpart_area_meaning"]
        yield Absence(Reason.OTHER_SIDE, f"--cell counterpart_area={question.area} ({side})")
        return
    linked = con.execute(
        "select successor_code from reference.area_successors where former_code = $1"
        " union select former_code from reference.area_successors where successor_code = $1",
        [question.area],
    ).fetchall()
    having = [area for (area,) in linked if _has_series(con, question.code, ref_area=area)]
    if having:
        yield Absence(Reason.OTHER_BOUNDARIES, f"figures of {', '.join(sorted(having))}")
        return
    areas = con.execute(
        "select ref_area from published.indicator_series where indicator = ? group by all order by count(*) desc, 1",
        [question.code],
    ).fetchall()
    shown = ", ".join(area for (area,) in areas[:NEAREST])
    yield Absence(Reason.OTHER_AREAS, f"{len(areas)} areas, such as {shown}")


def _has_series(con: "duckdb.DuckDBPyConnection", indicator: str, **wanted: str) -> bool:
    conditions = "".join(f" and {name} in ({literals([value])})" for name, value in wanted.items())
    query = f"select 1 from published.indicator_series where indicator = ?{conditions} limit 1"
    return con.execute(query, [indicator]).fetchone() is not None


def _periods_of(con: "duckdb.DuckDBPyConnection", question: FigureQuestion, cell: str) -> list[str]:
    rows = fetch_rows(
        con,
        "select distinct time_period from published.indicator_value"
        " where indicator = ? and ref_area = ? and cell = ? order by 1",
        [question.code, question.area, cell],
    )
    return [row["time_period"] for row in rows]
