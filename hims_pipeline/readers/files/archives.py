"""From the files of a delivery to the single files in them: archives are opened here, with caps, and nowhere else.

Names inside an archive are matched and never used as paths; outside the closed zone an ordinal stands for each. What a
file is, its first bytes decide.
"""

import gzip
import stat
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from hims_pipeline.contracts.entities import is_totals
from hims_pipeline.contracts.formats import FormatLimits
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import DataError
from hims_pipeline.lake.landing import inner_name
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.signatures import NAMES, entries_claimed, kind_of
from hims_pipeline.readers.findings import block
from hims_pipeline.words import Words, our_text, senders_text, words

Log = Callable[[str], None]
MAXIMUM_ENTRIES = 100
MAXIMUM_RATIO = 100  # real statistical files reach 35 (long, repeated labels); a bomb starts at 1,000
RATIO_FROM_BYTES = 50_000_000  # below this a high ratio does no harm
_BLOCK = 1 << 20
_DAMAGED = words("the archive is damaged: its checksum fails; send it again")
_PACKED = ("tar", "7z", "rar", "bzip2", "xz", "zstandard", "program")  # which nothing here opens
_CLUTTER = ("__macosx", ".ds_store", "thumbs.db", "desktop.ini")
_CLUTTER_BEGINS = ("._", "~$")  # what Mac and Windows put beside the data


@dataclass(frozen=True)
class Member:
    """One file of a delivery: the name to match (`name`), what to call it (`shown`: `file 1, member 2` outside the
    closed zone), and where its bytes are.

    Args:
        codebook: the codebook or dictionary sent with it, where its format needs one.
        records: all records of that dictionary which some entity is read from.
    """

    name: str
    shown: Words
    path: Path
    codebook: "Member | None" = None
    records: tuple[str, ...] = ()


def expand(contract: Contract, paths: list[Path], scratch: Path, log: Log) -> tuple[list[Member], list[Finding]]:
    """All single files of a delivery, archives unpacked into `scratch`, and what is wrong with the outer ones."""
    members: list[Member] = []
    findings: list[Finding] = []
    budget = _Budget(contract.limits)
    for number, path in enumerate(paths, 1):
        if is_totals(path.name):
            continue  # compared with the others, and read by nobody (`readers.totals`)
        shown = senders_text(path.name, f"file {number}")
        try:
            members += _open(path, shown, contract.limits, budget, scratch, log)
        except DataError as error:
            findings.append(block(error.rule, error.message, error.file or shown))
    return members, findings


def expand_file(path: Path, limits: FormatLimits, scratch: Path) -> list[Member]:
    """The single files in one file.

    Raises:
        DataError: it is an archive that cannot or must not be opened.
    """
    return _open(path, senders_text(path.name, "file 1"), limits, _Budget(limits), scratch, lambda text: None)


class _Budget:
    """Bytes that a delivery may still unpack to."""

    def __init__(self, limits: FormatLimits) -> None:
        self.limit = self.left = limits.unpacked_bytes

    def take(self, size: int, shown: Words) -> None:
        self.left -= size
        if self.left < 0:
            raise DataError(
                "ENVELOPE-ARCHIVE-LIMIT",
                words(
                    "unpacks to more than {limit:,} bytes in all; split the delivery, "
                    "or raise `limits.unpacked_bytes` in the contract",
                    limit=self.limit,
                ),
                shown,
            )


def _open(path: Path, shown: Words, limits: FormatLimits, budget: _Budget, scratch: Path, log: Log) -> list[Member]:
    size = path.stat().st_size
    if size > limits.file_bytes:
        message = words("has {size:,} bytes; the contract allows {limit:,}", size=size, limit=limits.file_bytes)
        raise DataError("ENVELOPE-SIZE", message, shown)
    kind = kind_of(path)
    if kind == "gzip":
        log(f"{shown}: unpacking {size / 1e6:,.1f} MB")
        return [_gunzip(path, shown, budget, scratch)]
    if kind in _PACKED:
        message = words("is {kind}; send its files in one zip archive", kind=our_text(NAMES[kind]))
        raise DataError("ENVELOPE-KIND", message, shown)
    if kind == "zip":
        log(f"{shown}: unpacking {size / 1e6:,.1f} MB")
        return _unzip(path, shown, budget, scratch)
    return [Member(inner_name(path.name), shown, path)]


def _gunzip(path: Path, shown: Words, budget: _Budget, scratch: Path) -> Member:
    target = scratch / f"{len(list(scratch.iterdir())):04d}"
    try:
        with gzip.open(path, "rb") as stream:
            _copy(stream, target, path.stat().st_size, budget, shown)  # type: ignore[arg-type]
    except EOFError:
        raise DataError(
            "ENVELOPE-ARCHIVE", words("the archive is incomplete: it ends early; send it again"), shown
        ) from None
    except (gzip.BadGzipFile, zlib.error):
        raise DataError("ENVELOPE-ARCHIVE", _DAMAGED, shown) from None
    return _member(inner_name(path.name), shown, target)


def _unzip(path: Path, shown: Words, budget: _Budget, scratch: Path) -> list[Member]:
    claimed = entries_claimed(path)
    if claimed is not None and claimed > MAXIMUM_ENTRIES:
        message = words(
            "has about {claimed:,} entries; at most {limit} are taken", claimed=claimed, limit=MAXIMUM_ENTRIES
        )
        raise DataError("ENVELOPE-ARCHIVE-LIMIT", message, shown)
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
        raise DataError(
            "ENVELOPE-ARCHIVE",
            words(
                "the archive is incomplete: its list of contents, which stands at the end, is missing; send it again"
            ),
            shown,
        ) from None
    with archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_clutter(entry.filename)]
        called = [
            senders_text(f"{path.name}/{_shorten(_name_of(entry))}", f"{shown}, member {number}")
            for number, entry in enumerate(entries, 1)
        ]
        for number, entry in enumerate(entries, 1):
            _check_entry(entry, number, shown)
        return [_extract(archive, *pair, budget, scratch) for pair in zip(entries, called, strict=True)]


def _check_entry(entry: zipfile.ZipInfo, number: int, archive: Words) -> None:
    name = _name_of(entry)
    called = senders_text(_shorten(name), f"member {number}")
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if name.startswith(("/", "\\")) or ".." in parts or name[1:2] == ":" or "\0" in name:
        raise DataError(
            "ENVELOPE-ARCHIVE-PATH", words("an entry leaves the archive's folder: {name}", name=called), archive
        )
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise DataError("ENVELOPE-ARCHIVE-PATH", words("an entry is a link, not a file: {name}", name=called), archive)
    if entry.flag_bits & 0x1:
        message = words("{name} is encrypted with a password; send the archive without one", name=called)
        raise DataError("ENVELOPE-ARCHIVE", message, archive)


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, shown: Words, budget: _Budget, scratch: Path) -> Member:
    name = _name_of(entry)
    target = scratch / f"{len(list(scratch.iterdir())):04d}"
    try:
        with archive.open(entry) as stream:
            _copy(stream, target, max(entry.compress_size, 1), budget, shown)
    except (zipfile.BadZipFile, EOFError, zlib.error):
        raise DataError("ENVELOPE-ARCHIVE", _DAMAGED, shown) from None
    except (NotImplementedError, RuntimeError):
        message = words("is packed in a way that cannot be read; use plain zip")
        raise DataError("ENVELOPE-ARCHIVE", message, shown) from None
    return _member(PurePosixPath(name.replace("\\", "/")).name, shown, target)


def _member(name: str, shown: Words, path: Path) -> Member:
    kind = kind_of(path)
    if kind in ("zip", "gzip", *_PACKED):
        message = words("is {kind} inside an archive; send its files in one zip archive", kind=our_text(NAMES[kind]))
        raise DataError("ENVELOPE-ARCHIVE-NESTED", message, shown)
    return Member(name, shown, path)


def _copy(stream: IO[bytes], target: Path, packed: int, budget: _Budget, shown: Words) -> None:
    """Inflate block by block: what a header claims about sizes is not believed."""
    written = 0
    with target.open("wb") as file:
        while block := stream.read(_BLOCK):
            written += len(block)
            budget.take(len(block), shown)
            if written > RATIO_FROM_BYTES and written > MAXIMUM_RATIO * packed:
                raise DataError(
                    "ENVELOPE-ARCHIVE-LIMIT",
                    words(
                        "unpacks to more than {ratio} times its size, as an archive bomb does; send it unpacked",
                        ratio=MAXIMUM_RATIO,
                    ),
                    shown,
                )
            file.write(block)


def _name_of(entry: zipfile.ZipInfo) -> str:
    """The entry's name; many archivers write UTF-8 without saying so, which Python reads as code page 437."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def _is_clutter(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return any(part.lower() in _CLUTTER for part in parts) or (bool(parts) and parts[-1].startswith(_CLUTTER_BEGINS))


def _shorten(name: str) -> str:
    clean = "".join(letter if letter.isprintable() else "?" for letter in name)
    return clean if len(clean) <= 80 else f"{clean[:77]}..."
