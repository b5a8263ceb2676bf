"""One module a format (CSPro a folder): from a file that was sent to a table of texts.

Each has `open_table(settings, shape, member, scratch)`, which returns the table and what is to be told, or no table and
what is wrong with the envelope. A new format is a module here and a line in `contracts.formats.FORMATS`. Modules are
imported when asked for, since some libraries take half a second. Not here: types and writing (`typing`).
"""

from importlib import import_module
from pathlib import Path

from hims_pipeline.contracts.formats import FORMATS
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.shape import TableShape
from hims_pipeline.readers.table import Table
from hims_pipeline.settings import Settings


def open_table(
    settings: Settings, shape: TableShape, member: Member, scratch: Path
) -> tuple[Table | None, list[Finding]]:
    """The file as a table of texts, or what is wrong with its envelope; warnings come beside the table."""
    opener = import_module(opener_of(shape.format.type))
    table, findings = opener.open_table(settings, shape, member, scratch)
    return table, findings


def opener_of(format_type: str) -> str:
    """The module that opens a format; what a reading rests on is asked of it by name."""
    return f"{__name__}.{FORMATS[format_type]}"
