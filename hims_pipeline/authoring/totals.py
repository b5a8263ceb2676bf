"""The template of a sidecar with control totals, for senders to fill. Not here: reading one (`readers.totals`)."""

from pathlib import Path

from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.values import NUMERIC
from hims_pipeline.errors import HimsError
from hims_pipeline.lake.files import sha256_of
from hims_pipeline.lake.landing import inner_name

HEAD = """\
# Control totals of one file. Fill what you know from your own system, not from the file; leave out the rest.
# Send it beside the file, under the file's whole name with .totals.yml behind it.
"""


def totals_template(contract: Contract, period: str, file: Path | None = None) -> str:
    """The template for a file of a source, with the file's SHA-256; without a file, for all tables."""
    names = list(contract.entities)
    if file is not None:
        taken = contract.takers(inner_name(file.name), period)
        names = taken or names  # of an archive the names inside decide
    lines = [HEAD + f"sha256: {sha256_of(file) if file else ''}".rstrip()]
    for name in names:
        lines += [f"{name}:", "  rows:"]
        columns = contract.entity_in(name, period).kept_columns
        summed = [column.name for column in columns if column.type in NUMERIC and column.sensitivity != "identifier"]
        lines += ["  sums:", *(f"    {one}:" for one in summed)] if summed else []
    return "\n".join(lines) + "\n"


def write_templates(contract: Contract, period: str, files: tuple[Path, ...]) -> list[Path]:
    """Write a template beside each file.

    Raises:
        HimsError: one is there already, and is not written over, or the folder cannot be written.
    """
    written = []
    for file in files:
        path = file.with_name(f"{file.name}.totals.yml")
        try:
            with path.open("x", encoding="utf-8") as target:
                target.write(totals_template(contract, period, file))
        except FileExistsError:
            raise HimsError(f"{path} is there already.") from None
        except OSError as error:
            raise HimsError(f"{path} cannot be written: {error.strerror}.") from None
        written.append(path)
    return written
