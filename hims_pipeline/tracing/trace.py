"""The whole answer of `hims why`: a question's figures, what the first of them rests on, or why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hims_pipeline.plain_file import read_json
from hims_pipeline.release.reader import FILE, connect
from hims_pipeline.release.store import Release
from hims_pipeline.settings import Settings
from hims_pipeline.tracing import evidence, recipes
from hims_pipeline.tracing.absence import Absence, Reason, explain_absence
from hims_pipeline.tracing.figures import Figure, choose_figures, find_figures, rule_between
from hims_pipeline.tracing.formulas import Making, find_making
from hims_pipeline.tracing.questions import FigureQuestion, ask_question, fetch_rows

if TYPE_CHECKING:
    import duckdb

SERIES = (
    "series_key", "source", "vintage", "universe", "duration_rule", "window_length", "level", "counterpart_area",
    "data_kind", "freq", "period_start_date", "period_end_date",
)  # fmt: skip
PRECISION = (
    "obs_value", "unit_measure", "numerator", "denominator", "n_obs", "standard_error", "cv_percent", "ci_lower",
    "ci_upper", "degrees_of_freedom", "interval_kind", "variance_basis", "obs_status", "conf_status",
)  # fmt: skip


@dataclass(frozen=True)
class Trace:
    """What leads from a figure back.

    Args:
        figure: the one that is traced; None where there is none.
        preferred_by: why it stands before the others, by series and edition of these.
        withheld: what the staff's file knows of a figure that is not shown; empty in the public reading.
        ledger: of each source of the indicator, why it has no figure by these dimensions (`v_expected_figures`).
        engine: what the release was built on; "" where an earlier version did not keep it.
    """

    question: FigureQuestion
    release: str
    figure: Figure | None = None
    others: list[dict[str, Any]] = field(default_factory=list)
    making: Making | None = None
    sources: list[dict[str, Any]] = field(default_factory=list)
    batches: list[dict[str, Any]] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    corrections: list[dict[str, Any]] = field(default_factory=list)
    controls: list[dict[str, Any]] = field(default_factory=list)
    claims: list[dict[str, Any]] = field(default_factory=list)
    withheld: dict[str, Any] = field(default_factory=dict)
    absence: list[Absence] = field(default_factory=list)
    ledger: list[dict[str, Any]] = field(default_factory=list)
    sql: str = ""
    r: str = ""
    engine: str = ""

    def as_json(self) -> dict[str, Any]:
        """All of it, for programs."""
        question = self.question
        record = dict(vars(self)) | {
            "question": {
                "indicator": question.code, "name": question.indicator["name_en"],
                "definition": question.indicator["definition_en"], "area": question.area,
                "area_name": question.area_name, "period": question.period, "cell": dict(question.cell),
            },
            "making": self.making.as_json() if self.making else None,
            "absence": [one.as_json() for one in self.absence],
            "figure": {name: self.figure.get(name) for name in (*SERIES, *PRECISION, "is_preferred")}
            if self.figure else None,
        }  # fmt: skip
        return record


def trace_figure(settings: Settings, release: Release, question: Mapping[str, str], *, staff: bool = False) -> Trace:
    """Everything that a release tells of one figure.

    Args:
        question: `indicator`, `area`, `period`, and perhaps `cell`, `source`, `vintage`, `universe`, as typed.
        staff: read the observatory's own file too: verdicts, and the rule by which a figure is withheld.

    Raises:
        UnknownQuestion: a part of the question that the release does not know.
        ReleaseError: the file is missing or may not be read.
    """
    con = connect(release.id, staff=staff, settings=settings)
    try:
        asked = ask_question(con, **question)
        manifest = release.manifest()
        figures = find_figures(con, asked)
        chosen = choose_figures(figures, asked)
        if not chosen:
            return Trace(
                asked,
                release.id,
                claims=evidence.claims_of(con, asked),
                absence=_explain(con, asked, figures, manifest),
                ledger=evidence.find_expected(con, asked),
                engine=_engine_of(manifest),
            )
        return _trace(settings, release, con, asked, chosen[0], figures, manifest, staff=staff)
    finally:
        con.close()


def _explain(
    con: "duckdb.DuckDBPyConnection", question: FigureQuestion, figures: list[Figure], manifest: Mapping[str, Any]
) -> list[Absence]:
    if figures:
        listed = ", ".join(f"{one['source']} {one['vintage']} {one['universe']}" for one in figures)
        return [Absence(Reason.OTHER_SOURCE, listed)]
    return explain_absence(con, question, manifest)


def _trace(
    settings: Settings,
    release: Release,
    con: "duckdb.DuckDBPyConnection",
    question: FigureQuestion,
    figure: Figure,
    figures: list[Figure],
    manifest: Mapping[str, Any],
    *,
    staff: bool,
) -> Trace:
    making = find_making(settings, question.code, figure["source"].split("+"), question.cell, figure["level"])
    sources = evidence.sources_of_figure(con, figure)
    batches = evidence.batches_of_figure(figure, manifest)
    databases = {part: getattr(release, part) / FILE for part in ("public", "staff")}
    others = [
        {name: one[name] for name in ("source", "vintage", "universe", "duration_rule", "window_length", "data_kind")}
        | {"obs_value": one["obs_value"], "obs_status": one["obs_status"], "is_preferred": one["is_preferred"]}
        | {"why_not": rule_between(figure, one, question.indicator) if figure["is_preferred"] else ""}
        for one in figures
        if one is not figure
    ]
    return Trace(
        question, release.id, figure, others, making, sources,
        [one | _read_verdict(release, one["batch"]) for one in batches] if staff else batches,
        list(evidence.doubts_of(con, figure, batches, manifest)),
        _count_applied(con, evidence.corrections_of_figure(con, figure, batches)) if staff
        else evidence.corrections_of_figure(con, figure, batches),
        evidence.controls_of_figure(con, question, figure),
        evidence.claims_of(con, question),
        _read_withheld(con, figure) if staff else {},
        sql=recipes.write_sql(figure),
        r=recipes.write_r(settings, question, figure, making, sources, databases),
        engine=_engine_of(manifest),
    )  # fmt: skip


def _engine_of(manifest: Mapping[str, Any]) -> str:
    engine: str = manifest["code"].get("engine", "")
    return engine


def _read_verdict(release: Release, batch: str) -> dict[str, Any]:
    """What the gate found of a batch, as the staff's part of the release keeps it."""
    path = release.staff / "verdicts" / f"{batch.replace('/', '__')}.json"
    if not path.is_file():
        return {}
    record = read_json(path)
    kept = ("status", "judged_at", "declared", "evaluated", "acceptance", "set_aside")
    broken = [rule["code"] for rule in record["rules"] if not rule["success"]]
    return {name: record[name] for name in kept} | {"broken_rules": broken, "findings": record["findings"]}


def _count_applied(con: "duckdb.DuckDBPyConnection", corrections: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Corrections with the rows that each changed, batch by batch."""
    rows = fetch_rows(
        con,
        "select correction_id, batch_id, rows_matched, rows_changed from conformed.corrections_applied order by all",
    )
    return [
        one | {"applied": [row for row in rows if row["correction_id"] == one["correction_id"]]} for one in corrections
    ]


def _read_withheld(con: "duckdb.DuckDBPyConnection", figure: Figure) -> dict[str, Any]:
    """The unprotected figure and the rule by which disclosure control withholds it."""
    if figure["conf_status"] != "C":
        return {}
    key = [figure[name] for name in ("series_key", "time_period", "vintage")]
    where = "where series_key = ? and time_period = ? and vintage = ?"
    rows = fetch_rows(con, f"select rule from indicators.ind_disclosed {where} and is_tonight", key)
    unprotected = fetch_rows(con, f"select obs_value, n_obs from indicators.ind_values {where}", key)
    return {"rule": rows[0]["rule"] if rows else "FEW_RECORDS"} | (unprotected[0] if unprotected else {})
