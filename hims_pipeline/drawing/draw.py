"""Draws all pictures of a public file: `python -m hims_pipeline.drawing.draw DATABASE FOLDER`, in a process of its own.

Altair and vl-convert are opened here alone: they take memory, and number what they draw from the start of a process.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.drawing import charts, rows
from hims_pipeline.errors import HimsError
from hims_pipeline.failures import explain
from hims_pipeline.settings import Settings, load_settings
from hims_pipeline.sql import connection

if TYPE_CHECKING:
    import duckdb

GEOMETRY = "geometry"  # folder of data/ with one file of boundaries a level, features with `area_code`
VEGA_LITE = "v6_1"  # of Altair 6; vl-convert has it with it, so nothing is downloaded
LOCALES = {"fr": "fr-FR", "ar": "ar-TN", "en": "en-US"}


def load_words() -> dict[str, dict[str, str]]:
    """The words on pictures, by language."""
    loaded: dict[str, dict[str, str]] = yaml.safe_load(
        Path(__file__).with_name("words.yml").read_text(encoding="utf-8")
    )
    return loaded


def draw_release(settings: Settings, database: Path, folder: Path) -> list[Path]:
    """Write `<picture>.<language>.svg` for all that the file has figures for.

    Raises:
        HimsError: a file of boundaries is none.
    """
    import vl_convert

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with connection(settings, database, read_only=True) as con:
        con.execute("use published")
        rows.hold_tables(con, load_observatory(settings.data).reference_country)
        for language, words in sorted(load_words().items()):
            if language not in load_observatory(settings.data).languages:
                continue
            for name, specification in _specify(settings, con, words, language):
                locale: Any = LOCALES.get(language, "en-US")
                svg = vl_convert.vegalite_to_svg(json.dumps(specification), vl_version=VEGA_LITE, format_locale=locale)
                path = folder / f"{name}.{language}.svg"
                path.write_text(_set_language(svg, language), encoding="utf-8")
                written.append(path)
    return written


def _specify(
    settings: Settings, con: "duckdb.DuckDBPyConnection", words: dict[str, str], language: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    area = load_observatory(settings.data).reference_country
    if picture := rows.take_ages(con, area, language):
        yield picture.name, charts.draw_ages(picture, words, language)
    for indicator in rows.FLOWS:
        if picture := rows.take_destinations(con, indicator, area, language):
            yield picture.name, charts.draw_destinations(picture, words, language)
    for path in sorted((settings.data / GEOMETRY).glob("*.geojson")):
        if picture := rows.take_map(con, path.stem, language):
            picture.extra["unit_name"] = _name_code(con, "unit_measure", picture.extra["unit"], language)
            geometry = _read_geometry(path)
            for one in geometry["features"]:
                one["properties"]["name"] = _name_code(con, "ref_area", one["properties"]["area_code"], language)
            yield picture.name, charts.draw_map(picture, words, language, geometry)
    for ladder in rows.list_ladders(con):
        if picture := rows.take_ladder(con, ladder, area, language, words["ladder"]):
            yield picture.name, charts.draw_ladder(picture, words, language)
    if picture := rows.take_controls(con, words["controls"]):
        for row in picture.rows:
            row["kind_name"] = _name_code(con, "data_kind", row["data_kind"], language)
        yield picture.name, charts.draw_controls(picture, words, language)


def _name_code(con: "duckdb.DuckDBPyConnection", dimension: str, code: str, language: str) -> str:
    names = con.execute(
        f"select code_name_{language} from codes where dimension = ? and code = ?", [dimension, code]
    ).fetchall()
    return names[0][0] if names else code


def _read_geometry(path: Path) -> dict[str, Any]:
    try:
        geometry: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if all("area_code" in one["properties"] for one in geometry["features"]):
            for one in geometry["features"]:
                _turn_rings(one["geometry"])
            return geometry
    except (ValueError, KeyError, TypeError):
        pass
    raise HimsError(f"{path} is no GeoJSON of boundaries: each feature has properties with an `area_code`.")


def _turn_rings(geometry: dict[str, Any]) -> None:
    """Rings as the drawing library wants them, outer ones clockwise: else it fills all the world but the area."""
    parts = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    for rings in parts:
        for number, ring in enumerate(rings):
            doubled = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1], strict=True))
            if (doubled > 0) == (number == 0):
                ring.reverse()


def _set_language(svg: str, language: str) -> str:
    """Say which language a picture is in, and let each text begin from the side that its letters are read from; what
    stands where is already drawn for it."""
    head, end, rest = svg.partition(">")
    style = "<style>text{unicode-bidi:plaintext}</style>"
    return head.replace("<svg ", f'<svg lang="{language}" ', 1) + end + style + rest + "\n"


def main(database: Path, folder: Path) -> int:
    """What went wrong is one line on the error output."""
    try:
        for path in draw_release(load_settings(), database, folder):
            print(path.name)
    except Exception as error:
        print(explain(error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
