"""The deliveries that are changed: a sample of every source, read once, and the way through the gate."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from hims_pipeline.contracts.deliveries import load_deliveries
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.contracts.model import Contract
from hims_pipeline.gates import GateError, GateOutcome, judge
from hims_pipeline.gates.predecessor_evidence import Predecessor, keep_profile, set_beside
from hims_pipeline.intake.predecessors import choose_predecessors, find_reference
from hims_pipeline.lake import landing
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.readers import read_delivery
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sql import connection, literal, read_parquet
from hims_synthetic import make_samples
from tests.mutants.across import Across
from tests.mutants.quick import broken_rules
from tests.mutants.sheets import Sheet, read_sheets, write_text, write_typed

# Each source at the smallest scale at which its shares still mean something: small registers near their real size.
SCALES: dict[float, tuple[str, ...]] = {
    0.002: ("rgph", "rgph_one_in_five", "social_security", "consular_register"),
    0.01: (
        "hims_survey", "lfs_migration", "border_crossings", "civil_registration", "remittances", "oecd_migration",
    ),
    0.04: ("residence_cards",),
    0.2: (
        "foreign_students", "work_authorisations", "placements_atct", "placements_aneti", "placements_private",
        "student_departures", "students_abroad",
    ),
}  # fmt: skip


@dataclass
class Known:
    """One good delivery: its files, its typed tables, and what it is compared with."""

    source: str
    period: str
    files: list[Path]
    seed: int
    typed: dict[str, Path] = field(default_factory=dict)
    sheets: list[Sheet] = field(default_factory=list)
    before: list[Predecessor] = field(default_factory=list)
    profile_sha256: str = ""

    @property
    def batch(self) -> str:
        return f"{self.source}/{self.period}/{self.seed}"

    @property
    def profile(self) -> Path:
        return next(iter(self.typed.values())).parent / "profile.parquet"


@dataclass(frozen=True)
class Judged:
    """What became of a delivery: the rules that refused it, and those that warned."""

    refused_by: tuple[str, ...]
    warned_by: tuple[str, ...] = ()
    equivalent: str = ""  # why nothing about it differs from the clean file


class World:
    """Samples under one folder, and real deliveries where there are some, read through the readers. `known` holds them
    by source, in the order of periods."""

    def __init__(self, folder: Path, seed: int, only: tuple[str, ...] = (), real: Path | None = None,
                 quick: bool = False, factor: float = 1.0, scale: float = 0.0) -> None:  # fmt: skip
        self.folder, self.seed, self.quick = folder, seed, quick
        self.settings = Settings(
            REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", folder / "home", env="test"
        )
        self.contracts = load_contracts(self.settings.data)
        self.learn: list[tuple[str, str, str, str, float]] | None = None
        self.known: dict[str, list[Known]] = {}
        self.factor, self.across, self.beside = factor, None, dict[str, list[Known]]()
        self.holds_clean: set[tuple[str, str]] = set()
        self.is_large = bool(scale)
        scales = {scale: tuple(one for several in SCALES.values() for one in several)} if scale else SCALES
        for drawn_at, sources in scales.items():
            wanted = [one for one in sources if not only or one in only]
            for source, period, files in self._samples(seed, drawn_at * factor, tuple(wanted)):
                self.known.setdefault(source, []).append(Known(source, period, files, seed))
        for one in load_deliveries(self.settings.data) if real else ():
            source, period, files = one.at(real)  # type: ignore[arg-type]
            if (not only or source in only) and not any("TRUNCATED" in path.name for path in files):
                self.known.setdefault(source, []).append(Known(source, period, files, 0))
        for several in self.known.values():
            several.sort(key=lambda one: one.period)

    def _samples(self, seed: int, scale: float, wanted: tuple[str, ...]) -> list[tuple[str, str, list[Path]]]:
        if not wanted:
            return []
        out = self.folder / f"sent-{seed}-{scale:g}"
        if missing := tuple(one for one in wanted if not (out / one).is_dir()):
            made = out / f".made-{os.getpid()}"
            make_samples(self.settings, made, seed, scale, only=missing)
            for one in missing:
                (made / one).replace(out / one)
            shutil.rmtree(made)
        return [
            (source, path.name, sorted(one for one in path.iterdir() if one.is_file()))
            for source in wanted
            for path in sorted((out / source).iterdir())
        ]

    def read(self, known: Known) -> None:
        """Fill in what a delivery holds."""
        contract = self.contracts[known.source]
        target = self.folder / "typed" / str(known.seed) / known.source / known.period
        target.mkdir(parents=True, exist_ok=True)
        if not any(target.iterdir()):
            found = self._read(contract, known.period, known.files, target)
            if found:
                raise SystemExit(f"{known.source} {known.period}: a good sample is refused: {found}")
        for name in contract.entities:
            if parts := sorted(target.glob(f"{name}-*.parquet")):  # of a table of many rows
                with connection(self.settings) as con:
                    con.execute(f"copy (from {read_parquet(parts)}) to {literal(target / f'{name}.parquet')}")
                for part in parts:
                    part.unlink()
        known.typed = {path.stem: path for path in sorted(target.glob("*.parquet")) if path.stem != "profile"}
        if not self.is_large:  # so many rows are not changed one by one
            known.sheets = read_sheets(self.settings, contract, known.period, known.files, known.typed)

    def _read(self, contract: Contract, period: str, files: list[Path], target: Path) -> tuple[str, ...]:
        taken, _ = landing.take_over(self.settings, contract, period, files)
        delivery: Delivery = taken
        read = read_delivery(self.settings, contract, delivery, target, lambda text: None)
        shutil.rmtree(delivery.folder(self.settings))
        return tuple(one.rule for one in read.findings if one.severity == "blocking")

    def accept(self, known: Known, earlier: list[Known]) -> Judged:
        """Judge a good delivery after those before it, and keep its profile for those behind it."""
        contract = self.contracts[known.source]
        known.before = choose_predecessors(
            [(one.batch, one.period, one.profile, one.profile_sha256) for one in earlier], contract, known.period
        )
        known.before += find_reference(self.settings.expectations, contract, known.period, known.before)
        if self.quick:
            beside = set_beside(self.settings, contract, known.period, known.typed, known.before)
            known.profile_sha256 = keep_profile(self.settings, beside.profiles, known.profile)
            return self.judge(known, known.typed)
        outcome = judge(
            self.settings, contract, known.period, known.typed, before=known.before, profile_to=known.profile
        )
        known.profile_sha256 = outcome.profile_sha256
        return _judged(outcome)

    def lay_beside(self, source: str) -> set[tuple[str, str]]:
        """Make the warehouse of all sources drawn at the scale of one, and tell what they break as they are."""
        scale = next((scale for scale, sources in SCALES.items() if source in sources), None)
        if scale is None:  # real deliveries: each is judged by itself
            self.across = None
            return set()
        if self.across and source in self.beside:
            return self.holds_clean
        self.beside = {one: self.known.get(one, []) for one in SCALES[scale]}
        missing = tuple(one for one, several in self.beside.items() if not several)
        for other, period, files in self._samples(self.seed, scale * self.factor, missing):
            self.beside[other].append(Known(other, period, files, self.seed))
        for several in self.beside.values():
            for one in several:
                if not one.typed:
                    self.read(one)
        self.across = self.across or Across(self.settings, self.folder / "across", self.contracts)
        self.holds_clean = self.across.broken(self._batches())
        return self.holds_clean

    def _batches(self) -> dict[tuple[str, str], dict[str, Path]]:
        return {(one.source, one.period): one.typed for several in self.beside.values() for one in several}

    def hold(self, known: Known, tables: dict[str, Path]) -> tuple[str, ...]:
        """The rules across sources that a batch breaks among the others."""
        if self.across is None:
            return ()
        broken = self.across.broken(self._batches() | {(known.source, known.period): tables}) - self.holds_clean
        return tuple(sorted({code for code, source in broken if source == known.source}))

    def send(self, known: Known, changed: Sheet | None, across: bool = False, others: Sequence[Sheet] = ()) -> Judged:
        """Send a delivery with one of its entities changed, and others with it, through the gate, and into the
        warehouse where it passes."""
        contract = self.contracts[known.source]
        tables, files = dict(known.typed), list(known.files)
        work = self.folder / f"work-{os.getpid()}"
        shutil.rmtree(work, ignore_errors=True)
        (work / "sent").mkdir(parents=True)
        (work / "read").mkdir()
        sheets = [one for one in (changed, *others) if one is not None]
        for sheet in (one for one in sheets if one.is_text):
            write_text(sheet, work / "sent" / sheet.file.name)
            files = [work / "sent" / one.name if one == sheet.file else one for one in files]
        if any(one.is_text for one in sheets):
            if refused := self._read(contract, known.period, files, work / "read"):
                return Judged(refused)
            tables = {path.stem: path for path in (work / "read").glob("*.parquet")}
        for sheet in (one for one in sheets if not one.is_text):
            try:
                write_typed(self.settings, sheet, work / "read" / f"{sheet.name}.parquet")
            except duckdb.Error:  # no value of its type: the reader would have said so
                return Judged(("TYPE",))
            tables[sheet.name] = work / "read" / f"{sheet.name}.parquet"
        judged = self.judge(known, tables)
        return replace(judged, refused_by=self.hold(known, tables)) if across and not judged.refused_by else judged

    def judge(self, known: Known, tables: dict[str, Path]) -> Judged:
        """The gate's word on typed tables, beside what came before them."""
        contract = self.contracts[known.source]
        if self.quick and self.learn is not None:
            beside = set_beside(self.settings, contract, known.period, tables, known.before)
            for name, found in beside.evidence.items():
                self.learn += [(known.source, name, e.measure, e.about, e.value) for e in found if e.value is not None]
        if self.quick:
            return Judged(*broken_rules(self.settings, contract, known.period, tables, known.before))
        outcome = judge(self.settings, contract, known.period, tables, before=known.before)
        return _judged(outcome)


def _judged(outcome: GateOutcome) -> Judged:
    by = {kind: tuple(f.rule for f in outcome.findings if f.severity == kind) for kind in ("blocking", "warning")}
    if not by["blocking"] and not outcome.accepted:
        raise GateError("refused without a rule")
    return Judged(by["blocking"], by["warning"])
