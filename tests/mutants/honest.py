"""Deliveries with nothing wrong in them, though no two are alike: a gate that refuses these is switched off."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from tests.mutants.sheets import Row, Sheet

Variation = Callable[[Sheet, Random], Sheet | None]
FLOWS_OF_TRAVEL = ("border_crossings", "placements_aneti", "placements_atct", "placements_private")


def reordered(sheet: Sheet, dice: Random) -> Sheet | None:
    """The same rows in another order."""
    rows = list(sheet.rows)
    dice.shuffle(rows)
    return replace(sheet, rows=rows)


def a_little_less(sheet: Sheet, dice: Random) -> Sheet | None:
    """A year with four in a hundred events fewer."""
    return _thinned(sheet, lambda row: 0.96, dice) if _is_flow(sheet) else None


def strike(sheet: Sheet, dice: Random) -> Sheet | None:
    """For four days hardly anything is done."""
    days = _days(sheet)
    if len(days) < 25 or not _is_flow(sheet):
        return None
    first = dice.randrange(len(days) - 4)
    name = sheet.roles.first_column("date") or ""
    slow = set(days[first : first + 4])
    return _thinned(sheet, lambda row: 0.25 if row[name] in slow else 1.0, dice)


def holiday(sheet: Sheet, dice: Random) -> Sheet | None:
    """Ten days of a month hold far more of it than the others."""
    days = _days(sheet)
    if not 25 <= len(days) < 40 or not _is_flow(sheet):
        return None
    first = dice.randrange(len(days) - 10)
    name = sheet.roles.first_column("date") or ""
    busy = set(days[first : first + 10])
    return _thinned(sheet, lambda row: 1.0 if row[name] in busy else 0.75, dice)


def trend_of_2020(sheet: Sheet, dice: Random) -> Sheet | None:
    """Movements fall by a good third, everywhere alike."""
    if sheet.contract.source not in FLOWS_OF_TRAVEL or not _is_flow(sheet):
        return None
    return _thinned(sheet, lambda row: 0.64, dice)


def follow(thinned: Sheet, clean: Sheet, others: list[Sheet]) -> list[Sheet]:
    """The other lists of a delivery without the events that did not take place: what has the same number, there or in
    the list that was thinned, is one event."""
    followed = []
    for other in others:
        shared = [
            (own, theirs) for own in clean.roles.columns_with("identifier")
            for theirs in other.roles.columns_with("identifier")
            if clean.column(own).domain == other.column(theirs).domain and own in _first_identifier(clean)
        ]  # fmt: skip
        for own, theirs in shared[:1]:
            gone = {row[own] for row in clean.rows} - {row[own] for row in thinned.rows}
            rows = [row for row in other.rows if row[theirs] not in gone]
            followed += [replace(other, rows=rows)] if len(rows) < len(other.rows) else []
    return followed


def _first_identifier(sheet: Sheet) -> list[str]:
    """The identifier that tells an event: the one in the key, else the first."""
    keys = sheet.contract.entity_in(sheet.name, sheet.period).key
    names = sheet.roles.columns_with("identifier")
    return [name for name in names if name in keys] or names[:1]


def _is_flow(sheet: Sheet) -> bool:
    contract = sheet.contract
    measure = contract.entities[sheet.name].measure_type or contract.measure_type
    return measure == "flow" and sheet.roles.counts_rows and contract.source not in ("hims_survey", "lfs_migration")


def _days(sheet: Sheet) -> list[str]:
    name = sheet.roles.first_column("date")
    return sorted({row[name] for row in sheet.rows if row[name]}, key=lambda one: one[::-1]) if name else []


def _thinned(sheet: Sheet, share: Callable[[Row], float], dice: Random) -> Sheet | None:
    """Fewer events, numbered through without a gap where they are numbered."""
    rows = [row for row in sheet.rows if dice.random() < share(row)]
    keys = sheet.contract.entity_in(sheet.name, sheet.period).key
    if len(keys) == 1 and sheet.column(keys[0]).type == "integer" and rows:
        first = min(int(row[keys[0]]) for row in sheet.rows)
        rows = [{**row, keys[0]: str(first + place)} for place, row in enumerate(rows)]
    return replace(sheet, rows=rows) if len(rows) > sheet.contract.entities[sheet.name].minimum_rows else None


HONEST: dict[str, Variation] = {
    "reordered": reordered, "a_little_less": a_little_less, "strike": strike, "holiday": holiday,
    "trend_of_2020": trend_of_2020,
}  # fmt: skip
