"""The law of the house: a layer reads only the layer to its left, and each kind of thing has one door."""

import ast
import re
from pathlib import Path

import pytest

from hims_pipeline.settings import REPOSITORY

PACKAGE = REPOSITORY / "hims_pipeline"
MODULES = sorted(PACKAGE.rglob("*.py"))
LAYERS = ["staging", "conformed", "indicators", "published"]
# What a package may import of ours, beside contracts, errors, settings and sql.
MAY_IMPORT = {
    "contracts": set(),
    "lake": set(),
    "privacy": {"lake"},
    "readers": {"lake", "privacy", "staging"},
    "gates": {"lake"},
    "staging": {"lake"},
    "synthetic": set(),
    "release": {"lake", "gates", "staging", "build", "intake"},
}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_only_defs_imports_dagster() -> None:
    guilty = [p for p in MODULES if any(n.split(".")[0].startswith("dagster") for n in imports(p))]
    assert {p.relative_to(PACKAGE).parts[0] for p in guilty} == {"defs"}


def test_only_settings_reads_the_environment() -> None:
    guilty = [p.name for p in MODULES if re.search(r"os\.(environ|getenv)", p.read_text(encoding="utf-8"))]
    assert [name for name in guilty if name != "settings.py"] == []


def test_connections_are_opened_in_two_places() -> None:
    guilty = {p.relative_to(PACKAGE).as_posix() for p in MODULES if "duckdb.connect(" in p.read_text(encoding="utf-8")}
    assert guilty == {"sql.py", "release/reader.py"}


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_packages_look_to_the_left(package: str) -> None:
    everywhere = {"contracts", "errors", "settings", "sql", package}
    for path in (PACKAGE / package).rglob("*.py"):
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "hims_pipeline" and len(parts) > 1 and (PACKAGE / parts[1]).exists():
                assert parts[1] in everywhere | MAY_IMPORT[package], f"{path.name} imports {name}"


def model_layers() -> dict[str, str]:
    models = (REPOSITORY / "dbt_project/models").rglob("*.sql")
    return {path.stem: path.parent.name for path in models}


def test_models_read_their_own_layer_or_the_one_before() -> None:
    layers = model_layers()
    for path in (REPOSITORY / "dbt_project/models").rglob("*.sql"):
        if path.parent.name not in LAYERS:
            continue
        own = LAYERS.index(path.parent.name)
        for name in re.findall(r"ref\('(\w+)'\)", path.read_text(encoding="utf-8")):
            layer = layers.get(name, "staging" if name.startswith(("stg_", "feed_")) else "reference")
            assert layer == "reference" or LAYERS.index(layer) in (own - 1, own), f"{path.stem} reads {name}"


def test_every_model_is_described() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "dbt_project/models").rglob("*.yml"))
    described = set(re.findall(r"name: (\w+)", text))
    assert set(model_layers()) - described == set()


def test_no_generated_file_is_kept() -> None:
    assert not (REPOSITORY / "dbt_project/target").exists()
    assert not list((REPOSITORY / "dbt_project/models").rglob("stg_*__*.sql"))


def test_the_core_names_no_country() -> None:
    words = re.compile(r"tunis|governorate|argentin|chile", re.IGNORECASE)
    places = [*(p for p in MODULES if "synthetic" not in p.parts), *(REPOSITORY / "dbt_project").rglob("*.sql")]
    guilty = [p.name for p in places if words.search(p.read_text(encoding="utf-8"))]
    assert guilty == []
