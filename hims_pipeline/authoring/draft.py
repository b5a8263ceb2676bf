"""A first contract from a file, as YAML. What only a person can know says `?`; what the file shows is a proposal."""

import glob
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from hims_pipeline.authoring.column_kinds import Facts
from hims_pipeline.authoring.dialect import Dialect, guess_dialect, read_variable_labels, slug
from hims_pipeline.authoring.draft_books import database_tables, is_book, tables_of
from hims_pipeline.authoring.profile import FileProfile, profile_file
from hims_pipeline.contracts.entities import code_part
from hims_pipeline.contracts.formats import Format, FormatLimits
from hims_pipeline.contracts.names import find_confused
from hims_pipeline.errors import HimsError
from hims_pipeline.readers.files.archives import Member, expand_file
from hims_pipeline.readers.files.signatures import NAMES, kind_of
from hims_pipeline.readers.formats.codebook import UNKNOWN, Codebook, Description, Place
from hims_pipeline.settings import Settings
from hims_pipeline.words import inner_text

# Names that suggest a number of a person; a person decides.
_IDENTIFIER = re.compile(
    r"(^|_)(cin|cni|nin|nni|ssn|passport|passeport|matricule|national_?id|id_?national)($|_)", re.I
)
_FREE_TEXT = re.compile(
    r"(^|_)(nom|prenom|name|first_?name|last_?name|adresse|address|phone|tel|email|mail)($|_)", re.I
)
# Labels that say that there is no answer, in the languages of surveys at hand; a person decides.
_LACKING = re.compile(
    r"refus|don.?t know|not? (know|stat|answer|appl|ascert)|missing|unknown|undeclared|n/a|\bd\.?k\b"
    r"|sait pas|nsp|manquant|sans objet|non (déclar|répon|réponse|applic|précis)|inconnu"
    r"|no (sabe|responde|aplica)|لا (يعرف|ينطبق)|رفض|غير (محدد|مصرح)",
    re.I,
)
_LARGEST = 1e300
NO_DATA = (
    "pdf", "html", "xml", "json", "sql", "rtf", "document", "program", "sqlite", "duckdb", "empty", "sas",
    "sas_transport", "access", "r", "arrow", "hdf",
)  # fmt: skip
_HEAD = """\
# First draft, made from {file} ({rows:,} rows). Replace each "?" and check everything: types are what every value
# happened to fit, codes are what happened to occur, sensitivity is a guess from names. Save as {source}.yml.
"""


class _Flow(dict[str, Any]):
    """A mapping to be written on one line."""


class _Dumper(yaml.SafeDumper):
    """Block style with lists indented, and `_Flow` on one line."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - the library's
        super().increase_indent(flow, False)


_Dumper.add_representer(
    _Flow, lambda dumper, value: dumper.represent_mapping("tag:yaml.org,2002:map", value, flow_style=True)
)


@dataclass(frozen=True)
class _Drafted:
    name: str
    form: Format
    rows: int
    record: dict[str, Any]
    remarks: tuple[str, ...] = ()


def write_draft(settings: Settings, paths: Sequence[Path], scratch: Path) -> str:
    """The YAML text.

    Args:
        paths: a data file, and its codebook or dictionary where it is text at fixed places.

    Raises:
        HimsError, DataError: a file cannot be read.
    """
    members = [member for path in paths for member in expand_file(path, FormatLimits(), scratch)]
    if not members:
        raise HimsError(f"{paths[0].name} is an empty archive.")
    books = [member for member in members if is_book(member)]
    if len(books) == len(members):
        raise HimsError(f"{inner_text(books[0].shown)} describes data; give the data file beside it.")
    data = sorted((one for one in members if one not in books), key=lambda one: -one.path.stat().st_size)
    member, remarks = data[0], list[str]()
    if kind_of(member.path) == "sqlite":
        drafts = [_entity(settings, *table, scratch) for table in database_tables(member)]
    elif books:
        drafts = [_entity(settings, *table, scratch) for table in tables_of(settings, member, books[0])]
    else:
        drafts = _entities(settings, data, scratch, remarks)
    contract = _contract(slug(member.name), drafts)
    text = yaml.dump(contract, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=118)
    rows = sum(one.rows for one in drafts)
    remarks += [remark for one in drafts for remark in one.remarks]
    messages = "".join(f"# To decide: {remark}.\n" for remark in remarks)
    return _HEAD.format(file=inner_text(member.shown), rows=rows, source=contract["source"]) + messages + text


def _entities(settings: Settings, data: Sequence[Member], scratch: Path, remarks: list[str]) -> list[_Drafted]:
    """An entity of each data file; what no reader opens beside one is left out, with a remark."""
    drafted_entities: list[_Drafted] = []
    names = [member.name.lower() for member in data]
    remarks += [
        f"{names.count(name)} files are called {name}; they are told apart by their names, so each needs its own"
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    for member in data:
        if len(data) > 1 and kind_of(member.path) in NO_DATA:
            remarks.append(
                f"{inner_text(member.shown)} is {NAMES[kind_of(member.path)]} and no data; it must not be delivered"
            )
            continue
        name, taken = slug(member.name), {one.name for one in drafted_entities}
        if name in taken:
            name = next(other for number in count(2) if (other := f"{name}_{number}") not in taken)
        folder = scratch / f"entity-{len(drafted_entities)}"  # readers write files of fixed names
        folder.mkdir()
        drafted_entities.append(_entity(settings, name, member, *_describe_member(settings, member), folder))
    if not drafted_entities:
        raise HimsError(f"{inner_text(data[0].shown)} is {NAMES[kind_of(data[0].path)]}; no reader opens that.")
    return drafted_entities


def _describe_member(settings: Settings, member: Member) -> tuple[Dialect, Description]:
    seen = guess_dialect(settings, member.path)
    if not seen.names:
        raise HimsError(f"{inner_text(member.shown)} has no header.")
    book = Codebook(seen.names, {}, {}, {})
    if seen.form.type in ("spss", "stata"):
        book = read_variable_labels(member.path, seen.form.type)
    return seen, Description(book)


def _entity(
    settings: Settings, name: str, member: Member, seen: Dialect, described: Description, scratch: Path
) -> _Drafted:
    letters = string.ascii_lowercase if seen.form.type == "stata" else ""  # without a label a file does not list them
    marks = {
        name: [*letters, *(code for code in described.codebook.missing.get(name, ()) if code.isalpha())]
        for name in seen.names
    }
    numeric = [name for name, place in described.places.items() if place.numeric and not place.zero_fill]
    book = described.codebook
    labelled = {name: [*codes, *book.missing.get(name, ())] for name, codes in book.values.items()}
    description = profile_file(settings, member, seen, scratch, marks, numeric, labelled)
    columns = [_column(facts, description, described) for facts in description.columns]
    record: dict[str, Any] = {
        "title": _Flow(en="?"),
        "grain": "?",
        "files": [glob.escape(member.name)],
        "key": list(description.key),
    }
    if len(columns) < len(seen.names):
        record["header"] = list(seen.names)
    coded = {str(column["name"]) for column in columns if "codes" in column}
    if aside := {f"{code_part(name)}-CODES": share for name, share in description.totals.items() if name in coded}:
        record["set_aside"] = _Flow({rule: min(0.5, round(1.5 * share + 0.001, 3)) for rule, share in aside.items()})
    record["columns"] = columns
    remarks = [*seen.remarks, *description.remarks]
    if confused := find_confused(column["name"] for column in columns if column["sensitivity"] != "free_text"):
        remarks.append(f"{len(confused)} columns need names of their own, with a letter; a layout's `names` say theirs")
    return _Drafted(name, description.form, description.rows, record, tuple(remarks))


def _column(facts: Facts, profile: FileProfile, described: Description) -> _Flow:
    place = described.places.get(facts.name)
    column = _place_column(facts, profile, described)
    if _IDENTIFIER.search(facts.name):
        return _Flow(column | {"type": "text", "sensitivity": "identifier"})
    if facts.is_free_text:
        return _Flow(column | {"type": "text", "sensitivity": "free_text"})
    kind = _kind_at(place, facts.kind)
    if place is not None and place.decimals and profile.form.type == "fixed_width":
        column["implied_decimals"] = place.decimals
    column |= _write_kind(facts, profile, kind) | _code_values(facts, described.codebook, kind)
    if facts.name in profile.key or facts.filled == profile.rows:
        column["required"] = True
    if profile.key == (facts.name,):
        column["unique"] = True
    if facts.filled == 0:
        column["may_be_empty"] = True
    column["sensitivity"] = "quasi"
    if kind["type"] == "text" and "codes" not in column and facts.name not in profile.key:
        return _Flow(column | {"sensitivity": "free_text"})  # open text stays inside until a person decides
    if kind["type"] == "text" and "codes" not in column:
        column["open_text"] = "?"
    return column


def _place_column(facts: Facts, profile: FileProfile, described: Description) -> _Flow:
    """A column's name, its label, and where in a line it stands."""
    column, place = _Flow(name=facts.name), described.places.get(facts.name)
    if facts.name in described.codebook.labels:
        column["label"] = described.codebook.labels[facts.name]
    if place is not None and profile.form.type == "fixed_width":
        column |= {"start": place.start, "width": place.width}
    return column


def _write_kind(facts: Facts, profile: FileProfile, kind: dict[str, object]) -> _Flow:
    """The type, and what stands in the column's cells beside its values."""
    column = _Flow({name: list(value) if isinstance(value, tuple) else value for name, value in kind.items()})
    if profile.form.type == "parquet" and "date_format" in column:
        column["date_format"] = "%Y-%m-%d"  # a timestamp at midnight is a day, whatever it prints
    if kind["type"] != "text" and not set(facts.words) <= set(profile.form.null_values):
        column["null_values"] = [*profile.form.null_values, *facts.words]
    if facts.flags:
        column["flags"] = _Flow(facts.flags)
    return column


def _code_values(facts: Facts, book: Codebook, kind: dict[str, object]) -> _Flow:
    """Codes with their labels, and those that stand for no value."""
    column, labels_of = _Flow(), book.first_labels().get(facts.name, {})
    lacking = dict(book.missing.get(facts.name, {}))
    if kind["type"] != "text":
        lacking = dict.fromkeys(facts.marks, UNKNOWN) | lacking
    spans = book.missing_ranges.get(facts.name, ())
    apart = {code: label for code, label in labels_of.items() if not any(_lies_in(code, *span) for span in spans)}
    if facts.unlabelled and facts.codes is None:  # a number of which a few have a label, such as an age
        lacking |= {code: UNKNOWN for code, label in apart.items() if code not in lacking and _LACKING.search(label)}
    known = {code: label for code, label in apart.items() if code not in lacking}
    listed = facts.codes is not None or (known and not facts.unlabelled)
    if listed and kind["type"] in ("integer", "text"):
        labels = {_code(code, kind): label for code, label in known.items()}
        seen = {_code(code, kind) for code in facts.codes or []}
        seen -= {code for code in seen if any(_lies_in(str(code), *span) for span in spans)}
        codes = sorted({*seen, *labels} - {_code(code, kind) for code in lacking}, key=lambda c: (len(str(c)), str(c)))
        column["codes"] = {code: labels.get(code) or "?" for code in codes}
    if lacking or spans:
        column["missing"] = {_code(code, kind): special for code, special in lacking.items()}
        column["missing"] |= {f"{_end(low)}..{_end(high)}": UNKNOWN for low, high in spans}
    return column


def _lies_in(code: str, low: float, high: float) -> bool:
    try:
        return low <= float(code) <= high
    except ValueError:
        return False


def _end(bound: float) -> str:
    """An end of a range as contracts write it; SPSS writes LOWEST and HIGHEST as the largest doubles."""
    return "" if abs(bound) > _LARGEST else f"{bound:.15g}"


def _kind_at(place: Place | None, kind: dict[str, object]) -> dict[str, object]:
    """The type that a codebook speaks of, where the text alone does not show it: points and zeros are not written."""
    if place is None or not place.numeric:
        return kind
    if place.decimals:
        return {"type": "decimal", "scale": place.decimals}
    return {"type": "integer"} if place.zero_fill and kind["type"] == "text" else kind


def _code(code: str, kind: dict[str, object]) -> int | str:
    """A code as YAML has it; one that is no number of the column's type stays text."""
    return int(code) if kind["type"] == "integer" and code.lstrip("-").isdecimal() else code


def _contract(name: str, drafted: list[_Drafted]) -> dict[str, Any]:
    forms = [_Flow(one.form.model_dump(mode="json", exclude_defaults=True) or {"type": "delimited"}) for one in drafted]
    entities = {one.name: one.record for one in drafted}
    if len(drafted) > 1:
        entities = {
            one.name: {**{k: v for k, v in one.record.items() if k != "columns"}, "format": form}
            | {"columns": one.record["columns"]}
            for one, form in zip(drafted, forms, strict=True)
        }
    return {
        "source": name,
        "title": _Flow(en="?", fr="?", ar="?"),
        "description": "?",
        "status": "proposed",
        "data_kind": "real",
        "personal": True,
        "owner": _Flow(institution="?", contact="?"),
        "licence": _Flow(name="?", attribution="?", redistributable=False),
        "purpose": "?",
        "legal": _Flow(basis="?", record="", retention_years=10),
        "cadence": "irregular",
        "period": _Flow(kind="reference_period", pattern="year", supersedes="same_period"),
        "clock": "?",
        "universe": "unknown",
        "duration_rule": "NONE",
        "measure_type": "stock",
        **({"format": forms[0]} if len(drafted) == 1 else {}),
        "entities": entities,
    }
