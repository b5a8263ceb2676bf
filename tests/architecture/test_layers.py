"""The law of the house: a layer reads only the layer to its left, and each kind of thing has one door."""

import ast
import csv
import re
from pathlib import Path

import pytest

from hims_pipeline.contracts.indicators import code_of
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.settings import REPOSITORY

PACKAGE = REPOSITORY / "hims_pipeline"
MODULES = sorted(PACKAGE.rglob("*.py"))
# Published claims are no figures of ours, and were public before they came: they pass no disclosure control.
OPEN = {("published_claim", "fct_claims")}
LAYERS = ["staging", "conformed", "indicators", "published"]
# What a package may import of ours, beside contracts, errors, provenance, settings and sql.
MAY_IMPORT = {
    "contracts": set(),
    "lake": {"privacy"},
    "privacy": set(),
    "provenance": set(),
    "readers": {"lake", "privacy", "staging"},
    "authoring": {"gates", "intake", "lake", "privacy", "readers", "staging"},
    "gates": {"lake"},
    "intake": {"gates", "lake", "privacy", "readers", "sources", "words"},
    "staging": {"lake"},
    "starting": set(),
    "synthetic": set(),
    "docs": {"gates"},
    "disclosure": set(),
    "carry": {"disclosure", "lake", "provenance", "staging"},
    "release": {"disclosure", "lake", "gates", "privacy", "staging", "build", "carry", "intake"},
    "ui": {"lake"},
    "watch": {"gates", "intake", "lake", "release"},
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
    everywhere = {"contracts", "errors", "provenance", "settings", "sql", package}
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
            allowed = layer == "reference" or LAYERS.index(layer) in (own - 1, own) or (path.stem, name) in OPEN
            assert allowed, f"{path.stem} reads {name}"


def test_no_model_names_a_language() -> None:
    named = re.compile(rf"\w+_(?:{'|'.join(load_observatory(REPOSITORY / 'data').languages)})\b")
    files = [p for p in (REPOSITORY / "dbt_project").rglob("*.sql") if p.name != "labels.sql"]  # the one place
    found = {p.name: names for p in files if (names := named.findall(p.read_text(encoding="utf-8")))}
    assert found == {}, "use the macros `labels` and `labelled`: an observatory may have one language"


def test_every_model_is_described() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "dbt_project/models").rglob("*.yml"))
    described = set(re.findall(r"name: (\w+)", text))
    others = {name for name in model_layers() if not code_of(name)}  # an indicator's description is its record's
    assert others - described == set()


def test_no_generated_file_is_kept() -> None:
    assert not (REPOSITORY / "dbt_project/target").exists()
    assert not list((REPOSITORY / "dbt_project/models").rglob("stg_*__*.sql"))


SMALL = {"of", "for", "the", "and", "de", "la", "le", "des", "du", "et", "les", "l", "d"}


def words_of_a_country() -> tuple[set[str], set[str]]:
    """What only the data may name: countries that are reported on, their areas and levels; and in capitals their codes
    and the acronyms and initials of institutions."""
    contracts = load_contracts(REPOSITORY / "data").values()
    codes = {contract.country for contract in contracts} - {None}
    names = set()
    for listed in ("countries", "areas"):
        with (REPOSITORY / "data/codelists" / f"{listed}.csv").open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["country_code"] in codes]
        names |= {row[f"name_{language}"] for row in rows for language in ("en", "fr", "ar")}
        names |= {row["level"] for row in rows if "level" in row} - {"country", "region"}  # words of any geography
    capitals = set(codes)
    for contract in contracts:
        institution = contract.owner.institution
        capitals |= set(re.findall(r"\b[A-Z]{3,}\b", institution)) - {"SYNTHETIC"}
        for part in re.split(r"[,;(]", institution):
            initials = "".join(word[0].upper() for word in re.findall(r"\w+", part) if word.lower() not in SMALL)
            capitals |= {initials} if len(initials) > 2 else set()
    return {name for name in names if len(name) > 3}, capitals


def test_the_core_names_no_country_area_or_institution() -> None:
    names, capitals = ("|".join(sorted(map(re.escape, some), key=len, reverse=True)) for some in words_of_a_country())
    named = re.compile(rf"(?<!\w)(?:(?i:{names})|{capitals})(?!\w)|(?i:tunis|argentin|chile)")
    core = [*(p for p in MODULES if "synthetic" not in p.parts), *(REPOSITORY / "dbt_project").rglob("*.sql")]
    core += (REPOSITORY / "dbt_project").rglob("*.yml")
    found = {
        path.relative_to(REPOSITORY).as_posix(): sorted(set(named.findall(text)))
        for path in core
        if named.search(text := path.read_text(encoding="utf-8"))
    }
    assert found == {}
