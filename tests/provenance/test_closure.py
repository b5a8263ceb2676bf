"""What an entry point reaches, over a small package made for it: each way in which one definition leads to another."""

from pathlib import Path

import pytest

from hims_pipeline.provenance.closure import SourceTree

SOURCES = {
    "__init__.py": "",
    "entry.py": """
        '''An entry point.'''
        import json
        from typing import TYPE_CHECKING
        from . import aliased, whole
        from house.re_exported import shown as other
        from house.tools import used
        if TYPE_CHECKING:
            from house.typed import Typed
        LIMIT = 3
        def run(value: "Typed"):
            '''Says what it does.'''
            from house.late import inside
            return used(LIMIT), other(), aliased.reached(value), inside(), dict.fromkeys(whole), json.dumps(1)
        def beside():
            return 0
    """,
    "tools.py": "FACTOR = 2\ndef used(n): return helper(n)\ndef helper(n): return n * FACTOR\ndef unused(): return 1",
    "re_exported/__init__.py": "from .deep import shown\n__all__ = ['shown']",
    "re_exported/deep.py": "def shown(): return 1",
    "aliased.py": """
        class Base:
            x = 1
        class Made(Base): pass
        def reached(v): return Made()
        def not_reached(): return 2
    """,
    "whole.py": "A = 1\nB = 2",
    "late.py": "import decimal as d\nTABLE = {}\nTABLE['k'] = 1\ndef inside(): return TABLE, d.Decimal",
    "typed.py": "class Typed:\n    field = 1",
    "runs.py": "",
    "stranger.py": "def far(): return 1",
}
REACHED = [
    ("entry.py", "LIMIT = 3", "LIMIT = 4"),
    ("tools.py", "FACTOR = 2", "FACTOR = 3"),
    ("tools.py", "return n * FACTOR", "return n + FACTOR"),
    ("re_exported/deep.py", "return 1", "return 2"),
    ("re_exported/__init__.py", "from .deep import shown", "from .deep import shown\nprint('at import')"),
    ("aliased.py", "x = 1", "x = 2"),
    ("whole.py", "B = 2", "B = 3"),
    ("late.py", "['k'] = 1", "['k'] = 2"),
    ("late.py", "import decimal as d", "import fractions as d"),
    ("typed.py", "field = 1", "field = 2"),
    ("tools.py", "def unused(): return 1", "if FACTOR:\n    FACTOR = 5"),
]
NOT_REACHED = [
    ("entry.py", "return 0", "return 1"),
    ("entry.py", "'''Says what it does.'''", "'''Says it otherwise.'''"),
    ("entry.py", "'''An entry point.'''", "# no more"),
    ("tools.py", "def used(n): return helper(n)", "def used(n):  # a comment\n    return (helper(\n        n))"),
    ("tools.py", "def unused(): return 1", "def unused(): return 2"),
    ("aliased.py", "return 2", "return 3"),
    ("stranger.py", "return 1", "return 2"),
    ("re_exported/__init__.py", "['shown']", "[]"),
]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    folder = tmp_path / "house"
    for name, text in SOURCES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(line.removeprefix(" " * 8) for line in text.splitlines()), encoding="utf-8")
    return folder


def hash_after(house: Path, change: tuple[str, str, str] | None = None) -> str:
    if change:
        path = house / change[0]
        text = path.read_text(encoding="utf-8")
        assert text.count(change[1]) == 1
        path.write_text(text.replace(change[1], change[2]), encoding="utf-8")
    return SourceTree(house).closure("house.entry:run").sha256


@pytest.mark.parametrize("change", REACHED)
def test_what_is_reached_counts(house: Path, change: tuple[str, str, str]) -> None:
    assert hash_after(house) != hash_after(house, change)


@pytest.mark.parametrize("change", NOT_REACHED)
def test_what_is_not_reached_and_what_does_not_run_counts_not(house: Path, change: tuple[str, str, str]) -> None:
    assert hash_after(house) == hash_after(house, change)


def test_what_our_own_decorator_sees_counts_though_nobody_names_it(house: Path) -> None:
    registry = "KNOWN = []\ndef register(f): KNOWN.append(f)\n@register\ndef hidden(): return 1\n"
    (house / "tools.py").write_text(registry + "def used(n): return KNOWN[0]()", encoding="utf-8")
    assert hash_after(house) != hash_after(house, ("tools.py", "return 1", "return 2"))


def test_libraries_are_those_of_what_is_reached(house: Path) -> None:
    assert SourceTree(house).closure("house.entry:run").libraries >= {"json", "decimal"}
    assert SourceTree(house).closure("house.tools:used").libraries == set()


def test_a_name_that_is_not_there_is_told(house: Path) -> None:
    with pytest.raises(LookupError, match=r"house\.entry"):
        SourceTree(house).closure("house.entry:gone")
    with pytest.raises(LookupError, match="lost"):
        hash_after(house, ("entry.py", "from house.tools import used", "from house.tools import lost as used"))
