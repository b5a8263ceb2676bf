"""Looking through landing: which loose files make up a delivery that can be taken over, which do not, and why.

All loose files of a period are one delivery. Whatever is none is told by its place, by position and never by name,
since a name may be a person's; it is left where it is, and stops nothing but the delivery that it is a part of. Nothing
is changed here.
"""

import os
import stat
import time
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from hims_pipeline.contracts.model import Contract
from hims_pipeline.lake.arrival import (
    RECORD,
    Unsound,
    is_being_written,
    same_names,
    stamp_of,
    trouble_of_kind,
    trouble_of_name,
    trouble_of_size,
)
from hims_pipeline.lake.completeness import describe_missing
from hims_pipeline.lake.delivery import ID, deliveries
from hims_pipeline.lake.incoming import STAGING
from hims_pipeline.lake.periods import is_period, today_of, trouble_of_period
from hims_pipeline.settings import Settings

MOST_ENTRIES = 1000  # of one folder of landing; more is no delivery, and a list of them is no help
AHEAD_SECONDS = 60  # a modification time further ahead than clocks differ
HIDDEN = "is hidden, as what a transfer has not finished; it is left alone"
TWIN = "has the name of another file of the delivery, case aside; rename one"


@dataclass(frozen=True)
class Misplaced:
    """Something in landing that makes no delivery, and what to do about it; `name` stays inside the identified zone,
    and `is_failure` says that it would make one, had the machine not failed."""

    place: str
    reason: str
    name: str = ""
    is_failure: bool = False

    def as_named_record(self) -> dict[str, str | bool]:
        """Everything, for a record inside the identified zone; bytes that are no UTF-8 are shown as such."""
        shown = self.name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        return {"place": self.place, "reason": self.reason, "name": shown, "is_failure": self.is_failure}


@dataclass(frozen=True)
class Drop:
    """Loose files that make up a delivery, and the position of each in its folder.

    Args:
        ahead: some were changed in the future, so the clock cannot say whether they rest.
    """

    contract: Contract
    period: str
    files: dict[Path, int]
    ahead: bool

    @property
    def place(self) -> str:
        return f"{self.contract.source}/{self.period}"

    def stamps(self) -> list[str]:
        """The state of each file; empty once one is gone."""
        try:
            return [stamp_of(path.lstat()) for path in self.files]
        except OSError:
            return []


@dataclass
class Survey:
    """What lies in landing beside the deliveries: what is ready to be taken over, and what is not."""

    ready: list[Drop] = field(default_factory=list)
    left: list[Misplaced] = field(default_factory=list)

    def leave(self, place: str, reason: str, name: str = "", is_failure: bool = False) -> None:
        self.left.append(Misplaced(place, reason, name, is_failure))


def survey_dropped(
    settings: Settings, contracts: dict[str, Contract], settle_seconds: float, now: float | None = None
) -> Survey:
    """Look through landing and touch nothing.

    Args:
        settle_seconds: how long a file must not have changed.
        now: seconds since 1970; the present without it.
    """
    known = {delivery.batch: {RECORD, *(file.name for file in delivery.files)} for delivery in deliveries(settings)}
    walk = _Walk(settings, Survey(), known, time.time() if now is None else now, settle_seconds)
    for position, path, state in walk.entries(settings.landing, "landing itself"):
        contract = contracts.get(path.name)
        if not stat.S_ISDIR(state.st_mode):
            walk.survey.leave(f"entry {position}", "lies outside the folders of sources; move it", path.name)
        elif contract is not None:
            walk.visit_source(contract, path)
        else:
            stranger = "no contract in data/contracts has its name; write one, or move the files"
            walk.survey.leave(f"folder {position}", HIDDEN if path.name[0] == "." else stranger, path.name)
    return walk.survey


@dataclass
class _Loose:
    """The loose files of a period: sound ones, ailing ones that cannot be taken over as they are, and all positions."""

    contract: Contract
    period: str
    sound: dict[Path, os.stat_result] = field(default_factory=dict)
    ailing: list[Path] = field(default_factory=list)
    positions: dict[Path, int] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return f"{self.contract.source}/{self.period}"

    def place_of(self, path: Path) -> str:
        return f"{self.place}, file {self.positions[path]}"


@dataclass(frozen=True)
class _Walk:
    settings: Settings
    survey: Survey
    known: dict[str, set[str]]
    now: float
    settle_seconds: float

    def entries(self, folder: Path, place: str) -> list[tuple[int, Path, os.stat_result]]:
        """What is in a folder, by name, numbered from 1; what vanished meanwhile is left out."""
        paths = []
        try:
            with os.scandir(folder) as listed:
                names = sorted(one.name for one in islice(listed, MOST_ENTRIES + 1))
        except FileNotFoundError:
            return []
        except OSError as error:
            self.survey.leave(place, f"cannot be looked into ({error.strerror}); give the right to read it")
            return []
        if len(names) > MOST_ENTRIES:
            self.survey.leave(place, f"holds more than {MOST_ENTRIES:,} files and folders; pack them into an archive")
            return []
        for position, name in enumerate(names, start=1):
            try:
                paths.append((position, folder / name, os.lstat(folder / name)))
            except FileNotFoundError:
                continue
            except OSError as error:
                self.survey.leave(f"{place}, entry {position}", f"cannot be looked at ({error.strerror})", name)
        return paths

    def visit_source(self, contract: Contract, folder: Path) -> None:
        today = today_of(self.settings)
        for position, path, state in self.entries(folder, contract.source):
            place = f"{contract.source}, {'folder' if stat.S_ISDIR(state.st_mode) else 'file'} {position}"
            if not stat.S_ISDIR(state.st_mode):
                self.survey.leave(place, "lies outside the folders of periods; put it into that of its own", path.name)
            elif path.name[0] == ".":
                self.survey.leave(place, HIDDEN, path.name)
            elif not is_period(contract, path.name):
                self.survey.leave(place, f"its name {trouble_of_period(contract, path.name, today)}", path.name)
            elif trouble := trouble_of_period(contract, path.name, today):
                if self._sort_loose(contract, path).positions:
                    self.survey.leave(f"{contract.source}/{path.name}", trouble)
            else:
                self.visit_period(self._sort_loose(contract, path))

    def _sort_loose(self, contract: Contract, folder: Path) -> _Loose:
        """Sort what is in the folder of a period, and tell what is no file that can be taken over."""
        loose = _Loose(contract, folder.name)
        for position, path, state in self.entries(folder, loose.place):
            if stat.S_ISDIR(state.st_mode):
                self.visit_folder(path, loose.place, position)
                continue
            loose.positions[path] = position
            if trouble := HIDDEN if path.name[0] == "." else trouble_of_kind(state.st_mode):
                self.survey.leave(loose.place_of(path), trouble, path.name)
            elif trouble := trouble_of_name(path.name) or trouble_of_size(state.st_size, contract.limits):
                self.survey.leave(loose.place_of(path), trouble, path.name)
                loose.ailing.append(path)
            else:
                loose.sound[path] = state
        sound = list(loose.sound)
        for path in [sound[number] for number in same_names([path.name for path in sound])]:
            self.survey.leave(loose.place_of(path), TWIN, path.name)
            loose.ailing.append(path)
            del loose.sound[path]
        return loose

    def visit_folder(self, path: Path, place: str, position: int) -> None:
        """A folder among the files of a period: a delivery, one in progress, or none of ours."""
        if path.name[0] == "." and not STAGING.fullmatch(path.name):
            self.survey.leave(f"{place}, folder {position}", HIDDEN, path.name)
        elif path.name[0] != "." and not ID.fullmatch(path.name):
            self.survey.leave(f"{place}, folder {position}", "is no delivery; put its files one level up", path.name)
        elif names := self.known.get(f"{place}/{path.name}"):
            for number, other, _ in self.entries(path, f"{place}/{path.name}"):
                if other.name not in names and not other.name.startswith(f".{RECORD}."):
                    stray = "is no part of that delivery; put it into the folder of its period"
                    self.survey.leave(f"{place}/{path.name}, entry {number}", stray, other.name)

    def visit_period(self, loose: _Loose) -> None:
        """The loose files of a period are ready, or what they wait for is told."""
        if not loose.sound or self.is_moving(loose):
            return
        sound, ailing = ([path.name for path in paths] for paths in (loose.sound, loose.ailing))
        if reason := describe_missing(loose.contract, loose.period, sound, ailing):
            self.survey.leave(loose.place, reason)
            return
        ahead = any(state.st_mtime > self.now + AHEAD_SECONDS for state in loose.sound.values())
        files = {path: loose.positions[path] for path in loose.sound}
        self.survey.ready.append(Drop(loose.contract, loose.period, files, ahead))

    def is_moving(self, loose: _Loose) -> bool:
        """Tell which file does not rest yet, or cannot be opened."""
        for path, state in loose.sound.items():
            trouble = ""
            if self.now - self.settle_seconds < state.st_mtime <= self.now + AHEAD_SECONDS:
                trouble = f"changed less than {self.settle_seconds:g} seconds ago; it is taken in once it rests"
            else:
                try:
                    if is_being_written(path):
                        trouble = "is still open for writing; it is taken in once it rests"
                except Unsound as error:
                    trouble = str(error)
            if trouble:
                self.survey.leave(loose.place_of(path), trouble, path.name)
                return True
        return False
