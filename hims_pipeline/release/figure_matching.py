"""The figures of two release files side by side: matched by series, period and edition; where each edition takes the
place of the one before, by series and period. Not here: what is judged of them (`movements`)."""

from pathlib import Path
from typing import Any

from hims_pipeline.disclosure.figures import total_codes
from hims_pipeline.release.compare import attach_file, find_changed
from hims_pipeline.settings import Settings
from hims_pipeline.sql import literal, literals, quote
from hims_pipeline.staging.in_force import find_in_force

READ = (
    "series_key, time_period, vintage, freq, ref_area, period_start_date, period_end_date, unit_measure, obs_value,"
    " n_obs, standard_error"
)
COUNTED = ("PERSONS", "CONTRACTS", "PERMITS", "DETECTIONS", "PASSAGES")  # units whose numbers count something


def match_figures(settings: Settings, con: Any, old: Path, new: Path) -> None:
    """Make the tables `groups` (an indicator, source, period and edition) and `figures` (each figure of either file,
    with its values before and after), of the indicators and sources of which anything changed."""
    replaced = [
        source
        for source, contract in find_in_force(settings).contracts.items()
        if contract.period.supersedes in ("earlier_editions", "earlier_deliveries")
    ]
    edition = f"case when source in ({literals(replaced)}) then '' else vintage end" if replaced else "vintage"
    find_changed(con, old, new, READ)
    for side, path in (("old", old), ("new", new)):
        _read_side(con, side, path, edition)
    con.execute("""
        create temp table groups as
        select
            row_number() over (order by indicator, source, time_period, edition) as no, indicator, source, time_period,
            edition, max(vintage) as vintage, min(start_date) as start_date, max(end_date) as end_date,
            any_value(freq) as freq,
            bool_or(side = 'old') as is_old, bool_or(side = 'new') as is_new
        from (
            select *, 'old' as side from old_side union all by name select *, 'new' as side from new_side
        ) as sides
        group by indicator, source, time_period, edition
    """)
    con.execute("""
        create temp table figures as
        select
            groups.no, coalesce(n.ref_area, o.ref_area) as ref_area, coalesce(n.about, o.about) as about,
            coalesce(n.ref_area, o.ref_area) in (from new_areas union all from old_areas) as is_part_of_country,
            coalesce(n.is_count, o.is_count) as is_count, coalesce(n.vintage, o.vintage) as vintage,
            o.obs_value as before, n.obs_value as after, o.n_obs as n_before, o.standard_error as se_before,
            o.series_key is not null as was_there, n.series_key is not null as is_there
        from old_side as o
        full join new_side as n using (series_key, time_period, edition, indicator, source)
        join groups
            on coalesce(n.indicator, o.indicator) = groups.indicator and coalesce(n.source, o.source) = groups.source
            and coalesce(n.time_period, o.time_period) = groups.time_period
            and coalesce(n.edition, o.edition) = groups.edition
    """)


def _read_side(con: Any, side: str, path: Path, edition: str) -> None:
    with attach_file(con, path) as file:
        columns = con.execute(f"describe select * from {file}.published.indicator_value").fetchall()
        texts = [column[0] for column in columns if column[1] == "VARCHAR"]
        values = texts[texts.index("vintage") + 1 : texts.index("unit_measure")]  # the breakdowns stand between them
        parts = [
            f"case when {quote(name)} not in ({literals(total_codes(name))})"
            f" then {literal(f'{name}=')} || {quote(name)} end"
            for name in ("counterpart_area", "sex", "age", *values)
        ]
        con.execute(f"""
            create temp table {side}_side as
            select
                series_key, time_period, {edition} as edition, vintage, indicator, source, freq, ref_area,
                period_start_date as start_date, period_end_date as end_date,
                concat_ws('; ', {", ".join(parts)}) as about,
                unit_measure in ({literals(COUNTED)}) as is_count,
                obs_value, n_obs, standard_error
            from {file}.published.indicator_value
            where (indicator, source) in (from changed)
        """)
        has_areas = con.execute(
            "select count(*) from duckdb_tables() where database_name = ? and schema_name = 'reference' "
            "and table_name = 'areas'",
            [path.stem],
        ).fetchone()[0]
        listed = (
            f"select area_code from {file}.reference.areas where area_code != country_code"
            if has_areas
            else "select '' where false"
        )
        con.execute(f"create temp table {side}_areas as {listed}")
