"""What is drawn, as rows from the public file of a release. Not here: how it looks (`charts`)."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hims_pipeline.sql import literal, literals

if TYPE_CHECKING:
    import duckdb

STOCKS = (
    "A05",
    "A10",
    "A02",
    "A01",
    "A06",
)  # of persons who moved, whose ages are drawn: the first that the release has
FLOWS = ("B33", "A06", "A07")  # by the other country, over time
MAPPED = ("B24", "B06", "A02")  # by area: the first that the release has
MOST_COUNTRIES = 6  # lines that can be told apart
# Published figures and ours of the same question, source and edition, where ours is shown.
CONTROLS = """
    select control_id, cast(value as double) as published, obs_value as ours, data_kind
    from reference.controls as controls
    join published.indicator_value as figures
        using (indicator, source, vintage, time_period, ref_area, counterpart_area, sex)
    join reference.indicators on indicator = code
    where measure_type in ('stock', 'flow') and coalesce(breakdown, '') = '' and cell = trim(
        case when counterpart_area not in ('_T', '_Z') then 'counterpart_area ' else '' end
        || case when sex != '_T' then 'sex' else '' end
    ) and obs_value > 0 and cast(value as double) > 0
"""


@dataclass(frozen=True)
class Picture:
    """One picture in one language.

    Args:
        name: of its file, without language and ending.
        title: and what stands below it.
        rows: what is drawn, in order.
        is_synthetic: any of it is invented.
        notes: further lines below the title.
    """

    name: str
    title: str
    rows: list[dict[str, Any]]
    is_synthetic: bool
    notes: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)


def hold_tables(con: "duckdb.DuckDBPyConnection", area: str) -> None:
    """Keep what all languages draw, so that views over all figures are asked once."""
    con.execute("create temp table headline as from published.v_headline limit 0")
    wanted = [(one, f"ref_area = {literal(area)}") for one in sorted({*STOCKS, *FLOWS, *MAPPED})]
    for indicator, where in [*wanted, *((one, "level != 'country'") for one in MAPPED)]:
        con.execute(  # one by one: of what is asked for by name the view reads nothing else
            f"insert into headline from published.v_headline where indicator = {literal(indicator)}"
            f" and cell in ('', 'age', 'age sex', 'counterpart_area') and {where}"
        )
    con.execute("create temp table codes as from published.v_codes")
    con.execute("create temp table ladders as from published.v_ladders_with_synthetic where ref_area = ?", [area])
    con.execute(f"create temp table controls as {CONTROLS}")


def _fetch(con: "duckdb.DuckDBPyConnection", sql: str, parameters: list[Any]) -> list[dict[str, Any]]:
    cursor = con.execute(sql, parameters)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _title(con: "duckdb.DuckDBPyConnection", indicator: str, area: str, language: str) -> str:
    names = con.execute(
        f"select name_{language} from reference.indicators where code = ? union all"
        f" select name_{language} from reference.countries where country_code = ?",
        [indicator, area],
    ).fetchall()
    return " · ".join(name for (name,) in names if name)


def _is_synthetic(rows: list[dict[str, Any]]) -> bool:
    return any(row["data_kind"] == "synthetic" for row in rows)


def take_ages(con: "duckdb.DuckDBPyConnection", area: str, language: str) -> Picture | None:
    """Ages of migrants, men and women on two sides where they are published together."""
    for cell in ("age sex", "age"):
        for indicator in STOCKS:
            rows = _fetch(
                con,
                f"""select age, sex, obs_value as persons, data_kind, time_period, source, ages.code_name_{language} as
                    age_name, sexes.code_name_{language} as sex_name
                from headline as figures
                left join codes as ages on ages.dimension = 'age' and ages.code = age
                left join codes as sexes on sexes.dimension = 'sex' and sexes.code = sex
                where indicator = ? and ref_area = ? and cell = ? and age not like '\\_%' escape '\\'
                    and sex in ('M', 'F', '_T')
                qualify dense_rank() over (order by time_period desc, source, universe) = 1
                order by age, sex""",
                [indicator, area, cell],
            )
            if len({row["age"] for row in rows}) > 2:
                title = f"{_title(con, indicator, area, language)}, {rows[0]['time_period']}"
                return Picture("ages", title, rows, _is_synthetic(rows), (rows[0]["source"],))
    return None


def take_destinations(con: "duckdb.DuckDBPyConnection", indicator: str, area: str, language: str) -> Picture | None:
    """Flows or stocks by the other country over time; `segment` counts the breaks before a point."""
    rows = _fetch(
        con,
        f"""with figures as (
            select counterpart_area, period_end_date, time_period, obs_value as value, data_kind, source, break_id
            from headline
            where indicator = ? and ref_area = ? and cell = 'counterpart_area'
        ),
        largest as (
            select counterpart_area from figures group by all order by max_by(value, time_period) desc, 1
            limit {MOST_COUNTRIES}
        )
        select figures.*, coalesce(name_{language}, counterpart_area) as country, year(period_end_date) as year,
            break_id is not null as is_break,
            count(break_id) over (partition by counterpart_area order by period_end_date) as segment
        from figures join largest using (counterpart_area)
        left join reference.countries on counterpart_area = country_code
        order by counterpart_area, period_end_date""",
        [indicator, area],
    )
    if len({row["time_period"] for row in rows}) < 2:
        return None
    breaks = {row["break_id"] for row in rows if row["break_id"]}
    named = _fetch(
        con,
        f"select name_{language} as name, from_date from reference.series_breaks"
        f" where break_id in ({literals(sorted(breaks) or [''])}) order by from_date",
        [],
    )
    for row in rows:
        row.pop("period_end_date")
    notes = tuple(f"{one['from_date'][:4]}: {one['name']}" for one in named)
    title = _title(con, indicator, area, language)
    return Picture(f"destinations_{indicator}", title, rows, _is_synthetic(rows), notes)


def take_map(con: "duckdb.DuckDBPyConnection", level: str, language: str) -> Picture | None:
    """An indicator by area of one level, its last period."""
    for indicator in MAPPED:
        rows = _fetch(
            con,
            f"""select ref_area as area_code, name_{language} as area_name, obs_value as value, data_kind, time_period
            from headline left join reference.areas on ref_area = area_code
            where indicator = ? and headline.level = ? and cell = ''
            qualify time_period = max(time_period) over () order by 1""",
            [indicator, level],
        )
        if len(rows) > 2:
            title = f"{_title(con, indicator, '', language)}, {rows[0]['time_period']}"
            unit = con.execute("select unit_measure from reference.indicators where code = ?", [indicator]).fetchall()
            is_balance = any(row["value"] < 0 for row in rows)
            extra = {"unit": unit[0][0], "is_balance": is_balance}
            return Picture(f"map_{indicator}", title, rows, _is_synthetic(rows), extra=extra)
    return None


def take_ladder(con: "duckdb.DuckDBPyConnection", ladder: str, area: str, language: str, title: str) -> Picture | None:
    """The rungs of a ladder: of each who says it the last figure, with its interval."""
    rows = _fetch(
        con,
        f"""select rung_no || '. ' || title_{language} as rung, kind, said_by, time_period, stated_value as value,
            ci_lower, ci_upper, data_kind
        from ladders
        where ladder = ? and ref_area = ? and stated_value > 0 and verdict = 'STANDS'
        qualify row_number() over (partition by rung_no, kind, said_by order by time_period desc, vintage desc) = 1
        order by rung_no, kind, said_by""",
        [ladder, area],
    )
    if len({row["rung"] for row in rows}) < 2:
        return None
    names = con.execute(f"select name_{language} from reference.countries where country_code = ?", [area]).fetchall()
    whole = f"{title} · {names[0][0] if names else area}"
    return Picture(f"ladder_{ladder.lower()}", whole, rows, _is_synthetic(rows))


def list_ladders(con: "duckdb.DuckDBPyConnection") -> list[str]:
    """Names of the ladders."""
    return [name for (name,) in con.execute("select distinct ladder from reference.ladder_rungs order by 1").fetchall()]


def take_controls(con: "duckdb.DuckDBPyConnection", title: str) -> Picture | None:
    """Published figures beside ours of the same question, source and edition, where ours is shown."""
    rows = _fetch(con, "from controls order by control_id, ours", [])
    if len(rows) < 3:
        return None
    ratios = sorted(row["ours"] / row["published"] for row in rows if row["data_kind"] == "synthetic")
    scale = ratios[len(ratios) // 2] if ratios else 1.0
    return Picture("controls", title, rows, _is_synthetic(rows), extra={"scale": scale})
