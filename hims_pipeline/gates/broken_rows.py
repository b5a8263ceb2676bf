"""Which rows break a rule, and taking them out: for rules that say that rows may be set aside, up to a share.

Here: SQL on the files of a batch. Not here: when that is done and where the rows go (`intake.set_aside`).
"""

from pathlib import Path
from typing import Any

from hims_pipeline.gates.rules import Rule
from hims_pipeline.gates.tables import fill_tables
from hims_pipeline.lake.verdict import SetAside
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection, literal, quote

LINE = "_line"


def part_rows(
    settings: Settings, tables: dict[str, list[Path]], rules: list[Rule], to: Path, aside: Path
) -> tuple[dict[str, list[Path]], list[SetAside]] | None:
    """Write each entity of which rows break these rules without them; returns the files to judge instead, and what was
    taken out. None where a rule is broken by a larger share than it allows, or its rows cannot be told.

    Args:
        tables: entity -> its Parquet files.
        to: folder for the files without these rows, `<entity>.parquet`.
        aside: folder for the rows taken out, `<entity>.set_aside.parquet`, with the first rule that each breaks.
    """
    parted, set_aside = dict(tables), []
    with connection(settings) as con:
        fill_tables(con, settings, tables)
        for entity in sorted({rule.entity for rule in rules}):
            own = [rule for rule in rules if rule.entity == entity]
            marked = _mark(con, entity, own)
            if marked is None:
                return None
            set_aside += marked
            target = to / f"{entity}.parquet"
            parted[entity] = [target]
            rows = f"select * from {quote(entity)} where {LINE}"
            kept = f"{rows} not in (select {LINE} from _broken) order by {LINE}"
            out = (
                f"select _broken.rule as _rule, here.* from {quote(entity)} as here join _broken using ({LINE})"
                f" order by {LINE}"
            )
            aside.mkdir(mode=0o700, parents=True, exist_ok=True)
            con.execute(f"copy ({kept}) to {literal(target)} (format parquet)")
            con.execute(f"copy ({out}) to {literal(aside / f'{entity}.set_aside.parquet')} (format parquet)")
            con.execute("drop table _broken")
    return parted, set_aside


def _mark(con: Any, entity: str, rules: list[Rule]) -> list[SetAside] | None:
    """Note the broken rows of an entity by their lines in the table `_broken`, each with the first rule it breaks."""
    total, lines = con.execute(f"select count(*), count(distinct {LINE}) from {quote(entity)}").fetchone()
    if total != lines:
        return None  # a line that stands for two rows tells none of them
    con.execute(f"create or replace table _broken ({LINE} bigint primary key, rule varchar)")
    set_aside = []
    for rule in rules:
        query = _lines_of(rule)
        (broken,) = con.execute(f"select count(distinct {LINE}) from ({query})").fetchone()
        if not 0 < broken <= rule.set_aside * total:
            return None
        con.execute(
            f"insert into _broken select distinct {LINE}, {literal(rule.code)} from ({query}) where {LINE} not in"
            f" (select {LINE} from _broken)"
        )
        set_aside.append(SetAside(rule.code, entity, broken, total, rule.set_aside))
    return set_aside


def _lines_of(rule: Rule) -> str:
    if rule.broken_rows:
        condition = rule.broken_rows.replace("{table}", quote(rule.entity))
        return f"select {LINE} from {quote(rule.entity)} where {condition}"
    return str(rule.kwargs["unexpected_rows_query"]).format(batch=quote(rule.entity))
