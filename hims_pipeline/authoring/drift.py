"""Every difference between the names in a file and those of its contract, and which were probably renamed.

For people who write layouts; nothing that reads a delivery guesses. A renaming pairs one name of the contract with one
of the file, each once: by equal labels, else by values that fit no other pair, else by names that resemble each other.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from hims_pipeline.authoring.dialect import Dialect, guess_dialect, names_of, read_variable_labels
from hims_pipeline.authoring.draft_books import tables_of
from hims_pipeline.authoring.profile import gather_texts, shape_as_seen
from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.formats import Format
from hims_pipeline.contracts.missing import Missing, Range
from hims_pipeline.contracts.values import NUMERIC, Value
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.files.headings import names_before_headings
from hims_pipeline.readers.formats import open_table
from hims_pipeline.readers.formats.codebook import Codebook
from hims_pipeline.readers.shape import TableShape, compose_letters, find_similar
from hims_pipeline.readers.typing.fitting import count_misfits
from hims_pipeline.readers.typing.parts import open_for_parts
from hims_pipeline.settings import Settings
from hims_pipeline.words import inner_text

_FEWEST_VALUES = 2  # a column of one value says too little


@dataclass(frozen=True)
class Renaming:
    """A name of the contract, as sent so far, the one that probably stands for it now, and what says so."""

    old: str
    new: str
    by: str


def drift_of(settings: Settings, shape: TableShape, member: Member, scratch: Path) -> list[str]:
    """All names that are new or gone, the order if it alone differs, and probable renamings, a line each.

    Raises:
        HimsError, DataError: the file cannot be opened at all.
    """
    seen, book = _read_names(settings, shape, member)
    wanted = names_before_headings(shape) if shape.format.unpivot else shape.header
    names = [compose_letters(name) for name in seen.names][: len(wanted) if shape.format.unpivot else None]
    gone = [name for name in wanted if name not in names]
    new = [name for name in names if name not in wanted]
    read = {shape.header[position] for position in shape.positions}
    where = f"{inner_text(member.shown)} · {shape.name}"
    messages = [f"{where}: gone: {name!r}{'' if name in read else ', which is not read'}" for name in gone]
    messages += [f"{where}: new: {name!r}, column {names.index(name) + 1}" for name in new]
    if not gone and not new and list(wanted) != names and shape.format.header is True:
        moved = [(a, b) for a, b in zip(wanted, names, strict=False) if a != b]
        messages += [f"{where}: {b!r} stands where {a!r} stood" for a, b in moved]
    for renaming in _renamings(settings, shape, member, scratch, seen, book, gone, new):
        messages.append(
            f"{where}: {renaming.old!r} is probably {renaming.new!r} now, by its {renaming.by}; "
            "a layout's `names` can say so"
        )
    return messages


def _read_names(settings: Settings, shape: TableShape, member: Member) -> tuple[Dialect, Codebook]:
    """The names in a file, and what it or its codebook says of them."""
    form = shape.format
    if member.codebook is not None:
        tables = [(seen, described) for _, _, seen, described in tables_of(settings, member, member.codebook)]
        seen, described = next((table for table in tables if table[0].form.record == form.record), tables[0])
        return seen, described.codebook
    if form.type in ("fixed_width", "cspro"):
        return Dialect(form, list(shape.header)), Codebook(list(shape.header), {}, {}, {})
    seen = guess_dialect(settings, member.path)
    if seen.form.type == form.type and form.type not in ("delimited", "sdmx_csv", "eurostat_tsv", "parquet"):
        seen = Dialect(form, names_of(member.path, form))
    if seen.form.type in ("spss", "stata"):
        return seen, read_variable_labels(member.path, seen.form.type)
    return seen, Codebook(seen.names, {}, {}, {})


def _renamings(
    settings: Settings, shape: TableShape, member: Member, scratch: Path,
    seen: Dialect, book: Codebook, gone: list[str], new: list[str],
) -> list[Renaming]:  # fmt: skip
    columns = {shape.header[p]: column for column, p in zip(shape.columns, shape.positions, strict=True)}
    labels = {name: columns[name].label for name in gone if name in columns}
    pairs = _keep_unambiguous(
        {(a, b) for a in gone for b in new if _has_same_words(str(labels.get(a, "")), book.labels.get(b, ""))}
    )
    renamings = [Renaming(old, name, "label") for old, name in pairs]
    for last in (False, True):  # a name that is known by its name leaves fewer for values to be ambiguous about
        left = [name for name in gone if name not in {one.old for one in renamings}]
        free = [name for name in new if name not in {one.new for one in renamings}]
        described = {name: columns[name] for name in left if name in columns}
        if described and free:
            fitting = _find_fitting(settings, shape, member, scratch, seen, described, free)
            renamings += [Renaming(old, name, "values") for old, name in _keep_unambiguous(fitting)]
        if not last:
            renamings += _match_names(left, free, renamings)
    return renamings


def _match_names(left: list[str], free: list[str], known: list[Renaming]) -> list[Renaming]:
    """Names that resemble each other, of those that nothing paired before."""
    rest = [name for name in free if name not in {one.new for one in known}]
    pairs = []
    for name in left:
        if name not in {one.old for one in known} and (other := find_similar(name, rest)):
            pairs.append(Renaming(name, other, "name"))
            rest.remove(other)
    return pairs


def _keep_unambiguous(pairs: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Pairs of which neither name has another partner."""
    old, new = [a for a, _ in pairs], [b for _, b in pairs]
    return sorted(pair for pair in pairs if old.count(pair[0]) == 1 and new.count(pair[1]) == 1)


def _has_same_words(first: str, other: str) -> bool:
    return bool(first.strip()) and " ".join(first.casefold().split()) == " ".join(other.casefold().split())


def _find_fitting(
    settings: Settings, shape: TableShape, member: Member, scratch: Path,
    seen: Dialect, columns: dict[str, Column], free: list[str],
) -> set[tuple[str, str]]:  # fmt: skip
    """Pairs of a column of the contract and a name in the file, all of whose values could be that column's."""
    if seen.form.type == "eurostat_tsv":  # its keys stand in one field, and are told apart by their names alone
        return set()
    closed = {name: column for name, column in columns.items() if not column.is_open_text}
    form = seen.form.model_copy(update={"unpivot": None, "decimal": shape.format.decimal})
    as_seen = shape_as_seen(member, Dialect(form, seen.names))
    table, _ = open_table(settings, as_seen, member, scratch)
    if table is None:
        return set()
    with open_for_parts(settings, table.slices) as con:
        gather_texts(con, table, as_seen, member, scratch)
        texts = {name: f"t{[compose_letters(one) for one in seen.names].index(name)}" for name in free}
        return {
            (old, name)
            for old, column in closed.items()
            for name, text in texts.items()
            if _fits(con, column, shape.format, text)
        }


def _fits(con: duckdb.DuckDBPyConnection, column: Column, form: Format, text: str) -> bool:
    values = f"(select distinct {text} as t0 from texts where {text} is not null)"
    [(different,)] = con.execute(f"select count(*) from {values}").fetchall()
    if different < _FEWEST_VALUES or count_misfits(con, column, form, values):
        return False
    plain_texts = [value for (value,) in con.execute(f"select t0 from {values}").fetchall()]
    absent = column.missing_values_in(form)
    there = [value for one in plain_texts if (value := column.value_of(one.strip())) is not None]
    there = [value for value in there if not _is_missing(absent, value)]
    if column.codes is not None:
        known = {column.value_of(code) for code in column.codes}
        return bool(there) and set(there) <= known
    kind = column.model_copy(update={"type": "number"}) if column.type in NUMERIC else column
    ends = (None if one is None else kind.value_of(one) for one in (column.minimum, column.maximum))
    bounds = Range(*ends)
    return bool(there) and all(bounds.holds(value) for value in there)


def _is_missing(absent: Missing, value: Value) -> bool:
    return value in absent.codes or any(one.holds(value) for one, _ in absent.ranges)
