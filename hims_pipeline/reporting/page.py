"""The page of a report: one HTML file without a script, a picture or an address outside itself, written beside the
verdict that it is about. Jinja escapes whatever is put into it."""

import json
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hims_pipeline.contracts.model import Contract
from hims_pipeline.lake import batches
from hims_pipeline.lake.files import write_text
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.verdict import Verdict
from hims_pipeline.reporting.plots import as_svg_bars
from hims_pipeline.reporting.record import Report, report_of
from hims_pipeline.reporting.sentences import HERE, LANGUAGES, labels
from hims_pipeline.settings import Settings
from hims_pipeline.words import printable

FILE = "report.{}.html"
RECORD = "report.json"
LOCALES = {"fr": "fr", "ar": "ar_TN", "en": "en_GB"}


def page_of(report: Report, language: str) -> str:
    """A report as a page in one language, `fr`, `ar` or `en`."""
    direction = "rtl" if language == "ar" else "ltr"
    said = labels(language)
    numbers = {
        "number": lambda value: format_decimal(value, locale=LOCALES[language]),
        "short": lambda value: format_decimal(value, format="#,##0.##", locale=LOCALES[language]),
        "day": lambda text: format_date(_day(text), "long", locale=LOCALES[language]),
    }
    return _template().render(
        report=report, language=language, direction=direction, said=said, bars=as_svg_bars, **numbers
    )


def report_file(settings: Settings, delivery: Delivery, language: str) -> Path:
    """Where the page of a settled batch lies."""
    return batches.settled_folder(settings, delivery) / FILE.format(language)


def write_beside(settings: Settings, contract: Contract, delivery: Delivery, folder: Path, verdict: Verdict) -> None:
    """Write the report on a batch into its folder, in each language and as JSON, readable by us alone."""
    manifest = batches.read_manifest(settings, folder) if verdict.manifest_sha256 else None
    report = report_of(settings, contract, delivery, folder, verdict, manifest)
    write_text(folder / RECORD, json.dumps(report, ensure_ascii=False, indent=1) + "\n", 0o600)
    for language in LANGUAGES:
        write_text(folder / FILE.format(language), page_of(report, language), 0o600)


@lru_cache(maxsize=1)
def _template() -> Any:
    world = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    world.filters["plain"] = lambda text: printable(str(text))
    return world.get_template("page.html.j2")


def _day(text: str) -> date:
    return datetime.fromisoformat(text).date()
