"""Versions of the installed packages that our code rests on, with what these require themselves.

From the installed packages' own records: the environment is made from a hash-locked list, so what is installed is what
is locked. Here: names and versions. Not here: which libraries our code uses (`closure`).
"""

import re
import sys
from collections.abc import Iterable
from functools import lru_cache
from importlib import metadata

# Name to import -> the package that holds it, where that is more than dashes for underscores.
PACKAGES = {"yaml": "pyyaml", "dbt": "dbt-core"}
REQUIRED_NAME = re.compile(r"[A-Za-z0-9._-]+")


def package_of(module: str) -> str | None:
    """The package that holds a module that is not ours; None for Python's own."""
    if module in sys.stdlib_module_names:
        return None
    return PACKAGES.get(module, _normalise_name(module))


def versions_of(packages: Iterable[str]) -> dict[str, str]:
    """Package -> version, of these packages and all that they require, and Python's own (as `3.11`).

    Raises:
        LookupError: one of `packages` is not installed.
    """
    wanted = sorted({_normalise_name(package) for package in packages})
    if missing := [package for package in wanted if _read_installed(package) is None]:
        raise LookupError(f"Not installed under this name: {', '.join(missing)}.")
    versions: dict[str, str] = {}
    todo = list(wanted)
    while todo:
        if (package := todo.pop()) not in versions and (known := _read_installed(package)) is not None:
            versions[package] = known[0]
            todo += known[1]
    return {"python": ".".join(map(str, sys.version_info[:2])), **dict(sorted(versions.items()))}


@lru_cache(maxsize=512)
def _read_installed(package: str) -> tuple[str, tuple[str, ...]] | None:
    """Version of a package and what it requires without extras; None where it is not installed, as one that another
    machine or another Python needs is not."""
    try:
        version, lines = metadata.version(package), metadata.requires(package) or []
    except metadata.PackageNotFoundError:
        return None
    names = [REQUIRED_NAME.match(line) for line in lines if "extra ==" not in line]
    return version, tuple(_normalise_name(name.group()) for name in names if name)


def _normalise_name(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()
