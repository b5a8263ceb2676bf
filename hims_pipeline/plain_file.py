"""Small files of our own, read so that whatever lies in their place neither hangs nor ends what reads them: a folder, a
pipe, gigabytes, or JSON that is nested without end. A record that must be readable without the key carries a hash of
its own text (`check`), which finds what fell over in it. Not here: what a record says, and whether it is ours
(`lake.seal`).
"""

import errno
import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

CHECK = "check"
LARGEST_BYTES = 1 << 30  # dbt's manifest of a thousand nodes has 30 MB


def read_bytes(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        OSError: it cannot be read, is no regular file, or is larger than anything that we write.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        state = os.fstat(file.fileno())
        if not stat.S_ISREG(state.st_mode):
            raise OSError(errno.EINVAL, "Is no file", str(path))
        if state.st_size > LARGEST_BYTES:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
        return file.read()


def read_text(path: Path) -> str:
    """The text of a file in UTF-8.

    Raises:
        OSError: as `read_bytes`.
        ValueError: it is no UTF-8.
    """
    return read_bytes(path).decode("utf-8")


def parse_json(text: str | bytes) -> Any:
    """What a JSON text says.

    Raises:
        ValueError: it is none, or is nested too deeply to be read.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def read_json(path: Path) -> Any:
    """What a JSON file says.

    Raises:
        OSError, ValueError: as `read_text` and `parse_json`.
    """
    return parse_json(read_text(path))


def checked_text(record: dict[str, Any]) -> str:
    """A record as JSON, with the hash of its own text."""
    check = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
    return json.dumps(record | {CHECK: check}, indent=1)


def read_checked(path: Path) -> dict[str, Any]:
    """The record in a file that `checked_text` made, or that was written before records had a check.

    Raises:
        OSError, ValueError: as `read_json`; or it is not what was written.
    """
    text = read_text(path)
    record = parse_json(text)
    if not isinstance(record, dict):
        raise ValueError("no record")
    had_one = CHECK in record or any(isinstance(value, str) and len(value) == 64 for value in record.values())
    record.pop(CHECK, None)
    if had_one and text != checked_text(record):
        raise ValueError("not what was written")
    return record
