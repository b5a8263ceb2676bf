"""What differs between two releases' figures: the question that comes before every publication."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hims_pipeline.release.store import Release
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection, literal, quote

KEY = "series_key, time_period, vintage"
COMPARED = f"{KEY}, indicator, source, obs_value, obs_status, conf_status, standard_error"
SAME = 1e-9  # relative: what two engines' floating point differs by is no change


@dataclass(frozen=True)
class Change:
    """Figures of one indicator and source: added, gone, changed in value or flags, and the largest relative change."""

    indicator: str
    source: str
    added: int
    gone: int
    changed: int
    largest_percent: float | None


@contextmanager
def attach_file(con: Any, path: Path) -> Iterator[str]:
    """Attach a database file for the block; its name there. Views of a file that dbt made name the file by its stem,
    and hold under no other name, so two files of one stem are read one after the other."""
    con.execute(f"attach {literal(path)} as {quote(path.stem)} (read_only)")
    try:
        yield quote(path.stem)
    finally:
        con.execute(f"detach {quote(path.stem)}")


def find_changed(con: Any, old: Path, new: Path, columns: str) -> None:
    """Make the table `changed`: each indicator and source of whose figures any of these columns differs between two
    database files. In most nights those are few, and what follows looks at no others."""
    for side, path in (("hashed_before", old), ("hashed_after", new)):
        with attach_file(con, path) as name:
            con.execute(
                f"create temp table {side} as select indicator, source, count(*) as figures,"
                f" sum(hash({columns})) as content_hash from {name}.published.indicator_value group by all"
            )
    con.execute(
        "create temp table changed as select distinct indicator, source from"
        " ((from hashed_before except from hashed_after) union all (from hashed_after except from hashed_before))"
    )


def find_differences(settings: Settings, old: Path, new: Path) -> list[Change]:
    """Compare `published.indicator_value` of two database files; indicators without any difference are left out."""
    with connection(settings) as con:
        find_changed(con, old, new, COMPARED)
        for side, path in (("before", old), ("after", new)):
            with attach_file(con, path) as name:
                con.execute(
                    f"create temp table {side} as select {COMPARED} from {name}.published.indicator_value"
                    " where (indicator, source) in (from changed)"
                )
        rows = con.execute(f"""
            with compared as (
                select
                    coalesce(n.indicator, o.indicator) as indicator,
                    coalesce(n.source, o.source) as source,
                    o.series_key is null as is_added,
                    n.series_key is null as is_gone,
                    o.series_key is not null and n.series_key is not null and (
                        {_differ_sql("obs_value")} or o.obs_status is distinct from n.obs_status
                        or o.conf_status is distinct from n.conf_status or {_differ_sql("standard_error")}
                    ) as is_changed,
                    100 * abs(n.obs_value - o.obs_value) / nullif(abs(o.obs_value), 0) as percent
                from before as o
                full join after as n using ({KEY})
            )
            select
                indicator, source, count(*) filter (is_added), count(*) filter (is_gone),
                count(*) filter (is_changed), max(percent) filter (is_changed)
            from compared group by all having bool_or(is_added or is_gone or is_changed) order by all
        """).fetchall()
    return [Change(*row) for row in rows]


def _differ_sql(column: str) -> str:
    """SQL: whether a number of `o` is another in `n`, beyond what is the same."""
    old, new = f"o.{column}", f"n.{column}"
    near = f"abs({old} - {new}) <= {SAME} * abs({old})"
    return f"({old} is distinct from {new} and not coalesce({near}, false))"


def summarise(settings: Settings, previous: Release | None, public: Path) -> list[Change] | None:
    """Differences of a candidate from an earlier release; None where there is none to compare with."""
    if previous is None:
        return None
    return find_differences(settings, previous.public / "warehouse.duckdb", public / "warehouse.duckdb")
