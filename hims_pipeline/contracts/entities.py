"""The entities of a source: the tables of a delivery, and what they feed.

Not here: the source as a whole (`model`), what differs in some periods (`layouts`), single variables (`columns`), file
formats (`formats`).
"""

import fnmatch
import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from hims_pipeline.contracts.basics import Flag, Name, Raw, Strict, Text, Whole
from hims_pipeline.contracts.columns import Column, ColumnMap, Reference
from hims_pipeline.contracts.design import Design
from hims_pipeline.contracts.formats import Format
from hims_pipeline.contracts.missing import FLAG_SUFFIX, MISSING_SUFFIX
from hims_pipeline.contracts.stated_period import StatedPeriod

DurationRule = Literal["3M", "6M", "12M", "NONE", "MIXED"]
MeasureType = Literal["stock", "flow", "mixed"]
_BESIDE = ("_line", "_source", "_period", "_batch", "_layout")  # what stands beside the columns of every record
ReferencePoint = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]  # a reference_point of definitions.csv


def is_reserved(name: str) -> bool:
    """Is this the name of a column that we set beside those sent?"""
    return name.lower().endswith((MISSING_SUFFIX, FLAG_SUFFIX)) or name.lower() in _BESIDE


def matches(file_name: str, glob: str) -> bool:
    """Does a base name fit a glob? Case is not looked at, since senders' systems do not."""
    return fnmatch.fnmatchcase(file_name.lower(), glob.lower())


def is_totals(file_name: str) -> bool:
    """Is this a sidecar with the control totals of another file, `<file>.totals.yml` or `<file>.totals.csv`?"""
    return bool(data_file_of(file_name))


def data_file_of(file_name: str) -> str:
    """The name of the file that a sidecar is of; empty where the name is no sidecar's."""
    match = re.fullmatch(r"(.+)\.totals\.(yml|csv)", file_name, re.IGNORECASE | re.DOTALL)
    return match.group(1) if match else ""


def code_part(name: str) -> str:
    """A name as it stands in the codes of rules."""
    return re.sub(r"[^A-Z0-9]+", "-", name.upper()).strip("-")


class Feed(Strict):
    """The conformed fact that an entity feeds.

    Args:
        fact: its name, without `fct_`.
        columns: column of the fact -> how it comes from the columns sent.
        exclude: column of the fact -> codes whose rows are left out, such as aggregates sent beside countries.
    """

    fact: Name
    columns: dict[Name, ColumnMap]
    exclude: dict[Name, list[Raw]] = Field(default_factory=dict)


class Entity(Strict):
    """One table of a delivery.

    Args:
        title: what it is called, by language.
        grain: what one row is.
        files: globs on the base name of a file, outside or inside an archive.
        required: a delivery without it waits, or is refused.
        format: where it differs from the source's.
        columns: the variables, in the file's order.
        feeds: the facts that it fills.
        key: columns that identify a row.
        references: rows here that must have a row in another entity.
        header: all names in the file, in order, where `columns` does not name them all; the rest is not read.
        minimum_rows: fewer rows refuse the batch, be it in the file as sent or once others were set aside.
        record_tolerance: share of lines that may be set aside as rejects; 0 refuses the batch at the first misfit.
        set_aside: end of a compiled rule's code (`AGE-RANGE`) -> share of rows that may be taken out for breaking it;
            they are kept in quarantine and counted, and past the share the batch is refused.
        may_be_accepted: ends of the codes of compiled rules against which a person may accept a batch.
        universe, duration_rule, measure_type, reference_point, design: where they differ from the source's, as
            between the questionnaires of one survey.
        window_years: of reported events, the years up to the period's last day in which they happened.
        period: the columns that say which period a row is of.
    """

    title: Text
    grain: str
    files: Annotated[tuple[str, ...], Field(min_length=1)]
    required: Flag = True
    format: Format | None = None
    header: tuple[str, ...] | None = None
    key: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    minimum_rows: Whole = 1
    record_tolerance: Annotated[float, Field(ge=0, lt=1)] = 0.0
    set_aside: dict[str, Annotated[float, Field(gt=0, lt=1)]] = Field(default_factory=dict)
    may_be_accepted: tuple[str, ...] = ()
    columns: tuple[Column, ...]
    feeds: tuple[Feed, ...] = ()
    universe: Name | None = None
    duration_rule: DurationRule | None = None
    measure_type: MeasureType | None = None
    reference_point: ReferencePoint | None = None
    design: Design | None = None
    window_years: Whole | None = None
    period: StatedPeriod | None = None

    @property
    def telling_columns(self) -> set[str]:
        """Names of the columns by which rows are told apart, and find others."""
        return {*self.key, *(name for reference in self.references for name in reference.columns)}

    @property
    def kept_columns(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.kept)

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def takes(self, file_name: str) -> bool:
        return any(matches(file_name, glob) for glob in self.files)

    @model_validator(mode="after")
    def _check_whole(self) -> "Entity":
        self.check_columns()
        if self.header and (absent := {column.name for column in self.columns} - set(self.header)):
            raise ValueError(f"in columns but not in header: {', '.join(sorted(absent))}")
        self._check_rules()
        return self

    def check_columns(self) -> None:
        """Columns are told apart by their names, and what names them names one that is there, of a type that can.

        Raises:
            ValueError: what does not hold.
        """
        names = [column.name for column in self.columns]
        if doubled := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"column named twice: {', '.join(sorted(doubled))}")
        lower = [name.lower() for name in names]
        if alike := sorted({name for name in names if lower.count(name.lower()) > 1}):
            raise ValueError(f"columns whose names differ in case alone, which SQL takes for one: {', '.join(alike)}")
        if reserved := [name for name in names if is_reserved(name)]:
            listed = ", ".join(reserved)
            raise ValueError(
                f"names ending in {MISSING_SUFFIX} and {FLAG_SUFFIX}, and {', '.join(_BESIDE)}, are ours: {listed}"
            )
        used = {*self.key, *(c for ref in self.references for c in ref.columns)}
        used |= set(self.period.columns) if self.period else set()
        for feed in self.feeds:
            used |= {name for mapping in feed.columns.values() for name in mapping.own_columns}
        if missing := used - {column.name for column in self.kept_columns}:
            raise ValueError(f"no such column, or one that is not kept: {', '.join(sorted(missing))}")
        self._check_period_columns()

    def _check_rules(self) -> None:
        """What is said of a rule is said of one that there is: an option that does nothing is an error."""
        known = {f"{code_part(column.name)}-{rule}" for column in self.kept_columns for rule in column.rule_names}
        known |= {"KEY"} if self.key else set()
        known |= {f"{code_part(name)}-REQUIRED" for name in self.key}
        if strange := set(self.set_aside) - known - ({"PERIOD"} if self.period else set()):
            raise ValueError(f"set_aside: no rule on rows is called {', '.join(sorted(strange))}")
        known |= {"ROWS", "PERIOD", "PERIOD-WHOLE"}
        known |= {f"ORPHANS-{code_part(reference.called)}" for reference in self.references}
        if strange := set(self.may_be_accepted) - known:
            raise ValueError(f"may_be_accepted: no rule is called {', '.join(sorted(strange))}")

    def _check_period_columns(self) -> None:
        """Columns that state the period have a type that can."""
        types = {"date": ("date",), "year": ("integer", "text"), "spelt": ("text", "integer")}
        types |= dict.fromkeys(("quarter", "week"), ("integer", "text"))
        types["month"] = ("integer", "text") if self.period and self.period.year else ("integer", "text", "date")
        for way, fitting in types.items():
            name = getattr(self.period, way, None)
            if name and self.column(name).type not in fitting:
                kind = self.column(name).type
                raise ValueError(f"{name} is of type {kind}; a period's {way} is of type {' or '.join(fitting)}")
