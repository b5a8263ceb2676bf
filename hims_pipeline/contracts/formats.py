"""How the files of a source are written, and how large they may be."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from hims_pipeline.contracts.basics import Strict


class Unpivot(Strict):
    """A wide table becomes rows: a heading goes into the column `names`, the cell under it into `values`.

    All other columns of the contract stand before the headings, in this order.
    """

    names: str
    values: str


_TEXT = {"delimited", "fixed_width", "cspro"}
# Option -> the types that honour it: one that would do nothing does not load.
HONOURED = {
    "delimiter": {"delimited"},
    "quote": {"delimited"},
    "encoding": _TEXT,
    "trailing_delimiter": {"delimited"},
    "sheet": {"excel"},
    "skip_rows": {"delimited", "excel"},
    "header_rows": {"excel"},
    "stop_at_blank": {"delimited", "excel"},
    "hidden_rows": {"excel"},
    "fill_down": {"excel"},
    "final_newline": _TEXT,
    "unpivot": {"delimited", "excel"},
    "codebook": {"fixed_width", "cspro"},
    "record": {"cspro"},
}


class Format(Strict):
    """How the files of a source are written; an entity or a layout may replace it as a whole.

    `header: by_name` finds the columns that are read by their names, wherever they stand, and tells of the others.
    `null_values` are read as missing. `trailing_delimiter` means that each line, the header too, ends in one more
    delimiter. `skip_rows` lines or rows of titles stand above the header, and what follows the first blank one are
    notes (`stop_at_blank`). `final_newline: false` lets the last line end without one. Of Excel alone: `sheet` (by
    default the first that is shown), `header_rows` (a header of several rows: names joined with ` / ` from above,
    merged headings carried to the right), `hidden_rows`, and `fill_down`: columns whose blank cells have the value
    above, as cells merged downwards have.
    `codebook` is a glob of the file in the delivery that says where the columns stand: a DDI-Codebook for `fixed_width`
    (without one, each column has `start` and `width`), a dictionary for `cspro`, by default `*.dcf`. `record` names the
    record of that dictionary which an entity is.
    """

    type: Literal["delimited", "parquet", "excel", "spss", "stata", "fixed_width", "cspro"] = "delimited"
    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    header: bool | Literal["by_name"] = True
    trailing_delimiter: bool = False
    decimal: Literal[".", ","] = "."
    null_values: tuple[str, ...] = ("",)
    sheet: str | None = None
    skip_rows: int = 0
    header_rows: Annotated[int, Field(ge=1)] = 1
    stop_at_blank: bool = False
    hidden_rows: Literal["refuse", "read", "skip"] = "refuse"
    fill_down: tuple[str, ...] = ()
    final_newline: bool = True
    unpivot: Unpivot | None = None
    codebook: str | None = None
    record: str | None = None

    @property
    def companion(self) -> str | None:
        """Glob of the file that comes beside the data and says where their columns stand; None for other formats."""
        return self.codebook or ("*.dcf" if self.type == "cspro" else None)

    @model_validator(mode="after")
    def _of_their_kind(self) -> "Format":
        idle = sorted(name for name in self.model_fields_set if self.type not in HONOURED.get(name, {self.type}))
        if idle:
            raise ValueError(f"{', '.join(f'`{name}`' for name in idle)} would do nothing for type {self.type}")
        if self.unpivot and self.header is not True:
            raise ValueError("`unpivot` is for a table whose header is the contract's")
        if self.header is False and self.type not in ("delimited", "excel"):
            raise ValueError("`header: false` is for a delimited or Excel table")
        if self.type == "cspro" and not self.record:
            raise ValueError("type cspro names the record of the dictionary")
        return self


class Limits(Strict):
    """Envelope limits: bytes of a delivered file, of all that an archive unpacks to, and of one line."""

    file_bytes: int = 8_000_000_000
    unpacked_bytes: int = 20_000_000_000
    line_bytes: int = 1_000_000
