"""What to tell when values do not fit: a second look at the same texts that finds every misfit, with line and column.

Raw values go into the reject table, inside the identified zone, and nowhere else: findings count and give lines.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import duckdb

from hims_pipeline.contracts.columns import Allow, Column
from hims_pipeline.contracts.values import NUMERIC
from hims_pipeline.lake.files import private_folder, sync
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.findings import block
from hims_pipeline.readers.shape import list_names
from hims_pipeline.readers.typing.fitting import find_fitting_words
from hims_pipeline.readers.typing.lexical import Typing
from hims_pipeline.readers.typing.parts import TextPart, run_in_parallel
from hims_pipeline.readers.typing.write import LINE, PARQUET, EntityPlan, typed_relation
from hims_pipeline.settings import Settings
from hims_pipeline.sql import literal, read_parquet
from hims_pipeline.words import Words, our_text, senders_text, words

_SHOWN_LINES = 5
_BLANKS_AROUND = r"^[\s\x{a0}\x{2007}\x{2009}\x{202f}\x{feff}]|[\s\x{a0}\x{2007}\x{2009}\x{202f}\x{feff}]$"
# Marks of direction, soft hyphens and the like: the value looks right on every screen.
_UNSEEN = r"[\x{ad}\x{61c}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2069}]"
# How a value that does not fit is written, told without showing it. The first that matches is given.
_NUMBER_REASONS = (
    (_UNSEEN, "with a character that is not seen, such as a mark of direction"),
    (_BLANKS_AROUND, "with blanks around it"),
    (r"[٠-٩۰-۹]", "in Arabic-Indic digits"),
    (r"[０-９]", "in digits of full width"),
    (r"^\x{2212}", "with a minus that is the sign U+2212"),
    (r"^\([0-9][0-9 .,]*\)$", "in parentheses, as accountants write what is below zero"),
    (r"^[0-9][0-9 .,]*-$", "with its minus behind it"),
    (r"^-0$", "a zero with a minus"),
    (r"^[.]?[a-z]$", "a single letter, which may stand for no value (`missing`)"),
    (r"^[-+]?[0-9]+[.,][0-9]+$", "with a decimal fraction"),
    (r"^[-+]?[0-9.,]+[eE][-+]?[0-9]+$", "in exponent form"),
    (r"^[-+]?0[0-9]+$", "with leading zeros"),
    (r"^[+]", "with a plus sign"),
    (r"^[-+]?0[xX][0-9a-fA-F]+$", "in hexadecimal"),
    (r"^[-+]?[0-9]{1,3}([ _'’.,\x{a0}\x{2007}\x{2009}\x{202f}][0-9]{3})+([.,][0-9]+)?$", "with digit separators"),
    (r"^(?i)[-+]?(nan|inf|infinity|n/?a|null|none|\.|-)$", "a word or sign for missing"),
    (r"^[-+]?[0-9]+$", "too large"),
)
_DECIMAL_REASONS = (
    *_NUMBER_REASONS[:9],
    (r"^[-+]?[0-9]*[.][0-9]+$", "with a point, too many digits after it, or too large"),
    (r"^[-+]?[0-9]*[,][0-9]+$", "with a comma, too many digits after it, or too large"),
    *_NUMBER_REASONS[10:],
)
_DATE_REASONS = (
    (_UNSEEN, "with a character that is not seen, such as a mark of direction"),
    (_BLANKS_AROUND, "with blanks around it"),
    (r"[٠-٩۰-۹]", "in Arabic-Indic digits"),
    (r"(^|[^0-9])1[34][0-9]{2}([^0-9]|$)", "with a year of the Hijri or the Persian calendar"),
    (r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "in the form of a date, but no such day or another order"),
    (r"^[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2,4}$", "as day, month, year in another form, or no such day"),
    (r"[0-9][T ][0-9]{1,2}:", "with a time of day"),
    (r"\pL{3}", "with a word; names of months are read in English alone"),
    (r"^[0-9]{5}([.][0-9]+)?$", "a number of five digits, such as a day is to Excel"),
    (r"^[.]?[a-z]$", "a single letter, which may stand for no value (`missing`)"),
    (r"^[0-9]{4}([/.-]?[0-9]{1,2}){0,2}$", "as year, month, day in another form"),
    (r"^[0-9]+([.,][0-9]+)?$", "a plain number"),
)
_REASONS = {"integer": _NUMBER_REASONS, "decimal": _DECIMAL_REASONS, "number": _DECIMAL_REASONS, "date": _DATE_REASONS}


def misfit_condition(plan: EntityPlan) -> str:
    """SQL condition over `typed_relation`: some value of the row does not fit."""
    checks = [typing.misfit() for typing in plan.typings if typing.value or typing.branches[0][0] != "true"]
    return " or ".join(f"({check})" for check in checks) or "false"


def write_rejects(
    settings: Settings,
    con: duckdb.DuckDBPyConnection,
    plan: EntityPlan,
    parts: Sequence[TextPart],
    target: Path,
    scratch: Path,
    raw: Sequence[tuple[int, str]] = (),
) -> int:
    """Write all misfits (line, column, value, reason, heading) to `target`; returns how many rows they stand in.

    `heading` is that of a wide table that the row was made from.

    Args:
        raw: records that could not be split at all, with their numbers; not counted.
    """
    private_folder(target.parent)
    tasks, files = [], []
    for number, part in enumerate(parts):
        files.append(scratch / f"rejects-{number:06d}.parquet")
        tasks.append(f"copy ({_rejected_sql(plan, part)}) to {literal(files[-1])} ({PARQUET})")
    run_in_parallel(settings, con, tasks, plan.prepare)
    unsplit = scratch / "rejects-unsplit.parquet"
    con.execute(
        'create temp table unsplit (line bigint, "column" varchar, value varchar, reason varchar, heading varchar)'
    )
    if raw:
        con.executemany("insert into unsplit values ($1, '', $2, 'does not split into the columns', '')", list(raw))
    con.execute(f"copy unsplit to {literal(unsplit)} ({PARQUET})")
    con.execute(f"copy (from {read_parquet([*files, unsplit])}) to {literal(target)} ({PARQUET})")
    sync(target)
    target.chmod(0o600)
    [(count,)] = con.execute(
        f"select count(distinct (line, heading)) from {read_parquet(target)} where \"column\" <> ''"
    ).fetchall()
    misfits: int = count
    return misfits


def _rejected_sql(plan: EntityPlan, part: TextPart) -> str:
    """SQL: line, column, value and reason of every misfit of a part."""
    values = [
        f"{{'c': {literal(column.name)}, 'v': t{number}, 'm': {typing.misfit()}, 'r': {_reason(column, number)}}}"
        for number, (column, typing) in enumerate(zip(plan.shape.columns, plan.typings, strict=True))
    ]
    heading = next((f"t{n}" for n, c in enumerate(plan.shape.columns) if c.name == _names_column(plan)), "''")
    typed = typed_relation(plan.typings, part)
    rows = f"select {LINE}, {heading} as heading, unnest([{', '.join(values)}]) as u from ({typed})"
    return (
        f'select {LINE} as line, u.c as "column", u.v as value, u.r as reason, heading '
        f"from ({rows} where {misfit_condition(plan)}) where u.m"
    )


def _names_column(plan: EntityPlan) -> str | None:
    unpivot = plan.shape.format.unpivot
    return unpivot.names if unpivot else None


def type_findings(
    con: duckdb.DuckDBPyConnection, plan: EntityPlan, rejects: Path, file: str, total: int, lines_differ: bool
) -> list[Finding]:
    """One finding a column from the reject table, in the order of the columns."""
    source = read_parquet(rejects)
    counted = con.execute(
        f'select "column", reason, count(*) from {source} group by all order by 1, 3 desc, 2'
    ).fetchall()
    distinct = f'(select distinct "column", line, heading from {source})'
    placed = {
        name: (list(dict.fromkeys(lines)), headings)
        for name, lines, headings in con.execute(
            f'select "column", min(line, {_SHOWN_LINES}), list(heading order by line, heading)[:{_SHOWN_LINES}] '
            f"from {distinct} group by 1"
        ).fetchall()
    }
    findings = []
    for number, (column, typing) in enumerate(zip(plan.shape.columns, plan.typings, strict=True)):
        reasons = [(reason, count) for name, reason, count in counted if name == column.name]
        if reasons:
            findings.append(
                block(
                    _rule(column),
                    _message(
                        column,
                        typing,
                        reasons,
                        _headings_under(plan, placed[column.name][1]),
                        _help(con, plan, number, source),
                    ),
                    file,
                    entity=plan.shape.name,
                    column=column.name,
                    count=sum(count for _, count in reasons),
                    total=total,
                    lines=tuple(placed[column.name][0]),
                    lines_are="record" if lines_differ else "line",
                )
            )
    return findings


def _headings_under(plan: EntityPlan, headings: list[str]) -> Words:
    """The columns of the sheet, by their headings: in a wide table a line alone does not say where."""
    if not plan.shape.format.unpivot:
        return words("")
    named = list(dict.fromkeys(headings))
    return words(
        ", in the columns headed {headings}", headings=senders_text(list_names(named), f"in {len(named)} ways")
    )


def _rule(column: Column) -> str:
    return "TYPES-IDENTIFIER" if _tells_rows(column) else f"TYPES-{column.type.upper()}"


def _tells_rows(column: Column) -> bool:
    """Is it an identifier, or a text that tells rows apart? No other text is a misfit."""
    return column.sensitivity == "identifier" or column.type == "text"


def _help(con: duckdb.DuckDBPyConnection, plan: EntityPlan, number: int, rejects: str) -> str:
    """Which words of `allow` would take values that do not fit, found by trying; empty where none would."""
    column = plan.shape.columns[number]
    if column.sensitivity == "identifier" or column.type == "text":
        return ""
    values = f'(select value as t0 from {rejects} where "column" = {literal(column.name)})'
    usual = [word for word in get_args(Allow) if column.type in NUMERIC or word == "padding"]
    if column.type != "integer":  # 1,234 may have a decimal comma, and be a thousand times smaller
        usual = [word for word in usual if word != "mark_groups"]
    needed, taken = find_fitting_words(con, column, plan.shape.format, values, usual)
    return f"; `allow: [{', '.join(needed)}]` would take {taken:,} of them" if taken else ""


def _message(column: Column, typing: Typing, reasons: list[tuple[str, int]], under: Words, way: str) -> Words:
    if _tells_rows(column):
        return words(
            "values are not {what} ({pattern}); correct them at the source",
            what=our_text(typing.what),
            pattern=our_text(column.pattern or "they were floating-point numbers on their way, and lost digits"),
        )
    return words(
        "values are not {what}: {ways}{under}. Correct them, or, where the source means them so, "
        "say so in the contract (`type`, `allow`, `null_values`){way}",
        what=our_text(typing.what),
        ways=our_text(", ".join(f"{count:,} {reason}" for reason, count in reasons)),
        under=under,
        way=our_text(way),
    )


def _reason(column: Column, number: int) -> str:
    patterns = () if column.sensitivity == "identifier" else _REASONS.get(column.type, ())
    whens = " ".join(f"when regexp_matches(t{number}, {literal(p)}) then {literal(say)}" for p, say in patterns)
    return f"case {whens} else 'other text' end" if whens else "'other text'"
