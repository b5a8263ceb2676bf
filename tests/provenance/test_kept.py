"""Closures that are kept beside the bytecode: the same as those followed, and followed anew when a byte changed."""

import json
import sys
from pathlib import Path

import pytest

from hims_pipeline.provenance.closure import SourceTree
from hims_pipeline.provenance.kept import KeptTree

ENTRY = "house.entry:run"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    folder = tmp_path / "house"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "entry.py").write_text("import json\nfrom house import tools\ndef run(): return json, tools.used()\n")
    (folder / "tools.py").write_text("def used(): return 1\ndef unused(): return 2\n")
    return folder


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What was followed, and not found kept."""
    asked: list[tuple[str, ...]] = []
    follow = SourceTree.closure

    def note_and_follow(self: SourceTree, *entries: str):
        asked.append(entries)
        return follow(self, *entries)

    monkeypatch.setattr(SourceTree, "closure", note_and_follow)
    return asked


def test_a_second_process_finds_what_the_first_followed(house: Path, followed: list) -> None:
    first = KeptTree(house).closure(ENTRY)
    assert first == KeptTree(house).closure(ENTRY)
    assert followed == [(ENTRY,)]
    assert first == SourceTree(house).closure(ENTRY)
    assert {"house.entry", "house.tools"} <= first.modules


@pytest.mark.parametrize("text", ["def used(): return 2\n", "def used(): return 1\n# a word\n"])
def test_any_other_byte_is_followed_anew(house: Path, followed: list, text: str) -> None:
    KeptTree(house).closure(ENTRY)
    (house / "tools.py").write_text(text)
    assert KeptTree(house).closure(ENTRY) == SourceTree(house).closure(ENTRY)
    assert followed == [(ENTRY,)] * 3


@pytest.mark.parametrize("text", ["", "[]", '{"sources": 1}', "{", '{"closures": {}}'])
def test_a_damaged_file_is_made_anew(house: Path, followed: list, text: str) -> None:
    first = KeptTree(house).closure(ENTRY)
    (kept,) = house.glob("__pycache__/closures.*.json")
    kept.write_text(text)
    assert KeptTree(house).closure(ENTRY) == first == KeptTree(house).closure(ENTRY)
    assert followed == [(ENTRY,)] * 2
    assert json.loads(kept.read_text())["closures"]


def test_nothing_is_kept_of_what_was_edited_meanwhile(house: Path) -> None:
    began = KeptTree(house)
    (house / "tools.py").write_text("def used(): return 3\n")
    began.closure(ENTRY)
    assert not list(house.glob("__pycache__/closures.*"))


def test_nothing_is_kept_where_python_keeps_no_bytecode(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert KeptTree(house).closure(ENTRY).modules
    assert not (house / "__pycache__").exists()


def test_a_folder_that_may_not_be_written_is_no_trouble(house: Path) -> None:
    (house / "__pycache__").write_text("no folder")
    assert KeptTree(house).closure(ENTRY) == SourceTree(house).closure(ENTRY)
