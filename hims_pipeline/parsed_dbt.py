"""dbt on a project that was parsed before, as a program: `python parsed_dbt.py PARSED build --project-dir TREE …`.

Parsing takes dbt longer than building what a night changed. dbt itself keeps what it parsed and would take it up again,
but not where an environment variable of the profile has another value, and each build has a folder of its own; so what
was parsed is handed to it. This stands on dbt alone, like dbt's own command. Not here: which nodes, and what is read of
what it says (`dbt.py`); whether the parsed project is the one that was sealed (`staging.render`).
"""

import gc
import sys
from pathlib import Path

from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import SeedNode
from dbt.parser.manifest import extended_mashumuro_decoder


def load_parsed(path: Path, tree: Path) -> Manifest:
    """The project that dbt parsed, at the place where it lies now."""
    manifest = Manifest.from_msgpack(path.read_bytes(), decoder=extended_mashumuro_decoder)
    for node in manifest.nodes.values():
        if isinstance(node, SeedNode):  # it knows where its file is
            node.root_path = str(tree)
    manifest.build_flat_graph()  # type: ignore[no-untyped-call]
    return manifest


def main(parsed: str, *words: str) -> int:
    """Run dbt with these arguments on a parsed project; returns its exit code."""
    tree = Path(words[words.index("--project-dir") + 1])
    done = dbtRunner(manifest=load_parsed(Path(parsed), tree)).invoke(list(words))
    return 0 if done.success else 2 if done.exception else 1


if __name__ == "__main__":
    # Python runs it apart from its folder (-I); models in Python import this very package all the same.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    gc.set_threshold(10_000)  # what dbt holds of a project it holds to the end: there is little to look for
    code = main(*sys.argv[1:])
    gc.freeze()  # else Python looks through all that dbt holds once more, for a second, before it ends
    sys.exit(code)
