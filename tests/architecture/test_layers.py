"""The law of the house: a layer reads only the layer to its left, and each kind of thing has one door."""

import ast
import csv
import re
from functools import cache
from pathlib import Path

import pytest

from hims_pipeline.contracts.indicators import code_in_name
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.settings import REPOSITORY

PACKAGE = REPOSITORY / "hims_pipeline"
MODULES = sorted(PACKAGE.rglob("*.py"))
# Published claims are no figures of ours, and were public before they came: they pass no disclosure control.
OPEN = {("published_claim", "fct_claims")}
LAYERS = ["staging", "conformed", "indicators", "published"]
# Packages and modules at the root, from what all may import to what only starts the others: each may import those
# that stand behind its name, all of them above it, and nothing else of ours.
# What all may import, in so far as it stands above them.
EVERYWHERE = {"contracts", "errors", "plain_file", "provenance", "settings", "sql", "stopping", "words"}
MAY_IMPORT: dict[str, set[str]] = {
    "words": set(),
    "errors": set(),
    "settings": set(),
    "stopping": set(),
    "plain_file": set(),
    "quoting": set(),
    "contracts": {"quoting"},
    "provenance": set(),
    "sql": {"quoting"},
    "workbook": set(),
    "failures": set(),
    "parsed_dbt": set(),
    "spark_dbt": set(),
    "methods": set(),
    "privacy": set(),
    "lake": {"privacy"},
    "build_preconditions": {"lake"},
    "gates": {"lake"},
    "reporting": {"gates", "lake"},
    "docs": {"gates"},
    "processes": set(),
    "readers": {"lake", "privacy"},
    "staging": {"lake", "processes"},
    "estimating": {"staging"},
    "disclosure": set(),
    "drawing": {"failures"},
    "carry": {"disclosure", "lake", "staging"},
    "build": {"build_preconditions", "carry", "disclosure", "lake", "processes", "staging"},
    "dbt": {"build", "carry", "processes", "staging"},
    "required_files": {"gates", "privacy", "staging"},
    "spark": {"build", "dbt", "staging"},
    "sources": {"gates", "staging"},
    "intake": {"gates", "lake", "privacy", "readers", "reporting", "sources", "staging"},
    "authoring": {"build", "dbt", "gates", "intake", "lake", "privacy", "readers", "sources", "staging", "workbook"},
    "linkage": {"intake", "lake", "privacy", "staging"},
    "release": {
        "build",
        "carry",
        "dbt",
        "disclosure",
        "failures",
        "gates",
        "intake",
        "lake",
        "privacy",
        "processes",
        "reporting",
        "staging",
    },
    "retention": {"carry", "lake", "linkage", "privacy", "staging"},
    "reconcile": {"lake", "release", "retention"},
    "rotation": {"carry", "lake", "privacy", "retention"},
    "scrub": {"carry", "failures", "lake", "privacy", "release", "reporting", "staging"},
    "new_country": set(),
    "tracing": {"release", "staging"},
    "ui": {"lake"},
    "watch": {
        "build_preconditions",
        "failures",
        "intake",
        "lake",
        "processes",
        "release",
        "reporting",
        "sources",
        "staging",
    },
    "backup": {"lake", "privacy", "release", "watch"},
    "defs": {
        "build",
        "dbt",
        "required_files",
        "failures",
        "gates",
        "intake",
        "lake",
        "linkage",
        "plain_file",
        "privacy",
        "processes",
        "reconcile",
        "release",
        "reporting",
        "retention",
        "scrub",
        "sources",
        "staging",
        "ui",
        "watch",
    },
    "definitions": {"defs", "privacy"},
    "stored_parts": {"watch"},
    "doctor": {"build_preconditions", "failures", "stored_parts", "lake", "privacy", "staging", "watch"},
    "restore": {"backup", "lake", "privacy", "release"},
    "commands": {
        "authoring",
        "backup",
        "build",
        "build_preconditions",
        "dbt",
        "defs",
        "docs",
        "doctor",
        "required_files",
        "estimating",
        "failures",
        "gates",
        "intake",
        "lake",
        "linkage",
        "methods",
        "privacy",
        "reconcile",
        "release",
        "reporting",
        "restore",
        "retention",
        "rotation",
        "scrub",
        "sources",
        "spark",
        "staging",
        "new_country",
        "tracing",
        "ui",
        "watch",
    },
    "cli": {"commands", "failures", "privacy"},
}
# Circles within a package that are still there.
CIRCLES = [{"release.proof", "release.store"}]


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


def unit_of(module: str) -> str:
    """A package of ours or a module at the root, `""` for the package itself."""
    return module.partition(".")[0]


@cache
def imported() -> dict[str, set[str]]:
    """Module of ours -> modules of ours that it imports, without the package's name in front."""
    modules = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in MODULES}
    modules = {name.removesuffix("__init__").rstrip("."): path for name, path in modules.items()}
    found = {}
    for module, path in modules.items():
        names = {name.partition(".")[2] for name in imports(path) if name.split(".")[0] == PACKAGE.name}
        names = {name for name in names if name in modules} - {module, ""}
        # `from package import module` reads the module; the package's own file is read by whoever names what is in it.
        found[module] = {name for name in names if not any(one.startswith(f"{name}.") for one in names)}
    return found


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """What is left of a graph when all is taken away that leads out of it, or into it, alone."""
    left = {node: set(nodes) for node, nodes in graph.items()}
    while True:
        reached = set().union(*left.values()) if left else set()
        ended = {node for node, nodes in left.items() if not nodes & left.keys() or node not in reached}
        if not ended:
            break
        left = {node: nodes - ended for node, nodes in left.items() if node not in ended}
    found = []
    while left:
        group, waiting = set(), [min(left)]
        while waiting:
            if (node := waiting.pop()) not in group and node in left:
                group.add(node)
                waiting += left[node]
        found.append(group)
        left = {node: nodes for node, nodes in left.items() if node not in group}
    return found


def test_the_law_names_every_package_and_every_module_at_the_root() -> None:
    assert {unit_of(module) for module in imported()} - {""} == MAY_IMPORT.keys()


@pytest.mark.parametrize("unit", sorted(MAY_IMPORT))
def test_units_import_what_the_law_allows_and_all_of_it(unit: str) -> None:
    used = {unit_of(name) for module, names in imported().items() if unit_of(module) == unit for name in names} - {unit}
    assert used - EVERYWHERE - MAY_IMPORT[unit] == set(), "not allowed"
    assert MAY_IMPORT[unit] - used == set(), "allowed and not used: take it out"


def test_the_synthetic_country_stands_beside() -> None:
    """It knows how sources are described and nothing of how they are read or judged; commands alone ask for it."""
    used = {name for path in (REPOSITORY / "hims_synthetic").rglob("*.py") for name in imports(path)}
    of_ours = {unit_of(name.partition(".")[2]) for name in used if name.split(".")[0] == PACKAGE.name} - {""}
    assert of_ours == {"contracts", "errors", "settings", "sql", "workbook"}
    asking = {path for path in MODULES if any(name.split(".")[0] == "hims_synthetic" for name in imports(path))}
    assert {path.relative_to(PACKAGE).parts[0] for path in asking} == {"commands"}


def test_units_stand_below_what_they_import() -> None:
    order = list(MAY_IMPORT)
    for module, names in imported().items():
        for name in names:
            above, below = unit_of(name), unit_of(module)
            assert not below or above == below or order.index(above) < order.index(below), f"{module} imports {name}"


def test_no_modules_import_one_another() -> None:
    assert circles(imported()) == CIRCLES
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set(), "e": {"a"}}) == [{"a", "b", "c"}]


# Districts of the readers, from the inner to the outer one; loose modules are named.
READERS = [
    {"findings"}, {"shape"}, {"files"}, {"typing", "guard"}, {"table", "matching"},
    {"undeclared_identifiers", "misread_letters", "totals"}, {"formats"}, {"entity_file"}, {""},
]  # fmt: skip


def test_districts_of_the_readers_look_one_way() -> None:
    place = {name: number for number, names in enumerate(READERS) for name in names}
    for module, names in imported().items():
        for name in names:
            if unit_of(module) == unit_of(name) == "readers":
                here, there = (one.partition(".")[2].partition(".")[0] for one in (module, name))
                assert here == there or place[there] < place[here], f"{module} imports {name}"


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
    others = {name for name in model_layers() if not code_in_name(name)}  # an indicator's description is its record's
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
    core = [*MODULES, *(REPOSITORY / "dbt_project").rglob("*.sql")]
    core += (REPOSITORY / "dbt_project").rglob("*.yml")
    found = {
        path.relative_to(REPOSITORY).as_posix(): sorted(set(named.findall(text)))
        for path in core
        if named.search(text := path.read_text(encoding="utf-8"))
    }
    assert found == {}
