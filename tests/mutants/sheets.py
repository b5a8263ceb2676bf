"""A delivery as rows of text that can be changed, and written again as the sender would have written it.

Delimited text goes through the real reader. What other formats hold is changed behind it, in the typed table."""

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Any

from hims_pipeline.contracts.model import Contract
from hims_pipeline.gates.roles import Roles, roles_of
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection, literal, quote

Row = dict[str, str]


@dataclass
class Sheet:
    """One entity of a delivery.

    Args:
        rows: contract name -> text as sent, "" for nothing.
        file: where it was read from: the sent text, or the typed Parquet.
        is_text: the file is delimited text, and goes through the reader again.
        raw: changes the lines that were written, for what no table can hold.
        before: the same entity in the period before.
    """

    contract: Contract
    name: str
    period: str
    rows: list[Row]
    file: Path
    is_text: bool
    roles: Roles
    raw: Callable[[list[str]], list[str]] | None = field(default=None)
    before: "Sheet | None" = field(default=None)

    def copy(self) -> "Sheet":
        """The same with rows of its own."""
        other = Sheet(**{**self.__dict__, "rows": [dict(row) for row in self.rows]})
        return other

    def column(self, name: str) -> Any:
        return self.contract.entity_in(self.name, self.period).column(name)

    def day(self, row: Row, name: str) -> date | None:
        """The day in a cell; None where there is none."""
        form = self.column(name).date_format if self.is_text else "%Y-%m-%d"
        return datetime.strptime(row[name], form).date() if row.get(name) else None

    def set_day(self, row: Row, name: str, value: date) -> None:
        row[name] = value.strftime(self.column(name).date_format if self.is_text else "%Y-%m-%d")

    def number(self, row: Row, name: str) -> float | None:
        """The number in a cell that is none of the missing codes; None else."""
        if not row.get(name) or row[name] in {str(code) for code in self.column(name).missing}:
            return None
        try:
            return float(row[name].replace(",", ".").replace("\u00a0", "").replace(" ", ""))
        except ValueError:
            return None

    def set_number(self, row: Row, name: str, value: float) -> None:
        column = self.column(name)
        comma = self.is_text and self.contract.format_in(self.name, self.period).decimal == ","
        digits = {"integer": 0, "decimal": column.scale}.get(column.type, 6)
        row[name] = f"{value:.{digits}f}".replace(".", "," if comma else ".")

    def renumber(self, rows: list[Row], dice: Random) -> list[Row]:
        """The rows under keys and numbers that stand nowhere else; the same persons and documents otherwise."""
        keys = set(self.contract.entity_in(self.name, self.period).key)
        if not keys:  # without a key, its identifiers tell a row
            keys = set(self.roles.columns_with("identifier")[:1])
        numeric = [k for k in keys if self.column(k).type == "integer"]
        made = [dict(row) for row in rows]
        for name in keys:
            if self.roles.of[name] not in ("key", "identifier"):
                continue
            taken = {row[name] for row in self.rows}
            if name in numeric and len(keys) == 1:
                top = max(int(one) for one in taken if one)
                for place, row in enumerate(made):
                    row[name] = str(top + 1 + place)
            elif len(numeric) == 0 or name not in numeric:
                new: dict[str, str] = {}
                for row in made:
                    if row[name] not in new:
                        new[row[name]] = _other(row[name], taken, dice)
                    row[name] = new[row[name]]
        return made


def _other(text: str, taken: set[str], dice: Random) -> str:
    """A text of the same form that none has: other digits (or hexadecimal ones, for a pseudonym)."""
    hexadecimal = re.fullmatch(r"[0-9a-f]{16,}", text) is not None
    while True:
        made = re.sub(r"[0-9a-f]" if hexadecimal else r"(?<=\d)\d|\d(?=\d)",
                      lambda _: dice.choice("0123456789abcdef" if hexadecimal else "0123456789"), text)  # fmt: skip
        if made not in taken:
            taken.add(made)
            return made


def read_sheets(
    settings: Settings, contract: Contract, period: str, files: list[Path], typed: dict[str, Path]
) -> list[Sheet]:
    """Every entity of a delivery, as text where it is sent as delimited text."""
    found = []
    for name, parquet in typed.items():
        form = contract.format_in(name, period)
        roles = roles_of(contract, name, period)
        sent = next((one for one in files if contract.entity_in(name, period).takes(one.name)), None)
        if form.type == "delimited" and sent and not form.unpivot and sent.suffix not in (".gz", ".zip"):
            found.append(Sheet(contract, name, period, _text_rows(contract, name, period, sent), sent, True, roles))
        else:
            found.append(Sheet(contract, name, period, _typed_rows(settings, parquet), parquet, False, roles))
    return found


def _text_rows(contract: Contract, name: str, period: str, path: Path) -> list[Row]:
    form = contract.format_in(name, period)
    to = {sent: own for own, sent in contract.sent_names(name, period).items()}
    with path.open(encoding=form.encoding, newline="") as file:
        return [{to.get(k, k): v for k, v in row.items()} for row in csv.DictReader(file, delimiter=form.delimiter)]


def _typed_rows(settings: Settings, parquet: Path) -> list[Row]:
    with connection(settings) as con:
        con.execute(f"select columns(*)::varchar from read_parquet({literal(parquet)})")
        names = [one[0] for one in con.description or ()]
        return [{k: "" if v is None else v for k, v in zip(names, row, strict=True)} for row in con.fetchall()]


def write_text(sheet: Sheet, target: Path) -> None:
    """The sheet as delimited text, with the header that was sent."""
    form = sheet.contract.format_in(sheet.name, sheet.period)
    with sheet.file.open(encoding=form.encoding, newline="") as file:
        header = next(csv.reader(file, delimiter=form.delimiter))
    to = {sent: own for own, sent in sheet.contract.sent_names(sheet.name, sheet.period).items()}
    with target.open("w", encoding=form.encoding, newline="") as file:
        writer = csv.writer(file, delimiter=form.delimiter, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([row[to.get(name, name)] for name in header] for row in sheet.rows)
    if sheet.raw:
        lines = target.read_text(encoding=form.encoding).split("\n")
        target.write_text("\n".join(sheet.raw(lines)), encoding=form.encoding)


def write_typed(settings: Settings, sheet: Sheet, target: Path) -> None:
    """The sheet as a typed table; a text that is no value of its type fails here, as it would in the reader."""
    with connection(settings) as con:
        con.execute(f"create table sent as from read_parquet({literal(sheet.file)}) limit 0")
        names = [one[0] for one in con.execute("from sent").description or ()]
        con.execute(f"create table given ({', '.join(f'{quote(n)} varchar' for n in names)})")
        columns = [
            [(row[n] or None) if n != "_line" else str(place + 2) for place, row in enumerate(sheet.rows)]
            for n in names
        ]
        if sheet.rows:
            con.execute(
                f"insert into given select {', '.join(f'unnest(${i + 1}::varchar[])' for i in range(len(names)))}",
                columns,
            )
        con.execute("insert into sent from given")
        con.execute(f"copy sent to {literal(target)} (format parquet)")


Mutation = Callable[[Sheet, Random], Sheet | None]
