"""The records of what a held release waits for, in a folder where the staff's group may put files: whatever lies in
their place is told by its place, and stops neither a page nor a night. Not here: what they say (`rules`, `holds`).
"""

import time
from collections.abc import Set
from pathlib import Path
from typing import Any

from hims_pipeline.errors import Damaged, HimsError
from hims_pipeline.plain_file import read_json


def read_waiting(path: Path, needed: Set[str], membership: str) -> dict[str, Any] | None:
    """A record; None where there is none.

    Args:
        needed: members that it must have.
        membership: who may read it, for an account that may not.

    Raises:
        Damaged: what lies there is no such record.
        HimsError: this account may not read it.
    """
    try:
        record = read_json(path)
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise HimsError(f"{path} cannot be read ({type(error).__name__}): {membership}.") from None
    except (OSError, ValueError):
        record = None
    if not isinstance(record, dict) or needed - record.keys():
        raise Damaged(path, "is no record of a held release: remove it, and the next night writes it anew")
    return record


def remove_waiting(path: Path) -> None:
    """Remove a record; a folder in its place is not ours to delete and moves aside."""
    if path.is_dir() and not path.is_symlink():
        path.rename(path.with_name(f".{path.name}.aside-{time.time_ns()}"))
    else:
        path.unlink(missing_ok=True)
