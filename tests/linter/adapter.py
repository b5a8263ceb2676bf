"""dbt's `adapter` for the linter of SQL, which renders models without dbt: what it dispatches to is DuckDB's word."""

from collections.abc import Callable

from jinja2 import pass_context
from jinja2.runtime import Context


@pass_context
def dispatch(context: Context, name: str) -> Callable[..., str]:
    macro: Callable[..., str] = context.resolve(f"default__{name}")
    return macro
