"""Single files as others send them: which can be taken over, copying one, and deleting exactly what was copied.

Nothing here knows contracts or deliveries. A file's name may hold a person's name, so messages tell its position alone.
"""

import fcntl
import hashlib
import os
import signal
import stat
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hims_pipeline.contracts.formats import FormatLimits
from hims_pipeline.errors import HimsError

RECORD = "delivery.json"  # our own record stands beside the files
_BLOCK = 1 << 20
_KINDS = (
    (stat.S_ISLNK, "is a link, which may point anywhere; put the file itself there"),
    (stat.S_ISDIR, "is a folder; put its files one level up"),
    (stat.S_ISFIFO, "is a pipe, not a file"),
    (stat.S_ISSOCK, "is a socket, not a file"),
    (lambda mode: not stat.S_ISREG(mode), "is a device, not a file"),
)


class Unfit(HimsError):
    """One file of a delivery cannot be taken over.

    Args:
        position: its place among the files, in order of their names, from 1.
        reason: what is wrong and what to do.
    """

    def __init__(self, batch: str, position: int, reason: str) -> None:
        super().__init__(f"{batch}: file {position} (in order of names) {reason}.")
        self.position, self.reason = position, reason


class Untaken(HimsError):
    """A delivery could not be taken over, by no fault of it: the disk is full, or fails."""


class Unsound(Exception):
    """What is wrong with one file, in words that hold no name."""


@dataclass(frozen=True)
class Copied:
    """A file as it was while it was copied; `stamp` says which file that was, and its state."""

    size: int
    sha256: str
    stamp: str


def stamp_of(state: os.stat_result) -> str:
    """Device, inode, size and times of the last changes: another file, or a changed one, has another stamp. The kernel
    sets the last of them, so the same file sent again under an inode that was used before has another too."""
    return f"{state.st_dev}:{state.st_ino}:{state.st_size}:{state.st_mtime_ns}:{state.st_ctime_ns}"


def trouble_of_kind(mode: int) -> str:
    """Why an entry is no plain file; `""` where it is one."""
    return next((words for matches, words in _KINDS if matches(mode)), "")


def trouble_of_name(name: str) -> str:
    """Why a file cannot keep its name; `""` where it can."""
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in name):
        return "has a name that is not UTF-8; rename it"
    if any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in name):
        return "has a control character in its name; rename it"
    if _fold_name(name) == RECORD:
        return f"is called {RECORD}, as our own record is; rename it"
    return ""


def _fold_name(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def trouble_of_size(size: int, limits: FormatLimits) -> str:
    """Why a file is too large for its contract; `""` where it is not."""
    if size <= limits.file_bytes:
        return ""
    return (
        f"has {size:,} bytes, and the contract allows {limits.file_bytes:,}; split it, or raise `limits.file_bytes`"
        " in the contract"
    )


def same_names(names: Sequence[str]) -> list[int]:
    """Positions (from 0) of names that differ in case or in the composition of letters alone, or not at all."""
    places = defaultdict(list)
    for place, name in enumerate(names):
        places[_fold_name(name)].append(place)
    return sorted(place for same in places.values() if len(same) > 1 for place in same)


def is_being_written(path: Path) -> bool:
    """Does any process have the file open for writing? The kernel knows, where the file is ours and its disk can tell;
    elsewhere the answer is no, and the times of the file must do.

    Raises:
        Unsound: the file cannot be opened.
    """
    descriptor = _open(path, follow_links=False)
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)  # the default signal would end the process
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except (OSError, AttributeError):  # another user's file, a network disk, another kernel
        return False
    finally:
        os.close(descriptor)
    return False


def _open(path: Path, follow_links: bool) -> int:
    """Open for reading, without waiting at a pipe."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow_links else os.O_NOFOLLOW)
    try:
        state = path.stat(follow_symlinks=follow_links)
        if trouble := trouble_of_kind(state.st_mode):
            raise Unsound(trouble)  # before it is opened: opening a device can do something
        descriptor = os.open(path, flags)
    except OSError as error:
        raise Unsound(f"cannot be read ({error.strerror}); give the right to read it, or send it again") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unsound("was replaced by something else while it was looked at; send it again")
    return descriptor


def copy_file(path: Path, target: Path, follow_links: bool = False) -> Copied:
    """Copy one file durably, and prove that it stayed as it was meanwhile.

    Raises:
        Unsound: it is no plain file, cannot be read, or changed while it was copied.
        OSError: the copy cannot be written.
    """
    descriptor = _open(path, follow_links)
    try:
        before, digest, size = os.fstat(descriptor), hashlib.sha256(), 0
        with target.open("xb") as copy:
            while (block := _read(descriptor)) and size <= before.st_size:
                digest.update(block)
                size += copy.write(block)
            copy.flush()
            os.fsync(copy.fileno())
        if size != before.st_size or stamp_of(os.fstat(descriptor)) != stamp_of(before):
            raise Unsound("is still growing: it changed while it was copied; it is taken over once it rests")
        return Copied(size, digest.hexdigest(), stamp_of(before))
    finally:
        os.close(descriptor)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _BLOCK)
    except OSError as error:
        raise Unsound(f"cannot be read to its end ({error.strerror}); send it again") from None


def delete_copied(path: Path, copied: Copied) -> str:
    """Delete a file that was taken over, if it is still the one that was copied; says why it stays, `""` if it went."""
    try:
        if stamp_of(os.lstat(path)) != copied.stamp:
            return "changed after it was copied; it stays, and is taken over as another delivery once it rests"
        path.unlink()
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"was taken over and cannot be deleted ({error.strerror}); delete it"
    return ""
