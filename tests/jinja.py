"""dbt's Jinja without dbt: the project's macros, and models that call them, compiled to SQL in a moment.

`ref('name')` becomes the name, nothing is read, and what rendering adds to the project (breakdowns, languages, …) is
ours unless a caller gives its own.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.indicators import breakdown_columns, load_indicators
from hims_pipeline.settings import REPOSITORY
from hims_pipeline.staging import macros
from hims_pipeline.staging.indicators import formula_sql, model_name

PROJECT = REPOSITORY / "dbt_project"
OWN: dict[str, Any] = {
    "breakdown_columns": breakdown_columns(REPOSITORY / "data"),
    "languages": "en fr ar",
    "imputable_columns": {},
    "minimum_count": 10,
    "reference_country": "XNL",
}


def compiler(project: Path = PROJECT, **observatory: Any) -> Callable[[str], str]:
    """A function that compiles a text of SQL and Jinja; `observatory` replaces what `OWN` says, or a rendered project's
    own macros do."""
    return macros.compiler(project, OWN | observatory)


@cache
def _own() -> Callable[[str], str]:
    return compiler()


def compiled(text: str) -> str:
    """A text of SQL and Jinja that calls the project's macros, as SQL."""
    return _own()(text)


def compiled_model(path: Path) -> str:
    """A model of the project as SQL."""
    return compiled(path.read_text(encoding="utf-8"))


def indicator_models() -> dict[str, str]:
    """All models of indicators as SQL: those written by hand, and those that follow from a record's formula."""
    written = {
        path.stem: compiled_model(path) for path in (PROJECT / "models/indicators").glob("[a-z][0-9][0-9]_*.sql")
    }
    records = load_indicators(REPOSITORY / "data").values()
    made = {model_name(one, f): _own()(formula_sql(one, f)) for one in records for f in one.formula}
    return dict(sorted((written | made).items()))
