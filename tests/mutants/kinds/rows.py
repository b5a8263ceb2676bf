"""Rows that are missing or stand twice, and lines with a delimiter too many."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from tests.mutants.sheets import Mutation, Row, Sheet


def _without(sheet: Sheet, gone: Callable[[Row], bool]) -> Sheet | None:
    left = [row for row in sheet.rows if not gone(row)]
    return replace(sheet, rows=left) if 0 < len(left) < len(sheet.rows) else None


def area_missing(sheet: Sheet, dice: Random) -> Sheet | None:
    """One of the five largest areas, posts or countries is missing."""
    name = sheet.roles.first_column("area", "post", "country")
    if name is None:
        return None
    common = [value for value, _ in Counter(row[name] for row in sheet.rows).most_common(6)]
    if len(common) < 4:
        return None
    lost = dice.choice(common[1:5])
    return _without(sheet, lambda row: row[name] == lost)


def week_missing(sheet: Sheet, dice: Random) -> Sheet | None:
    """A week of a month, or two months of a year, are missing."""
    name = sheet.roles.first_column("date")
    if name is None or not sheet.roles.counts_rows or "up_to" in str(_stated(sheet)):
        return None
    days = [day for row in sheet.rows if (day := sheet.day(row, name))]
    if len(set(days)) < 20:
        return None
    length = 7 if (max(days) - min(days)).days < 40 else 60
    first = min(days) + timedelta(days=dice.randrange((max(days) - min(days)).days - length))
    return _without(sheet, lambda row: first <= (sheet.day(row, name) or first) < first + timedelta(days=length))


def _stated(sheet: Sheet) -> object:
    period = sheet.contract.entity_in(sheet.name, sheet.period).period
    return "up_to" if period and period.up_to else ""


def year_missing(sheet: Sheet, dice: Random) -> Sheet | None:
    """A year of a table of many years is missing."""
    name = sheet.roles.first_column("year", "date")
    if name is None or _stated(sheet) != "up_to":
        return None

    def year(row: Row) -> str:
        return row[name] if sheet.roles.of[name] == "year" else str((sheet.day(row, name) or date(1, 1, 1)).year)

    years = [one for one, _ in Counter(year(row) for row in sheet.rows).most_common(3)]
    return _without(sheet, lambda row: year(row) == years[-1]) if len(years) > 1 else None


def fifth_missing(sheet: Sheet, dice: Random) -> Sheet | None:
    """Every fifth row, by chance, is missing."""
    return _without(sheet, lambda row: dice.random() < 0.2)


def tail_missing(sheet: Sheet, dice: Random) -> Sheet | None:
    """The last quarter of the file is missing, cut behind a whole line."""
    left = sheet.rows[: len(sheet.rows) * 3 // 4]
    return replace(sheet, rows=left) if left else None


def category_missing(sheet: Sheet, dice: Random) -> Sheet | None:
    """The rows of the second most frequent value of some category are missing."""
    names = [n for n in sheet.roles.columns_with("category", "sex") if len({row[n] for row in sheet.rows}) > 1]
    if not names:
        return None
    name = dice.choice(names)
    lost = Counter(row[name] for row in sheet.rows).most_common(2)[1][0]
    return _without(sheet, lambda row: row[name] == lost)


def largest_area_halved(sheet: Sheet, dice: Random) -> Sheet | None:
    """Half of the rows of the largest area, post or country are missing."""
    name = sheet.roles.first_column("area", "post", "country")
    counts = Counter(row[name] for row in sheet.rows if row[name]).most_common(3) if name else []
    if len(counts) < 3 or counts[0][1] < 200:
        return None
    return _without(sheet, lambda row: row[name] == counts[0][0] and dice.random() < 0.5)


def head_missing(sheet: Sheet, dice: Random) -> Sheet | None:
    """The first fifth of the file is missing."""
    left = sheet.rows[len(sheet.rows) // 5 :]
    return replace(sheet, rows=left) if left else None


def block_twice(sheet: Sheet, dice: Random) -> Sheet | None:
    """A block of an eighth of the rows stands twice, the second time under new keys."""
    size = len(sheet.rows) // 8
    if size < 8 or not sheet.roles.columns_with("key", "identifier"):
        return None
    first = dice.randrange(len(sheet.rows) - size)
    return replace(sheet, rows=[*sheet.rows, *sheet.renumber(sheet.rows[first : first + size], dice)])


def all_twice(sheet: Sheet, dice: Random) -> Sheet | None:
    """The whole file stands twice, the second time under new keys."""
    if not sheet.roles.columns_with("key", "identifier") or not sheet.roles.counts_rows:
        return None
    return replace(sheet, rows=[*sheet.rows, *sheet.renumber(sheet.rows, dice)])


def rows_twice(sheet: Sheet, dice: Random) -> Sheet | None:
    """One row in ten, from anywhere, stands again at the end under a new key."""
    size = len(sheet.rows) // 10
    if size < 8 or not sheet.roles.columns_with("key", "identifier"):
        return None
    return replace(sheet, rows=[*sheet.rows, *sheet.renumber(dice.sample(sheet.rows, size), dice)])


def add_delimiter(place: float) -> Mutation:
    """One line has a delimiter too many: the first (0), the last (1), or one between."""

    def change(sheet: Sheet, dice: Random) -> Sheet | None:
        if not sheet.is_text:
            return None
        mark = sheet.contract.format_in(sheet.name, sheet.period).delimiter

        def raw(lines: list[str]) -> list[str]:
            number = min(max(1, round(place * (len(lines) - 2))), len(lines) - 2)
            parts = lines[number].split(mark)
            cut = dice.randrange(len(parts))
            lines[number] = mark.join([*parts[:cut], "", *parts[cut:]])
            return lines

        return replace(sheet, raw=raw)

    return change


def every_other_row(sheet: Sheet, dice: Random) -> Sheet | None:
    """Every second line is missing."""
    return replace(sheet, rows=sheet.rows[::2]) if len(sheet.rows) > 20 else None


def women_missing(sheet: Sheet, dice: Random) -> Sheet | None:
    """The rows of women are missing."""
    name = sheet.roles.first_column("sex") or ""
    women = sheet.roles.codes.get(name, {}).get("F", ())
    return _without(sheet, lambda row: row[name] in women) if women else None


def area_twice(sheet: Sheet, dice: Random) -> Sheet | None:
    """The rows of one of the largest areas, posts or countries stand again, under new keys."""
    name = sheet.roles.first_column("area", "post", "country")
    if name is None or not sheet.roles.columns_with("key", "identifier") or not sheet.roles.counts_rows:
        return None
    common = Counter(row[name] for row in sheet.rows if row[name]).most_common(2)[-1:]
    again = [row for row in sheet.rows if common and row[name] == common[0][0]]
    return replace(sheet, rows=[*sheet.rows, *sheet.renumber(again, dice)]) if len(again) > 60 else None


def period_before_added(sheet: Sheet, dice: Random) -> Sheet | None:
    """All rows of the period before stand behind those of this one."""
    if sheet.before is None or sheet.before.is_text != sheet.is_text or not sheet.roles.counts_rows:
        return None
    if not sheet.before.rows or set(sheet.before.rows[0]) != set(sheet.rows[0]):
        return None
    return replace(sheet, rows=[*sheet.rows, *sheet.renumber(sheet.before.rows, dice)])
