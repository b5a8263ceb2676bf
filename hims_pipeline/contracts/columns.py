"""One variable: how it is sent, how it points elsewhere, and how a fact's column comes of it."""

import re
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from hims_pipeline.contracts.basics import SPECIAL_CODES, Flag, Name, Positive, Raw, Strict, Text, Whole
from hims_pipeline.contracts.formats import Format
from hims_pipeline.contracts.missing import Missing, missing_of
from hims_pipeline.contracts.open_text import admits_names
from hims_pipeline.contracts.values import NUMERIC, Kind, Value, value_of

_DIGIT = re.compile(r"[\s0-9.,+-]|^$")
Allow = Literal[
    "leading_zeros", "plus_sign", "minus_sign", "padding", "zero_fraction", "digit_groups", "mark_groups",
    "arabic_digits", "percent"
]  # fmt: skip
# Words of `allow` that mean nothing elsewhere.
OF_NUMBERS = ("minus_sign", "digit_groups", "mark_groups", "arabic_digits", "percent")
# What a day can be written with, and what says its year.
_DIRECTIVES = re.compile(r"%(-?[dmyHIMSj]|[aAbBYGVuUWwpfgn%])")
_YEAR = re.compile(r"%-?[yYG]")


class Column(Strict):
    """One variable as the source sends it.

    Args:
        name: as it stands in the file's header.
        label: what it is, in words.
        type: `integer`, `decimal` (with `scale` digits after the point), `number` (measured, binary), `text`,
            `date` (written as `date_format`, strptime style) or `boolean`.
        allow: spellings beyond the plain one: `leading_zeros` (007), `plus_sign` (+7), `minus_sign` (−7, with the sign
            U+2212), `padding` (blanks around), `zero_fraction` (7.0 for the integer 7), `digit_groups` (1 056 247 or
            1'056'247: groups of three between blanks or apostrophes, one and the same in a number), `mark_groups`
            (1,056,247, or 1.056.247 where the decimal mark is a comma), `arabic_digits` (Arabic-Indic and Persian ones,
            with their own decimal mark), `percent` (12.5 % for 12.5; nothing is divided).
        scale: digits after the point of a `decimal`.
        date_format: how dates are written, strptime style; `%y`, a year without its century, goes with both bounds.
        required: a value must stand in every row, or something that the column declares missing.
        minimum, maximum: bounds of a number or a date. Dates of years before 1583 are refused as those of another
            calendar (Hijri, Persian) unless `minimum` is one.
        pattern: regular expression that a text, or an identifier before it is replaced, must match as a whole.
        unit: unit of the values, for people.
        may_be_empty: a file without a single value is not refused.
        sensitivity: `identifier` leaves the identified zone only as a keyed pseudonym; `free_text` never leaves it;
            `sensitive` and `quasi` stay out of logs, verdicts and reports; `open` may be shown.
        domain: key domain of an identifier's pseudonym, by default the source's name. Registers have domains of their
            own, so that nothing outside the identified zone joins them.
        links: the kind of number that an identifier is, such as `national_id`. Inside the zone, pairs of pseudonyms are
            written by which the linkage joins this register with others that hold the same kind of number.
        codes: the codes that may occur, with the source's own label.
        missing: what stands for no value, mapped to one of the special codes (`_U`, `_Z`, `_R`, `_C`): codes (`9999`),
            ranges (`995..999`, `..-1`, `90000..`), and marks that are no value of the type (`*`, `..`, a letter of
            Stata's). Codes are compared as values: 9999 is 9999.00.
        null_values: words that are nothing at all in this column, instead of the format's. Those of the format do not
            hold for a column of text with `codes` or a `crosswalk`, where `NA` may be Namibia.
        flags: what may stand behind a value (`12345 b`, `: c`), mapped to status codes (`B`), or to a special code
            where there is then no value. Blanks around such cells are allowed.
        crosswalk: name of the scheme of `xwalk_country.csv` or `xwalk_area.csv` that lists the codes.
        unique: True for a column that alone identifies a row.
        start, width: first character in a line (from 1) and number of characters, for `fixed_width`; beside a codebook
            they are what it must say.
        open_text: why text that no list, crosswalk or pattern closes may leave the identified zone; in a personal
            source it does not leave without.
        may_hold: shape of `identifier_shapes.csv` -> why values of this shape in this column name nobody; of open text
            whose rows mostly have a value of their own, `EACH_ITS_OWN`.
        implied_decimals: the last so many digits stand behind a point that is not written, where no codebook says so.
    """

    name: str
    label: Text | str = ""
    type: Literal["integer", "decimal", "number", "text", "date", "boolean"] = "text"
    scale: Whole = 2
    date_format: str = "%Y-%m-%d"
    allow: tuple[Allow, ...] = ()
    required: Flag = False
    minimum: float | str | None = None
    maximum: float | str | None = None
    pattern: str | None = None
    codes: dict[Raw, str] | None = None
    missing: dict[Raw, str] = Field(default_factory=dict)
    null_values: tuple[str, ...] | None = None
    flags: dict[str, Annotated[str, Field(pattern=r"^(_[A-Z]|[A-Z])$")]] = Field(default_factory=dict)
    crosswalk: str | None = None
    unique: Flag = False
    sensitivity: Literal["open", "quasi", "sensitive", "identifier", "free_text"] = "open"
    domain: Name | None = None
    links: Name | None = None
    unit: str = ""
    may_be_empty: Flag = False
    start: Positive | None = None
    width: Positive | None = None
    implied_decimals: Annotated[Whole, Field(ge=0, le=9)] = 0
    open_text: str = ""
    may_hold: dict[str, str] = Field(default_factory=dict)

    @property
    def kept(self) -> bool:
        """False for what never leaves the identified zone: it is checked in the header and not read further."""
        return self.sensitivity != "free_text"

    @property
    def absent(self) -> Missing:
        """What stands for no value in this column, and why."""
        return self.missing_values_in(Format(null_values=()))

    def missing_values_in(self, form: Format) -> Missing:
        """What stands for no value where the column is sent in this format, whose null words may hold for it too."""
        opaque = self.sensitivity == "identifier"
        coded = self.type == "text" and (self.codes is not None or self.crosswalk is not None)
        nulls = self.null_values if self.null_values is not None else () if coded else form.null_values
        return missing_of(self.type, self.missing, nulls, self.flags, self.scale, self.date_format, opaque)

    def value_of(self, text: object) -> Value | None:
        """The value of this column that a text in the contract stands for; None where it can be none of it."""
        return value_of(self.type, text, self.scale, self.date_format)

    @property
    def rule_names(self) -> list[str]:
        """Ends of the codes of the rules compiled from this column, and of those that may follow from what it is mapped
        into."""
        has = {
            "REQUIRED": self.required, "UNIQUE": self.unique, "CODES": self.codes is not None,
            "RANGE": self.minimum is not None or self.maximum is not None,
            "PATTERN": bool(self.pattern) and self.sensitivity != "identifier", "XWALK": bool(self.crosswalk),
        }  # fmt: skip
        return [*(name for name, is_there in has.items() if is_there), "FITS", "NEEDED"]

    @property
    def is_open_text(self) -> bool:
        """Text that may say anything: nothing lists its values, and no pattern keeps a person's name out."""
        if self.type != "text" or self.sensitivity in ("identifier", "free_text") or self.codes or self.crosswalk:
            return False
        return self.pattern is None or admits_names(self.pattern)

    def valid_codes(self) -> list[str] | None:
        """All codes that may occur, those for missing included, as a value of the type prints; None where any value
        may, or a range of missing ones."""
        if self.codes is None or self.absent.ranges:
            return None
        values = [value for code in (*self.codes, *self.missing) if (value := self.value_of(code)) is not None]
        digits = {"integer": 0, "decimal": self.scale}.get(self.type)
        return [str(value) if digits is None else f"{value:.{digits}f}" for value in values]

    @model_validator(mode="after")
    def _check_consistency(self) -> "Column":
        if self.sensitivity == "identifier" and self.type != "text":
            raise ValueError(f"{self.name}: an identifier is text, or leading zeros would be lost")
        if self.links and self.sensitivity != "identifier":
            raise ValueError(f"{self.name}: only an identifier links registers")
        if self.pattern and self.type != "text":
            raise ValueError(f"{self.name}: a pattern goes with type text")
        if (self.open_text or self.may_hold) and not self.is_open_text:
            raise ValueError(f"{self.name}: `open_text` and `may_hold` go with text that nothing else closes")
        special = {*self.missing.values(), *(to for to in self.flags.values() if to.startswith("_"))}
        if bad := special - set(SPECIAL_CODES):
            raise ValueError(
                f"{self.name}: missing codes map to {', '.join(SPECIAL_CODES)}, not {', '.join(sorted(bad))}"
            )
        if problems := [*self._strange_codes(), *self._strange_bounds(), *self._strange_words()]:
            raise ValueError(f"{self.name}: {'; '.join(problems)}")
        return self

    def _strange_codes(self) -> list[str]:
        """Codes that are no value of the type, that are one value twice, or a value and missing at once."""
        kind = f"type {self.type}" + (f" with {self.scale} decimals" if self.type == "decimal" else "")
        values = {code: self.value_of(code) for code in self.codes or ()}
        problems = [f"code {code!r} is no value of {kind}" for code, value in values.items() if value is None]
        known = [value for value in values.values() if value is not None]
        problems += [f"code {value} stands twice" for value in {one for one in known if known.count(one) > 1}]
        both = set(known) & set(self.absent.codes)
        return problems + [f"{value} is a code and stands for missing" for value in sorted(both, key=str)]

    def _strange_bounds(self) -> list[str]:
        bounds = [one for one in (self.minimum, self.maximum) if one is not None]
        if self.type == "date" and (strange := self._strange_date_format(len(bounds))):
            return [strange]
        if bounds and self.type not in (*NUMERIC, "date"):
            return [f"minimum and maximum go with numbers and dates, not with type {self.type}"]
        kind: Kind = "number" if self.type in NUMERIC else self.type
        values = [value_of(kind, bound) for bound in bounds]
        if None not in values and len(values) == 2 and values[0] > values[1]:  # type: ignore[operator]
            return [f"no value is from {bounds[0]} to {bounds[1]}"]
        unfit = [bound for bound, value in zip(bounds, values, strict=True) if value is None]
        return [f"the bound {bound!r} is no value of type {self.type}" for bound in unfit]

    def _strange_date_format(self, bounds: int) -> str:
        """What no day can be read by: a sign of strptime that means none, no year, or a century that nothing tells."""
        if "%" in _DIRECTIVES.sub("", self.date_format):
            return f"date_format {self.date_format!r} holds a sign that no day is written with"
        if not _YEAR.search(self.date_format):
            return f"date_format {self.date_format!r} has no year"
        if re.search("%-?y", self.date_format) and bounds < 2:
            return "date_format with %y leaves the century open (45 is 2045): give `minimum` and `maximum` too"
        return ""

    def _strange_words(self) -> list[str]:
        """Null words that are codes too, spellings of numbers elsewhere, and flags that could be part of a value."""
        codes = {str(code) for code in (*(self.codes or ()), *self.missing)}
        problems = [f"{word!r} is a code and a null word" for word in self.null_values or () if word in codes]
        if self.flags and (self.type not in (*NUMERIC, "date") or self.sensitivity == "identifier"):
            problems.append("flags stand behind numbers and dates")
        if self.type not in NUMERIC:
            problems += [f"`{word}` in `allow` is for numbers" for word in self.allow if word in OF_NUMBERS]
        problems += ["% is a flag and allowed behind a number"] * ("%" in self.flags and "percent" in self.allow)
        return problems + [
            f"the flag {flag!r} could be part of a value"
            for flag in self.flags
            if not flag.strip() or _DIGIT.search(flag)
        ]


class Reference(Strict):
    """Rows here point at rows of another entity of the same delivery.

    Args:
        columns: the columns that point.
        entity: the entity that they point at.
        to: its columns, where they have other names.
        name: what a mapping's `of` and the rule's code call it, by default the entity's name; for several references to
            one entity, such as a person's mother and father.
        orphan_share: least and largest share of rows that may dangle.
    """

    columns: tuple[str, ...]
    entity: Name
    to: tuple[str, ...] = ()
    name: Name | None = None
    orphan_share: tuple[float, float] = (0.0, 0.0)

    @property
    def called(self) -> str:
        return self.name or self.entity

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns that are pointed at."""
        return self.to or self.columns


class ColumnMap(Strict):
    """How a column of a conformed fact comes from the columns sent.

    Args:
        from_: the column sent (in YAML: `from`).
        of: the reference that leads to the entity of the same delivery whose column `from` is, such as a person's
            household; references of references are joined by points (`households.dwellings`). The reference must join
            on that entity's whole key. A row without a counterpart gets no value, or `default`.
        value: a constant instead.
        take: `value`, or why a cell has none (`missing`: the special code), or its status (`flag`).
        codes: code sent -> conformed code; must cover every valid code of the column. Codes for missing that it leaves
            out become their special code, where the fact's column knows it.
        crosswalk: scheme of a crosswalk file that translates the codes.
        assign: scheme of `correspondences.csv`: a code that became several is assigned to one of them, record
            by record, by their shares and a stored seed.
        when: column -> values; the mapping holds on these rows, others get `otherwise`.
        otherwise: conformed code of the rows that `when` leaves out. Where a column of `when` is missing, the row gets
            that column's special code, or `default`, and never `otherwise`.
        default: conformed code of a missing value; NULL stays NULL without it.
        multiply: factor into the fact's unit, such as 1000 for a source that writes thousands.
        replace: single values that stand for another one, such as -1 for an age below one year; the rest stays.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    from_: str | None = Field(None, alias="from")
    of: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*([.][a-z][a-z0-9_]*){0,2}$")] | None = None
    value: Raw | None = None
    take: Literal["value", "missing", "flag"] = "value"
    codes: dict[Raw, Raw] | None = None
    crosswalk: str | None = None
    assign: Annotated[str, Field(pattern=r"^[A-Z0-9_]+$")] | None = None
    when: dict[str, list[Raw]] = Field(default_factory=dict)
    otherwise: Raw | None = None
    default: Raw | None = None
    multiply: float | None = None
    replace: dict[Raw, Raw] = Field(default_factory=dict)

    @property
    def own_columns(self) -> set[str]:
        """The columns of the entity itself that it reads."""
        return {*self.when, *((self.from_,) if self.from_ and self.of is None else ())}

    @model_validator(mode="after")
    def _check_origin(self) -> "ColumnMap":
        if (self.from_ is None) == (self.value is None):
            raise ValueError("a mapping has either `from` (a column sent) or `value` (a constant)")
        if self.of and self.from_ is None:
            raise ValueError("`of` goes with `from`")
        kinds = [name for name in ("codes", "crosswalk", "assign") if getattr(self, name) is not None]
        if len(kinds) > 1:
            raise ValueError(f"a mapping has one of `codes`, `crosswalk` and `assign`, not {' and '.join(kinds)}")
        idle = [name for name in ("multiply", "replace") if getattr(self, name) and (kinds or self.from_ is None)]
        idle += kinds if self.from_ is None else []
        if idle:
            raise ValueError(
                f"`{idle[0]}` does nothing here: it goes with `from`, and with no other way of translating"
            )
        if self.take != "value" and (
            self.from_ is None or self.multiply or self.replace or self.crosswalk or self.assign
        ):
            raise ValueError("`take` goes with `from`, and with `codes` alone")
        if self.otherwise is not None and not self.when:
            raise ValueError("`otherwise` goes with `when`")
        return self
