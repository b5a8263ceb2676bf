"""The groups of records that an estimate speaks of, and when one of them is too small to be shown, by itself or by what
is left between it and what is published. Not here: counting them (`published`)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hims_pipeline.contracts.indicators import Formula

Key = tuple[str, ...]


def groups_of(formula: Formula, valued: bool = True) -> dict[str, str]:
    """Name -> SQL condition of each group of records whose size an estimate gives away, the one that it is of first.

    A share gives away the counted, the whole and the rest; a difference both its domains, what one has beyond the
    other, and of each who is counted.

    Args:
        valued: leave out who has no `value`. Beside published groups they stay in: what is left there is of them that
            they gave no answer, and nothing else.
    """
    measure, domain, against = formula.measure, formula.domain, formula.against
    with_value = f" and ({formula.value}) is not null" if formula.value and valued else ""
    if formula.kind == "total":
        return {"counted": f"({domain}) and ({measure})"}
    if formula.kind == "ratio":
        return {"domain": domain, "counted": measure}
    groups = {"domain": f"({domain}){with_value}"}
    if formula.kind == "share":
        return groups | _parts("", domain, measure)
    if formula.kind == "difference":
        groups |= {"against": f"({against}){with_value}"}
        groups |= {
            "domain beyond against": f"{groups['domain']} and (({against}){with_value}) is not true",
            "against beyond domain": f"{groups['against']} and (({domain}){with_value}) is not true",
        }
        if not formula.value:
            groups |= _parts(" of domain", domain, measure) | _parts(" of against", against, measure)
    return groups


def _parts(of: str, domain: str, measure: str) -> dict[str, str]:
    return {
        f"counted{of}": f"({domain}) and ({measure})",
        f"rest{of}": f"({domain}) and ({measure}) is not true",
    }


@dataclass(frozen=True, slots=True)
class PublishedCell:
    """A published group beside one of ours.

    Attributes:
        key: values of its table's dimensions.
        records: how many records it is about.
        shared: how many of them are in our group too.
        is_shown: a release shows it.
    """

    key: Key
    records: int
    shared: int
    is_shown: bool


@dataclass(frozen=True)
class PublishedTable:
    """Published groups of one indicator by some dimensions: no record is in two of them.

    Attributes:
        cells: by key.
        dimensions: what their keys are values of.
    """

    dimensions: tuple[str, ...]
    cells: Mapping[Key, PublishedCell]


def remainders(records: int, table: PublishedTable, coarser: Sequence[PublishedTable]) -> Iterator[int]:
    """How many records are left between a group of `records` and what can be put together from published cells.

    Those of the group that are in no published cell within it; those of the published cells that cover it and are not
    in it; and of a published cell around it what is left when the published parts beside the group are taken away too,
    as where one part was withheld to hide another.

    Args:
        coarser: tables by fewer of the dimensions, whose cells are sums of this one's.
    """
    touching = [cell for cell in table.cells.values() if cell.shared]
    within = sum(cell.records for cell in touching if cell.is_shown and cell.shared == cell.records)
    if within:
        yield records - within
    if sum(cell.shared for cell in touching) == records and all(cell.is_shown for cell in touching):
        yield sum(cell.records for cell in touching) - records
    for above in coarser:
        at = [table.dimensions.index(name) for name in above.dimensions]
        for around in above.cells.values():
            if around.is_shown and around.shared == records:
                beside = sum(
                    cell.records
                    for cell in table.cells.values()
                    if cell.is_shown and not cell.shared and tuple(cell.key[place] for place in at) == around.key
                )
                yield around.records - beside - records


def is_put_together(records: int, table: PublishedTable) -> bool:
    """A group of `records` is one of the table's published cells, or several together: its size is known already."""
    return records == sum(
        cell.records for cell in table.cells.values() if cell.is_shown and cell.shared == cell.records
    )


def is_few(records: int, minimum: int) -> bool:
    """Somebody, and fewer than may be shown."""
    return 0 < records < minimum
