"""A first contract from a file, as YAML. What only a person can know says `?`; what the file shows is a proposal."""

import re
import unicodedata
from pathlib import Path
from typing import Any

import yaml

from hims_pipeline.contracts.model import Format, Limits
from hims_pipeline.errors import HimsError
from hims_pipeline.readers.dialect import guess_dialect
from hims_pipeline.readers.profile import Facts, Profile, profile
from hims_pipeline.readers.unpack import Member, expand_file
from hims_pipeline.settings import Settings

# Names that suggest a number of a person; a person decides.
_IDENTIFIER = re.compile(
    r"(^|_)(cin|cni|nin|nni|ssn|passport|passeport|matricule|national_?id|id_?national)($|_)", re.I
)
_FREE_TEXT = re.compile(
    r"(^|_)(nom|prenom|name|first_?name|last_?name|adresse|address|phone|tel|email|mail)($|_)", re.I
)
_HEAD = """\
# First draft, made from {file} ({rows:,} rows). Replace each "?" and check everything: types are what every value
# happened to fit, codes are what happened to occur, sensitivity is a guess from names. Save as {source}.yml.
"""


class _Flow(dict[str, Any]):
    """A mapping to be written on one line."""


class _Dumper(yaml.SafeDumper):
    """Block style with lists indented, and `_Flow` on one line."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


_Dumper.add_representer(
    _Flow, lambda dumper, value: dumper.represent_mapping("tag:yaml.org,2002:map", value, flow_style=True)
)


def draft(settings: Settings, path: Path, scratch: Path) -> str:
    """The YAML text.

    Raises:
        HimsError, DataError: the file cannot be read.
    """
    members = expand_file(path, Limits(), scratch)
    if not members:
        raise HimsError(f"{path.name} is an empty archive.")
    member = max(members, key=lambda one: one.path.stat().st_size)
    seen = guess_dialect(settings, member.path)
    if not seen.names:
        raise HimsError(f"{member.shown} has no header.")
    found = profile(settings, member, seen, scratch)
    labels, values, missing = _codebook(member, seen.form)
    columns = [_column(facts, found, labels, values, missing) for facts in found.columns]
    contract = _contract(_slug(member.name), member, found, columns)
    text = yaml.dump(contract, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=118)
    return _HEAD.format(file=member.shown, rows=found.rows, source=contract["source"]) + text


def _codebook(
    member: Member, form: Format
) -> tuple[dict[str, str], dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    if form.type not in ("spss", "stata"):
        return {}, {}, {}
    from hims_pipeline.readers.statistical import read_codebook

    book = read_codebook(member.path, form.type)
    return book.labels, book.first_labels(), book.missing


def _column(
    facts: Facts,
    found: Profile,
    labels: dict[str, str],
    values: dict[str, dict[str, str]],
    missing: dict[str, dict[str, str]],
) -> _Flow:
    column = _Flow(name=facts.name)
    if facts.name in labels:
        column["label"] = labels[facts.name]
    kind = facts.kind
    if _IDENTIFIER.search(facts.name):
        return _Flow(column | {"type": "text", "sensitivity": "identifier"})
    if facts.is_free_text:
        return _Flow(column | {"type": "text", "sensitivity": "free_text"})
    column |= {name: list(value) if isinstance(value, tuple) else value for name, value in kind.items()}
    if found.form.type == "parquet" and "date_format" in column:
        column["date_format"] = "%Y-%m-%d"  # a timestamp at midnight is a day, whatever it prints
    lacking = missing.get(facts.name, {})
    known = values.get(facts.name, {})
    if facts.codes is not None or known:
        codes = sorted({*(facts.codes or []), *known} - set(lacking), key=lambda code: (len(code), code))
        column["codes"] = {_code(code, kind): known.get(code, "?") for code in codes}
    if lacking:
        column["missing"] = {_code(code, kind): special for code, special in lacking.items()}
    if facts.name in found.key or facts.filled == found.rows:
        column["required"] = True
    if found.key == (facts.name,):
        column["unique"] = True
    if facts.filled == 0:
        column["may_be_empty"] = True
    column["sensitivity"] = "quasi"
    return column


def _code(code: str, kind: dict[str, object]) -> int | str:
    return int(code) if kind["type"] == "integer" and str(int(code)) == code else code


def _contract(name: str, member: Member, found: Profile, columns: list[_Flow]) -> dict[str, Any]:
    entity = {
        "title": _Flow(en="?"),
        "grain": "?",
        "files": [member.name],
        "key": list(found.key),
        "columns": columns,
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
        "format": _Flow(found.form.model_dump(mode="json", exclude_defaults=True) or {"type": "delimited"}),
        "entities": {name: entity},
    }


def _slug(name: str) -> str:
    """A name as contracts have them, from a file's: `People 2024.csv` becomes `people_2024`."""
    plain = unicodedata.normalize("NFKD", name.split(".")[0]).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return slug if slug[:1].isalpha() else f"source_{slug}".strip("_")
