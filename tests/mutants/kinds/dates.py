"""Dates of another day, month or year, and a period that is sent again as the next."""

from dataclasses import replace
from datetime import date
from random import Random

from tests.mutants.sheets import Sheet


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


def half_a_year_before(sheet: Sheet, dice: Random) -> Sheet | None:
    """Half of the dates are of the year before."""
    name = sheet.roles.first_column("date")
    if name is None or len({row[name] for row in sheet.rows}) < 10:
        return None
    for row in sheet.rows:
        if dice.random() < 0.5 and (day := sheet.day(row, name)):
            sheet.set_day(row, name, date(day.year - 1, day.month, min(day.day, 28)))
    return sheet


def dates_far_ahead(sheet: Sheet, dice: Random) -> Sheet | None:
    """One date in fifty lies twenty years ahead, as when a year has two digits."""
    name = sheet.roles.first_column("date", "birth_date")
    if name is None:
        return None
    for row in sheet.rows:
        if dice.random() < 0.02 and (day := sheet.day(row, name)):
            sheet.set_day(row, name, date(day.year + 20, day.month, min(day.day, 28)))
    return sheet


def dates_spread(sheet: Sheet, dice: Random) -> Sheet | None:
    """Each date is a day of its year by chance."""
    name = sheet.roles.first_column("date")
    if name is None or len({row[name] for row in sheet.rows}) < 10:
        return None
    for row in sheet.rows:
        if day := sheet.day(row, name):
            sheet.set_day(row, name, date(day.year, dice.randrange(1, 13), dice.randrange(1, 29)))
    return sheet
