"""Amounts, weights and currencies that are off, totals that are no sums, and outliers."""

from collections import Counter
from collections.abc import Callable
from random import Random

from tests.mutants.kinds.columns import shuffle_values
from tests.mutants.sheets import Mutation, Sheet


def multiply_amounts(factor: float) -> Mutation:
    """Amounts are so many times what they were."""

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


def change_weights(change: Callable[[float], float]) -> Mutation:
    """Weights are others."""

    def apply(sheet: Sheet, dice: Random) -> Sheet | None:
        if (name := sheet.roles.first_column("weight")) is None:
            return None
        for row in sheet.rows:
            if (value := sheet.number(row, name)) is not None:
                sheet.set_number(row, name, change(value))
        return sheet

    return apply


def weights_shuffled(sheet: Sheet, dice: Random) -> Sheet | None:
    """Each row has the weight of another."""
    if (name := sheet.roles.first_column("weight")) is None or len({row[name] for row in sheet.rows}) < 20:
        return None
    return shuffle_values(sheet, name, dice)


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


def amounts_of_one_area(sheet: Sheet, dice: Random) -> Sheet | None:
    """One area or country sends its amounts in thousandths."""
    name, by = sheet.roles.first_column("amount"), sheet.roles.first_column("area", "post", "country")
    if name is None or by is None or (sheet.roles.counts_rows and sheet.roles.first_column("currency") is None):
        return None
    common = Counter(row[by] for row in sheet.rows if sheet.number(row, name)).most_common(2)
    if len(common) < 2:
        return None
    for row in sheet.rows:
        if row[by] == common[-1][0] and (value := sheet.number(row, name)) is not None:
            sheet.set_number(row, name, value * 1000)
    return sheet


def cells_exchanged(sheet: Sheet, dice: Random) -> Sheet | None:
    """The largest amount and one of a tenth of it stand for each other."""
    name = sheet.roles.first_column("amount")
    if name is None or sheet.roles.counts_rows or len(sheet.rows) < 20:
        return None
    rows = sorted(sheet.rows, key=lambda row: -(sheet.number(row, name) or 0))
    other = next(
        (row for row in rows if 0 < (sheet.number(row, name) or 0) < (sheet.number(rows[0], name) or 0) / 10), None
    )
    if other is None:
        return None
    rows[0][name], other[name] = other[name], rows[0][name]
    return sheet


def signs_exchanged(sheet: Sheet, dice: Random) -> Sheet | None:
    """One amount in ten is negative."""
    name = sheet.roles.first_column("amount")
    if name is None or (sheet.roles.counts_rows and sheet.roles.first_column("currency") is None):
        return None
    for row in sheet.rows:
        if dice.random() < 0.1 and (value := sheet.number(row, name)):
            sheet.set_number(row, name, -value)
    return sheet


def weights_of_one_area(sheet: Sheet, dice: Random) -> Sheet | None:
    """The weights of one of the largest areas are half of what they were."""
    name, area = sheet.roles.first_column("weight"), sheet.roles.first_column("area")
    if name is None or area is None:
        return None
    common = Counter(row[area] for row in sheet.rows if row[area]).most_common(2)
    for row in sheet.rows:
        if row[area] == common[-1][0] and (value := sheet.number(row, name)) is not None:
            sheet.set_number(row, name, value / 2)
    return sheet
