"""Columns that are unknown, constant, wrongly mapped, or no longer go with the others."""

from collections import Counter
from random import Random

from tests.mutants.sheets import Sheet


def _some_column(sheet: Sheet, dice: Random) -> str | None:
    told = ("sex", "age", "area", "post", "country", "category", "birth_date", "birth_year")
    names = [n for n in sheet.roles.columns_with(*told)
             if len({row[n] for row in sheet.rows}) > 1]  # fmt: skip
    return dice.choice(names) if names else None


def _unknown(sheet: Sheet, name: str) -> str | None:
    column = sheet.column(name)
    plain = [str(code) for code, to in column.missing.items() if to == "_U" and column.value_of(code) is not None]
    return plain[0] if plain else None if column.required else ""


def column_unknown(sheet: Sheet, dice: Random) -> Sheet | None:
    """A column is unknown in all rows."""
    return _unknown_in(sheet, dice, 1.0)


def column_half_unknown(sheet: Sheet, dice: Random) -> Sheet | None:
    """A column is unknown in four rows of ten."""
    return _unknown_in(sheet, dice, 0.4)


def _unknown_in(sheet: Sheet, dice: Random, share: float) -> Sheet | None:
    told = ("sex", "age", "area", "post", "country", "category", "birth_date", "birth_year", "amount", "text")
    names = [n for n in sheet.roles.columns_with(*told)
             if _unknown(sheet, n) is not None
             and sum(bool(row[n]) for row in sheet.rows) > len(sheet.rows) * 0.7]  # fmt: skip
    if not names:
        return None
    name = dice.choice(names)
    for row in sheet.rows:
        if dice.random() < share:
            row[name] = _unknown(sheet, name) or ""
    return sheet


def column_constant(sheet: Sheet, dice: Random) -> Sheet | None:
    """A column holds its first value in all rows."""
    if (name := _some_column(sheet, dice)) is None:
        return None
    value = next(row[name] for row in sheet.rows if row[name])
    for row in sheet.rows:
        row[name] = value
    return sheet


def codes_rotated(sheet: Sheet, dice: Random) -> Sheet | None:
    """The codes of a column are mapped wrongly: each to the next."""
    names = [
        n
        for n in sheet.roles.columns_with("area", "post", "country", "category")
        if len({row[n] for row in sheet.rows if row[n]}) > 2
    ]
    if not names:
        return None
    name = dice.choice(names)
    values = sorted({row[name] for row in sheet.rows if row[name]})
    to = dict(zip(values, values[1:] + values[:1], strict=True))
    for row in sheet.rows:
        row[name] = to.get(row[name], "")
    return sheet


def shuffle_values(sheet: Sheet, name: str, dice: Random) -> Sheet:
    """Each row has the value of another, by chance."""
    values = [row[name] for row in sheet.rows]
    dice.shuffle(values)
    for row, value in zip(sheet.rows, values, strict=True):
        row[name] = value
    return sheet


def column_shuffled(sheet: Sheet, dice: Random) -> Sheet | None:
    """A column slipped against the others: its values stand in other rows' order, by chance."""
    names = [
        n for n in sheet.roles.columns_with("age", "country", "category") if len({row[n] for row in sheet.rows}) > 2
    ]
    if len(names) < 2:
        return None
    return shuffle_values(sheet, dice.choice(names), dice)


def two_codes_exchanged(sheet: Sheet, dice: Random) -> Sheet | None:
    """The two most frequent codes of a column stand for each other."""
    names = []
    for name in sheet.roles.columns_with("area", "post", "country", "category"):
        common = Counter(row[name] for row in sheet.rows if row[name]).most_common(2)
        if len(common) == 2 and common[0][1] > 1.5 * common[1][1] and common[1][1] > 30:  # else it changes little
            names.append((name, common[0][0], common[1][0]))
    if not names:
        return None
    name, one, other = dice.choice(names)
    for row in sheet.rows:
        row[name] = {one: other, other: one}.get(row[name], row[name])
    return sheet


def two_columns_exchanged(sheet: Sheet, dice: Random) -> Sheet | None:
    """Two columns of one type stand under each other's names."""
    told = ("sex", "age", "area", "post", "country", "category", "birth_year", "year", "amount", "date")
    names = [n for n in sheet.roles.columns_with(*told) if len({row[n] for row in sheet.rows}) > 1]
    pairs = [
        (one, other)
        for place, one in enumerate(names)
        for other in names[place + 1 :]
        if sheet.column(one).type == sheet.column(other).type
        and sum(row[one] != row[other] for row in sheet.rows) > len(sheet.rows) // 5
    ]
    if not pairs:
        return None
    one, other = dice.choice(pairs)
    for row in sheet.rows:
        row[one], row[other] = row[other], row[one]
    return sheet


def column_slipped(sheet: Sheet, dice: Random) -> Sheet | None:
    """A column slipped down by one row."""
    names = [n for n in sheet.roles.columns_with("age", "country", "category", "amount")
             if len({row[n] for row in sheet.rows}) > 2]  # fmt: skip
    if len(names) < 2 or len(sheet.rows) < 100:
        return None
    name = dice.choice(names)
    values = [row[name] for row in sheet.rows]
    for row, value in zip(sheet.rows, [values[-1], *values[:-1]], strict=True):
        row[name] = value
    return sheet


def everybody_unknown(sheet: Sheet, dice: Random) -> Sheet | None:
    """Everybody is of unknown sex, or age where there is none."""
    name = sheet.roles.first_column("sex") or sheet.roles.first_column("age", "birth_year", "birth_date")
    if name is None or (unknown := _unknown(sheet, name)) is None:
        return None
    for row in sheet.rows:
        row[name] = unknown
    return sheet


def _coded_column(sheet: Sheet, dice: Random, least: int) -> tuple[str, list[tuple[str, int]]] | None:
    """A column of codes of which at least two stand in so many rows, and how often each stands."""
    found = []
    for name in sheet.roles.columns_with("area", "post", "country", "category"):
        counts = Counter(row[name] for row in sheet.rows if row[name]).most_common()
        if len(counts) > 1 and counts[1][1] >= least:
            found.append((name, counts))
    return dice.choice(found) if found else None


def codes_merged(sheet: Sheet, dice: Random) -> Sheet | None:
    """The second most frequent code of a column is read as the most frequent one."""
    if (coded := _coded_column(sheet, dice, 30)) is None:
        return None
    name, counts = coded
    for row in sheet.rows:
        row[name] = counts[0][0] if row[name] == counts[1][0] else row[name]
    return sheet


def codes_by_chance(sheet: Sheet, dice: Random) -> Sheet | None:
    """Each code of a column is any of those that there are."""
    if (coded := _coded_column(sheet, dice, 30)) is None:
        return None
    name, counts = coded
    for row in sheet.rows:
        row[name] = dice.choice(counts)[0] if row[name] else ""
    return sheet


def column_filled_down(sheet: Sheet, dice: Random) -> Sheet | None:
    """Four rows in ten, one behind the other, have the code of the first of them."""
    if (coded := _coded_column(sheet, dice, 30)) is None:
        return None
    name, length = coded[0], len(sheet.rows) * 4 // 10
    first = dice.randrange(len(sheet.rows) - length)
    value = next((row[name] for row in sheet.rows[first:] if row[name]), "")
    for row in sheet.rows[first : first + length]:
        row[name] = value
    return sheet


def column_defaulted(sheet: Sheet, dice: Random) -> Sheet | None:
    """Half of the rows have the most frequent code of a column, whatever it was."""
    if (coded := _coded_column(sheet, dice, 30)) is None:
        return None
    name, counts = coded
    if counts[0][1] > 0.8 * len(sheet.rows):  # it is the most frequent one mostly
        return None
    for row in sheet.rows:
        if dice.random() < 0.5:
            row[name] = counts[0][0]
    return sheet
