"""Small files of our own, read so that whatever lies in their place neither hangs nor ends what reads them: a folder, a
pipe, gigabytes, or JSON that is nested without end. Not here: what a record says, and whether it is ours (`lake.seal`).
"""

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

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
