"""Of dbt's project: what another engine than DuckDB builds of it, and what not; and an edit that changes no table."""

import json
import re
from pathlib import Path


def find_behind_disclosure(tree: Path) -> set[str]:
    """Unique ids of disclosure control and of all that reads it, tests among them, which DuckDB alone builds.

    Args:
        tree: a rendered project that dbt has parsed.
    """
    children = json.loads((tree / "target/manifest.json").read_text(encoding="utf-8"))["child_map"]
    behind, waiting = set(), ["model.hims.ind_disclosed"]
    while waiting:
        behind.add(node := waiting.pop())
        waiting += set(children[node]) - behind
    return behind


def change_policy(data: Path) -> None:
    """Have an observatory keep one release more: what is published is of other inputs then, and no table is another."""
    path = data / "observatory.yml"
    text, edits = re.subn(
        r"(?<=keep_releases: )\d+", lambda number: str(int(number[0]) + 1), path.read_text(encoding="utf-8")
    )
    assert edits == 1
    path.write_text(text, encoding="utf-8")
