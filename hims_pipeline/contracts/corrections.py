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
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.yaml_records import EDITED, parse_record
from hims_pipeline.errors import ContractError

ACTIONS = ("set", "compute", "missing", "drop", "donors")
Id = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$")]


class Guard(Strict):
    """How many rows a correction is expected to match, over all batches of its periods that count, and at most which
    share of the rows sent. Outside of it the source was mended, or the condition says something else by now.

    Args:
        minimum, maximum: rows.
        maximum_share: of the rows sent.
        severity: `error` stops the release, `warning` is only told.
    """

    minimum: Annotated[Whole, Field(ge=1)] = 1
    maximum: Whole | None = None
    maximum_share: Annotated[float, Field(gt=0, le=1)] | None = None
    severity: Literal["error", "warning"] = "error"

    @model_validator(mode="after")
    def _check_order(self) -> "Guard":
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
        id: stable name, such as `REGISTER-AGE-999`.
        entity: the entity whose rows are concerned.
        kind: `correction` (the true value is known), `edit` (a value that cannot be is taken out) or `imputation`
            (a likely value is put in its place).
        periods: globs of the periods concerned; all without any.
        where: SQL condition over the entity's columns, by their names in staging.
        matches: column -> values instead, where that says it.
        set: column -> constant; one of this and the next four.
        compute: column -> SQL expression over the row as delivered.
        missing: columns without a value from then on.
        drop: True leaves the row out.
        donors: the value of another record.
        measure: column whose sum before and after is told; the number of rows without one. Of `donors`, its mean among
            the records that have a value, or else their number.
        reason: why, by language.
        provided_by: who said so, and when.
        status: whether the data owner agreed.
        guard: how many rows it is expected to match.
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
    def _check_kind(self) -> "Correction":
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
    corrections, wrong = {}, []
    for source in correction_files(data):
        try:
            corrections[source] = corrections_of(data, source, contracts.get(source))
        except ContractError as error:
            wrong.append(str(error))
    if wrong:
        raise ContractError("\n".join(wrong))
    return corrections


def correction_files(data: Path) -> list[str]:
    """Sources for which there is a file of corrections."""
    return sorted(path.stem for path in (data / "corrections").glob(EDITED))


def corrections_of(data: Path, source: str, contract: Contract | None) -> tuple[Correction, ...]:
    """The corrections of one source; none without a file.

    Raises:
        ContractError: the file has no contract, or names an entity or an id that cannot be.
    """
    paths = sorted((data / "corrections").glob(EDITED))
    if source not in [path.stem for path in paths]:
        return ()
    place = f"data/corrections/{source}.yml does not say what it must:\n  "
    if contract is None:
        raise ContractError(f"{place}there is no contract of that name")
    corrections = _load(data / "corrections" / f"{source}.yml", *_state(data / "corrections" / f"{source}.yml"))
    others = {one for path in paths if path.stem != source for one in _ids(path)}
    ids = [one.id for one in corrections]
    wrong = [f"{one} stands twice" for one in sorted({one for one in ids if ids.count(one) > 1 or one in others})]
    wrong += [
        f"{one.id}: {source} has no entity {one.entity}" for one in corrections if one.entity not in contract.entities
    ]
    if wrong:
        raise ContractError(place + "\n  ".join(wrong))
    return corrections


def _ids(path: Path) -> list[str]:
    try:
        return [one.id for one in _load(path, *_state(path))]
    except ContractError:
        return []  # what is wrong with it is told where its own source is looked at


def _state(path: Path) -> tuple[int, int]:
    return path.stat().st_mtime_ns, path.stat().st_size


@lru_cache(maxsize=64)
def _load(path: Path, _modified: int, _size: int) -> tuple[Correction, ...]:
    return parse_record(_CorrectionFile, path).corrections
