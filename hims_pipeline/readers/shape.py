"""What a file of an entity must look like in a period, and how a header that differs is told to the deliverer.

Names that the contract knows are shown everywhere, others stand as `column 12` outside the closed zone: a header cell
may hold anything. Where few of them are known, the first line may well be a person, and then none is shown at all.
"""

import difflib
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.formats import Format, FormatLimits
from hims_pipeline.contracts.model import Contract, Entity
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.findings import block, warn
from hims_pipeline.words import Words, join_words, our_text, senders_text, words

_SHOWN = 8


@dataclass(frozen=True)
class TableShape:
    """One entity in one period: names in the file in order, and where each column that is read stands among them.

    `positions` counts from 0 and is parallel to `columns`, the kept columns in the contract's order. `headings` are
    those that become rows, where this is the shape of a wide file itself (`wide.widened`).
    """

    source: str
    name: str
    entity: Entity
    format: Format
    limits: FormatLimits
    header: tuple[str, ...]
    columns: tuple[Column, ...]
    positions: tuple[int, ...]
    headings: tuple[str, ...] = ()


def shape_of(contract: Contract, name: str, period: str) -> TableShape:
    """The shape of an entity in a period."""
    entity = contract.entity_in(name, period)
    sent = contract.sent_names(name, period)
    named = entity.header or tuple(column.name for column in entity.columns)
    header = tuple(compose_letters(sent.get(one, one)) for one in named)
    columns = entity.kept_columns
    return TableShape(
        source=contract.source,
        name=name,
        entity=entity,
        format=contract.format_in(name, period),
        limits=contract.limits,
        header=header,
        columns=columns,
        positions=tuple(header.index(compose_letters(sent.get(column.name, column.name))) for column in columns),
    )


def fit_header(
    shape: TableShape, names: list[str], file: str, ordered: bool = True
) -> tuple[TableShape, list[Finding]]:
    """The shape as a file has it, and how its header differs from the contract's.

    With `header: by_name` the columns that are read are found by their names, wherever they stand; the others are told
    of and left unread. Otherwise the names must be the contract's, and in its order where places tell columns apart
    (`ordered`).
    """
    names = [compose_letters(name) for name in names]
    if shape.format.header != "by_name":
        same = tuple(names) == shape.header if ordered else sorted(names) == sorted(shape.header)
        return shape, [] if same else check_header(shape, names, file)
    wanted = [shape.header[position] for position in shape.positions]
    missing = [name for name in wanted if name not in names]
    doubled = [name for name in wanted if names.count(name) > 1]
    if missing or doubled:
        messages = [words("missing: {names}", names=our_text(list_names(missing)))] if missing else []
        messages += [words("named twice: {names}", names=our_text(list_names(doubled)))] if doubled else []
        messages += _find_alike_names(missing, names)
        message = words(
            "of the {count} columns that are read, {problem}. A layout's `names` can rename them",
            count=len(wanted),
            problem=join_words(messages, "; "),
        )
        return shape, [block("ENVELOPE-HEADER", message, file, entity=shape.name)]
    fitted = replace(shape, header=tuple(names), positions=tuple(names.index(name) for name in wanted))
    return fitted, _drift(shape, names, file)


def _drift(shape: TableShape, names: list[str], file: str) -> list[Finding]:
    """Columns that are new, and those of the contract that are gone; nothing reads either."""
    new = [name for name in names if name not in shape.header]
    gone = [name for name in shape.header if name not in names]
    if not new and not gone:
        return []
    message = words(
        "the header has {new} names that the contract lacks and lacks {gone} of its own, none of which is read",
        new=len(new),
        gone=len(gone),
    )
    return [warn("ENVELOPE-DRIFT", message, file, entity=shape.name)]


def check_header(shape: TableShape, names: list[str], file: str) -> list[Finding]:
    """The header must be the contract's, name for name and in its order."""
    names = [compose_letters(name) for name in names]
    if tuple(names) == shape.header:
        return []
    return [
        block(
            "ENVELOPE-HEADER",
            words(
                "the header has {found} names, the contract {agreed}; {difference}. "
                "Send the file with the agreed header, or change the contract",
                found=len(names),
                agreed=len(shape.header),
                difference=_difference(shape, names),
            ),
            file,
            entity=shape.name,
        )
    ]


def _difference(shape: TableShape, names_sent: list[str]) -> Words:
    expected = list(shape.header)
    if len(names_sent) == 1 < len(expected):
        delimiter = our_text(repr(shape.format.delimiter))
        return words("it is one single name, so the delimiter is probably not {delimiter}", delimiter=delimiter)
    known = len(set(names_sent) & set(expected))
    if not known:
        return words("none of the contract's names is in it: the first line may be data, or this is another file")

    def show_names(names: list[str]) -> Words:
        if known < len(expected) / 2:
            return words("{count} name(s)", count=len(names))
        return listed_as_sent(names, names_sent, expected)

    messages = []
    if doubled := [name for name, count in Counter(names_sent).items() if count > max(1, expected.count(name))]:
        messages.append(words("named twice: {names}", names=show_names(doubled)))
    if missing := [name for name in expected if name not in names_sent]:
        messages.append(words("missing: {names}", names=our_text(list_names(missing))))
    if extra := [name for name in names_sent if name not in expected]:
        messages.append(words("not in the contract: {names}", names=show_names(extra)))
    messages += _find_alike_names(missing, names_sent)
    if messages:
        return join_words(messages, "; ")
    place = next(i for i, (a, b) in enumerate(zip(names_sent, expected, strict=True)) if a != b)
    return words(
        "out of order from column {place} on: {name} stands where {other} must",
        place=place + 1,
        name=our_text(_show(names_sent[place])),  # the contract knows all of them here
        other=our_text(_show(expected[place])),
    )


def _find_alike_names(missing: Sequence[str], names_sent: Sequence[str]) -> list[Words]:
    """Which of the columns sent have a missing name but for its case, or for blanks and marks that nobody sees."""
    places = {_fold_name(name): place + 1 for place, name in enumerate(names_sent)}
    near = [f"column {places[_fold_name(name)]} and {_show(name)}" for name in missing if _fold_name(name) in places]
    if not near:
        return []
    return [words("alike but for case, blanks or unseen characters: {names}", names=our_text(", ".join(near[:_SHOWN])))]


def _fold_name(name: str) -> str:
    words_of_it = unicodedata.normalize("NFKC", name).casefold().split()
    return " ".join("".join(filter(str.isprintable, word)) for word in words_of_it)


def listed_as_sent(names: list[str], names_sent: list[str], known: Sequence[str] = ()) -> Words:
    """The first few of a file's names: those that the contract knows, and ordinals of the others."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    shown = [
        our_text(_show(name)) if name in known else senders_text(_show(name), f"column {names_sent.index(name) + 1}")
        for name in names[:_SHOWN]
    ]
    return words("{names}{more}", names=join_words(shown), more=our_text(more))


def find_similar(name: str, names: list[str]) -> str | None:
    """The name among `names` that a misspelt or renamed one probably stands for."""
    lower = {other.lower(): other for other in names}
    close = difflib.get_close_matches(name.lower(), list(lower), n=1, cutoff=0.75)
    return lower[close[0]] if close else None


def compose_letters(name: str) -> str:
    """A name as it is compared: letters and their accents composed in one way."""
    return unicodedata.normalize("NFC", name)


def _show(name: str) -> str:
    clean = "".join(letter if letter.isprintable() else "?" for letter in name)
    return f"'{clean}'" if len(clean) <= 40 else f"'{clean[:37]}...'"


def list_names(names: list[str]) -> str:
    """The first few of the contract's names, fit to be shown, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(_show(name) for name in names[:_SHOWN]) + more
