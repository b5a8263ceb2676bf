"""Reference tables of the rendered dbt project: code lists as they are edited, with the observatory's languages, and
tables made from its YAML files. Every column is text."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from hims_pipeline.contracts.controls import Control, load_controls
from hims_pipeline.contracts.corrections import Correction
from hims_pipeline.contracts.crosswalks import CROSSWALKS, load_schemes
from hims_pipeline.contracts.indicators import load_breakdowns, load_indicators
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.errors import HimsError
from hims_pipeline.lake.files import write_text
from hims_pipeline.settings import Settings
from hims_pipeline.staging.corrections import correction_header, correction_row


def as_yaml(value: Any) -> str:
    """YAML with keys in their order, for files that dbt reads."""
    return yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=120)


def _csv(rows: Sequence[dict[str, Any]], header: Sequence[str] = ()) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=header or list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def write_seeds(
    settings: Settings, folder: Path, contracts: Iterable[Contract], mended: dict[str, tuple[Correction, ...]]
) -> None:
    """Write the seeds of a rendered tree: code lists, crosswalks and what contracts and records say, as text."""
    folder.mkdir()
    observatory = load_observatory(settings.data)
    languages = observatory.languages
    for path in sorted((settings.data / "codelists").glob("[!.]*.csv")):
        write_text(
            folder / path.name,
            _drop_broken_schemes(settings, path) if path.name in CROSSWALKS else _expand_labels(path, languages),
        )
    indicators = load_indicators(settings.data)
    made = {
        "sources": [
            _source_row(contract, languages)
            | {"counts_are_judged": str(contract.source in observatory.policies.delivered_counts).lower()}
            for contract in contracts
        ],
        "indicators": [indicator.as_row(languages, observatory.policies) for indicator in indicators.values()],
        "indicator_cells": [
            {"indicator": indicator.code, "cell": " ".join(sorted(cell))} for indicator in indicators.values()
            for cell in indicator.allowed_cells
        ],
        "indicator_universes": [
            {"indicator": indicator.code, "universe": universe, "answers_for": group}
            for indicator in indicators.values()
            for universe, group in ({indicator.universe: indicator.universe} | indicator.universes).items()
        ],
        "breakdowns": [
            {"breakdown": b.name, **b.label.columns("name", languages), "meaning": b.meaning}
            | {"codes": " ".join(b.codes)}
            for b in load_breakdowns(settings.data)
        ],
    }  # fmt: skip
    for name, rows in made.items():
        if (folder / f"{name}.csv").exists():
            raise HimsError(f"data/codelists/{name}.csv: this name belongs to a table that is made from YAML files.")
        write_text(folder / f"{name}.csv", _csv(rows))
    corrections = [correction_row(source, one, languages) for source, some in mended.items() for one in some]
    write_text(folder / "corrections.csv", _csv(corrections, correction_header(languages)))
    controls = [control.model_dump() for control in load_controls(settings.data)]
    write_text(folder / "controls.csv", _csv(controls, list(Control.model_fields)))
    described = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(file))
        # Every code is text: inferred types would turn "012" into 12 and Namibia's "NA" into NULL.
        described.append({"name": path.stem, "config": {"column_types": dict.fromkeys(header, "string")}})
    write_text(folder / "seeds.yml", as_yaml({"version": 2, "seeds": described}))


def _drop_broken_schemes(settings: Settings, path: Path) -> str:
    """A crosswalk without the schemes that do not hold: only the sources that name them are concerned."""
    header = ("scheme", "code", CROSSWALKS[path.name][1], "note")
    holding = load_schemes(settings.data).codes
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("scheme") in holding]
    return _csv([{name: row.get(name) or "" for name in header} for row in rows], header)


def _expand_labels(path: Path, languages: tuple[str, ...]) -> str:
    """A code list with the label columns of the observatory's languages: what has `<label>_en` gets one for each."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        header = list(reader.fieldnames or ())
        rows = list(reader)
    labels = [name.removesuffix("_en") for name in header if name.endswith("_en")]
    plain = [name for name in header if not any(re.fullmatch(f"{label}_[a-z]{{2,3}}", name) for label in labels)]
    named = [f"{label}_{language}" for label in labels for language in languages]
    out = io.StringIO()
    writer = csv.DictWriter(out, [*plain, *named], restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _source_row(contract: Contract, languages: tuple[str, ...]) -> dict[str, Any]:
    design = contract.design
    return {
        "source": contract.source,
        **contract.title.columns("name", languages),
        "status": contract.status, "data_kind": contract.data_kind, "ref_country": contract.country or "",
        "owner": contract.owner.institution, "contact": contract.owner.contact,
        "licence": contract.licence.name, "attribution": contract.licence.attribution,
        "is_redistributable": str(contract.licence.redistributable).lower(),
        "cadence": contract.cadence, "clock": contract.clock, "universe": contract.universe,
        "duration_rule": contract.duration_rule, "measure_type": contract.measure_type,
        "is_personal": str(contract.personal).lower(),
        "design_kind": design.kind if design else "", "expand_to_persons": (design.expand_to or "") if design else "",
        "design_note": design.fallback.note if design and design.fallback else "",
    }  # fmt: skip
