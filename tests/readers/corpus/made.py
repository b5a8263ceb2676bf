"""What a case of the corpus is, and the ways to damage a file."""

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

EQUAL = "equal"  # read without a word, and what was read is what the twin holds
Files = dict[str, bytes]
Change = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Twin:
    """A clean delivery, and the contract that takes it."""

    files: Files
    columns: Sequence[dict[str, Any]] = ()
    contract: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A damaged delivery.

    Args:
        twin: name of the clean one.
        change: makes the damaged bytes of one file out of the clean ones.
        expected: the rule that refuses it; the rule with `~` before it where it is told and read as its twin; `EQUAL`.
        words: some of which the message says, parted by `|`.
        file: the damaged file of the delivery; the first, unless it is named.
    """

    twin: str
    change: Change
    expected: str
    words: str = ""
    file: str = ""

    def files(self, twin: Twin) -> Files:
        name = self.file or next(iter(twin.files))
        return twin.files | {name: self.change(twin.files[name])}


def whole(content: bytes) -> Change:
    """Other bytes altogether."""
    return lambda _: content


def sub(old: bytes, new: bytes, count: int = -1) -> Change:
    def change(content: bytes) -> bytes:
        assert old in content
        return content.replace(old, new, count)

    return change


def cut(share: float) -> Change:
    return lambda content: content[: int(len(content) * share)]


def without_end(count: int) -> Change:
    return lambda content: content[:-count]


def behind(more: bytes) -> Change:
    return lambda content: content + more


def before(more: bytes) -> Change:
    return lambda content: more + content


def zipped(entries: Files, packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), content, compress_type=packing)
    return out.getvalue()


def rezipped(change: Callable[[Files], Files]) -> Change:
    """Entries of an archive (a workbook is one) changed, and packed again with right checksums."""

    def run(content: bytes) -> bytes:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = {name: archive.read(name) for name in archive.namelist()}
        return zipped(change(entries))

    return run


def part(name: str, old: bytes, new: bytes) -> Change:
    """One entry of an archive changed."""

    def change(entries: Files) -> Files:
        assert old in entries[name], entries[name][:2000]
        return entries | {name: entries[name].replace(old, new)}

    return rezipped(change)
