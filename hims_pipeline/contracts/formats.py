"""How the files of a source are written, and how large they may be."""

import codecs
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from hims_pipeline.contracts.basics import Flag, Strict, Whole

# The registry of formats: a type that contracts may name -> its module under `readers/formats`.
FORMATS = {
    "delimited": "delimited",
    "parquet": "parquet",
    "excel": "excel",
    "spss": "spss",
    "stata": "stata",
    "fixed_width": "fixed_width",
    "cspro": "cspro.data",
    "eurostat_tsv": "eurostat_tsv",
    "sdmx_csv": "sdmx_csv",
}


def _check_known(type_: str) -> str:
    if type_ not in FORMATS:
        raise ValueError(f"there is no format {type_}; there are {', '.join(FORMATS)}")
    return type_


FormatType = Annotated[str, AfterValidator(_check_known)]


class Unpivot(Strict):
    """A wide table becomes rows: a heading goes into the column `names`, the cell under it into `values`.

    All other columns of the contract stand before the headings, in this order.

    Args:
        names: column that the headings go into.
        values: column that the cells go into.
    """

    names: str
    values: str


# Codecs of Python that are no encoding of a text file.
_NO_ENCODINGS = {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}
_TEXT = {"delimited", "fixed_width", "cspro"}
# Option -> the types that honour it: one that would do nothing does not load.
HONOURED = {
    "delimiter": {"delimited", "sdmx_csv"},
    "quote": {"delimited"},
    "encoding": _TEXT,
    "trailing_delimiter": {"delimited"},
    "sheet": {"excel"},
    "skip_rows": {"delimited", "excel"},
    "header_rows": {"excel"},
    "stop_at_blank": {"delimited", "excel"},
    "hidden_rows": {"excel"},
    "fill_down": {"excel"},
    "final_newline": _TEXT | {"sdmx_csv", "eurostat_tsv"},
    "unread_damage": _TEXT,
    "unpivot": {"delimited", "excel", "eurostat_tsv"},
    "codebook": {"fixed_width", "cspro"},
    "record": {"cspro", "fixed_width"},
}


class Format(Strict):
    """How the files of a source are written; an entity or a layout may replace it as a whole.

    Args:
        type: what kind of file it is. `spss` is .sav and .por, `excel` .xlsx, .xls and .ods, `cspro` text with its
            dictionary or a database (.csdb), which needs none. `eurostat_tsv` is Eurostat's own (keys with commas
            between them in the first field, then years) and has an `unpivot`; `sdmx_csv` is SDMX-CSV 1.0 or 2.x, its
            columns found by name.
        delimiter, quote: of delimited text.
        encoding: of a text; the whole file is checked for it.
        any_letters: letters of all languages may stand in one word, or words be none of any language; without it a
            file whose letters make words only as another encoding reads them is refused.
        header: whether the first line holds the names; `by_name` finds the columns that are read by their names,
            wherever they stand, and tells of the others.
        trailing_delimiter: each line, the header too, ends in one more delimiter.
        decimal: the decimal mark.
        null_values: words that are read as missing, but not in a column of text with codes or a crosswalk, where `NA`
            may be Namibia; `null_values` of a column say it there.
        sheet: name of the sheet; by default the first that is shown.
        skip_rows: lines or rows of titles above the header.
        header_rows: rows of the header; names are joined with ` / ` from above, merged headings carried to the right.
        stop_at_blank: what follows the first blank line or row, or line of nothing but delimiters, are notes.
        hidden_rows: what becomes of rows that the sheet hides.
        fill_down: columns whose blank cells have the value above, as cells merged downwards have.
        final_newline: false lets the last line end without one.
        unread_damage: `tell` lets characters be damaged in columns that nobody reads, and tells of them; where the
            columns are found `by_name` that is the default, else `refuse`.
        unpivot: makes rows of a table whose headings are data.
        codebook: glob of the file in the delivery that says where the columns stand: a DDI-Codebook for `fixed_width`
            (without one, each column has `start` and `width`), a dictionary for `cspro`, by default `*.dcf`.
        record: the record of that dictionary which an entity is; of a DDI-Codebook with several types of records, the
            code of one (`P`) or its label.
    """

    type: FormatType = "delimited"
    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    any_letters: Flag = False
    header: Flag | Literal["by_name"] = True
    trailing_delimiter: Flag = False
    decimal: Literal[".", ","] = "."
    null_values: tuple[str, ...] = ("",)
    sheet: str | None = None
    skip_rows: Whole = 0
    header_rows: Annotated[Whole, Field(ge=1)] = 1
    stop_at_blank: Flag = False
    hidden_rows: Literal["refuse", "read", "skip"] = "refuse"
    fill_down: tuple[str, ...] = ()
    final_newline: Flag = True
    unread_damage: Literal["refuse", "tell"] | None = None
    unpivot: Unpivot | None = None
    codebook: str | None = None
    record: str | None = None

    @property
    def companion(self) -> str | None:
        """Glob of the file that comes beside the data and says where their columns stand; None for other formats."""
        return self.codebook or ("*.dcf" if self.type == "cspro" else None)

    @property
    def tells_unread_damage(self) -> bool:
        """Is damage in columns that nobody reads told and tolerated?"""
        return self.unread_damage == "tell" or (self.unread_damage is None and self.header == "by_name")

    @model_validator(mode="after")
    def _check_kinds(self) -> "Format":
        messages = {
            name for name in self.model_fields_set if getattr(self, name) != type(self).model_fields[name].default
        }
        idle = sorted(name for name in messages if self.type not in HONOURED.get(name, {self.type}))
        if idle:
            raise ValueError(f"{', '.join(f'`{name}`' for name in idle)} would do nothing for type {self.type}")
        self._check_signs()
        if self.unpivot and self.header is not True:
            raise ValueError("`unpivot` is for a table whose header is the contract's")
        if self.header is not True and self.type == "sdmx_csv":
            raise ValueError("columns of sdmx_csv are found by their names; leave `header` out")
        if self.header is False and self.type not in ("delimited", "excel"):
            raise ValueError("`header: false` is for a delimited or Excel table")
        if self.type == "eurostat_tsv" and not self.unpivot:
            raise ValueError("type eurostat_tsv has an `unpivot`: where the years and their values go")
        if self.type == "cspro" and not self.record:
            raise ValueError("type cspro names the record of the dictionary")
        if self.record and not self.companion:
            raise ValueError("`record` is a type of record in a codebook: name its `codebook` too")
        return self

    def _check_signs(self) -> None:
        """Delimiter, quote and encoding are such that a text can be written with them."""
        if len(self.delimiter) != 1 or len(self.quote) > 1 or not self.quote.isascii():
            raise ValueError("`delimiter` is one character, `quote` one ASCII one or none")
        if self.delimiter == self.quote or {self.delimiter, self.quote} & set("\r\n\0"):
            raise ValueError("`delimiter` and `quote` are two characters, and neither ends a line")
        try:
            name = codecs.lookup(self.encoding).name
            "".encode(name)
        except LookupError:
            name = "undefined"
        if name.replace("_", "-") in _NO_ENCODINGS:
            raise ValueError(f"{self.encoding!r} is no known encoding of text")


class FormatLimits(Strict):
    """Envelope limits, in bytes.

    Args:
        file_bytes: of a delivered file.
        unpacked_bytes: of all that an archive unpacks to.
        line_bytes: of one line.
    """

    file_bytes: Whole = 8_000_000_000
    unpacked_bytes: Whole = 20_000_000_000
    line_bytes: Whole = 1_000_000
