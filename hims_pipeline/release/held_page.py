"""How a held release is shown to the person who is to decide: one HTML page in the observatory's languages that needs
nothing beside itself, and lines for a terminal. Only figures that may be published stand in it.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2

from hims_pipeline.contracts.indicators import load_breakdowns, load_indicators
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.contracts.yaml_records import read_yaml
from hims_pipeline.gates.revisions import MEASURES
from hims_pipeline.release.movements import Movement
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection, literal, quote
from hims_pipeline.staging.in_force import find_in_force

HERE = Path(__file__).resolve().parent
ROWS = 200  # of one measure on the page; how many more there are is told
WIDTH, HEIGHT = 160, 40
Curve = list[tuple[str, float | None, float | None]]  # period, value before, value now


@dataclass(frozen=True)
class _Names:
    """Labels by language."""

    indicators: Mapping[str, str]
    sources: Mapping[str, str]
    codes: Mapping[str, str]
    breakdowns: Mapping[str, str]

    def describe_figure(self, text: str) -> str:
        """What a figure is about, in words: `citizenship=LBY; sex=F`."""
        parts = (part.partition("=") for part in text.split("; ") if part)
        return ", ".join(f"{self.breakdowns.get(name, name)}: {self.codes.get(code, code)}" for name, _, code in parts)


def _names(settings: Settings, language: str) -> _Names:
    indicators = {code: one.name.get(language) or one.name.en for code, one in load_indicators(settings.data).items()}
    contracts = find_in_force(settings).contracts
    sources = {name: one.title.get(language) or one.title.en for name, one in contracts.items()}
    breakdowns = {
        breakdown.name: breakdown.label.get(language) or breakdown.label.en
        for breakdown in load_breakdowns(settings.data)
    }
    codes: dict[str, str] = {}
    for listed, key in (("areas", "area_code"), ("countries", "country_code")):
        path = settings.data / f"codelists/{listed}.csv"
        if path.exists():
            codes |= _labels(path, path.stat().st_mtime_ns, key, language)
    return _Names(indicators, sources, codes, breakdowns | texts()[language]["dimensions"])


@lru_cache(maxsize=16)
def _labels(path: Path, _modified: int, key: str, language: str) -> dict[str, str]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row[key]: row.get(f"name_{language}") or row.get("name_en") or row[key] for row in csv.DictReader(file)}


@lru_cache(maxsize=1)
def texts() -> dict[str, Any]:
    """Language -> the words of the page."""
    texts: dict[str, Any] = read_yaml(HERE / "held_texts.yml")
    return texts


def page_line(settings: Settings, movement: Movement, language: str = "en") -> str:
    """A movement as a line of text."""
    names, labels = _names(settings, language), texts()[language]
    where = " ".join(
        part for part in (movement.area, f"({names.describe_figure(movement.about)})" if movement.about else "") if part
    )
    indicator = names.indicators.get(movement.indicator, "")
    head = f"{movement.indicator} {indicator}, {movement.source}, {movement.time_period}"
    if movement.vintage not in ("", "_Z"):
        head += f" [{movement.vintage}]"
    about = f"{head}, {where}" if where else head
    return f"{about}: {_sentence_of(movement, labels)}; {labels['causes'][movement.cause]}"


def _sentence_of(movement: Movement, text: Mapping[str, Any]) -> str:
    form = text["forms"][movement.measure if movement.measure in ("gone", "hidden", "missing") else "value"]
    sentence: str = form.format(
        before=_number(movement.before),
        after=_number(movement.after),
        lost=_number(movement.before - movement.after),
        percent=_percent(movement),
        limit=f"{movement.limit:g}",
    )
    return sentence


def _percent(movement: Movement) -> str:
    plain = 100 * (movement.after - movement.before) / movement.before if movement.before else 0.0
    return f"{plain:+,.1f}" if abs(plain) >= 0.05 else f"{plain:+.2g}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:,.4g}"


def page_text(settings: Settings, record: Mapping[str, Any], language: str = "en") -> str:
    """The page for a terminal."""
    labels = texts()[language]
    movements = [_movement(one) for one in record["movements"]]
    lines = [
        f"{labels['title']} ({record['held_at']})",
        labels["lead"].format(since=record["since"]),
        "",
        labels["changed"],
    ]
    lines += [f"  - {labels['causes'][cause]}: {what}" for cause, what in record["changed"]] or [
        f"  {labels['nothing']}"
    ]
    for measure in dict.fromkeys(one.measure for one in movements):
        own = [one for one in movements if one.measure == measure]
        lines += ["", f"{MEASURES[measure].get(language, MEASURES[measure]['en'])} ({len(own)})"]
        lines += [f"  - {page_line(settings, one, language)}" for one in own[:15]]
        lines += [f"  {labels['more'].format(n=len(own) - 15)}"] if len(own) > 15 else []
    return "\n".join([*lines, "", labels["todo"]])


def _movement(record: Mapping[str, Any]) -> Movement:
    return Movement(
        **{name: value for name, value in record.items() if name != "digest"} | {"because": tuple(record["because"])}
    )


def curves(
    settings: Settings, old: Path, new: Path, movements: Sequence[Movement], most: int = 60
) -> dict[tuple[str, str, str, str], Curve]:
    """The series behind the first movements: (indicator, source, area, about) -> period, value before, value now."""
    wanted = list(dict.fromkeys((one.indicator, one.source) for one in movements))[:most]
    series: dict[tuple[str, str, str, str], dict[str, list[float | None]]] = {}
    with connection(settings) as con:
        for side, path in enumerate((old, new)):
            name = quote(path.stem)
            con.execute(f"attach {literal(path)} as {name} (read_only)")
            for indicator, source in wanted:
                rows = con.execute(
                    f"select ref_area, time_period, max(obs_value) from {name}.published.indicator_value"
                    " where indicator = ? and source = ? and sex in ('_T', '_Z') and age in ('_T', '_Z')"
                    " and counterpart_area in ('_T', '_Z') group by all order by max(period_end_date)",
                    [indicator, source],
                ).fetchall()
                for area, period, value in rows:
                    both = series.setdefault((indicator, source, area, ""), {}).setdefault(period, [None, None])
                    both[side] = value
            con.execute(f"detach {name}")
    return {key: [(period, *both) for period, both in one.items()] for key, one in series.items()}  # type: ignore[misc]


def _plot(curve: Curve) -> dict[str, Any] | None:
    """Points of two lines, before and now, in a box of WIDTH x HEIGHT."""
    values = [value for _, *both in curve for value in both if value is not None]
    if len(curve) < 2 or not values or max(values) <= 0:
        return None
    top, step = max(values), WIDTH / (len(curve) - 1)
    sides = ([was for _, was, _ in curve], [now for _, _, now in curve])
    place = [
        [(round(no * step, 1), round(HEIGHT * (1 - one / top), 1)) for no, one in enumerate(side) if one is not None]
        for side in sides
    ]
    return {
        "before": " ".join(f"{x},{y}" for x, y in place[0]),
        "now": " ".join(f"{x},{y}" for x, y in place[1]),
        "dots": place[1],
        "first": curve[0][0],
        "last": curve[-1][0],
    }


def page(
    settings: Settings,
    record: Mapping[str, Any],
    movements: Sequence[Movement],
    known: Mapping[tuple[str, str, str, str], Curve],
) -> str:
    """The page, all of the observatory's languages that have words for it in one file."""
    languages = [one for one in load_observatory(settings.data).languages if one in texts()]
    plots = {key: _plot(curve) for key, curve in known.items()}
    parts = [_part(settings, language, movements, plots) for language in languages]
    form = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    template = form.from_string((HERE / "held_page.html").read_text(encoding="utf-8"))
    name = load_observatory(settings.data).name
    return template.render(parts=parts, record=record, observatory=name, width=WIDTH, height=HEIGHT)


def _part(
    settings: Settings, language: str, movements: Sequence[Movement], plots: Mapping[tuple[str, str, str, str], Any]
) -> dict[str, Any]:
    names, messages = _names(settings, language), texts()[language]
    tables = []
    for measure in dict.fromkeys(one.measure for one in movements):
        own = [one for one in movements if one.measure == measure]
        rows = [
            {
                "indicator": one.indicator,
                "name": names.indicators.get(one.indicator, ""),
                "source": " + ".join(names.sources.get(part, part) for part in one.source.split("+")),
                "area": names.codes.get(one.area, one.area),
                "about": names.describe_figure(one.about),
                "period": one.time_period + (f" [{one.vintage}]" if one.vintage not in ("", "_Z") else ""),
                "before": _number(one.before),
                "after": _number(one.after),
                "percent": _percent(one),
                "limit": f"{one.limit:g}",
                "cause": messages["causes"][one.cause],
                "because": one.because,
                "plot": plots.get((one.indicator, one.source, one.area, "")) if not one.about else None,
            }
            for one in own[:ROWS]
        ]
        title = MEASURES[measure].get(language, MEASURES[measure]["en"])
        tables.append({"title": title, "rows": rows, "of": len(own), "more": max(0, len(own) - ROWS)})
    return {"language": language, "said": messages, "tables": tables, "rtl": language == "ar"}
