"""One variable: how it is sent, how it points elsewhere, and how a fact's column comes of it."""

import re
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from hims_pipeline.contracts.basics import SPECIAL_CODES, Name, Positive, Raw, Strict, Text

# A pattern that lets one of these through lets anybody's name through.
_NAMES = ("Fatma Ben Salah", "FATMA BEN SALAH", "Ben Salah, Fatma", "Trabelsi", "TRABELSI", "فاطمة بن صالح")
Allow = Literal["leading_zeros", "plus_sign", "padding", "zero_fraction"]


class Column(Strict):
    """One variable as the source sends it.

    Args:
        type: `integer`, `decimal` (with `scale` digits after the point), `number` (measured, binary), `text`,
            `date` (written as `date_format`, strptime style) or `boolean`.
        allow: spellings beyond the plain one: `leading_zeros` (007), `plus_sign` (+7), `padding` (blanks around),
            `zero_fraction` (7.0 for the integer 7).
        sensitivity: `identifier` leaves the identified zone only as a keyed pseudonym; `free_text` never leaves it;
            `sensitive` and `quasi` stay out of logs, verdicts and reports; `open` may be shown.
        domain: key domain of an identifier's pseudonym, by default the source's name. Registers have domains of their
            own, so that nothing outside the identified zone joins them.
        links: the kind of number that an identifier is, such as `national_id`. Inside the zone, pairs of pseudonyms are
            written by which the linkage joins this register with others that hold the same kind of number.
        codes: the codes that may occur, with the source's own label.
        missing: codes that stand for no value, mapped to one of the special codes (`_U`, `_Z`, `_R`, `_C`).
        crosswalk: name of the scheme of `xwalk_country.csv` or `xwalk_area.csv` that lists the codes.
        unique: True for a column that alone identifies a row.
        start, width: first character in a line (from 1) and number of characters, for `fixed_width`; beside a codebook
            they are what it must say.
        open_text: why text that no list, crosswalk or pattern closes may leave the identified zone; in a personal
            source it does not leave without.
        may_hold: shape of `identifier_shapes.csv` -> why values of this shape in this column name nobody.
        implied_decimals: the last so many digits stand behind a point that is not written, where no codebook says so.
    """

    name: str
    label: Text | str = ""
    type: Literal["integer", "decimal", "number", "text", "date", "boolean"] = "text"
    scale: int = 2
    date_format: str = "%Y-%m-%d"
    allow: tuple[Allow, ...] = ()
    required: bool = False
    minimum: float | str | None = None
    maximum: float | str | None = None
    pattern: str | None = None
    codes: dict[Raw, str] | None = None
    missing: dict[Raw, str] = Field(default_factory=dict)
    crosswalk: str | None = None
    unique: bool = False
    sensitivity: Literal["open", "quasi", "sensitive", "identifier", "free_text"] = "open"
    domain: Name | None = None
    links: Name | None = None
    unit: str = ""
    may_be_empty: bool = False
    start: Positive | None = None
    width: Positive | None = None
    implied_decimals: Annotated[int, Field(ge=0, le=9)] = 0
    open_text: str = ""
    may_hold: dict[str, str] = Field(default_factory=dict)

    @property
    def kept(self) -> bool:
        """False for what never leaves the identified zone: it is checked in the header and not read further."""
        return self.sensitivity != "free_text"

    @property
    def is_open_text(self) -> bool:
        """Text that may say anything: nothing lists its values, and no pattern keeps a person's name out."""
        if self.type != "text" or self.sensitivity in ("identifier", "free_text") or self.codes or self.crosswalk:
            return False
        return self.pattern is None or any(re.fullmatch(self.pattern, name) for name in _NAMES)

    def valid_codes(self) -> list[str] | None:
        """All codes that may occur, those for missing included, as text; None where any value may."""
        if self.codes is None:
            return None
        return [str(code) for code in (*self.codes, *self.missing)]

    @model_validator(mode="after")
    def _consistent(self) -> "Column":
        if self.sensitivity == "identifier" and self.type != "text":
            raise ValueError(f"{self.name}: an identifier is text, or leading zeros would be lost")
        if self.links and self.sensitivity != "identifier":
            raise ValueError(f"{self.name}: only an identifier links registers")
        if self.pattern and self.type != "text":
            raise ValueError(f"{self.name}: a pattern goes with type text")
        if (self.open_text or self.may_hold) and not self.is_open_text:
            raise ValueError(f"{self.name}: `open_text` and `may_hold` go with text that nothing else closes")
        if bad := set(self.missing.values()) - set(SPECIAL_CODES):
            raise ValueError(
                f"{self.name}: missing codes map to {', '.join(SPECIAL_CODES)}, not {', '.join(sorted(bad))}"
            )
        return self


class Reference(Strict):
    """Rows here point at rows of another entity of the same delivery; `orphan_share` is the share that may dangle."""

    columns: tuple[str, ...]
    entity: Name
    to: tuple[str, ...] = ()
    orphan_share: tuple[float, float] = (0.0, 0.0)


class ColumnMap(Strict):
    """How a column of a conformed fact comes from the columns sent.

    Args:
        from_: the column sent (in YAML: `from`).
        value: a constant instead.
        codes: code sent -> conformed code; must cover every valid code of the column.
        crosswalk: scheme of a crosswalk file that translates the codes.
        assign: scheme of `correspondences.csv`: a code that became several is assigned to one of them, record
            by record, by their shares and a stored seed.
        when: column -> values; the mapping holds on these rows, others get `otherwise`.
        otherwise: conformed code of the rows that `when` leaves out.
        default: conformed code of a missing value; NULL stays NULL without it.
        multiply: factor into the fact's unit, such as 1000 for a source that writes thousands.
        replace: single values that stand for another one, such as -1 for an age below one year; the rest stays.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    from_: str | None = Field(None, alias="from")
    value: Raw | None = None
    codes: dict[Raw, Raw] | None = None
    crosswalk: str | None = None
    assign: Annotated[str, Field(pattern=r"^[A-Z0-9_]+$")] | None = None
    when: dict[str, list[Raw]] = Field(default_factory=dict)
    otherwise: Raw | None = None
    default: Raw | None = None
    multiply: float | None = None
    replace: dict[Raw, Raw] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_origin(self) -> "ColumnMap":
        if (self.from_ is None) == (self.value is None):
            raise ValueError("a mapping has either `from` (a column sent) or `value` (a constant)")
        return self
