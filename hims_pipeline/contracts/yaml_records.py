"""YAML files as typed records: what stands there stays what was written.

YAML 1.1 reads `NO` as false, `0110` as 72, `1:30` as 90 and `1e3` or `2024-01-05` as what they are not here: codes of
countries, occupations and periods. Only `true`, `false`, `null`, and numbers that print back as they stand are anything
but text; the fields of a record say what else a text may be. Not here: which files there are (`load`).
"""

import re
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from hims_pipeline.errors import ContractError

Model = TypeVar("Model", bound=BaseModel)
_TAG = "tag:yaml.org,2002:"
EDITED = "[!.]*.yml"  # without what editors and file managers leave beside a file, by names that begin with a point
ANY_ENDING = "[!.]*.[yY]*[mM][lL]"  # as people name them, too
_MANY_LEVELS, _DEEPEST = 5_000, 100


class _AsWritten(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """A safe loader without YAML's guesses. A key that stands twice is an error, also as `1` and `"1"`: YAML would keep
    the last, and in a contract that hides a mistake."""

    yaml_implicit_resolvers: ClassVar[dict[str | None, list[tuple[str, re.Pattern[str]]]]] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = str(self.construct_object(key_node, deep=True))
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key!r} stands twice", problem_mark=key_node.start_mark)
            seen.add(key)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping

    def construct_whole(self, node: yaml.ScalarNode) -> int | str:
        whole: int | str = _convert_if_it_prints_back(int, self.construct_scalar(node))
        return whole

    def construct_fraction(self, node: yaml.ScalarNode) -> float | str:
        fraction: float | str = _convert_if_it_prints_back(float, self.construct_scalar(node))
        return fraction


def _convert_if_it_prints_back(kind: Any, text: str) -> Any:
    return value if str(value := kind(text)) == text else text


for tag, pattern, first in (
    ("bool", "true|false", "tf"),
    ("null", "null|", ["n", ""]),
    ("int", "-?[0-9]+", "-0123456789"),
    ("float", r"-?[0-9]+\.[0-9]+", "-0123456789"),
    ("merge", "<<", "<"),
):
    _AsWritten.add_implicit_resolver(_TAG + tag, re.compile(f"^(?:{pattern})$"), list(first))
_AsWritten.add_constructor(_TAG + "int", _AsWritten.construct_whole)
_AsWritten.add_constructor(_TAG + "float", _AsWritten.construct_fraction)


def read_yaml(path: Path) -> Any:
    """Parse one YAML file, texts as they are written; keys that stand twice are an error.

    Raises:
        ContractError: the file is missing or no valid YAML; names line and column.
    """
    try:
        text = path.read_text(encoding="utf-8")
        _require_shallow(text)
        return yaml.load(text, Loader=_AsWritten)  # noqa: S506 - a safe loader
    except FileNotFoundError:
        raise ContractError(f"{path} is missing.") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ContractError(f"{path.name}: not readable as YAML: line {line} is not in UTF-8; save it so") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ContractError(f"{path.name}: not readable as YAML: {error}") from None


def _require_shallow(text: str) -> None:
    """Lists within lists, tens of thousands of them, would end the process in the library's own code."""
    if sum(map(text.count, ("[", "{", "- "))) < _MANY_LEVELS:
        return
    depth = 0
    for event in yaml.parse(text, Loader=_AsWritten):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise yaml.YAMLError(f"nested too deeply\n{event.start_mark}")


def parse_record(model: type[Model], path: Path) -> Model:
    """Parse and check one file.

    Raises:
        ContractError: names the file, the place in it and what is expected there, all findings at once.
    """
    try:
        return model.model_validate(read_yaml(path))
    except ValidationError as error:
        problems = "\n".join(
            f"  {'.'.join(str(part) for part in problem['loc']) or '(whole file)'}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        )
        raise ContractError(f"{path.name} does not say what it must:\n{problems}") from None
