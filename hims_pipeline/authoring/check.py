"""For people who write contracts: how a file differs from its contract, and a first contract from a file.

Nothing is taken in, and nothing is left behind. The person has the file in hand, so names in it are shown; values only
where the contract calls a column `open`.
"""

import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from hims_pipeline.authoring.dialect import Dialect, guess_dialect
from hims_pipeline.authoring.drift import drift_of
from hims_pipeline.authoring.rehearsal import Rehearsal, rehearse
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import DataError, HimsError
from hims_pipeline.lake.files import private_folder, remove_folder
from hims_pipeline.privacy.keys import Key
from hims_pipeline.readers.entity_file import read_entity
from hims_pipeline.readers.files.archives import Member, expand
from hims_pipeline.readers.guard import Unreadable, guard
from hims_pipeline.readers.matching import attach_books
from hims_pipeline.readers.shape import TableShape, find_similar, shape_of
from hims_pipeline.readers.table import Job
from hims_pipeline.settings import Settings, load_settings
from hims_pipeline.sql import connection, literals, quote, read_parquet
from hims_pipeline.words import inner_text

_SHOWN_CODES = 10


def check_file(
    settings: Settings, contract: Contract, paths: Sequence[Path], period: str | None = None, drift: bool = False
) -> list[str]:
    """How files differ from their contract, one sentence each; empty where they fit.

    Args:
        paths: data files, and the codebook or dictionary that goes with them.
        period: whose layout to compare with; the base layout without it.
        drift: tell of every difference in full, and which names were probably changed.
    """
    with _scratch(settings) as scratch:
        members, findings = expand(contract, list(paths), scratch, lambda text: None)
        messages = [finding.full_text() for finding in findings]
        taken = {name for member in members for name in contract.takers(member.name, period or "")}
        books = [member for member in members if contract.is_companion(member.name, period or "")]
        for member in [attach_books(contract, one, books, period or "") for one in members if one not in books]:
            look = partial(_check, settings, contract, period, member, taken, scratch, drift)
            messages += guard(settings, f"checking {member.shown}", look)
        return messages


def rehearse_files(
    settings: Settings, contract: Contract, paths: Sequence[Path], period: str, log: Callable[[str], None], build: bool
) -> Rehearsal:
    """What the night would make of files; see `rehearsal.rehearse`."""
    with _scratch(settings) as scratch:
        return rehearse(settings, contract, paths, period, private_folder(scratch / "home"), log, build)


def draft_contract(*paths: Path) -> str:
    """YAML of a first contract, from what a file and its codebook hold; what only a person can know says `?`.

    Raises:
        HimsError: no reader opens the file, or it is damaged.
    """
    from hims_pipeline.authoring.draft import write_draft

    settings = load_settings()

    def make(scratch: Path) -> str:
        try:
            return write_draft(settings, paths, scratch)
        except DataError as error:
            raise HimsError(f"{inner_text(error.file) or paths[0].name}: {inner_text(error.message)}.") from None

    with _scratch(settings) as scratch:
        try:
            return guard(settings, "drafting", lambda: make(scratch))
        except Unreadable as error:
            raise HimsError(
                f"{paths[0].name}: no draft could be made, our reader stopped with {error.kind} (full text in "
                f"{error.place}, in the identified zone)."
            ) from None


@contextmanager
def _scratch(settings: Settings) -> Iterator[Path]:
    private_folder(settings.identified)
    folder = Path(tempfile.mkdtemp(dir=private_folder(settings.scratch), prefix="inspect-"))
    try:
        yield folder
    finally:
        remove_folder(folder)


def _check(
    settings: Settings,
    contract: Contract,
    period: str | None,
    member: Member,
    taken: set[str],
    scratch: Path,
    drift: bool,
) -> list[str]:
    most = None if drift else _SHOWN_CODES
    if len(member.records) > 1:
        shapes = [shape_of(contract, name, period or "") for name in contract.takers(member.name, period or "")]
        read = [_read(settings, shape, member, scratch, most) for shape in shapes]
        read += [drift_of(settings, shape, member, scratch) for shape in shapes if drift]
        return list(dict.fromkeys(line for lines in read for line in lines))
    seen = _find_dialect(settings, member)
    name, messages = _entity_of(contract, period, member, seen, taken)
    if name is None:
        return messages
    shape = shape_of(contract, name, period or "")
    messages += _read(settings, shape, member, scratch, most)
    if drift:
        messages += drift_of(settings, shape, member, scratch)
    if not any("ENVELOPE-HEADER" in line or "ENVELOPE-ENCODING" in line for line in messages) or seen is None:
        return messages
    if shape.format.type in ("fixed_width", "cspro"):
        return messages
    messages += [] if drift else _hints(shape, seen)
    relaxed = _relax(shape, seen)
    if relaxed.columns:
        messages.append(
            f"{inner_text(member.shown)}: read on with {len(relaxed.columns)} of {len(shape.columns)} columns:"
        )
        messages += _read(settings, relaxed, member, scratch, most)
    return messages


def _find_dialect(settings: Settings, member: Member) -> Dialect | None:
    try:
        return guess_dialect(settings, member.path)
    except (HimsError, DataError):
        return None


def _entity_of(
    contract: Contract, period: str | None, member: Member, seen: Dialect | None, taken: set[str]
) -> tuple[str | None, list[str]]:
    """The entity that takes the file by its name, else the one whose header it resembles most; none where it resembles
    none, or another file is the only one's (`taken`)."""
    entities = contract.at(period or "").entities
    for name in contract.takers(member.name, period or ""):
        return name, []
    expected = "; ".join(f"{name}: {' or '.join(entity.files)}" for name, entity in entities.items())
    messages = [f"{inner_text(member.shown)}: the name fits no entity of {contract.source} ({expected})"]
    shapes = {name: shape_of(contract, name, period or "") for name in contract.entities}
    known = {name: len(set(shape.header) & set(seen.names if seen else [])) for name, shape in shapes.items()}
    best = max(known, key=lambda name: known[name])
    if known[best] == 0 and (len(known) > 1 or best in taken):
        return None, messages
    return best, [f"{messages[0]}; compared with {best}"]


def _read(settings: Settings, shape: TableShape, member: Member, scratch: Path, most: int | None) -> list[str]:
    """The findings of a reading, and codes that the contract does not list."""
    work = Path(tempfile.mkdtemp(dir=scratch))
    # Any key will do: no pseudonym made here is kept.
    key = Key("none", secrets.token_bytes(32))
    target = work / f"{shape.name}.parquet"
    job = Job(settings, shape, member.shown, target, work / "rejects.parquet", work, key, lambda text: None)
    outcome = read_entity(job, member)
    messages = [finding.full_text() for finding in outcome.findings]
    if outcome.entity is None:
        return messages
    return messages + _unknown_codes(settings, shape, outcome.entity.paths(work), inner_text(member.shown), most)


def _unknown_codes(settings: Settings, shape: TableShape, table: list[Path], shown: str, most: int | None) -> list[str]:
    messages = []
    with connection(settings) as con:
        for column in shape.columns:
            codes = column.valid_codes()
            if codes is None or column.sensitivity == "identifier":
                continue
            text = f"{quote(column.name)}::varchar"
            counts = con.execute(
                f"select {text}, count(*) from {read_parquet(table)} "
                f"where {text} not in ({literals(codes)}) group by 1 order by 2 desc, 1"
            ).fetchall()
            if counts:
                rows = sum(count for _, count in counts)
                listed = ", ".join(f"{code} ({count:,})" for code, count in counts[:most])
                more = (
                    f": {listed}{', …' if most and len(counts) > most else ''}" if column.sensitivity == "open" else ""
                )
                messages.append(
                    f"{shown} · {shape.name} · {column.name}: {len(counts)} codes that the contract does not list, "
                    f"in {rows:,} rows{more}"
                )
    return messages


def _hints(shape: TableShape, seen: Dialect) -> list[str]:
    """What a header or encoding that differs suggests."""
    messages, form = [], shape.format
    if form.type == "delimited" and seen.form.type == "delimited":
        for what in ("delimiter", "encoding", "trailing_delimiter"):
            there, here = getattr(seen.form, what), getattr(form, what)
            if str(there).lower() != str(here).lower():
                messages.append(f"format.{what} seems to be {there!r}; the contract says {here!r}")
    extra = [name for name in seen.names if name not in shape.header]
    for name in shape.header:
        if name not in seen.names and (other := find_similar(name, extra)):
            messages.append(f"{name!r} may be called {other!r} in the file; a layout's `names` can say so")
    return messages


def _relax(shape: TableShape, seen: Dialect) -> TableShape:
    """The shape as the file has it, with those columns of the contract that are in it."""
    pairs = [
        (column, seen.names.index(shape.header[position]))
        for column, position in zip(shape.columns, shape.positions, strict=True)
        if shape.header[position] in seen.names
    ]
    form = shape.format
    if form.type == "delimited":
        changed = {name: getattr(seen.form, name) for name in ("delimiter", "encoding", "trailing_delimiter")}
        form = form.model_copy(update=changed)
    return replace(
        shape,
        format=form,
        header=tuple(seen.names),
        columns=tuple(column for column, _ in pairs),
        positions=tuple(position for _, position in pairs),
    )
