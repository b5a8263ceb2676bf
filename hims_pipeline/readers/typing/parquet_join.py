"""Join Parquet files of one schema into one, row group by row group: bytes are copied, only the footer is written anew.

Why: DuckDB with several threads cuts row groups where its threads happen to meet, so the same input gives other bytes
each time, and a running row number keeps it to one thread (12 million rows: 19.8 s against 8.1 s). Parts of a fixed
number of records, each written by one thread, are the same bytes each time; joining them costs a copy.
"""

import hashlib
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hims_pipeline.readers.typing.thrift import I64, Reader, Struct, Writer

_MAGIC = b"PAR1"
_BLOCK = 4 << 20
# Field ids of parquet.thrift.
_SCHEMA, _ROWS, _GROUPS = 2, 3, 4  # FileMetaData
_COLUMNS, _GROUP_OFFSET, _ORDINAL = 1, 5, 7  # RowGroup
_CHUNK_OFFSET, _META = 2, 3  # ColumnChunk
_INDEXES = (4, 6)  # ColumnChunk: offsets of the page indexes
_PAGES = (9, 10, 11, 14)  # ColumnMetaData: data, index and dictionary pages, Bloom filter


@dataclass(frozen=True)
class Joined:
    rows: int
    bytes: int
    sha256: str


def join(parts: list[Path], target: Path) -> Joined:
    """Write the row groups of `parts`, in their order, as one Parquet file; durable when it returns.

    Raises:
        ValueError: a part is no Parquet file, or the schemas differ.
    """
    footers = [_footer(part) for part in parts]
    if any(footer[_SCHEMA] != footers[0][_SCHEMA] for footer in footers):
        raise ValueError(f"the parts of {target.name} differ in their schemas")
    groups: list[Struct] = []
    with target.open("wb") as raw:
        out = _Hashing(raw)
        out.write(_MAGIC)
        for part, footer in zip(parts, footers, strict=True):
            shift = out.size - len(_MAGIC)
            for group in footer[_GROUPS][1][1]:
                groups.append(_moved(group, shift, len(groups)))
            _copy_body(part, out)
        whole = dict(footers[0])
        whole[_ROWS] = (I64, sum(footer[_ROWS][1] for footer in footers))
        whole[_GROUPS] = (whole[_GROUPS][0], (whole[_GROUPS][1][0], groups))
        footer_bytes = bytes(Writer().struct(whole).out)
        out.write(footer_bytes + struct.pack("<I", len(footer_bytes)) + _MAGIC)
        raw.flush()
        os.fsync(raw.fileno())
    return Joined(whole[_ROWS][1], out.size, out.digest.hexdigest())


def rows_of(path: Path) -> int:
    return _footer(path)[_ROWS][1]


class _Hashing:
    """Counts and hashes what is written, so that the file need not be read once more."""

    def __init__(self, raw: BinaryIO) -> None:
        self.raw, self.size, self.digest = raw, 0, hashlib.sha256()

    def write(self, data: bytes) -> None:
        self.raw.write(data)
        self.digest.update(data)
        self.size += len(data)


def _footer(path: Path) -> Struct:
    with path.open("rb") as file:
        file.seek(-8, os.SEEK_END)
        size, magic = struct.unpack("<I4s", file.read(8))
        if magic != _MAGIC:
            raise ValueError(f"{path.name} is no Parquet file")
        file.seek(-8 - size, os.SEEK_END)
        return Reader(file.read(size)).struct()


def _copy_body(part: Path, out: _Hashing) -> None:
    """All between the opening magic and the footer."""
    with part.open("rb") as file:
        file.seek(-8, os.SEEK_END)
        (size,) = struct.unpack("<I", file.read(4))
        left = part.stat().st_size - 8 - size - len(_MAGIC)
        file.seek(len(_MAGIC))
        while left:
            block = file.read(min(_BLOCK, left))
            out.write(block)
            left -= len(block)


def _moved(group: Struct, shift: int, ordinal: int) -> Struct:
    """A row group whose bytes now stand `shift` bytes further on."""
    moved = _shifted(group, (_GROUP_OFFSET,), shift)
    if _ORDINAL in moved:
        moved[_ORDINAL] = (moved[_ORDINAL][0], ordinal)
    kind, chunks = moved[_COLUMNS][1]
    moved[_COLUMNS] = (moved[_COLUMNS][0], (kind, [_moved_chunk(chunk, shift) for chunk in chunks]))
    return moved


def _moved_chunk(chunk: Struct, shift: int) -> Struct:
    moved = _shifted(chunk, (_CHUNK_OFFSET, *_INDEXES), shift)
    moved[_META] = (moved[_META][0], _shifted(moved[_META][1], _PAGES, shift))
    return moved


def _shifted(fields: Struct, keys: tuple[int, ...], shift: int) -> Struct:
    """The fields with these offsets moved; 0 stands for none and stays."""
    return {key: (kind, value + shift if key in keys and value else value) for key, (kind, value) in fields.items()}
