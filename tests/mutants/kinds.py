"""What may be wrong with a delivery, class by class. Each function changes a copy of one entity's rows, and gives None
where the entity has nothing of the kind."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from tests.mutants.sheets import Row, Sheet

Mutation = Callable[[Sheet, Random], Sheet | None]
YEAR = 365.25


# --- age and sex ------------------------------------------------------------------------------------------------
def _change_age(sheet: Sheet, change: Callable[[int], int], share: float, dice: Random) -> Sheet | None:
    name = sheet.roles.first_column("age", "birth_year", "birth_date")
    if name is None:
        return None
    role, end = sheet.roles.of[name], int(sheet.period[:4])
    for row in sheet.rows:
        if not row[name] or dice.random() >= share:
            continue
        if role == "birth_date":
            born = sheet.day(row, name)
            age = end - born.year if born else 0
            row_age = change(age)
            if born and row_age != age:
                sheet.set_day(row, name, date(end - row_age, born.month, min(born.day, 28)))
        else:
            value = sheet.number(row, name)
            if value is not None:
                age = int(value if role == "age" else end - value)
                if age >= 0:
                    sheet.set_number(row, name, change(age) if role == "age" else end - change(age))
    return sheet


def ages_heaped(sheet: Sheet, dice: Random) -> Sheet | None:
    """Six ages in ten are rounded to 0 or 5."""
    return _change_age(sheet, lambda age: 5 * round(age / 5), 0.6, dice)


def ages_shifted(sheet: Sheet, dice: Random) -> Sheet | None:
    """Everybody is ten years older."""
    return _change_age(sheet, lambda age: min(age + 10, 110), 1.0, dice)


def age_99(sheet: Sheet, dice: Random) -> Sheet | None:
    """99 for one age in ten."""
    return _change_age(sheet, lambda age: 99, 0.1, dice)


def sexes_exchanged(sheet: Sheet, dice: Random) -> Sheet | None:
    """Men are women and women men."""
    name = sheet.roles.first_column("sex")
    if name is None or name not in sheet.roles.codes or not all(sheet.roles.codes[name].values()):
        return None
    men, women = (sheet.roles.codes[name][sex][0] for sex in ("M", "F"))
    for row in sheet.rows:
        row[name] = {men: women, women: men}.get(row[name], row[name])
    return sheet


def one_sex(sheet: Sheet, dice: Random) -> Sheet | None:
    """Everybody is a man."""
    name = sheet.roles.first_column("sex")
    if name is None or name not in sheet.roles.codes or not all(sheet.roles.codes[name].values()):
        return None
    for row in sheet.rows:
        row[name] = sheet.roles.codes[name]["M"][0]
    return sheet


def sexes_exchanged_in_one_area(sheet: Sheet, dice: Random) -> Sheet | None:
    """Men are women and women men, in one of the three largest areas."""
    name, area = sheet.roles.first_column("sex"), sheet.roles.first_column("area", "post", "country")
    if name is None or area is None or not all(sheet.roles.codes.get(name, {"M": ()}).values()):
        return None
    common = [value for value, _ in Counter(row[area] for row in sheet.rows if row[area]).most_common(3)]
    men, women = (sheet.roles.codes[name][sex][0] for sex in ("M", "F"))
    told = Counter(row[name] for row in sheet.rows if row[area] == common[-1])
    even = abs(told[men] - told[women]) < 0.1 * (told[men] + told[women])
    if len(common) < 2 or told[men] + told[women] < 50 or even:  # the exchange changes nothing
        return None
    for row in sheet.rows:
        if row[area] == common[-1]:
            row[name] = {men: women, women: men}.get(row[name], row[name])
    return sheet


def sexes_mostly_of_men(sheet: Sheet, dice: Random) -> Sheet | None:
    """Half of the women are men."""
    name = sheet.roles.first_column("sex")
    if name is None or not all(sheet.roles.codes.get(name, {"M": ()}).values()):
        return None
    men, women = (sheet.roles.codes[name][sex][0] for sex in ("M", "F"))
    for row in sheet.rows:
        if row[name] == women and dice.random() < 0.5:
            row[name] = men
    return sheet


def ages_on_one_digit(sheet: Sheet, dice: Random) -> Sheet | None:
    """Half of the ages end in 8, whatever they were: Myers' index sees it, Whipple's does not."""
    return _change_age(sheet, lambda age: age // 10 * 10 + 8, 0.5, dice)


def ages_ten_younger(sheet: Sheet, dice: Random) -> Sheet | None:
    """Everybody is ten years younger, down to nought."""
    return _change_age(sheet, lambda age: max(age - 10, 0), 1.0, dice)


# --- missing rows -----------------------------------------------------------------------------------------------
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


# --- columns ----------------------------------------------------------------------------------------------------
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


def column_shuffled(sheet: Sheet, dice: Random) -> Sheet | None:
    """A column slipped against the others: its values stand in other rows' order, by chance."""
    names = [
        n for n in sheet.roles.columns_with("age", "country", "category") if len({row[n] for row in sheet.rows}) > 2
    ]
    if len(names) < 2:
        return None
    name = dice.choice(names)
    values = [row[name] for row in sheet.rows]
    dice.shuffle(values)
    for row, value in zip(sheet.rows, values, strict=True):
        row[name] = value
    return sheet


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


# --- levels -----------------------------------------------------------------------------------------------------
def _times(factor: float) -> Mutation:
    def change(sheet: Sheet, dice: Random) -> Sheet | None:
        name = sheet.roles.first_column("amount")
        if name is None or (sheet.roles.counts_rows and sheet.roles.first_column("currency") is None):
            return None
        for row in sheet.rows:
            if (value := sheet.number(row, name)) is not None:
                sheet.set_number(row, name, value * factor)
        return sheet

    return change


def currency_exchanged(sheet: Sheet, dice: Random) -> Sheet | None:
    """The currency's name is another; the amounts stay."""
    name = sheet.roles.first_column("currency")
    if name is None:
        return None
    for row in sheet.rows:
        row[name] = {"TND": "EUR"}.get(row[name], "TND")
    return sheet


def _weights(change: Callable[[float], float]) -> Mutation:
    def weigh(sheet: Sheet, dice: Random) -> Sheet | None:
        if (name := sheet.roles.first_column("weight")) is None:
            return None
        for row in sheet.rows:
            if (value := sheet.number(row, name)) is not None:
                sheet.set_number(row, name, change(value))
        return sheet

    return weigh


def weights_shuffled(sheet: Sheet, dice: Random) -> Sheet | None:
    """Each row has the weight of another."""
    if (name := sheet.roles.first_column("weight")) is None or len({row[name] for row in sheet.rows}) < 20:
        return None
    values = [row[name] for row in sheet.rows]
    dice.shuffle(values)
    for row, value in zip(sheet.rows, values, strict=True):
        row[name] = value
    return sheet


# --- dates ------------------------------------------------------------------------------------------------------
def dates_of_year_before(sheet: Sheet, dice: Random) -> Sheet | None:
    """All dates and years are of the year before."""
    names = sheet.roles.columns_with("date", "year", "period")
    if not names:
        return None
    for row in sheet.rows:
        for name in names:
            if sheet.roles.of[name] == "date":
                if day := sheet.day(row, name):
                    sheet.set_day(row, name, date(day.year - 1, day.month, min(day.day, 28)))
            elif (value := sheet.number(row, name)) is not None:
                sheet.set_number(row, name, value - 1)
    return sheet


def dates_on_first(sheet: Sheet, dice: Random) -> Sheet | None:
    """Every date is the first of its month."""
    name = sheet.roles.first_column("date")
    if name is None or len({row[name] for row in sheet.rows}) < 10:
        return None
    for row in sheet.rows:
        if day := sheet.day(row, name):
            sheet.set_day(row, name, day.replace(day=1))
    return sheet


def dates_on_one_day(sheet: Sheet, dice: Random) -> Sheet | None:
    """Four dates in ten are one day: the day of typing."""
    name = sheet.roles.first_column("date")
    if name is None or len({row[name] for row in sheet.rows}) < 10:
        return None
    typed = dice.choice([row[name] for row in sheet.rows if row[name]])
    for row in sheet.rows:
        if row[name] and dice.random() < 0.4:
            row[name] = typed
    return sheet


def period_again(sheet: Sheet, dice: Random) -> Sheet | None:
    """The period before is sent again as this one, under new keys and this period's dates."""
    if sheet.before is None or not sheet.roles.counts_rows or sheet.before.is_text != sheet.is_text:
        return None
    if any(set(row) != set(sheet.rows[0]) for row in sheet.before.rows[:1]):
        return None
    stated = sheet.contract.entity_in(sheet.name, sheet.period).period
    years = int(sheet.period[:4]) - int(sheet.before.period[:4])
    months = (
        int(sheet.period[5:7]) - int(sheet.before.period[5:7])
        if len(sheet.period) == 7 and sheet.period[4:5] == "-"
        else 0
    )
    rows = sheet.before.renumber(sheet.before.rows, dice)
    for row in rows:
        for name in stated.columns if stated and not stated.up_to else ():
            if sheet.roles.of[name] == "date" and (day := sheet.before.day(row, name)):
                month = day.month + months
                sheet.set_day(
                    row, name, date(day.year + years + (month - 1) // 12, (month - 1) % 12 + 1, min(day.day, 28))
                )
            elif sheet.roles.of[name] == "period" and (value := sheet.before.number(row, name)) is not None:
                sheet.set_number(row, name, value + years)
    return replace(sheet, rows=rows)


def days_and_months_exchanged(sheet: Sheet, dice: Random) -> Sheet | None:
    """03/04 is read as 4 March, wherever that is a day."""
    name = sheet.roles.first_column("date")
    if name is None or len({row[name] for row in sheet.rows}) < 10:
        return None
    for row in sheet.rows:
        if (day := sheet.day(row, name)) and day.day <= 12:
            sheet.set_day(row, name, date(day.year, day.day, day.month))
    return sheet


def dates_a_month_late(sheet: Sheet, dice: Random) -> Sheet | None:
    """All dates are of the month after."""
    name = sheet.roles.first_column("date")
    if name is None:
        return None
    for row in sheet.rows:
        if day := sheet.day(row, name):
            sheet.set_day(row, name, date(day.year + day.month // 12, day.month % 12 + 1, min(day.day, 28)))
    return sheet


def years_exchanged(sheet: Sheet, dice: Random) -> Sheet | None:
    """Two neighbouring years of a table of many years stand for each other."""
    name = sheet.roles.first_column("year")
    if name is None or sheet.roles.counts_rows:
        return None
    years = sorted({row[name] for row in sheet.rows if row[name]})
    if len(years) < 3:
        return None
    to = {years[-1]: years[-3], years[-3]: years[-1]}
    for row in sheet.rows:
        row[name] = to.get(row[name], row[name])
    return sheet


# --- totals and outliers ----------------------------------------------------------------------------------------
def outlier(sheet: Sheet, dice: Random) -> Sheet | None:
    """One amount is a thousand times what it was."""
    name = sheet.roles.first_column("amount")
    if name is None or (sheet.roles.counts_rows and sheet.roles.first_column("currency") is None):
        return None
    rows = [row for row in sheet.rows if (sheet.number(row, name) or 0) > 0]
    row = dice.choice(rows)
    sheet.set_number(row, name, (sheet.number(row, name) or 0) * 1000)
    return sheet


def largest_halved(sheet: Sheet, dice: Random) -> Sheet | None:
    """The largest amount, mostly a total, is half of what it was."""
    name = sheet.roles.first_column("amount")
    if name is None or sheet.roles.counts_rows:
        return None
    row = max(sheet.rows, key=lambda one: sheet.number(one, name) or 0)
    sheet.set_number(row, name, (sheet.number(row, name) or 0) / 2)
    return sheet


def part_lost(sheet: Sheet, dice: Random) -> Sheet | None:
    """One part of a total is nought."""
    name = sheet.roles.first_column("amount")
    if name is None or sheet.roles.counts_rows:
        return None
    rows = sorted(
        (row for row in sheet.rows if (sheet.number(row, name) or 0) > 0), key=lambda row: sheet.number(row, name) or 0
    )
    sheet.set_number(rows[-2], name, 0)
    return sheet


def sum_falls(sheet: Sheet, dice: Random) -> Sheet | None:
    """A sum since 1 January is below that of the day before it."""
    name = sheet.roles.first_column("amount")
    if name is None or sheet.before is None or sheet.contract.reference_point_of(sheet.name) != "TO_DATE":
        return None
    if sheet.before.period[:4] != sheet.period[:4]:
        return None
    for row in sheet.rows:
        if (value := sheet.number(row, name)) is not None:
            sheet.set_number(row, name, value * 0.7)
    return sheet


# --- twice ------------------------------------------------------------------------------------------------------
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


def _delimiter(place: float) -> Mutation:
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


CLASSES: dict[str, dict[str, Mutation]] = {
    "age and sex": {
        "ages_heaped": ages_heaped, "ages_shifted": ages_shifted, "age_99": age_99,
        "sexes_exchanged": sexes_exchanged, "one_sex": one_sex, "sexes_mostly_of_men": sexes_mostly_of_men,
        "sexes_exchanged_in_one_area": sexes_exchanged_in_one_area, "ages_on_one_digit": ages_on_one_digit,
        "ages_ten_younger": ages_ten_younger,
    },
    "rows missing": {
        "area_missing": area_missing, "week_missing": week_missing, "year_missing": year_missing,
        "fifth_missing": fifth_missing, "tail_missing": tail_missing, "category_missing": category_missing,
        "largest_area_halved": largest_area_halved, "head_missing": head_missing,
    },
    "columns": {
        "column_unknown": column_unknown, "column_half_unknown": column_half_unknown,
        "column_constant": column_constant, "codes_rotated": codes_rotated, "column_shuffled": column_shuffled,
        "two_codes_exchanged": two_codes_exchanged, "two_columns_exchanged": two_columns_exchanged,
        "column_slipped": column_slipped, "everybody_unknown": everybody_unknown,
    },
    "levels": {
        "times_12": _times(12), "times_1000": _times(1000), "thousandth": _times(0.001), "times_3": _times(3.3),
        "times_1_15": _times(1.15), "twelfth": _times(1 / 12), "weights_shuffled": weights_shuffled,
        "currency_exchanged": currency_exchanged, "weights_one": _weights(lambda w: 1.0),
        "weights_times_10": _weights(lambda w: w * 10), "weights_larger": _weights(lambda w: w * 1.4),
    },
    "dates": {
        "year_before": dates_of_year_before, "first_of_month": dates_on_first, "one_day": dates_on_one_day,
        "period_again": period_again, "day_and_month": days_and_months_exchanged, "month_late": dates_a_month_late,
        "years_exchanged": years_exchanged,
    },
    "totals": {"outlier": outlier, "largest_halved": largest_halved, "part_lost": part_lost,
               "sum_falls": sum_falls},
    "twice": {"block_twice": block_twice, "rows_twice": rows_twice, "all_twice": all_twice},
    "delimiter": {
        "delimiter_first": _delimiter(0), "delimiter_middle": _delimiter(0.5), "delimiter_last": _delimiter(1),
    },
}  # fmt: skip
