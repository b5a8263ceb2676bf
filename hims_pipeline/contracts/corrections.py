"""Known errors in what a source sent, and what is done about them: `data/corrections/<source>.yml`.

Here: the records and their checks. Not here: the SQL that applies them (`hims_pipeline.staging.corrections`), and rules
that refuse a delivery (a correction is for data that are taken in all the same).

Batches keep what was delivered. A correction changes the staging view over them and nothing else: taken out of the
file, it is undone with the next build.
"""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from hims_pipeline.contracts.basics import Flag, Name, Raw, Strict, Text, Whole
from hims_pipeline.contracts.records import parse
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import ContractError

ACTIONS = ("set", "compute", "missing", "drop", "donors")
Id = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$")]


class Guard(Strict):
    """How many rows a correction is expected to match, over all batches of its periods that count, and at most which
    share of the rows sent. Outside of it the source was mended, or the condition says something else by now: `error`
    stops the release, `warning` is only told.
    """

    minimum: Annotated[Whole, Field(ge=1)] = 1
    maximum: Whole | None = None
    maximum_share: Annotated[float, Field(gt=0, le=1)] | None = None
    severity: Literal["error", "warning"] = "error"

    @model_validator(mode="after")
    def _ordered(self) -> "Guard":
        if self.maximum is not None and self.maximum < self.minimum:
            raise ValueError("maximum is below minimum")
        return self


class Donors(Strict):
    """Values taken over from another record of the same batch and entity (random hot deck within classes: Kalton and
    Kasprzyk 1986; Andridge and Little 2010).

    Args:
        columns: are taken from one donor together, so that what they say fits. A donor has a value in each of them,
            none of the contract's codes for missing, and is not itself among those that the imputation is about.
        classes: lists of SQL expressions over the row. Donors are sought among records that agree with the receiver in
            all of the first list, else in all of the next; an empty list at the end means any record. A class uses its
            donors in turn, none twice before all have served. Without a donor the value stays missing.
    """

    columns: Annotated[tuple[Name, ...], Field(min_length=1)]
    classes: Annotated[tuple[tuple[str, ...], ...], Field(min_length=1)]


class Correction(Strict):
    """One known error.

    Args:
        kind: `correction` (the true value is known), `edit` (a value that cannot be is taken out) or `imputation`
            (a likely value is put in its place).
        periods: globs of the periods concerned; all without any.
        where: SQL condition over the entity's columns, by their names in staging.
        matches: column -> values instead, where that says it.
        set: column -> constant. compute: column -> SQL expression over the row as delivered. missing: columns
            without a value from then on. drop: True leaves the row out. donors: the value of another record. One of
            the five.
        measure: column whose sum before and after is told; the number of rows without one. Of `donors`, its mean among
            the records that have a value, or else their number.
        provided_by: who said so, and when. status: whether the data owner agreed.
    """

    id: Id
    kind: Literal["correction", "edit", "imputation"]
    entity: Name
    periods: tuple[str, ...] = ()
    where: str = ""
    matches: dict[Name, list[Raw]] = Field(default_factory=dict)
    set: dict[Name, Raw] = Field(default_factory=dict)
    compute: dict[Name, str] = Field(default_factory=dict)
    missing: tuple[Name, ...] = ()
    drop: Flag = False
    donors: Donors | None = None
    measure: Name | None = None
    reason: Text
    provided_by: str
    status: Literal["proposed", "agreed"]
    guard: Guard = Guard()

    @property
    def changed(self) -> tuple[str, ...]:
        """Columns that it changes; none where it leaves the row out."""
        return (*self.set, *self.compute, *self.missing, *(self.donors.columns if self.donors else ()))

    @property
    def action(self) -> str:
        return next(name for name in ACTIONS if getattr(self, name))

    @model_validator(mode="after")
    def _one_of_each(self) -> "Correction":
        if bool(self.where) == bool(self.matches):
            raise ValueError(f"{self.id}: says which rows by either `where` or `matches`")
        if sum(bool(getattr(self, name)) for name in ACTIONS) != 1:
            raise ValueError(f"{self.id}: does one of {', '.join(f'`{name}`' for name in ACTIONS)}")
        if self.donors and self.kind != "imputation":
            raise ValueError(f"{self.id}: a value of another record is an imputation, not the kind {self.kind}")
        return self


class _CorrectionFile(Strict):
    corrections: tuple[Correction, ...]


def load_corrections(data: Path, contracts: dict[str, Contract]) -> dict[str, tuple[Correction, ...]]:
    """Corrections by source.

    Raises:
        ContractError: a file without a contract of its name, an entity or an id that cannot be; all findings at once.
    """
    folder = data / "corrections"
    files = tuple((p, p.stat().st_mtime_ns, p.stat().st_size) for p in sorted(folder.glob("*.yml")))
    found = dict(_load(files))
    wrong = [f"{source}.yml: there is no contract of that name" for source in sorted(set(found) - set(contracts))]
    ids = [one.id for some in found.values() for one in some]
    wrong += [f"{one} stands twice" for one in sorted({one for one in ids if ids.count(one) > 1})]
    for source, some in found.items():
        entities = contracts[source].entities if source in contracts else {}
        wrong += [f"{one.id}: {source} has no entity {one.entity}" for one in some if one.entity not in entities]
    if wrong:
        raise ContractError("data/corrections does not say what it must:\n  " + "\n  ".join(wrong))
    return found


@lru_cache(maxsize=8)
def _load(files: tuple[tuple[Path, int, int], ...]) -> tuple[tuple[str, tuple[Correction, ...]], ...]:
    return tuple((path.stem, parse(_CorrectionFile, path).corrections) for path, _, _ in files)
