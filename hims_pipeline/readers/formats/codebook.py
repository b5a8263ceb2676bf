"""What a statistical file, or the codebook beside it, says about its variables, and how that is held against the
contract: labels that differ are a warning, since the same code may have come to mean something else; a code that has
the label of another one, or that the file calls missing while the contract counts it, refuses the file."""

import re
import unicodedata
from dataclasses import dataclass, field, replace

from hims_pipeline.contracts.columns import Column
from hims_pipeline.errors import DataError
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.findings import block, warn
from hims_pipeline.readers.formats.declared_missing import taken_for_values
from hims_pipeline.readers.shape import TableShape
from hims_pipeline.sql import literal
from hims_pipeline.words import Words, join_words, our_text, senders_text, words

_NUMBERS = re.compile(r"(lowest|[-0-9.e+]{1,16})( to (highest|[-0-9.e+]{1,16}))?")
_LONGEST, _MOST_DECIMALS = 100_000_000, 37  # characters of a line, and digits behind the point of any number
UNKNOWN = "_U"  # what a missing code stands for where the codebook says no more


@dataclass(frozen=True)
class Codebook:
    """What a file says about itself.

    Args:
        names: of the variables, in order.
        labels: name -> label.
        values: name -> code as text -> its labels, one a language.
        missing: name -> codes declared to be missing values -> the special code they seem to stand for.
        rows: number of records, 0 where it is not told.
        missing_ranges: name -> (lowest, highest) of values declared to be missing, both included.
    """

    names: list[str]
    labels: dict[str, str]
    values: dict[str, dict[str, tuple[str, ...]]]
    missing: dict[str, dict[str, str]]
    rows: int = 0
    missing_ranges: dict[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)

    def first_labels(self) -> dict[str, dict[str, str]]:
        """Value labels in the first language that has them."""
        return {
            name: {code: next((label for label in labels if label), "") for code, labels in codes.items()}
            for name, codes in self.values.items()
        }


@dataclass(frozen=True)
class Place:
    """Where a variable stands in a line.

    Args:
        start, width: first character, from 1, and number of characters.
        decimals: the last so many digits stand behind a point that is not written.
        numeric: whether it holds a number by the codebook; None where it does not say.
        zero_fill: numbers are padded with zeros on the left, which are no part of them.
    """

    name: str
    start: int
    width: int
    decimals: int = 0
    numeric: bool | None = None
    zero_fill: bool = False

    def __post_init__(self) -> None:
        """Raise a DataError where this is no place in a line, or no number has so many decimals."""
        if self.start < 1 or self.width < 1 or self.end > _LONGEST or not 0 <= self.decimals <= _MOST_DECIMALS:
            name = senders_text(self.name, "a variable")
            message = words(
                "{name} stands from {start} to {end}, with {decimals} decimals, which no line of text holds",
                name=name,
                start=self.start,
                end=self.end,
                decimals=self.decimals,
            )
            raise DataError("ENVELOPE-CODEBOOK", message)

    @property
    def end(self) -> int:
        return self.start + self.width - 1


@dataclass(frozen=True)
class RecordTypes:
    """The types of records in a file.

    Args:
        start, width: where in a line its type stands.
        known: type as it is written -> name.
        own: the type that an entity is.
    """

    start: int
    width: int
    known: dict[str, str]
    own: str

    @property
    def sql(self) -> str:
        """SQL: the type of the line `l`."""
        return f"trim(substr(coalesce(l, ''), {self.start}, {self.width}))"

    @property
    def chosen(self) -> str:
        """SQL: the line `l` is of the entity's own type."""
        return f"{self.sql} = {literal(self.own)}"


@dataclass(frozen=True)
class Description:
    """A codebook with the places of its variables; `length` is that of a line where the codebook says so, `types` tell
    lines apart where they are of several types."""

    codebook: Codebook
    places: dict[str, Place] = field(default_factory=dict)
    length: int | None = None
    types: RecordTypes | None = None


def place_findings(shape: TableShape, described: Description, file: str, rule: str) -> list[Finding]:
    """Places and widths that are not those the contract agreed on, where it names them."""
    findings = []
    for column, position in zip(shape.columns, shape.positions, strict=True):
        place = described.places[shape.header[position]]
        agreed = replace(
            place,
            start=column.start or place.start,
            width=column.width or place.width,
            decimals=column.implied_decimals or place.decimals,
        )
        if place != agreed:
            message = words(
                "says characters {start} to {end} with {decimals} decimals; the contract says "
                "{agreed_start} to {agreed_end} with {agreed_decimals}. This may be the codebook of another file",
                start=place.start,
                end=place.end,
                decimals=place.decimals,
                agreed_start=agreed.start,
                agreed_end=agreed.end,
                agreed_decimals=agreed.decimals,
            )
            findings.append(block(rule, message, file, entity=shape.name, column=column.name))
    return findings


def label_findings(shape: TableShape, codebook: Codebook, file: str) -> list[Finding]:
    """Where the file's value labels are not the contract's: warnings about codes it does not know, labels that differ;
    what refuses is a label that the contract gives to another code, and a counted code that the file calls missing."""
    findings_of_labels = []
    for column, position in zip(shape.columns, shape.positions, strict=True):
        name = shape.header[position]
        findings_of_labels += _contradictions(shape, column, codebook, name, file)
        messages = _find_other_labels(column, codebook.values.get(name, {}))
        valid = taken_for_values(column, codebook.missing.get(name, ()), codebook.missing_ranges.get(name, ()))
        if valid:
            codes = join_words(
                our_text(one) if _NUMBERS.fullmatch(one) else senders_text(one) for one in valid
            )  # a number names nobody
            messages.append(
                words("calls these codes missing, which the contract takes for values: {codes}", codes=codes)
            )
        if messages:
            message = words("the file {said}. Compare both code books", said=join_words(messages, "; "))
            findings_of_labels.append(warn("ENVELOPE-LABELS", message, file, entity=shape.name, column=column.name))
    return findings_of_labels


def _contradictions(shape: TableShape, column: Column, codebook: Codebook, name: str, file: str) -> list[Finding]:
    """Codes that mean one thing in the file and another in the contract: by no reading are both right."""
    known = {_strip_zeros(str(code)): _meaning(label) for code, label in (column.codes or {}).items()}
    sent_labels = codebook.values.get(name, {})
    labels = {_strip_zeros(code): {_meaning(one) for one in text if one} for code, text in sent_labels.items()}
    exchanged = [
        code
        for code, label in known.items()
        if label not in labels.get(code, {label})
        and any(other != code and meaning in labels[code] for other, meaning in known.items() if meaning)
    ]
    ranges = codebook.missing_ranges.get(name, ())
    counted = [
        code
        for code, meaning in known.items()
        if meaning and (code in {*map(_strip_zeros, codebook.missing.get(name, {}))} or _lies_in(code, ranges))
    ]
    findings = []
    if exchanged:
        message = words(
            "the file gives these codes the labels that the contract gives to others: {codes}. Send the file with the"
            " agreed codes, or ask for the contract to be changed",
            codes=join_words(our_text(one) for one in exchanged),
        )
        findings.append(block("ENVELOPE-LABELS-EXCHANGED", message, file, entity=shape.name, column=column.name))
    if counted:
        message = words(
            "the file calls these codes missing, which the contract counts as answers: {codes}. Take them out of the"
            " file's missing values, or ask for the contract to be changed",
            codes=join_words(our_text(one) for one in counted),
        )
        findings.append(block("ENVELOPE-MISSING-DECLARED", message, file, entity=shape.name, column=column.name))
    return findings


def _find_other_labels(column: Column, labels: dict[str, tuple[str, ...]]) -> list[Words]:
    if column.codes is None or not labels:
        return []
    known = {_strip_zeros(str(code)): label for code, label in column.codes.items()}
    known = {_strip_zeros(str(code)): "" for code in column.missing} | known
    missing = column.absent.ranges
    unknown = [
        code
        for code in labels
        if _strip_zeros(code) not in known
        and ((value := column.value_of(code)) is None or not any(one.holds(value) for one, _ in missing))
    ]
    differ = [code for code in labels if _differs(known.get(_strip_zeros(code), ""), labels[code])]
    messages = []
    if unknown:
        codes = senders_text(", ".join(unknown), f"{len(unknown)} of them")
        messages.append(words("labels codes that the contract lacks: {codes}", codes=codes))
    if differ:
        codes = join_words(our_text(_strip_zeros(code)) for code in differ)  # the contract has them
        messages.append(words("labels these codes in other words: {codes}", codes=codes))
    return messages


def _differs(known: str, labels: tuple[str, ...]) -> bool:
    return bool(known) and _fold_label(known) not in {_fold_label(label) for label in labels}


def _fold_label(label: str) -> str:
    """A label without case, accents and further blanks."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", label) if not unicodedata.combining(sign))
    return " ".join(plain.casefold().split())


# Words of three languages for what is exchanged most: which code is a man, and which a yes.
_SAME = (
    ("male", "males", "man", "men", "homme", "hommes", "masculin", "masc", "ذكر", "ذكور", "رجل", "رجال"),
    ("female", "females", "woman", "women", "femme", "femmes", "feminin", "fem", "أنثى", "إناث", "امرأة", "نساء"),
    ("yes", "oui", "نعم"),
    ("no", "non", "لا"),
)


def _meaning(label: str) -> str:
    """What a label says, whichever of the languages says it."""
    return _MEANINGS.get(folded := _fold_label(label), folded)


_MEANINGS = {_fold_label(word): group[0] for group in _SAME for word in group}


def _lies_in(code: str, ranges: tuple[tuple[float, float], ...]) -> bool:
    try:
        return any(low <= float(code) <= high for low, high in ranges)
    except ValueError:
        return False


def _strip_zeros(code: str) -> str:
    """Codebooks write 1 where the data have 01."""
    return code.lstrip("0") or "0" if code.isdigit() else code
