"""Durable small things: hashes, atomic JSON, renames that survive a power cut."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

_BLOCK = 1 << 20


def sha256_of(path: Path) -> str:
    """SHA-256 over the bytes of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_each(paths: Sequence[Path]) -> list[str]:
    """As `sha256_of`, of several files side by side: whoever hashes lets other threads run."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(sha256_of, paths))


def sync(path: Path) -> None:
    """fsync a file or a folder; an error here must stop the publication, so it is never caught."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str, mode: int | None = None) -> None:
    """Replace a file in one step, durably: a reader meets the old text or the new one. A folder that somebody made in
    its place is moved aside, since it would stop what is to be written and may hold what is not ours to delete.

    Args:
        mode: who may open it; without one the umask decides, which leaves it to us alone.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if mode is not None:
        temporary.chmod(mode)
    if path.is_dir() and not path.is_symlink():
        path.rename(path.with_name(f".{path.name}.aside-{time.time_ns()}"))
    temporary.replace(path)
    sync(path.parent)


def write_json(path: Path, value: Any, mode: int | None = None) -> None:
    """Write a JSON file as a whole: another process sees the former one or the new one."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n", mode)


def move_folder(source: Path, target: Path) -> None:
    """Rename a folder in one step and make the rename durable. `target` must not exist."""
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    sync(target.parent)
    if source.parent.exists():
        sync(source.parent)


def remove_folder(folder: Path) -> None:
    """Remove a folder so that a kill halfway leaves nothing that looks whole: rename first, then delete."""
    if not folder.exists():
        return
    trash = folder.with_name(f".trash-{folder.name}-{os.getpid()}")
    folder.rename(trash)
    make_removable(trash)
    shutil.rmtree(trash)


def make_removable(folder: Path) -> None:
    """Released folders are read-only; give the owner the right to delete them."""
    for place in [folder, *(path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink())]:
        place.chmod(0o700)


def private_folder(folder: Path) -> Path:
    """A folder that only its owner can open."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def folders_in(folder: Path) -> list[Path]:
    """The folders directly inside a folder, links left out, by name; none where it does not exist.

    Raises:
        OSError: it cannot be looked into.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(one.path) for one in entries if one.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []
