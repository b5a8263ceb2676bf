"""What contradicts what a delivery is about: the country itself among foreign ones, one number for many persons, a flow
where a stock is due, an interview that was not held."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from hims_pipeline.settings import REPOSITORY
from tests.mutants.sheets import Sheet


def own_country(sheet: Sheet, dice: Random) -> Sheet | None:
    """One row in eight says the country itself, where hardly any may."""
    for name in sheet.roles.columns_with("country", "area"):
        codes = set(_codes_of(sheet.column(name).crosswalk, sheet.contract.country or "TUN"))
        present = sum(row[name] in codes for row in sheet.rows)
        if codes and present < 0.01 * len(sheet.rows):
            code = min(codes)
            for row in sheet.rows:
                if dice.random() < 1 / 8:
                    row[name] = code
            return sheet
    return None


def _codes_of(scheme: str | None, country: str) -> Iterator[str]:
    with (REPOSITORY / "data/codelists/xwalk_country.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["scheme"] == scheme and row["country_code"] == country:
                yield row["code"]


def _open_identifiers(sheet: Sheet) -> list[str]:
    """Identifiers of persons that are no key, and that most rows have."""
    keys = set(sheet.contract.entity_in(sheet.name, sheet.period).key)
    return [
        n for n in sheet.roles.columns_with("identifier")
        if n not in keys and sum(bool(row[n]) for row in sheet.rows) > 0.6 * len(sheet.rows)
    ]  # fmt: skip


def placeholder_number(sheet: Sheet, dice: Random) -> Sheet | None:
    """One number stands for one person in five: what a clerk types where there is none."""
    names = _open_identifiers(sheet)
    if not names or len(sheet.rows) < 40:
        return None
    typed = next(row[names[0]] for row in sheet.rows if row[names[0]])
    for row in sheet.rows:
        if dice.random() < 0.2:
            row[names[0]] = typed
    return sheet


def numbers_blank(sheet: Sheet, dice: Random) -> Sheet | None:
    """All numbers that may be missing are, in half of the rows."""
    names = [n for n in _open_identifiers(sheet) if not sheet.column(n).required]
    if not names:
        return None
    for row in sheet.rows:
        if dice.random() < 0.5:
            row.update(dict.fromkeys(names, ""))
    return sheet


def flow_for_stock(sheet: Sheet, dice: Random) -> Sheet | None:
    """Only those who came within the last year are sent, where all are due."""
    stated = sheet.contract.entity_in(sheet.name, sheet.period).period
    name = sheet.roles.first_column("date")
    if name is None or stated is None or not stated.up_to or not sheet.roles.counts_rows:
        return None
    last = max(day for row in sheet.rows if (day := sheet.day(row, name)))
    rows = [row for row in sheet.rows if (day := sheet.day(row, name)) and (last - day).days < 365]
    return replace(sheet, rows=rows) if 0 < len(rows) < len(sheet.rows) else None


def dates_exchanged(sheet: Sheet, dice: Random) -> Sheet | None:
    """Beginning and end, the last two columns of dates, stand under each other's names."""
    names = sheet.roles.columns_with("date")[-2:]
    if len(names) < 2 or sum(row[names[0]] != row[names[1]] for row in sheet.rows) < len(sheet.rows) // 5:
        return None
    for row in sheet.rows:
        row[names[0]], row[names[1]] = row[names[1]], row[names[0]]
    return sheet


def one_place(sheet: Sheet, dice: Random) -> Sheet | None:
    """Everybody is of one governorate, as when a column is filled down."""
    name = sheet.roles.first_column("area")
    if name is None or len({row[name] for row in sheet.rows}) < 3:
        return None
    place = next(row[name] for row in sheet.rows if row[name])
    for row in sheet.rows:
        row[name] = place
    return sheet


def currencies_mixed(sheet: Sheet, dice: Random) -> Sheet | None:
    """One amount in three bears the name of another currency."""
    name = sheet.roles.first_column("currency")
    if name is None:
        return None
    for row in sheet.rows:
        if row[name] and dice.random() < 1 / 3:
            row[name] = {"TND": "EUR"}.get(row[name], "TND")
    return sheet


def edition_before(sheet: Sheet, dice: Random) -> Sheet | None:
    """An edition of four years ago is sent as the present one."""
    name = sheet.roles.first_column("year")
    if name is None or sheet.roles.counts_rows:
        return None
    last = max(value for row in sheet.rows if (value := sheet.number(row, name)) is not None)
    rows = [row for row in sheet.rows if (value := sheet.number(row, name)) is not None and value <= last - 4]
    return replace(sheet, rows=rows) if 0 < len(rows) < len(sheet.rows) else None


def one_weight_huge(sheet: Sheet, dice: Random) -> Sheet | None:
    """One weight is a thousand times what it was."""
    if (name := sheet.roles.first_column("weight")) is None:
        return None
    row = dice.choice([row for row in sheet.rows if (sheet.number(row, name) or 0) > 0])
    sheet.set_number(row, name, (sheet.number(row, name) or 0) * 1000)
    return sheet
