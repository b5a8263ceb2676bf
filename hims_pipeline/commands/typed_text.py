"""Text that our own people type on the command line: reasons, notes, questions. Not here: names of files, which may be
any bytes.
"""

from typing import Any

import click


class Typed(click.ParamType[Any]):
    """Text that can be written down, and read again: no bytes that the terminal's language did not know, and something
    to be seen where there is any."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            str(value).encode("utf-8")
        except UnicodeEncodeError:
            self.fail("holds bytes that are no UTF-8. Set the terminal to UTF-8 and type it again.", param, ctx)
        if value and not any(letter.isalnum() for letter in str(value)):
            self.fail("says nothing.", param, ctx)
        return value


TYPED = Typed()
