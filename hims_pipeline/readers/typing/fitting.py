"""How many texts a column would take, found by trying; for messages and drafts, never to read a delivery."""

from collections.abc import Sequence

import duckdb

from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.formats import Format
from hims_pipeline.readers.typing.lexical import typing_of
from hims_pipeline.readers.typing.parts import TextPart
from hims_pipeline.readers.typing.write import typed_relation


def count_misfits(con: duckdb.DuckDBPyConnection, column: Column, form: Format, values: str) -> int:
    """How many texts `t0` of a relation are no value of a column."""
    typing = typing_of(column, 0, form)
    relation = typed_relation([typing], TextPart(f"select t0 from {values}", "0"))
    [(count,)] = con.execute(f"select count(*) filter ({typing.misfit()}) from ({relation})").fetchall()
    return int(count)


def find_fitting_words(
    con: duckdb.DuckDBPyConnection, column: Column, form: Format, values: str, words: Sequence[str]
) -> tuple[list[str], int]:
    """The fewest of these words of `allow` with which the column takes what all of them take, and how many texts of
    the relation it takes with them that it does not take without."""

    def count_left(allow: Sequence[str]) -> int:
        return count_misfits(con, column.model_copy(update={"allow": (*column.allow, *allow)}), form, values)

    usual, least = count_left(()), count_left(words)
    needed = list(words) if least < usual else []
    for word in list(needed):
        rest = [one for one in needed if one != word]
        if count_left(rest) == least:
            needed = rest
    return needed, usual - least
