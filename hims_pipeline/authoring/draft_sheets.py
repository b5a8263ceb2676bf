"""For a first contract of a workbook: what its sheet holds besides plain cells, and the options that say what it means.

Each option is a proposal that a person decides on, so each comes with a remark. Not here: what refuses a sheet
(`readers.formats.excel`).
"""

from pathlib import Path

import python_calamine as calamine

from hims_pipeline.contracts.formats import Format
from hims_pipeline.readers.formats.excel import open_sheet


def suit(path: Path, form: Format, names: list[str]) -> tuple[Format, list[str]]:
    """The format with the options that the sheet needs, and a remark on each.

    Raises:
        DataError: the workbook cannot be looked at.
    """
    sheet = open_sheet(path, form)
    book = calamine.CalamineWorkbook.from_path(str(path))
    look = sheet.look
    first, last = form.skip_rows + form.header_rows + 1, sheet.rows[-1][0] if sheet.rows else 0
    changes: dict[str, object] = {}
    remarks = []
    pages = [one.name for one in book.sheets_metadata if one.typ == calamine.SheetTypeEnum.WorkSheet]
    others = [name for name in pages if name != sheet.name and book.get_sheet_by_name(name).total_height]
    if others:
        changes["sheet"] = sheet.name
        remarks.append(f"{len(others)} other sheets hold cells and are not read: {', '.join(others)}")
    errors = sorted(
        {text for (row, column), text in look.errors.items() if first <= row <= last and column < len(names)}
    )
    if errors:
        changes["null_values"] = ("", *errors)
        remarks.append("cells hold errors, here taken for no value (`null_values`); better mend the formulas")
    if look.hidden_rows.issuperset(range(first, last + 1)):
        changes["hidden_rows"] = "read"
        remarks.append("all rows are hidden, and read all the same (`hidden_rows: read`)")
    elif any(first <= row <= last for row in look.hidden_rows):
        changes["hidden_rows"] = "skip"
        remarks.append("rows are hidden, here left out (`hidden_rows: skip`); look whether they are totals")
    rows = [number for number, cells in sheet.rows if any(str(cell).strip() for cell in cells if cell is not None)]
    if blank := next((n for n in range(first, last) if n not in set(rows)), None):
        changes["stop_at_blank"] = True
        remarks.append(f"row {blank} is blank, and what follows is taken for notes (`stop_at_blank`)")
    downwards = [
        names[left]
        for (top, left), (bottom, right) in sorted([*sheet.merged, *look.merged], key=lambda span: span[0][1])
        if left == right < len(names) and bottom + 1 >= first and top + 1 <= last
    ]
    if downwards:
        changes["fill_down"] = tuple(dict.fromkeys(downwards))
        remarks.append("cells are merged downwards, here filled with the value above (`fill_down`)")
    return form.model_copy(update=changes), remarks
