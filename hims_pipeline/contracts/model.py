"""The contract of a source: what it sends, in which form, and what that means.

One YAML file a source, `data/contracts/<source>.yml`. Readers, staging models, compiled gate rules, assets and
documentation follow from it.
"""

import fnmatch
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hims_pipeline.contracts.design import Design

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Positive = Annotated[int, Field(ge=1)]
Raw = str | int | float  # a code as written in YAML; compared as text
DurationRule = Literal["3M", "6M", "12M", "NONE", "MIXED"]
MeasureType = Literal["stock", "flow", "mixed"]
ReferencePoint = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]  # a reference_point of definitions.csv
Allow = Literal["leading_zeros", "plus_sign", "padding", "zero_fraction"]
SPECIAL_CODES = {
    "_T": "total",
    "_U": "unknown or not stated",
    "_Z": "not applicable",
    "_R": "refused",
    "_C": "suppressed",
}


def matches(file_name: str, glob: str) -> bool:
    """Does a base name fit a glob? Case is not looked at, since senders' systems do not."""
    return fnmatch.fnmatchcase(file_name.lower(), glob.lower())


class Strict(BaseModel):
    """Unknown fields are errors: a misspelt option must not be an option that does nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(BaseModel):
    """A label in the languages of the observatory, by their ISO 639 codes. English, the working language of reports and
    documentation, is the one that must be there; `observatory.yml` says which others are."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")], str] = Field(init=False)
    en: str

    def get(self, language: str) -> str:
        """The label in a language; empty where there is none."""
        return self.en if language == "en" else self.others.get(language, "")

    @property
    def others(self) -> dict[str, str]:
        """The label in languages other than English."""
        return dict(self.__pydantic_extra__ or {})

    def columns(self, name: str, languages: tuple[str, ...]) -> dict[str, str]:
        """The label as columns of a table, `<name>_<language>` each."""
        return {f"{name}_{language}": self.get(language) for language in languages}


class Unpivot(Strict):
    """A wide table becomes rows: a heading goes into the column `names`, the cell under it into `values`.

    All other columns of the contract stand before the headings, in this order.
    """

    names: str
    values: str


class Format(Strict):
    """How the files of a source are written; an entity or a layout may replace it as a whole.

    `null_values` are read as missing. `trailing_delimiter` means that each line, the header too, ends in one more
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
    header: bool = True
    trailing_delimiter: bool = False
    decimal: Literal[".", ","] = "."
    null_values: tuple[str, ...] = ("",)
    sheet: str | None = None
    skip_rows: int = 0
    header_rows: Annotated[int, Field(ge=1)] = 1
    stop_at_blank: bool = False
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

    file_bytes: int = 8_000_000_000
    unpacked_bytes: int = 20_000_000_000
    line_bytes: int = 1_000_000


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
    missing: dict[Raw, str] = {}
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

    @property
    def kept(self) -> bool:
        """False for what never leaves the identified zone: it is checked in the header and not read further."""
        return self.sensitivity != "free_text"

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
    when: dict[str, list[Raw]] = {}
    otherwise: Raw | None = None
    default: Raw | None = None
    multiply: float | None = None
    replace: dict[Raw, Raw] = {}

    @model_validator(mode="after")
    def _one_origin(self) -> "ColumnMap":
        if (self.from_ is None) == (self.value is None):
            raise ValueError("a mapping has either `from` (a column sent) or `value` (a constant)")
        return self


class Feed(Strict):
    """The conformed fact that an entity feeds; `exclude` leaves out rows, such as aggregates sent beside countries."""

    fact: Name
    columns: dict[Name, ColumnMap]
    exclude: dict[Name, list[Raw]] = {}


class Entity(Strict):
    """One table of a delivery.

    Args:
        files: globs on the base name of a file, outside or inside an archive.
        header: all names in the file, in order, where `columns` does not name them all; the rest is not read.
        minimum_rows: fewer rows refuse the batch.
        record_tolerance: share of lines that may be set aside as rejects; 0 refuses the batch at the first misfit.
        universe, duration_rule, measure_type, reference_point, design: where they differ from the source's, as
            between the questionnaires of one survey.
        window_years: of reported events, the years up to the period's last day in which they happened.
    """

    title: Text
    grain: str
    files: tuple[str, ...]
    required: bool = True
    format: Format | None = None
    header: tuple[str, ...] | None = None
    key: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    minimum_rows: int = 1
    record_tolerance: float = 0.0
    columns: tuple[Column, ...]
    feeds: tuple[Feed, ...] = ()
    universe: Name | None = None
    duration_rule: DurationRule | None = None
    measure_type: MeasureType | None = None
    reference_point: ReferencePoint | None = None
    design: Design | None = None
    window_years: int | None = None

    @property
    def kept_columns(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.kept)

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def takes(self, file_name: str) -> bool:
        return any(matches(file_name, glob) for glob in self.files)

    @model_validator(mode="after")
    def _names_exist(self) -> "Entity":
        names = [column.name for column in self.columns]
        if doubled := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"column named twice: {', '.join(sorted(doubled))}")
        used = {*self.key, *(c for ref in self.references for c in ref.columns)}
        for feed in self.feeds:
            used |= {m.from_ for m in feed.columns.values() if m.from_} | {
                c for m in feed.columns.values() for c in m.when
            }
        if missing := used - {column.name for column in self.kept_columns}:
            raise ValueError(f"no such column, or one that is not kept: {', '.join(sorted(missing))}")
        if self.header and (absent := set(names) - set(self.header)):
            raise ValueError(f"in columns but not in header: {', '.join(sorted(absent))}")
        return self


class EntityLayout(Strict):
    """What differs in some periods: the names of the files and the names in them (`names`: contract name -> name sent),
    the format, columns with other codes or types (each a whole column record), and mappings into the fact. `absent`
    columns were not asked then; `required` says whether the entity must be sent then."""

    files: tuple[str, ...] | None = None
    header: tuple[str, ...] | None = None
    format: Format | None = None
    names: dict[str, str] = {}
    columns: tuple[Column, ...] = ()
    absent: tuple[str, ...] = ()
    required: bool | None = None
    feeds: dict[Name, ColumnMap] = {}


def _without(absent: tuple[str, ...], columns: dict[str, ColumnMap]) -> dict[str, ColumnMap]:
    """Mappings that need none of the absent columns; the others give no value."""
    return {name: one for name, one in columns.items() if not {one.from_, *one.when} & set(absent)}


class Layout(Strict):
    """A drift of layout: the periods it holds for, and what is different entity by entity."""

    name: Name
    periods: tuple[str, ...]
    entities: dict[Name, EntityLayout]


class Period(Strict):
    """What a period of this source is and what a new delivery replaces.

    `reference_period`: what the data are about. `edition`: when they were issued; editions stay side by side.
    `pattern` gives the spelling: 2024, 2024Q1, 2024-06; 2023-24 for an academic year; 2024-12-10 for the state on a
    day, or a sum up to it.
    """

    kind: Literal["reference_period", "edition"] = "reference_period"
    pattern: Literal["year", "quarter", "month", "academic_year", "date"] = "year"
    supersedes: Literal["same_period", "earlier_editions", "nothing"] = "same_period"


class Owner(Strict):
    institution: str
    contact: str
    country: str = ""


class Licence(Strict):
    name: str
    attribution: str
    redistributable: bool


class Legal(Strict):
    """The record of a personal source; production refuses such a source without one."""

    basis: str
    record: str = ""
    retention_years: int


class Contract(Strict):
    """A source. `country` is the one it reports on, absent where it reports on many."""

    source: Name
    title: Text
    description: str
    status: Literal["active", "proposed"] = "active"
    data_kind: Literal["real", "aggregate", "synthetic"]
    country: str | None = None
    personal: bool = False
    owner: Owner
    licence: Licence
    purpose: str
    legal: Legal
    cadence: Literal["monthly", "quarterly", "annual", "decennial", "irregular"]
    period: Period
    clock: str
    reference_dates: dict[str, tuple[str, str]] = {}
    universe: Name
    duration_rule: DurationRule
    measure_type: MeasureType
    reference_point: ReferencePoint | None = None
    design: Design | None = None
    format: Format = Format()
    limits: Limits = Limits()
    entities: dict[Name, Entity]
    layouts: tuple[Layout, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> "Contract":
        for name, entity in self.entities.items():
            for reference in entity.references:
                if reference.entity not in self.entities:
                    raise ValueError(f"{name}: references {reference.entity}, which is no entity of {self.source}")
            formats = [
                entity.format or self.format,
                *(o.entities[name].format for o in self.layouts if name in o.entities),
            ]
            for unpivot in (form.unpivot for form in formats if form and form.unpivot):
                if other := {unpivot.names, unpivot.values} - {column.name for column in entity.kept_columns}:
                    raise ValueError(f"{name}: `unpivot` names no such column: {', '.join(sorted(other))}")
        for layout in self.layouts:
            if unknown := set(layout.entities) - set(self.entities):
                raise ValueError(f"layout {layout.name}: no such entity {', '.join(sorted(unknown))}")
        kept = {name: {column.name for column in entity.kept_columns} for name, entity in self.entities.items()}
        drifted = {c.name for layout in self.layouts for other in layout.entities.values() for c in other.columns}
        if self.design:
            self.design.check("the source", kept, drifted.union(*kept.values()))
        for name, entity in self.entities.items():
            if entity.design:
                entity.design.check(name, kept, kept[name])
        if self.personal and not self.legal.basis:
            raise ValueError("a personal source needs a legal basis")
        for period in ("", *(period for layout in self.layouts for period in layout.periods[:1])):
            for name in self.entities:
                self._placed(name, period)
                self._drawn(name, period)
        return self

    def reference_point_of(self, name: str) -> str:
        """The day or span within a period that an entity's rows are about: where nothing else is said, a stock is that
        of the period's end, and a flow that of the whole period."""
        entity = self.entities[name]
        usual = {"stock": "END_OF_PERIOD", "flow": "PERIOD", "mixed": "MIXED"}
        return entity.reference_point or self.reference_point or usual[entity.measure_type or self.measure_type]

    def _placed(self, name: str, period: str) -> None:
        form = self.format_in(name, period)
        if form.type != "fixed_width" or form.codebook:
            return
        columns = self.entity_in(name, period).kept_columns
        if lost := [column.name for column in columns if column.start is None or column.width is None]:
            raise ValueError(f"{name}: without a codebook each column has `start` and `width`: {', '.join(lost)}")

    def _drawn(self, name: str, period: str) -> None:
        """A layout that lacks strata or units which others have needs a fallback, and the fallback's own columns."""
        design = self.entities[name].design or self.design
        sent = {column.name for column in self.entity_in(name, period).kept_columns}
        usual = {column.name for column in self.entities[name].kept_columns}
        if design and (lost := design.lost_in(sent, usual)):
            raise ValueError(
                f"{name} in {period or 'its base layout'}: nothing stands for {', '.join(lost)} of its design"
            )

    def layout_of(self, period: str) -> Layout | None:
        return next((layout for layout in self.layouts if period in layout.periods), None)

    def entity_in(self, name: str, period: str) -> Entity:
        """The entity as it is in a period: the base record with that period's layout laid over it."""
        entity, layout = self.entities[name], self.layout_of(period)
        if layout is None or name not in layout.entities:
            return entity
        other = layout.entities[name]
        changed = {column.name: column for column in other.columns}
        columns = tuple(changed.pop(column.name, column) for column in entity.columns) + tuple(changed.values())
        columns = tuple(column for column in columns if column.name not in other.absent)
        feeds = tuple(
            feed.model_copy(update={"columns": _without(other.absent, {**feed.columns, **other.feeds})})
            for feed in entity.feeds
        )
        return entity.model_copy(
            update={
                "columns": columns,
                "feeds": feeds,
                "header": other.header or entity.header,
                "format": other.format or entity.format,
                "files": other.files or entity.files,
                "required": entity.required if other.required is None else other.required,
            }
        )

    def sent_names(self, name: str, period: str) -> dict[str, str]:
        """Contract name -> name in the file, for the columns that a period's layout renames."""
        layout = self.layout_of(period)
        return dict(layout.entities[name].names) if layout and name in layout.entities else {}

    def format_in(self, name: str, period: str) -> Format:
        return self.entity_in(name, period).format or self.format

    def takers(self, file_name: str, period: str) -> list[str]:
        """The entities that a file holds, by its name; several only where it holds several records of CSPro."""
        found = [name for name in self.entities if self.entity_in(name, period).takes(file_name)]
        if self.is_companion(file_name, period):
            return []
        shared = [name for name in found if self.format_in(name, period).type == "cspro"]
        return shared if found[:1] == shared[:1] else found[:1]

    def is_companion(self, file_name: str, period: str) -> bool:
        """Is this a codebook or dictionary that some entity of this period needs?"""
        globs = {glob for name in self.entities if (glob := self.format_in(name, period).companion)}
        return any(matches(file_name, glob) for glob in globs)
