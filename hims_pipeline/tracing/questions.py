"""The question about one figure: which indicator, area, period and cell is meant, in the codes of a release.

Whatever is not known is answered by what is near it. Not here: figures.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from hims_pipeline.errors import HimsError
from hims_pipeline.words import printable

if TYPE_CHECKING:  # the library takes long to load, and other commands need none of it
    import duckdb

CORE = ("counterpart_area", "sex", "age")
PERIOD = re.compile(r"\d{4}(-Q[1-4]|-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
NEAR = 5  # as many as one reads
ALIKE = 0.6  # share of letters that two texts have in common; a wrong letter or two in a code or word is above it


class UnknownQuestion(HimsError):
    """An indicator, area, period, dimension or code that the release does not know; names those that are near."""


@dataclass(frozen=True)
class Question:
    """One figure.

    Args:
        indicator: its row of `reference.indicators`.
        area_names: the area's names by language, where the release has them.
        cell: dimension -> code, of those that the figure is broken down by; all others are totals.
        source, vintage, universe: where one of several figures is meant; empty otherwise.
    """

    indicator: Mapping[str, str]
    area: str
    area_name: str
    period: str
    cell: Mapping[str, str]
    source: str = ""
    vintage: str = ""
    universe: str = ""

    @property
    def code(self) -> str:
        """The indicator's code."""
        return self.indicator["code"]

    @property
    def dimensions(self) -> tuple[str, ...]:
        """All that figures of this indicator may be broken down by."""
        return dimensions_of(self.indicator)

    @property
    def cell_name(self) -> str:
        """The cell as the release names it: dimensions in alphabetical order."""
        return " ".join(sorted(self.cell))


def dimensions_of(indicator: Mapping[str, str]) -> tuple[str, ...]:
    """Dimensions of an indicator, from its row of `reference.indicators`."""
    core = [name for name in CORE if name != "counterpart_area" or indicator["counterpart_area_meaning"]]
    return (*core, *(indicator["breakdowns"] or "").split())


def fetch_rows(con: "duckdb.DuckDBPyConnection", sql: str, parameters: Iterable[Any] = ()) -> list[dict[str, Any]]:
    """Rows of a query, each by its columns' names."""
    cursor = con.execute(sql, list(parameters))
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def ask_question(
    con: "duckdb.DuckDBPyConnection",
    indicator: str,
    area: str,
    period: str,
    cell: str = "",
    source: str = "",
    vintage: str = "",
    universe: str = "",
) -> Question:
    """What is meant, checked against a release.

    Args:
        cell: `sex=F;age=Y15T24`, empty for the area as a whole.

    Raises:
        UnknownQuestion: a part of it that the release does not know.
    """
    record = _find_indicator(con, indicator)
    code, name = _find_area(con, area)
    if not PERIOD.fullmatch(period):
        raise UnknownQuestion(
            f"{printable(period)!r} is no period: write a year 2024, quarter 2024-Q1 or month 2024-06."
        )
    parts = _read_cell(con, record, cell)
    known = {row["source"] for row in fetch_rows(con, "select source from reference.sources")}
    if source and not set(source.split("+")) <= known:
        raise UnknownQuestion(_name_near("source", source, dict.fromkeys(known, ""), "reference.sources"))
    return Question(record, code, name, period, parts, source, vintage, universe)


def _find_indicator(con: "duckdb.DuckDBPyConnection", text: str) -> dict[str, str]:
    records = {row["code"]: row for row in fetch_rows(con, "from reference.indicators")}
    if (code := text.strip().upper()) in records:
        return records[code]
    names = {code: " / ".join(filter(None, _names_of(row))) for code, row in records.items()}
    raise UnknownQuestion(_name_near("indicator", text, names, "select code, name_en from reference.indicators"))


def _find_area(con: "duckdb.DuckDBPyConnection", text: str) -> tuple[str, str]:
    names = {
        row["code"]: " / ".join(dict.fromkeys(filter(None, _names_of(row))))
        for row in fetch_rows(
            con,
            "select * replace (area_code as area_code), area_code as code from reference.areas"
            " union all by name select *, country_code as code from reference.countries",
        )
    }
    for (code,) in con.execute("select distinct ref_area from published.indicator_series").fetchall():
        names.setdefault(code, "")
    if (code := text.strip().upper()) in names:
        return code, names[code].split(" / ")[0]
    raise UnknownQuestion(_name_near("area", text, names, "select area_code, name_en from reference.areas"))


def _names_of(row: Mapping[str, Any]) -> list[str]:
    """English first, then the release's other languages."""
    keys = sorted((key for key in row if re.fullmatch(r"name_[a-z]{2,3}", key)), key=lambda key: key != "name_en")
    return [row[key] or "" for key in keys]


def _read_cell(con: "duckdb.DuckDBPyConnection", indicator: Mapping[str, str], text: str) -> dict[str, str]:
    dimensions, cell = dimensions_of(indicator), {}
    for part in filter(None, re.split(r"[;,\s]+", text.strip())):
        name, equals, code = part.partition("=")
        if not equals or not code:
            raise UnknownQuestion(f"--cell {printable(part)!r}: write dimension=code, as in sex=F;age=Y15T24.")
        if name not in dimensions:
            raise UnknownQuestion(
                f"{indicator['code']} has no figures by {printable(name)!r}. It has: {', '.join(dimensions)}."
            )
        codes = {
            row["code"]: row["name"] or ""
            for row in fetch_rows(
                con, "select code, code_name_en as name from published.v_codes where dimension = ?", [name]
            )
        }
        used = con.execute(f"select distinct {name} from published.indicator_series").fetchall()
        codes |= {one: codes.get(one, "") for (one,) in used}
        if code not in codes:
            raise UnknownQuestion(
                _name_near(f"code of {name}", code, codes, f"from v_codes where dimension = '{name}'")
            )
        if code not in ("_T", "_Z"):
            cell[name] = code
    return dict(sorted(cell.items()))


def find_near(text: str, names: Mapping[str, str]) -> list[str]:
    """Codes that a text may have meant, the nearest first: by spelling of the code, or by a word of the name."""
    wanted = text.strip().casefold()

    def likeness(code: str) -> float:
        lower, name = code.casefold(), names[code].casefold()
        if wanted and (wanted in name or wanted in lower):
            return 2 + len(wanted) / max(len(name) + len(lower), 1)
        spelt = SequenceMatcher(None, wanted, lower).ratio()
        return max([spelt, *(SequenceMatcher(None, wanted, word).ratio() for word in name.split())])

    ranked = sorted(names, key=lambda code: (-likeness(code), code))
    return [code for code in ranked[:NEAR] if likeness(code) >= ALIKE]


def _name_near(what: str, text: str, names: Mapping[str, str], query: str) -> str:
    near = [f"{code} {names[code].split(' / ')[0]}".strip() for code in find_near(text, names)]
    meant = f" Did you mean {'; '.join(near)}?" if near else ""
    return f'There is no {what} {printable(text)!r}.{meant} All of them: hims query "{query}".'
