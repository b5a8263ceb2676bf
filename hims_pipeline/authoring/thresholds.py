"""The thresholds of the judgement rules as a list that people edit: read from the suites and `comparisons.yml`, and
written back to the place in the file where each stands, with all else as it was.

Not here: the workbook in which they are edited (`threshold_book`), what a change would do (`rule_trials`).
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.yaml_records import read_yaml
from hims_pipeline.errors import HimsError
from hims_pipeline.gates.comparisons import FILE as LIMITS
from hims_pipeline.gates.comparisons import load_comparison_limits
from hims_pipeline.gates.measures import MEASURES
from hims_pipeline.gates.suites import load_suite

Number = int | float
_KWARGS = ("min_value", "max_value", "mostly")
_TAIL = re.compile(r"\)\s+as\s+\w+\s+where\s+(?P<condition>.+)$", re.IGNORECASE | re.DOTALL)
_NUMBER = r"-?\d+(?:\.\d+)?"
_BOUND = re.compile(
    rf"\bbetween\s+({_NUMBER})\s+and\s+({_NUMBER})|(?:<=|>=|<(?!>)|(?<!<)>)\s*({_NUMBER})\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Threshold:
    """One number of a rule.

    Args:
        file: of `expectations/`.
        code: the rule's; of `comparisons.yml` the entity's name, or `limits` for all.
        what: which number of it: an argument, `bound 1` of the SQL's condition, `set_aside`, or a measure.
        sentence: what the rule tells, in English and French.
        condition: the SQL in which a bound stands.
    """

    file: str
    code: str
    what: str
    value: Number
    sentence: tuple[str, str]
    condition: str = ""


def thresholds(expectations: Path) -> list[Threshold]:
    """All thresholds, file by file."""
    collected: list[Threshold] = []
    for path in sorted(expectations.glob("*.json")):
        load_suite(path)  # what is no suite is told before anything is edited
        for one in json.loads(path.read_text(encoding="utf-8"))["expectations"]:
            collected += _thresholds_of_rule(path.name, one)
    return collected + list(_thresholds_of_limits(expectations))


def _thresholds_of_rule(file: str, rule: dict[str, Any]) -> Iterator[Threshold]:
    code, message = rule["meta"]["code"], rule["meta"]["message"]
    messages = (message["en"], message.get("fr", ""))
    for name in _KWARGS:
        if isinstance(value := rule["kwargs"].get(name), int | float):
            yield Threshold(file, code, name, value, messages)
    condition = _condition(rule)
    for place, text in enumerate(_bounds(condition), 1):
        yield Threshold(file, code, f"bound {place}", _number(text[2]), messages, condition)
    if "set_aside" in rule["meta"] or "_line" in rule["kwargs"].get("unexpected_rows_query", "")[:20]:
        yield Threshold(file, code, "set_aside", rule["meta"].get("set_aside", 0.0), messages)


def _condition(rule: dict[str, Any]) -> str:
    match = _TAIL.search(rule["kwargs"].get("unexpected_rows_query", ""))
    return match["condition"] if match else ""


def _bounds(condition: str) -> list[tuple[int, int, str]]:
    """Begin, end and text of each number in a condition that something is compared with."""
    return [
        (*match.span(group), match.group(group))
        for match in _BOUND.finditer(condition)
        for group in (1, 2, 3)
        if match.group(group) is not None
    ]


def _thresholds_of_limits(expectations: Path) -> Iterator[Threshold]:
    if load_comparison_limits(expectations) is None:
        return
    record = read_yaml(expectations / LIMITS)
    for place, limits in (("limits", record["limits"]), *record.get("sources", {}).items()):
        for what, value in limits.items():
            measure = MEASURES[what.split(" ")[0]]
            yield Threshold(LIMITS, place, what, _number(str(value)), (measure.en, measure.fr))


def change(expectations: Path, edited: Sequence[Threshold]) -> None:
    """Write changed thresholds into their files.

    Raises:
        ContractError: a suite is no suite with them; its file is as it was.
        HimsError: a threshold is not there.
    """
    for file in sorted({one.file for one in edited}):
        own = [one for one in edited if one.file == file]
        path = expectations / file
        before = path.read_text(encoding="utf-8")
        after = _limits_with(before, own) if file == LIMITS else _suite_with(before, own)
        path.write_text(after, encoding="utf-8")
        try:
            load_comparison_limits(expectations) if file == LIMITS else load_suite(path)
        except BaseException:
            path.write_text(before, encoding="utf-8")
            raise


def _suite_with(text: str, edited: list[Threshold]) -> str:
    record = json.loads(text)
    rules = {one["meta"]["code"]: one for one in record["expectations"]}
    for one in edited:
        rule = rules[one.code]
        if one.what in _KWARGS:
            rule["kwargs"][one.what] = one.value
        elif one.what == "set_aside":
            rule["meta"] = {**rule["meta"], "set_aside": one.value} if one.value else _drop_share(rule["meta"])
        else:
            query, condition = rule["kwargs"]["unexpected_rows_query"], _condition(rule)
            start, end, was = _bounds(condition)[int(one.what.split(" ")[1]) - 1]
            written = condition[:start] + _write_number(was, one.value) + condition[end:]
            rule["kwargs"]["unexpected_rows_query"] = query[: len(query) - len(condition)] + written
    second = [*text.split("\n"), " "][1]
    return json.dumps(record, indent=len(second) - len(second.lstrip()) or 1, ensure_ascii=False) + "\n"


def _limits_with(text: str, edited: list[Threshold]) -> str:
    """Comments stay: only the number after its name is another, in the block of its place."""
    lines = text.split("\n")
    for one in edited:
        at = next((n for n, line in enumerate(lines) if line.strip().startswith(f"{one.code}:")), None)
        name = re.escape(one.what)
        pattern = re.compile(rf"((?:^\s*|[{{,]\s*){name}:\s*)({_NUMBER})")
        last = len(lines) if one.code == "limits" else (at or 0) + 1
        for n in range(at + (one.code == "limits"), last) if at is not None else ():
            if match := pattern.search(lines[n]):
                start, end = match.span(2)
                lines[n] = lines[n][:start] + _write_number(match[2], one.value) + lines[n][end:]
                break
        else:
            raise HimsError(f"{LIMITS}: {one.what} of {one.code} does not stand on one line; edit the file itself.")
    return "\n".join(lines)


def _drop_share(meta: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in meta.items() if name != "set_aside"}


def _write_number(text: str, value: Number) -> str:
    """A number as it stands, `0.50`, unless it is another."""
    return text if _number(text) == value else repr(value)


def _number(text: str) -> Number:
    return float(text) if "." in text else int(text)
