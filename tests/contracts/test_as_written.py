"""Codes are what is written in `data/`: YAML guesses no type, and what a contract cannot mean it refuses by name."""

import shutil
from pathlib import Path

import pytest
import yaml

from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.indicators import load_indicators
from hims_pipeline.contracts.load import broken_contracts, load_contracts
from hims_pipeline.contracts.yaml_records import parse_record, read_yaml
from hims_pipeline.errors import ContractError
from hims_pipeline.settings import REPOSITORY

# What YAML 1.1 takes for something else: booleans, octal, sexagesimal, exponents, dates, separators, nothing.
GUESSED = [
    "NO", "No", "no", "n", "off", "OFF", "yes", "Yes", "on", "y", "True", "FALSE", "0110", "08", "0x10", "0o7", "0b1",
    "1:30", "190:20:30", "1e3", "1E3", "1.0e+3", "1_000", "+5", "-0", ".5", "5.", "0.50", "1.10", ".inf", ".NaN", "~",
    "Null", "NULL", "2024-01-05", "2024-06", "2001-12-14t21:59:43.10-05:00", "=",
]  # fmt: skip


def read(tmp_path: Path, text: str):
    path = tmp_path / "some.yml"
    path.write_text(text, encoding="utf-8")
    return read_yaml(path)


@pytest.mark.parametrize("word", GUESSED)
def test_a_plain_word_stays_what_is_written(tmp_path: Path, word: str) -> None:
    assert read(tmp_path, f"codes: {{{word}: label}}\nlist: [{word}]\n") == {"codes": {word: "label"}, "list": [word]}


def test_numbers_that_print_back_true_false_and_nothing_are_themselves(tmp_path: Path) -> None:
    found = read(tmp_path, "[1, -99, 0, 12.5, true, false, null, 'NO', \"1\"]\n")
    assert found == [1, -99, 0, 12.5, True, False, None, "NO", "1"]
    assert read(tmp_path, "a:\nb: &x [1]\nc: *x\n") == {"a": None, "b": [1], "c": [1]}


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "codes: {1: a, '1': b}\n", "codes: {NO: a, NO: b}\n"])
def test_a_key_that_stands_twice_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ContractError, match="stands twice"):
        read(tmp_path, text)


@pytest.mark.parametrize("text", ["a: [1", "a: !!python/object:os.system x\n", "\ta: 1\n", "a: \xff".encode("latin-1")])
def test_what_is_no_yaml_is_named(tmp_path: Path, text: str | bytes) -> None:
    path = tmp_path / "some.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ContractError, match=r"some\.yml: not readable as YAML"):
        read_yaml(path)


@pytest.mark.parametrize("text", ["[" * 30_000, "- " * 30_000 + "a"])
def test_what_is_nested_without_end_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(ContractError, match="nested too deeply"):
        read(tmp_path, text)


def test_what_editors_leave_beside_a_file_is_none_of_ours(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "data", tmp_path / "data", ignore=shutil.ignore_patterns("samples"))
    for place in ("contracts/.#rgph.yml", "corrections/.#hims_survey.yml", "codelists/.#areas.csv"):
        (tmp_path / "data" / place).symlink_to("somebody@host.4711")  # the lock of an open file
    (tmp_path / "data/contracts/._rgph.yml").write_bytes(b"\0\5\x16\7")
    (tmp_path / "data/indicators/.#A-stocks.yml").symlink_to("somebody@host.4711")
    assert broken_contracts(tmp_path / "data") == {}
    assert load_contracts(tmp_path / "data").keys() == load_contracts(REPOSITORY / "data").keys()
    assert load_indicators(tmp_path / "data").keys() == load_indicators(REPOSITORY / "data").keys()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{name: a, codes: {true: x}}", "put the code in quotes: 'true'"),
        ("{name: a, codes: {null: x}}", "put the code in quotes: 'null'"),
        ("{name: a, missing: {false: _U}}", "put the code in quotes: 'false'"),
        ("{name: a, required: yes}", "valid boolean"),
        ("{name: a, scale: 02}", "valid integer"),
        ("{name: a, type: integer, codes: {NO: x}}", "'NO' is no value of type integer"),
        ("{name: a, type: integer, codes: {1: x, 01: y}}", "code 1 stands twice"),
        ("{name: a, type: decimal, codes: {1: x, 1.00: y}}", "stands twice"),
        ("{name: a, type: integer, codes: {1: x, 9: y}, missing: {9: _U}}", "9 is a code and stands for missing"),
        ("{name: a, type: date, codes: {2024-13-01: x}}", "no value of type date"),
        ("{name: a, codes: {NA: x}, null_values: [NA]}", "'NA' is a code and a null word"),
        ("{name: a, type: integer, missing: {99..9: _U}}", "ends before it begins"),
        ("{name: a, type: integer, missing: {9..x: _U}}", "does not go from a value"),
        ("{name: a, missing: {90..99: _U}}", "list the codes one by one"),
        ("{name: a, type: boolean, missing: {8..9: _U}}", "list the codes one by one"),
        ("{name: a, sensitivity: identifier, missing: {'00000000..00000009': _U}}", "list the codes one by one"),
        ("{name: a, type: integer, missing: {9: _Q}}", "missing codes map to"),
        ("{name: a, type: integer, flags: {1: B}}", "string"),
        ("{name: a, type: integer, flags: {'1': B}}", "could be part of a value"),
        ("{name: a, flags: {b: B}}", "flags stand behind numbers and dates"),
        ("{name: a, minimum: 3}", "minimum and maximum go with numbers"),
        ("{name: a, type: integer, minimum: soon}", "no value of type integer"),
    ],
)
def test_what_a_column_cannot_mean_is_refused(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "some.yml"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(ContractError) as refused:
        parse_record(Column, path)
    assert said in str(refused.value)


def test_our_own_files_do_not_lean_on_the_guesses() -> None:
    """Read by YAML 1.1 or as written, a code of ours is the same: nobody is misled by another tool that reads them."""
    for path in sorted((REPOSITORY / "data").rglob("*.yml")):
        as_guessed = yaml.safe_load(path.read_text(encoding="utf-8"))
        differ = list(_differ(as_guessed, read_yaml(path), path.name))
        assert not differ, differ


def _differ(guessed, written, place: str):
    if isinstance(written, dict):
        for (key, one), (other_key, other) in zip(guessed.items(), written.items(), strict=True):
            if str(key) != str(other_key):
                yield f"{place}: {key!r} is written {other_key!r}"
            yield from _differ(one, other, f"{place}.{other_key}")
    elif isinstance(written, list):
        for number, (one, other) in enumerate(zip(guessed, written, strict=True)):
            yield from _differ(one, other, f"{place}.{number}")
    elif str(guessed) != str(written) and not isinstance(guessed, float):
        yield f"{place}: {guessed!r} is written {written!r}"


def test_all_contracts_of_ours_hold_and_say_where_their_period_stands() -> None:
    contracts = load_contracts(REPOSITORY / "data")
    assert len(contracts) == len(list((REPOSITORY / "data/contracts").glob("*.yml")))
    for contract in contracts.values():
        for name, entity in contract.entities.items():
            assert entity.period is not None, f"{contract.source}.{name}"
            assert entity.period.columns or entity.period.none
