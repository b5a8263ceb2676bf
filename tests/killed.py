"""Killing a function at each of its durable steps: what tests of interrupted acts share."""

import errno
import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

STEPS = ("fsync", "rename", "replace")


def killed_at(step: int, do: Callable[[], object]) -> bool:
    """Run `do` in a child that dies, as by kill -9, just before its `step`-th durable step; False when it ended first.

    Steps are what `os` writes or renames: `fsync`, `rename`, `replace`.
    """
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert status in (0, 9), "the act failed by itself"
        return status == 9
    gc.freeze()  # what it inherits may rest on threads that no child has: it is not collected here
    try:
        left = [step]
        for name in STEPS:
            setattr(os, name, _counted(getattr(os, name), left))
        do()
        os._exit(0)
    finally:
        os._exit(1)


def failed_at(step: int, lasting: bool, do: Callable[[], object]) -> BaseException | None:
    """What `do` raises when the disk is full at its `step`-th durable step, and from there on where it is `lasting`;
    None when it has fewer steps, or came through."""
    real, count = {name: getattr(os, name) for name in STEPS}, 0

    def full(name: str) -> Callable:
        def call(*args, **kwargs):
            nonlocal count
            count += 1
            if count == step or (lasting and count > step):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real[name](*args, **kwargs)

        return call

    try:
        for name in STEPS:
            setattr(os, name, full(name))
        do()
    except BaseException as error:
        return error
    finally:
        for name, one in real.items():
            setattr(os, name, one)
    return None


def _counted(real: Callable, left: list[int]) -> Callable:
    def call(*args, **kwargs):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), 9)
        return real(*args, **kwargs)

    return call


def homes_after_each_kill(home: Path, do: Callable[[], object], every: int = 1) -> Iterator[int]:
    """Kill `do` at its first durable step, its second, and so on until it is through; after each kill the installation
    at `home` is the caller's, and before the next one it is as it was at first.

    Args:
        every: of many steps of one kind, only some: each third, where it is 3; `make faults` kills at any.
    """
    first = home.with_name(f"{home.name}-first")
    shutil.copytree(home, first, symlinks=True)
    step = 1
    while killed_at(step, do):
        yield step
        restore(home, first)
        step += every
    restore(home, first)


def restore(home: Path, first: Path) -> None:
    """Put a copy back in an installation's place."""
    for folder in [home, *(path for path in home.rglob("*") if path.is_dir())]:
        folder.chmod(0o700)
    shutil.rmtree(home)
    shutil.copytree(first, home, symlinks=True)
