"""How pictures look, in Altair: one function a kind of picture. Not here: what is drawn (`rows`).

In a language that is written from right to left, titles stand right, axes of names on the right and bars grow to the
left; time runs as it does in yearbooks in such languages, from left to right.
"""

import re
from collections.abc import Mapping
from typing import Any

import altair as alt

from hims_pipeline.drawing.rows import Picture

RIGHT_TO_LEFT = ("ar", "fa", "he", "ur")
FONT = "DejaVu Sans, Liberation Sans, Arial, sans-serif"
WIDTH, HEIGHT = 560, 320  # pixels of the plot without its axes
MEN, WOMEN, GREY, WARNING = "#3b6fa0", "#c9752d", "#d0d0d0", "#b00020"
Words = Mapping[str, str]


def is_rtl(language: str) -> bool:
    """Is it written from right to left?"""
    return language in RIGHT_TO_LEFT


def order_digits(text: str, language: str) -> str:
    """Text whose dates keep their order: behind Arabic letters, `2024-02-29` would be set from the day to the year."""
    return re.sub(r"\d{4}-[\d-]+", "\u200e\\g<0>", text) if is_rtl(language) else text


def finish_chart(chart: Any, picture: Picture, words: Words, language: str, *notes: str) -> dict[str, Any]:
    """The Vega-Lite specification with title, notes and the language's direction."""
    lines = [*([words["synthetic"]] if picture.is_synthetic else []), *picture.notes, *filter(None, notes)]
    title = alt.TitleParams(
        order_digits(picture.title, language),
        subtitle=lines,
        anchor="end" if is_rtl(language) else "start",
        subtitleColor=WARNING if picture.is_synthetic else "#444444",
    )
    side = "left" if is_rtl(language) else "right"
    chart = chart.properties(title=title, padding=16).configure(font=FONT, background="white")
    chart = chart.configure_legend(orient=side, labelLimit=260, titleLimit=260).configure_axis(labelLimit=260)
    # Not held to the schema here, which takes longer than drawing: what is not Vega-Lite fails when it is drawn.
    specification: dict[str, Any] = chart.configure_view(stroke=None).to_dict(validate=False)
    return specification


def _x(field: str, title: str, language: str, **scale: Any) -> Any:
    axis = alt.Axis(format="~s", labelOverlap=True, tickCount=6)
    return alt.X(f"{field}:Q", title=title, axis=axis, scale=alt.Scale(reverse=is_rtl(language), **scale))


def _side(language: str) -> Any:
    return "right" if is_rtl(language) else "left"


def draw_ages(picture: Picture, words: Words, language: str) -> dict[str, Any]:
    """A pyramid; one-sided where the sexes are not published by age."""
    rows = [dict(row) for row in picture.rows]
    for row in rows:
        row["side"] = -row["persons"] if row["sex"] == "M" else row["persons"]
    order = list(dict.fromkeys(row["age_name"] for row in sorted(rows, key=lambda one: -_first_age(one["age"]))))
    names = {row["sex"]: row["sex_name"] for row in rows}
    colours = {"M": MEN, "F": WOMEN, "_T": MEN}
    chart = alt.Chart(alt.Data(values=rows), width=WIDTH, height=HEIGHT).mark_bar().encode(
        x=alt.X("side:Q", title=words["persons"], axis=alt.Axis(labelExpr="format(abs(datum.value), ',')"),
                scale=alt.Scale(reverse=is_rtl(language))),
        y=alt.Y("age_name:N", sort=order, title=None, axis=alt.Axis(orient=_side(language))),
        color=alt.Color("sex_name:N", title=None, scale=alt.Scale(
            domain=list(names.values()), range=[colours[sex] for sex in names])),
    )  # fmt: skip
    return finish_chart(chart, picture, words, language)


def _first_age(code: str) -> int:
    digits = "".join(one for one in code.removeprefix("Y_LT").removeprefix("Y_GE").removeprefix("Y")[:2])
    return (int(digits) if digits.isdigit() else 0) - (1 if code.startswith("Y_LT") else 0) * 1000


def draw_destinations(picture: Picture, words: Words, language: str) -> dict[str, Any]:
    """Lines that stop at breaks, and a dashed rule where one is."""
    last = {row["country"]: row["value"] for row in picture.rows}
    order = sorted(last, key=lambda country: (-last[country], country))
    years = sorted({row["year"] for row in picture.rows})
    base = alt.Chart(alt.Data(values=picture.rows), width=WIDTH, height=HEIGHT)
    axis = alt.Axis(format="d", values=years, labelOverlap=True)
    lines = base.mark_line(point=True).encode(
        x=alt.X("year:Q", title=None, axis=axis, scale=alt.Scale(zero=False, nice=False)),
        y=alt.Y("value:Q", title=words["persons"], axis=alt.Axis(orient=_side(language))),
        color=alt.Color("country:N", sort=order, title=None),
        detail="segment:O",
    )
    at = sorted({row["year"] for row in picture.rows if row["is_break"]})
    if not at:
        return finish_chart(lines, picture, words, language)
    rules = alt.Chart(alt.Data(values=[{"year": year} for year in at]))
    rules = rules.mark_rule(strokeDash=[5, 4], color="#666666").encode(x="year:Q")
    return finish_chart(rules + lines, picture, words, language, words["others_hint"])


def draw_map(picture: Picture, words: Words, language: str, geometry: Mapping[str, Any]) -> dict[str, Any]:
    """Areas filled by their figure, those without one grey; with names where the boundaries say `is_labelled`."""
    values = {row["area_code"]: row["value"] for row in picture.rows}
    features = [
        dict(one)
        | {"properties": {"value": values.get(one["properties"]["area_code"]), "name": one["properties"]["name"]}}
        for one in geometry["features"]
    ]
    data = alt.Data(values={"type": "FeatureCollection", "features": features}, format=alt.DataFormat(
        property="features", type="json"))  # fmt: skip
    scheme = alt.Scale(scheme="purpleorange", domainMid=0) if picture.extra["is_balance"] else alt.Scale(scheme="blues")
    known = alt.Chart(data, width=WIDTH * 0.6, height=HEIGHT * 1.7).mark_geoshape(stroke="white").encode(
        color=alt.condition(
            "isValid(datum.properties.value)",
            alt.Color("properties.value:Q", title=picture.extra["unit_name"], scale=scheme),
            alt.value(GREY),
        )
    )  # fmt: skip
    chart = known.project(type="mercator")
    if geometry.get("is_labelled"):
        halo: dict[str, Any] = {"stroke": "white", "strokeWidth": 2.5}
        for style in (halo, {}):  # letters that are read on any colour
            labels = alt.Chart(data).mark_text(fontSize=9, **style).transform_calculate(
                longitude="geoCentroid(null, datum)[0]", latitude="geoCentroid(null, datum)[1]"
            ).encode(text="properties.name:N", longitude="longitude:Q", latitude="latitude:Q")  # fmt: skip
            chart += labels.project(type="mercator")
    return finish_chart(chart, picture, words, language, words["withheld"], geometry.get("attribution", ""))


def draw_ladder(picture: Picture, words: Words, language: str) -> dict[str, Any]:
    """One line a rung, a mark for each who says it, with its interval."""
    rows = [
        dict(row) | {"what": words["figure" if row["kind"] == "indicator" else "claim"],
                     "who": f"{row['said_by']} {row['time_period']}"}
        for row in picture.rows
    ]  # fmt: skip
    order = list(dict.fromkeys(row["rung"] for row in rows))
    base = alt.Chart(alt.Data(values=rows), width=WIDTH, height=60 * len(order)).encode(
        y=alt.Y("rung:N", sort=order, title=None, axis=alt.Axis(orient=_side(language), grid=True)),
    )
    x = _x("value", f"{words['persons']} ({words['log']})", language, type="log")
    points = base.mark_point(filled=True, size=80).encode(
        x=x,
        color=alt.Color("what:N", title=None, scale=alt.Scale(
            domain=[words["figure"], words["claim"]], range=[MEN, WOMEN])),
        shape=alt.Shape("what:N", title=None, scale=alt.Scale(domain=[words["figure"], words["claim"]])),
    )  # fmt: skip
    spans = base.transform_filter("isValid(datum.ci_lower)").mark_rule(color=MEN, strokeWidth=2)
    spans = spans.encode(x=_x("ci_lower", "", language, type="log"), x2="ci_upper:Q")
    return finish_chart(spans + points, picture, words, language, words["interval"])


def draw_controls(picture: Picture, words: Words, language: str) -> dict[str, Any]:
    """Published figures and ours, both on logarithmic scales, and the line where they are equal."""
    scale = picture.extra["scale"]
    values = [row["published"] for row in picture.rows]
    ends = [{"published": one, "ours": one * scale} for one in (min(values), max(values))]
    kinds = sorted({row["data_kind"] for row in picture.rows})
    points = alt.Chart(alt.Data(values=picture.rows), width=WIDTH * 0.8, height=HEIGHT).mark_point(filled=True).encode(
        x=_x("published", f"{words['published']} ({words['log']})", language, type="log"),
        y=alt.Y("ours:Q", title=words["ours"], scale=alt.Scale(type="log"),
                axis=alt.Axis(orient=_side(language), format="~s", labelOverlap=True, tickCount=6)),
        color=alt.Color("kind_name:N", title=None, scale=alt.Scale(range=[MEN, WOMEN, "#4d9a63"][: len(kinds)])),
    )  # fmt: skip
    line = alt.Chart(alt.Data(values=ends)).mark_line(color="#888888", strokeDash=[4, 3])
    line = line.encode(x=_x("published", "", language, type="log"), y=alt.Y("ours:Q", scale=alt.Scale(type="log")))
    hint = words["scaled"] if picture.is_synthetic else ""
    return finish_chart(line + points, picture, words, language, words["same"], hint)
