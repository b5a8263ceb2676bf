"""The project's macros, and calls of them, compiled to SQL in a moment and without dbt.

`ref('name')` becomes the name, nothing is read, and what rendering adds to the project (breakdowns, languages, …) is
given by the caller. Not here: the rendered project (`render`), which dbt compiles itself.
"""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import jinja2
import jinja2.runtime

from hims_pipeline.errors import ContractError


class _Returned(Exception):
    """What dbt's `return` gives back from a macro."""


class _Macro(jinja2.runtime.Macro):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().__call__(*args, **kwargs)
        except _Returned as returned:
            return returned.args[0]


def _refuse(message: str) -> NoReturn:
    raise ContractError(message)


def _give_back(value: Any) -> NoReturn:
    raise _Returned(value)


def compiler(project: Path, observatory: dict[str, Any], **names: Any) -> Callable[[str], str]:
    """A function that compiles a text of SQL and Jinja.

    Args:
        project: the dbt project whose macros may be called; a rendered one has its own in place of `observatory`.
        observatory: macro without parameters -> what it gives, such as `breakdown_columns`.
        names: what else is known by name, such as another `ref`.
    """
    env = jinja2.Environment(extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined)  # noqa: S701 - SQL, no page
    env.globals |= {"return": _give_back, "ref": lambda name: name, "config": lambda **_: "", "execute": False}
    # One engine is known here, and its words are the macros' defaults.
    env.globals["adapter"] = SimpleNamespace(dispatch=lambda name: env.globals[f"default__{name}"])
    env.globals |= {
        "source": lambda source, table: f"{source}.{table}",
        "exceptions": SimpleNamespace(raise_compiler_error=_refuse),
    }
    env.globals |= {"env_var": lambda name: f"/nowhere/{name}"}
    env.globals |= {name: lambda value=value: value for name, value in observatory.items()} | names
    plain = [path for path in sorted((project / "macros").glob("*.sql")) if path.stem != "schemas"]

    def make(text: str) -> jinja2.Template:
        template = env.from_string(text)
        template.root_render_func.__globals__["Macro"] = _Macro  # the name by which compiled templates make macros
        return template

    macros = make("".join(path.read_text(encoding="utf-8") for path in plain)).module
    env.globals |= {name: macro for name, macro in vars(macros).items() if isinstance(macro, _Macro)}
    return lambda text: make(text).render()
