"""`docs/questions.md`: each query is short, and its answer is the one that stands there."""

import re
from numbers import Number
from typing import Any

import pytest

from hims_pipeline.release.reader import connect
from hims_pipeline.settings import REPOSITORY

pytestmark = pytest.mark.real_data
PAGE = (REPOSITORY / "docs/questions.md").read_text(encoding="utf-8")
QUESTIONS = re.findall(r"^## (.+?)\n\n```sql\n(.+?)\n```\n\n(\|.+?\|)\n(?=\n|\Z)", PAGE, re.DOTALL | re.MULTILINE)


def answer(con: Any, query: str) -> str:
    """The answer of a query as a table in Markdown."""
    cursor = con.execute(query)
    rows = [[column[0] for column in cursor.description], *cursor.fetchall()]
    lines = ["| " + " | ".join(_show(one) for one in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def _show(value: Any) -> str:
    if isinstance(value, Number) and not isinstance(value, bool):
        return f"{float(value):,.2f}".rstrip("0").rstrip(".")  # type: ignore[arg-type]
    return "" if value is None else str(value).replace("|", "\\|")


@pytest.fixture(scope="module")
def con(whole_night):
    con = connect(settings=whole_night[0].settings)
    yield con
    con.close()


@pytest.mark.parametrize(("question", "query", "table"), QUESTIONS, ids=[question for question, *_ in QUESTIONS])
def test_a_question_has_the_answer_that_stands_there(con, question: str, query: str, table: str) -> None:
    assert answer(con, query) == table
    assert len(query.splitlines()) < 10


def test_every_question_is_tried() -> None:
    assert len(QUESTIONS) == PAGE.count("\n## ") >= 22
