"""How the files of a source are written, and how large they may be."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from hims_pipeline.contracts.basics import Flag, Strict, Whole


class Unpivot(Strict):
    """A wide table becomes rows: a heading goes into the column `names`, the cell under it into `values`.

    All other columns of the contract stand before the headings, in this order.
    """

    names: str
    values: str


class Format(Strict):
    """How the files of a source are written; an entity or a layout may replace it as a whole.

    `null_values` are read as missing, but not in a column of text with codes or a crosswalk, where `NA` may be Namibia;
    `null_values` of a column say it there. `trailing_delimiter` means that each line, the header too, ends in one more
    delimiter. `sheet`, `skip_rows`, `header_rows` (a header of several rows: names joined with ` / ` from above, merged
    headings carried to the right) and `stop_at_blank` (what follows the first blank row are notes) are for Excel.
    `codebook` is a glob of the file in the delivery that says where the columns stand: a DDI-Codebook for `fixed_width`
    (without one, each column has `start` and `width`), a dictionary for `cspro`, by default `*.dcf`. `record` names the
    record of that dictionary which an entity is.
    """

    type: Literal["delimited", "parquet", "excel", "spss", "stata", "fixed_width", "cspro"] = "delimited"
    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    header: Flag = True
    trailing_delimiter: Flag = False
    decimal: Literal[".", ","] = "."
    null_values: tuple[str, ...] = ("",)
    sheet: str | None = None
    skip_rows: Whole = 0
    header_rows: Annotated[Whole, Field(ge=1)] = 1
    stop_at_blank: Flag = False
    unpivot: Unpivot | None = None
    codebook: str | None = None
    record: str | None = None

    @property
    def companion(self) -> str | None:
        """Glob of the file that comes beside the data and says where their columns stand; None for other formats."""
        return self.codebook or ("*.dcf" if self.type == "cspro" else None)

    @model_validator(mode="after")
    def _of_their_kind(self) -> "Format":
        if self.type != "excel" and (self.header_rows > 1 or self.stop_at_blank):
            raise ValueError("`header_rows` and `stop_at_blank` are for type excel")
        if self.unpivot and (self.type not in ("excel", "delimited") or not self.header):
            raise ValueError("`unpivot` is for a delimited or Excel table with a header")
        if self.codebook and self.type not in ("fixed_width", "cspro"):
            raise ValueError("a codebook goes with type fixed_width or cspro")
        if bool(self.record) != (self.type == "cspro"):
            raise ValueError("type cspro names the record of the dictionary, and no other type has one")
        return self


class Limits(Strict):
    """Envelope limits: bytes of a delivered file, of all that an archive unpacks to, and of one line."""

    file_bytes: Whole = 8_000_000_000
    unpacked_bytes: Whole = 20_000_000_000
    line_bytes: Whole = 1_000_000
