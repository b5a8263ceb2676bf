"""The file of the last whole build, kept for the next one, and the sealed record of what is in it.

    $HIMS_HOME/kept/warehouse-<hash>.duckdb    the file that dbt closed
    $HIMS_HOME/kept/nodes.json                 its SHA-256, its inputs', and of each node fingerprint, verdict, content

Replaced by whoever closes a whole build; removed by what destroys data or changes the key, since blocks of a file that
tables were dropped from still hold their rows. A build that begins with a copy of it, and the staff's file of its
release (`release/tables.py`), have these blocks too, until the next full build. The public file has none of them.
"""

import errno
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hims_pipeline.errors import Damaged
from hims_pipeline.lake.files import private_folder, remove_folder, sha256_of
from hims_pipeline.lake.seal import read_sealed, write_sealed
from hims_pipeline.settings import Settings

RECORD, KIND = "nodes.json", "nodes"


@dataclass(frozen=True)
class Kept:
    """The last whole build.

    Attributes:
        warehouse: its file.
        sha256: that the file must have.
        inputs_sha256: of the batches, rules and code that it was made of.
        nodes: unique id -> fingerprint, place, status, failures, and of tables rows and content_hash.
        since_full: builds since the last one that carried nothing over.
    """

    warehouse: Path
    sha256: str
    inputs_sha256: str
    nodes: dict[str, dict[str, Any]]
    since_full: int


def read_kept(settings: Settings) -> Kept | None:
    """The last whole build; None where there is none.

    Raises:
        Damaged: its record is not what we wrote.
    """
    path = settings.kept / RECORD
    if not path.exists():
        return None
    record = read_sealed(settings, path, KIND)
    path = settings.kept / record["file"]
    return Kept(path, record["sha256"], record["inputs_sha256"], record["nodes"], record["since_full"])


def copy_kept(kept: Kept, target: Path) -> None:
    """Copy the kept file to where the next build begins.

    Raises:
        Damaged: the copy is not the file that dbt closed; none is left.
    """
    try:
        shutil.copyfile(kept.warehouse, target)
        same = sha256_of(target) == kept.sha256
    except OSError as error:
        target.unlink(missing_ok=True)
        raise Damaged(kept.warehouse, f"cannot be copied ({error.strerror})") from None
    if not same:
        target.unlink()
        raise Damaged(kept.warehouse, "is not the file that the last build closed")


def keep_build(settings: Settings, warehouse: Path, facts: dict[str, Any]) -> None:
    """Keep a closed build for the next one, in place of what was kept before.

    Args:
        facts: of the build, as `Kept` names them: sha256, inputs_sha256, nodes, since_full.
    """
    folder = private_folder(settings.kept)
    target = folder / f"warehouse-{facts['sha256'][:16]}.duckdb"
    if not target.exists():
        _link(warehouse, target)
    write_sealed(settings, folder / RECORD, KIND, {"file": target.name} | facts)
    for old in folder.glob("warehouse-*"):
        if old != target:
            old.unlink()


def _link(warehouse: Path, target: Path) -> None:
    """One file under two names, since nobody writes into it any more; a copy where the file system knows no links."""
    try:
        target.hardlink_to(warehouse)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
            raise
        shutil.copyfile(warehouse, target)


def forget(settings: Settings) -> None:
    """Remove what is kept: the next build is a full one."""
    remove_folder(settings.kept)
