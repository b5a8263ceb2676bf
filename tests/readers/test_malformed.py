"""A corpus of malformed files: each is refused with a reason that names the file, told, or read like its clean twin.
Nothing between: none is silently different."""

from typing import Any

import pytest

from hims_pipeline.lake.arrival import Unfit
from hims_pipeline.readers.files.archives import expand
from tests.readers.corpus import CASES, TWINS
from tests.readers.corpus.delimited import GOOD, with_rows
from tests.readers.corpus.made import EQUAL


def values(seen: Any) -> dict[str, list[tuple[Any, ...]]]:
    """What was read, entity by entity, without line numbers: a line more above shifts them."""
    return {name: sorted((row[:-1] for row in seen.rows(name)), key=repr) for name in seen.result.entities}


_CLEAN: dict[str, Any] = {}


@pytest.fixture
def clean(read):
    """clean(twin) -> what a clean delivery holds, read once a process."""

    def of(name: str) -> dict[str, list[tuple[Any, ...]]]:
        if name not in _CLEAN:
            twin = TWINS[name]
            seen = read(twin.files, twin.columns, **twin.contract)
            assert seen.findings == ()
            assert all(values(seen).values())
            _CLEAN[name] = values(seen)
        return _CLEAN[name]

    return of


def test_the_corpus_covers_every_format():
    assert len(CASES) >= 120
    assert {case.twin for case in CASES.values()} == set(TWINS)


@pytest.mark.parametrize("name", CASES)
def test_refused_told_or_equal_to_its_twin(read, clean, name):
    case = CASES[name]
    twin = TWINS[case.twin]
    seen = read(case.files(twin), twin.columns, **twin.contract)
    if case.expected == EQUAL:
        assert seen.findings == ()
        assert values(seen) == clean(case.twin)
    elif case.expected.startswith("~"):
        assert [(one.rule, one.severity) for one in seen.findings] == [(case.expected[1:], "warning")]
        assert values(seen) == clean(case.twin)
    else:
        assert any(rule.startswith(tuple(case.expected.split("|"))) for rule in seen.rules), seen.text
        assert any(one.severity == "blocking" for one in seen.findings)
        assert list(seen.folder.iterdir()) == []
        assert any(one.file for one in seen.findings) or seen.rules == ["ENVELOPE-MISSING-ENTITY"]
    assert any(word in seen.text for word in case.words.split("|")), seen.text
    assert not any(value in seen.text for value in ("Ali", "Béa", "Tunis", "Chadli"))
    assert "ENVELOPE-UNREADABLE" not in seen.rules, "a reader of ours stumbled"


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("share", [0.45, 0.85])
def test_a_file_cut_anywhere_is_refused_or_ends_with_a_whole_line(read, clean, name, share):
    twin = TWINS[name]
    first, content = next(iter(twin.files.items()))
    size = int(len(content) * share)
    seen = read(twin.files | {first: content[:size]}, twin.columns, **twin.contract)
    whole = content[size - 1 : size] == b"\n" and first.endswith((".csv", ".dat", ".tsv"))
    assert whole or any(one.severity == "blocking" for one in seen.findings) or values(seen) == clean(name)
    assert "ENVELOPE-UNREADABLE" not in seen.rules


def test_latin_1_declared_and_utf_8_sent(read):
    seen = read({"people.csv": GOOD.replace(b"Ali", "Béa".encode())}, format={"encoding": "iso-8859-15"})
    assert seen.rules == ["ENVELOPE-ENCODING"]
    assert "is UTF-8" in seen.text


def test_latin_1_declared_and_windows_1252_sent(read):
    seen = read({"people.csv": GOOD.replace(b"Ali", "A’s".encode("cp1252"))}, format={"encoding": "iso-8859-1"})
    assert seen.rules == ["ENVELOPE-ENCODING"]
    assert "windows-1252" in seen.text


def test_limits_of_size_and_line(read):
    seen = read({"people.csv": with_rows(b"10," + b"a" * 500 + b",,")}, limits={"line_bytes": 300})
    assert seen.rules == ["ENVELOPE-LINE-LENGTH"]
    assert "line 11 " in seen.text


def test_a_file_above_the_limit_is_not_even_copied(read):
    with pytest.raises(Unfit, match=r"file 1 .* and the contract allows 20"):
        read({"people.csv": GOOD}, limits={"file_bytes": 20})


def test_a_limit_that_was_lowered_after_a_delivery_holds(tmp_path, contract_for):
    (tmp_path / "people.csv").write_bytes(GOOD)
    _, [finding] = expand(contract_for(limits={"file_bytes": 20}), [tmp_path / "people.csv"], tmp_path, print)
    assert finding.rule == "ENVELOPE-SIZE"


def test_all_of_a_file_at_once(read):
    seen = read({"people.csv": GOOD.replace(b"birth", b"born").replace(b"Ali", b"\0\xef\xbf\xbd")[:-1]})
    assert seen.rules == ["ENVELOPE-HEADER", "ENVELOPE-TRUNCATED", "ENVELOPE-NUL", "ENVELOPE-REPLACEMENT"]


def test_a_first_line_of_data_is_not_shown(read):
    seen = read({"people.csv": b"08765432,Trabelsi,2000-01-01,1.5\n08765433,Ben Ali,2000-01-01,1\n"})
    assert "Trabelsi" not in seen.text
    assert "08765432" not in seen.text
