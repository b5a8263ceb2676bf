"""Data Docs, Great Expectations' own pages, for the engineer: each rule as the library states it, with its arguments or
its SQL, and how many rows broke it.

Rendered by the library from a verdict's counts and the rules that it was given by, so no page can show a value of the
data: neither holds one. The library's own page loads styles, scripts and pictures from elsewhere; this one needs
nothing but itself. Not here: the report to the sender (`page`), and the folder to browse (`release.data_docs`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import ChoiceLoader, FileSystemLoader

from hims_pipeline.gates.engine import great_expectations
from hims_pipeline.gates.rules import Rule
from hims_pipeline.reporting.sentences import HERE

DATA_DOCS = "data_docs.html"


def render_data_docs(
    title: str, facts: Mapping[str, str], rules: Iterable[Rule], results: Iterable[Mapping[str, Any]]
) -> str:
    """What the gate found, rule by rule, as one page.

    Args:
        title: what was judged.
        facts: what is told of it at the top, in this order.
        rules: as they judged.
        results: what came of them, as a verdict keeps it; of a rule that is not among `rules` only the code is known.
    """
    by_code = {rule.code: rule for rule in rules}
    sections: dict[str, list[dict[str, Any]]] = defaultdict(list)
    outcomes = [(one, bool(one["success"]) and not one.get("blind")) for one in results]
    for one, holds in sorted(outcomes, key=lambda pair: pair[1]):  # what failed stands first in its section
        rule = by_code.get(one["code"])
        sections[_name_section(rule)].append(
            {
                "code": one["code"],
                "severity": one["severity"],
                "message": rule.message if rule else "",
                "holds": holds,
                "cells": _render_cells(rule, one, holds) if rule else [],
            }
        )
    held = sum(holds for _, holds in outcomes)
    page: str = _template().render(
        title=title, facts=dict(facts), held=held, rules=len(outcomes), sections=dict(sorted(sections.items()))
    )
    return page


def _name_section(rule: Rule | None) -> str:
    if rule is None:
        return "rules that are no longer there"
    return f"{rule.entity}: {rule.column}" if rule.column else rule.entity


def _render_cells(rule: Rule, result: Mapping[str, Any], holds: bool) -> list[Any]:
    """Status, statement and observed value, as Great Expectations renders them."""
    great_expectations()
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.render.renderer.content_block.validation_results_table_content_block import (
        ValidationResultsTableContentBlockRenderer,
    )

    outcome = ExpectationValidationResult(
        success=holds,
        expectation_config=ExpectationConfiguration(type=rule.expectation, kwargs=dict(rule.kwargs)),
        result=_give_counts(result),
        exception_info={"raised_exception": False, "exception_message": "", "exception_traceback": ""},
    )
    block: Any = ValidationResultsTableContentBlockRenderer.render([outcome], include_column_name=False)
    cells: list[Any] = block.to_json_dict()["table"][0]
    return cells


def _give_counts(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result as Great Expectations gave it, in numbers of rows: what it saw was not kept."""
    rows, missing, unexpected = result["rows"], result["missing"] or 0, result["unexpected"] or 0
    if rows is None:
        return {} if result["unexpected"] is None else {"observed_value": unexpected}
    seen = rows - missing
    return {
        "element_count": rows,
        "missing_count": missing,
        "missing_percent": 100 * missing / rows if rows else 0.0,
        "unexpected_count": unexpected,
        "unexpected_percent": 100 * unexpected / seen if seen else 0.0,
        "unexpected_percent_total": 100 * unexpected / rows if rows else 0.0,
        "unexpected_percent_nonmissing": 100 * unexpected / seen if seen else 0.0,
        "partial_unexpected_list": [],
    }


@lru_cache(maxsize=1)
def _template() -> Any:
    great_expectations()
    from great_expectations.render.view.view import DefaultJinjaPageView

    world: Any = DefaultJinjaPageView().env
    world.loader = ChoiceLoader([FileSystemLoader(HERE), world.loader])
    world.trim_blocks = world.lstrip_blocks = True
    return world.get_template(DATA_DOCS)  # escaped for its ending, which the library's own templates have not
