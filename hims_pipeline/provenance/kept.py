"""What entry points of the running package reach, kept beside its bytecode: to follow them takes a second or two.

    __pycache__/closures.<Python>.json    SHA-256 of all sources and of Python's version, and the closures

It is believed as bytecode is, since whoever may write there may change the code itself; where Python keeps no bytecode,
or may not write it, nothing is kept. One byte of one source that is another, and all is followed anew.
"""

import contextlib
import hashlib
import json
import os
import sys
from importlib.util import cache_from_source
from pathlib import Path

from hims_pipeline.provenance.closure import Closure, SourceTree


class KeptTree:
    """The Python sources of the package that runs, each closure followed once as long as they stay what they are.

    Args:
        folder: the package's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._tree = SourceTree(folder)
        self._path = Path(cache_from_source(folder / "closures.py")).with_suffix(".json")
        self._folder, self._sources = folder, _hash_sources(folder)
        self._closures = self._read()

    def closure(self, *entries: str) -> Closure:
        """As of `SourceTree`."""
        name = " ".join(entries)
        if name not in self._closures:
            self._closures[name] = self._tree.closure(*entries)
            self._write()
        return self._closures[name]

    def _read(self) -> dict[str, Closure]:
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            if kept["sources"] != self._sources:
                return {}
            return {
                name: Closure(frozenset(modules), frozenset(libraries), sha256)
                for name, (modules, libraries, sha256) in kept["closures"].items()
            }
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def _write(self) -> None:
        if sys.dont_write_bytecode or _hash_sources(self._folder) != self._sources:  # edited since this process began
            return
        closures = {
            name: (sorted(one.modules), sorted(one.libraries), one.sha256) for name, one in self._closures.items()
        }
        temporary = self._path.with_suffix(f".{os.getpid()}.tmp")
        with contextlib.suppress(OSError):
            temporary.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps({"sources": self._sources, "closures": closures}), encoding="utf-8")
            temporary.replace(self._path)


def _hash_sources(folder: Path) -> str:
    """SHA-256 over the names and bytes of all sources of a package, and Python's version."""
    made = hashlib.sha256(sys.version.encode())
    for path in sorted(folder.rglob("*.py")):
        made.update(f"\0{path.relative_to(folder)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return made.hexdigest()
