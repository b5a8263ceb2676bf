"""Malformed files, each beside its clean twin: one table of cases over every format. Here: what was done to a file and
what must come of it. Not here: how they are read and judged (`test_malformed`).
"""

from tests.readers.corpus import binary, delimited, places, tables
from tests.readers.corpus.made import Case, Twin

TWINS: dict[str, Twin] = delimited.TWINS | places.TWINS | tables.TWINS | binary.TWINS
CASES: dict[str, Case] = delimited.CASES | places.CASES | tables.CASES | binary.CASES
