"""Letters that another program read wrongly before they were saved, such as `Ã©` for `é` or `³` for `ł`, in columns of
text as they were read: formats with values of their own carry them like any. Of texts they are found earlier
(`files.encodings`)."""

from collections.abc import Mapping

from hims_pipeline.contracts.formats import HONOURED
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.encodings import ENCODED_TWICE, describe_misread, is_misread
from hims_pipeline.readers.findings import block
from hims_pipeline.readers.shape import TableShape
from hims_pipeline.readers.typing.write import LINE
from hims_pipeline.settings import Settings
from hims_pipeline.sql import ParquetFiles, connection, literal, quote, read_parquet

_LETTERS_OF_ONE_BYTE = {bytes([byte]).decode("cp1252", "replace") for byte in range(0x80, 0xC0)} - {"\ufffd"}
_SECOND = "".join(sorted(_LETTERS_OF_ONE_BYTE | {chr(byte) for byte in range(0x80, 0xC0)}))
_TWICE = f"[\u00c2-\u00c5\u00ce-\u00d1\u00d8\u00d9][{_SECOND}]"
_MOST = 1_000  # different values that are looked at


def find_misread_letters(
    settings: Settings, shapes: dict[str, TableShape], tables: Mapping[str, ParquetFiles]
) -> list[Finding]:
    """One finding a column of whose values with letters beyond ASCII many look so.

    Args:
        tables: entity -> its Parquet files as they were read, inside the closed zone.
    """
    findings = []
    with connection(settings) as con:
        for name, files in tables.items():
            if shapes[name].format.type in HONOURED["encoding"]:
                continue
            for column in shapes[name].columns:
                if column.type != "text" or column.sensitivity == "identifier":
                    continue
                text = quote(column.name)
                con.execute(
                    f"create or replace temp table beyond as select {LINE}, {text} as value, "
                    f"regexp_matches({text}, {literal(_TWICE)}) as twice from {read_parquet(files)} "
                    f"where strlen({text}) <> length({text})"
                )
                [(twice, all_)] = con.execute("select count(*) filter (twice), count(*) from beyond").fetchall()
                message = ENCODED_TWICE if is_misread(twice, all_ - twice) else None
                if all_ and not message and not shapes[name].format.any_letters:
                    twice = all_
                    some = f"select value from beyond group by value order by min({LINE}) limit {_MOST}"
                    message = describe_misread("\n".join(value for (value,) in con.execute(some).fetchall()))
                if message:
                    only = "where twice" if message is ENCODED_TWICE and twice < all_ else ""
                    [(lines,)] = con.execute(f"select min({LINE}, 5) from beyond {only}").fetchall()
                    more = {"count": twice, "lines": tuple(lines)}
                    findings.append(block("ENVELOPE-ENCODING", message, entity=name, column=column.name, **more))
    return findings
