"""dbt's Jinja without dbt: the project's macros, and models that call them, compiled to SQL in a moment.

`ref('name')` becomes the name, nothing is read, and what rendering adds to the project (breakdowns, languages, …) is
ours unless a caller gives its own.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import jinja2.runtime

from hims_pipeline.contracts.indicators import breakdown_columns, load_indicators
from hims_pipeline.settings import REPOSITORY
from hims_pipeline.staging.indicators import formula_sql, model_name

PROJECT = REPOSITORY / "dbt_project"
OWN: dict[str, Any] = {
    "breakdown_columns": breakdown_columns(REPOSITORY / "data"),
    "languages": "en fr ar",
    "minimum_count": 10,
    "reference_country": "XNL",
}


class _Returned(Exception):
    """What dbt's `return` gives back from a macro."""


class _Macro(jinja2.runtime.Macro):
    def __call__(self, *args, **kwargs):
        try:
            return super().__call__(*args, **kwargs)
        except _Returned as returned:
            return returned.args[0]


def _return(value):
    raise _Returned(value)


def compiler(project: Path = PROJECT, **observatory: Any) -> Callable[[str], str]:
    """A function that compiles a text of SQL and Jinja; `observatory` replaces what `OWN` says, or a rendered project's
    own macros do."""
    env = jinja2.Environment(extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined)  # noqa: S701 - SQL, no page
    env.globals |= {"return": _return, "ref": lambda name: name, "config": lambda **_: "", "execute": False}
    env.globals["source"] = lambda source, table: f"{source}.{table}"
    env.globals |= {"env_var": lambda name: f"/nowhere/{name}"}
    env.globals |= {name: lambda value=value: value for name, value in (OWN | observatory).items()}
    plain = [path for path in sorted((project / "macros").glob("*.sql")) if path.stem != "schemas"]

    def made(text: str) -> jinja2.Template:
        template = env.from_string(text)
        template.root_render_func.__globals__["Macro"] = _Macro  # the name by which compiled templates make macros
        return template

    macros = made("".join(path.read_text(encoding="utf-8") for path in plain)).module
    env.globals |= {name: macro for name, macro in vars(macros).items() if isinstance(macro, _Macro)}
    return lambda text: made(text).render()


@cache
def _own() -> Callable[[str], str]:
    return compiler()


def compiled_model(path: Path) -> str:
    """A model of the project as SQL."""
    return _own()(path.read_text(encoding="utf-8"))


def indicator_models() -> dict[str, str]:
    """All models of indicators as SQL: those written by hand, and those that follow from a record's formula."""
    written = {
        path.stem: compiled_model(path) for path in (PROJECT / "models/indicators").glob("[a-z][0-9][0-9]_*.sql")
    }
    records = load_indicators(REPOSITORY / "data").values()
    made = {model_name(one, f): _own()(formula_sql(one, f)) for one in records for f in one.formula}
    return dict(sorted((written | made).items()))
