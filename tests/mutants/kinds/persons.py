"""Age and sex that are wrong: heaped, shifted, exchanged, or of one kind alone."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from random import Random

from tests.mutants.sheets import Sheet


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


def ages_of_women_shifted(sheet: Sheet, dice: Random) -> Sheet | None:
    """Women are ten years older, as when their ages stand in another column."""
    sex = sheet.roles.first_column("sex")
    women = sheet.roles.codes.get(sex or "", {}).get("F", ())
    theirs = replace(sheet, rows=[row for row in sheet.rows if row[sex or ""] in women]) if sex and women else None
    if (
        theirs is None
        or len(theirs.rows) < 200
        or _change_age(theirs, lambda age: min(age + 10, 110), 1.0, dice) is None
    ):
        return None
    return sheet


def ages_by_chance(sheet: Sheet, dice: Random) -> Sheet | None:
    """Each age is any from 0 to 90."""
    return _change_age(sheet, lambda age: dice.randrange(91), 1.0, dice)


def ages_in_tens(sheet: Sheet, dice: Random) -> Sheet | None:
    """Ages are the lower end of their group of ten."""
    return _change_age(sheet, lambda age: age // 10 * 10, 1.0, dice)


def sexes_exchanged_in_half(sheet: Sheet, dice: Random) -> Sheet | None:
    """The last half of the file has the codes of the sexes the other way round."""
    name = sheet.roles.first_column("sex")
    if name is None or not all(sheet.roles.codes.get(name, {"M": ()}).values()):
        return None
    men, women = (sheet.roles.codes[name][sex][0] for sex in ("M", "F"))
    for row in sheet.rows[len(sheet.rows) // 2 :]:
        row[name] = {men: women, women: men}.get(row[name], row[name])
    return sheet
