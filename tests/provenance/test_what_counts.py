"""One thing after another is changed in a copy of the package, and of what is installed: what becomes stale?"""

import ast
import shutil
from importlib import metadata
from pathlib import Path

import pytest

from hims_pipeline import provenance
from hims_pipeline.provenance import libraries, provenance_of
from hims_pipeline.settings import REPOSITORY

FORMATS = "hims_pipeline.readers.formats"
ENTRIES = {
    "delimited": (*provenance.READING, f"{FORMATS}.delimited:open_table"),
    "spss": (*provenance.READING, f"{FORMATS}.spss:open_table"),
    "excel": (*provenance.READING, f"{FORMATS}.excel:open_table"),
    "judging": provenance.JUDGING,
    "rendering": provenance.RENDERING,
    "release": (*provenance.BUILDING, *provenance.PUBLISHING),
}
READ = {"delimited", "spss", "excel"}
ALL = set(ENTRIES)
CHANGES = {
    ("quoting.py", "return repr(value)", "return str(value)"): ALL,
    ("quoting.py", '"""An SQL identifier."""', '"""How a name is written in SQL."""'): set(),
    ("quoting.py", "def quote(name: str) -> str:", "# A comment.\n\n\ndef quote(\n    name: str,\n) -> str:"): set(),
    ("authoring/draft.py", "def ", "def new() -> None: ...\n\n\ndef "): set(),
    ("contracts/values.py", 'as double)"', 'as float)"'): ALL,
    ("readers/typing/write.py", "compression", "compression_"): READ,
    ("readers/formats/spss.py", "user_missing=True", "user_missing=False"): {"spss"},
    ("readers/formats/excel_look.py", "hidden", "hidden_"): {"excel"},
    ("privacy/pseudonym.py", "32", "31"): READ | {"release"},
    ("gates/engine.py", "SUMMARY", "BASIC"): {"judging", "release"},
    ("staging/models.py", "union all", "union"): {"rendering", "release"},
    ("dbt.py", '"build"', '"run"'): {"release"},
    ("release/tables.py", "create ", "create  "): {"release"},
    ("commands/runs.py", "def ", "def new() -> None: ...\n\n\ndef "): set(),
    ("defs/nightly.py", "def ", "def new() -> None: ...\n\n\ndef "): set(),
}
VERSIONS = {
    "duckdb": ALL,
    "pydantic-core": ALL,
    "pyreadstat": {"spss"},
    "narwhals": {"spss", "judging", "release"},
    "pandas": {"spss", "judging", "release"},
    "python-calamine": {"excel"},
    "xlrd": {"excel"},
    "great-expectations": {"judging", "release"},
    "sqlalchemy": {"judging", "release"},
    "dbt-duckdb": {"rendering", "release"},
    "dagster": set(),
    "rich": set(),
    "pytest": set(),
}


def stale_after(change: tuple[str, str, str], folder: Path) -> set[str]:
    path = folder / change[0]
    text = path.read_text(encoding="utf-8")
    assert change[1] in text, f"{change[0]} no longer holds {change[1]}"
    path.write_text(text.replace(change[1], change[2]), encoding="utf-8")
    try:
        return {n for n, e in ENTRIES.items() if provenance_of(*e, package=folder).code != provenance_of(*e).code}
    finally:
        path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("copied") / "hims_pipeline"
    return shutil.copytree(provenance.PACKAGE, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))


@pytest.mark.parametrize(("change", "stale"), CHANGES.items(), ids=lambda one: one[0] if type(one) is tuple else "")
def test_a_change_in_our_code_makes_stale_what_reaches_it(
    copied: Path, change: tuple[str, str, str], stale: set[str]
) -> None:
    assert stale_after(change, copied) == stale


@pytest.mark.parametrize(("package", "stale"), VERSIONS.items(), ids=VERSIONS)
def test_a_new_version_makes_stale_what_uses_it(monkeypatch: pytest.MonkeyPatch, package: str, stale: set[str]) -> None:
    def newer(name: str, real=metadata.version) -> str:
        return "999" if name == package else real(name)

    before = {name: provenance_of(*entries).libraries for name, entries in ENTRIES.items()}
    forget()
    with monkeypatch.context() as patched:
        patched.setattr(metadata, "version", newer)
        after = {name: provenance_of(*entries).libraries for name, entries in ENTRIES.items()}
    forget()
    assert {name for name in ENTRIES if before[name] != after[name]} == stale


def forget() -> None:
    libraries._read_installed.cache_clear()
    provenance._provenance_of_running.cache_clear()


def test_a_build_rests_on_all_that_a_model_in_python_calls() -> None:
    called = {
        f"{node.module}:{one.name}"
        for path in (REPOSITORY / "dbt_project/models").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        for one in node.names
    }
    assert called == set(provenance.DECIDING)
