"""Control totals that a sender may give with a file, in a sidecar `<file>.totals.yml` or `….csv`: SHA-256 of the file,
rows and sums of each table. What they say is compared with what arrived; they are read by nothing else.

Here: reading a sidecar and comparing. Not here: which files are sidecars (`contracts.entities.is_totals`), the template
(`authoring.totals`).
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.entities import data_file_of, is_totals
from hims_pipeline.contracts.values import NUMERIC
from hims_pipeline.contracts.yaml_records import read_yaml
from hims_pipeline.lake.batches import EntityFiles
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.verdict import CHECKED, UNCHECKED, Finding
from hims_pipeline.readers.findings import block
from hims_pipeline.readers.shape import TableShape
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection, quote, read_parquet
from hims_pipeline.words import Words, our_text, senders_text, words

RULE, ROWS, SUM = "ENVELOPE-TOTALS", "TOTALS-ROWS", "TOTALS-SUM"
SHA256 = "ENVELOPE-TOTALS-SHA256"
MOST_BYTES = 1_000_000
BLANKS = " \u00a0\u202f'"  # how thousands are set apart
CLOSE = Decimal("1e-9")  # relative; of columns that hold binary numbers


@dataclass
class Totals:
    """What one sidecar says: `rows` and `sums` by table, `sums` by column; empty where it says nothing."""

    sha256: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    sums: dict[str, dict[str, Decimal]] = field(default_factory=dict)

    @property
    def says_something(self) -> bool:
        return bool(self.sha256 or self.rows or self.sums)


class _Wrong(Exception):
    """What is wrong with a sidecar, in our words."""

    def __init__(self, what: Words) -> None:
        self.what = what


def read_totals(
    settings: Settings, delivery: Delivery, shapes: dict[str, TableShape]
) -> tuple[dict[str, Totals], list[Finding]]:
    """The totals that came with a delivery, by the name of the file that they are of, and what is wrong with them or
    with the bytes of these files."""
    files = {file.name: (number, file) for number, file in enumerate(delivery.files, 1)}
    by_file: dict[str, Totals] = {}
    findings: list[Finding] = []
    for name, (number, _) in files.items():
        if not is_totals(name):
            continue
        shown, of = senders_text(name, f"file {number}"), data_file_of(name)
        try:
            if of not in files:
                raise _Wrong(words("holds the totals of a file that was not sent with it; send both together"))
            totals = _parse(delivery.folder(settings) / name, shapes)
        except _Wrong as error:
            findings.append(block(RULE, error.what, shown))
            continue
        by_file[of] = totals
        place, data = files[of]
        if totals.sha256 and totals.sha256 != data.sha256:
            text = words("is not the file whose SHA-256 its sender gave: it was changed on its way. Send it again")
            findings.append(block(SHA256, text, senders_text(data.name, f"file {place}")))
    return by_file, findings


def compare_totals(
    settings: Settings,
    totals: dict[str, Totals],
    shapes: dict[str, TableShape],
    entities: dict[str, EntityFiles],
    made: Path,
) -> tuple[str, list[Finding]]:
    """Whether totals were compared, and what differs.

    Args:
        made: folder with the files that were read, as `entities` name them.
    """
    findings: list[Finding] = []
    for one in totals.values():
        for name, rows in one.rows.items():
            read = entities.get(name)
            arrived = read.rows + read.rejected if read else 0
            if arrived != rows:
                messages = words(
                    "its sender counted {rows:,} rows, and {arrived:,} arrived", rows=rows, arrived=arrived
                )
                findings.append(block(ROWS, messages, read.sent_as if read else "", entity=name, total=arrived))
        for name, sums in one.sums.items():
            if name in entities and not entities[name].rejected:
                findings += _compare_sums(settings, shapes[name], entities[name].paths(made), sums)
    return (CHECKED if totals else UNCHECKED), findings


def _compare_sums(
    settings: Settings, shape: TableShape, paths: list[Path], sums: dict[str, Decimal]
) -> Iterator[Finding]:
    asked = ", ".join(f"sum({quote(name)})" for name in sums)
    with connection(settings) as con:
        row = con.execute(f"select {asked} from {read_parquet(paths)}").fetchall()[0]
    kinds = {one.name: one.type for one in shape.columns}
    for (name, given), summed in zip(sums.items(), row, strict=True):
        arrived = Decimal(str(summed or 0))
        margin = abs(given) * CLOSE if kinds[name] == "number" else Decimal(0)
        if abs(arrived - given) > margin:
            messages = words(
                "the sum of this column is not the one that its sender gave; check it, or correct the totals"
            )
            yield block(SUM, messages, entity=shape.name, column=name)


def _parse(path: Path, shapes: dict[str, TableShape]) -> Totals:
    totals = Totals()
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _Wrong(words("is too large for a file of totals"))
        lines = list(_from_csv(path) if path.name.lower().endswith(".csv") else _from_yaml(path))
    except _Wrong:
        raise
    except Exception:  # whatever others wrote there: no word of it may be told
        raise _Wrong(words("cannot be read as a file of totals; `hims source totals` writes one to fill")) from None
    for table, what, column, value in lines:
        if value.strip():
            _take(totals, shapes, table, what, column, value.strip())
    if not totals.says_something:
        raise _Wrong(words("says nothing; fill it, or leave it out"))
    return totals


def _take(totals: Totals, shapes: dict[str, TableShape], table: str, what: str, column: str, value: str) -> None:
    if what == "sha256":
        if len(value) != 64 or set(value.lower()) - set("0123456789abcdef"):
            raise _Wrong(words("holds a SHA-256 that is none: 64 hexadecimal digits are"))
        totals.sha256 = value.lower()
        return
    if table not in shapes:
        raise _Wrong(words("names a table that the contract does not know: {name}", name=senders_text(table)))
    number = _number(value)
    if what == "rows" and number == int(number):
        totals.rows[table] = int(number)
        return
    summed = {one.name for one in shapes[table].columns if one.type in NUMERIC and one.sensitivity != "identifier"}
    if what != "sum" or column not in summed:
        raise _Wrong(
            words("asks for what is neither rows nor the sum of a numeric column of {table}", table=our_text(table))
        )
    totals.sums.setdefault(table, {})[column] = number


def _number(text: str) -> Decimal:
    """A number as people write it: blanks between thousands, a comma or a point before decimals."""
    plain = "".join(sign for sign in text if sign not in BLANKS)
    if "," in plain and "." in plain:
        raise _Wrong(words("holds a number with both a comma and a point; write one, before the decimals"))
    try:
        number = Decimal(plain.replace(",", "."))
    except InvalidOperation:
        raise _Wrong(words("holds a total that is no number")) from None
    if not number.is_finite():
        raise _Wrong(words("holds a total that is no number"))
    return number


def _from_yaml(path: Path) -> Iterator[tuple[str, str, str, str]]:
    record: dict[str, Any] = read_yaml(path)
    for table, text in record.items():
        if table == "sha256":
            yield "", "sha256", "", _plain_number(text)
            continue
        for what, value in text.items():
            if what == "sums":
                for column, one in (value or {}).items():
                    yield str(table), "sum", str(column), _plain_number(one)
            else:
                yield str(table), str(what), "", _plain_number(value)


def _plain_number(value: Any) -> str:
    if isinstance(value, dict | list):
        raise _Wrong(words("holds a list where a number is expected"))
    return "" if value is None else str(value)


def _from_csv(path: Path) -> Iterator[tuple[str, str, str, str]]:
    text = path.read_text(encoding="utf-8-sig")
    head = text.split("\n", 1)[0]
    rows = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in head else ",", strict=True)
    for row in rows:
        yield tuple((row[name] or "").strip() for name in ("table", "what", "column", "value"))  # type: ignore[misc]
