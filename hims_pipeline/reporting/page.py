"""The page of a report: one HTML file without a script, a picture or an address outside itself, written beside the
verdict that it is about. Jinja escapes whatever is put into it."""

from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hims_pipeline.contracts.model import Contract
from hims_pipeline.gates import rules_of
from hims_pipeline.lake import batches
from hims_pipeline.lake.files import sha256_of, write_text
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.seal import read_sealed, write_sealed
from hims_pipeline.lake.verdict import Verdict
from hims_pipeline.reporting.data_docs import DATA_DOCS, render_data_docs
from hims_pipeline.reporting.plots import as_svg_bars
from hims_pipeline.reporting.record import Report, report_of
from hims_pipeline.reporting.sentences import HERE, LANGUAGES, sentence_labels
from hims_pipeline.settings import Settings
from hims_pipeline.words import printable

FILE = "report.{}.html"
PAGES = (*(FILE.format(language) for language in LANGUAGES), DATA_DOCS)
RECORD = "report.json"
KIND = "report"  # of its record, which holds the hashes of the pages
LOCALES = {"fr": "fr", "ar": "ar_TN", "en": "en_GB"}


def page_of(report: Report, language: str) -> str:
    """A report as a page in one language, `fr`, `ar` or `en`."""
    direction = "rtl" if language == "ar" else "ltr"
    labels = sentence_labels(language)
    numbers = {
        "number": lambda value: format_decimal(value, locale=LOCALES[language]),
        "short": lambda value: format_decimal(value, format="#,##0.##", locale=LOCALES[language]),
        "day": lambda text: format_date(_day(text), "long", locale=LOCALES[language]),
    }
    page: str = _template().render(
        report=report, language=language, direction=direction, texts=labels, bars=as_svg_bars, **numbers
    )
    return page


def report_file(settings: Settings, delivery: Delivery, language: str) -> Path:
    """Where the page of a settled batch lies."""
    return batches.settled_folder(settings, delivery) / FILE.format(language)


def write_beside(settings: Settings, contract: Contract, delivery: Delivery, folder: Path, verdict: Verdict) -> None:
    """Write the report on a batch into its folder, in each language and as JSON, and its Data Docs where rules judged
    it; readable by us alone."""
    manifest = batches.read_batch_manifest(settings, folder) if verdict.manifest_sha256 else None
    report = report_of(settings, contract, delivery, folder, verdict, manifest)
    pages = {FILE.format(language): page_of(report, language) for language in LANGUAGES}
    if verdict.rules:
        pages[DATA_DOCS] = _render_data_docs(settings, contract, delivery, verdict)
    for name, text in pages.items():
        write_text(folder / name, text, 0o600)
    hashes = {name: sha256_of(folder / name) for name in pages}
    write_sealed(settings, folder / RECORD, KIND, dict(report) | {"pages": hashes})


def _render_data_docs(settings: Settings, contract: Contract, delivery: Delivery, verdict: Verdict) -> str:
    facts = {
        "batch": delivery.batch,
        "data": contract.data_kind,
        "received": delivery.received_at,
        "judged": f"{verdict.judged_at}, by Great Expectations {verdict.versions.get('great_expectations', '')}",
        "outcome": "accepted against the gate" if verdict.is_overruled else verdict.status,
        "compared with": ", ".join(verdict.compared_with) or "nothing: by its contract alone",
        "totals of the sender": verdict.transport or "not asked for",
    }
    rules = rules_of(settings, contract, delivery.period)
    return render_data_docs(f"{delivery.source} {delivery.period}", facts, rules, verdict.rules)


def remove_report(folder: Path) -> None:
    """Remove the report on a batch, whole or in part: pages that no record knows look as if somebody had added them."""
    for name in (*PAGES, RECORD):
        (folder / name).unlink(missing_ok=True)


def hashes_of(settings: Settings, folder: Path) -> dict[str, str]:
    """Name of each page beside a verdict, and its SHA-256; empty where none was written.

    Raises:
        Damaged: the report's record is not what we wrote.
    """
    path = folder / RECORD
    return read_sealed(settings, path, KIND)["pages"] if path.exists() else {}


@lru_cache(maxsize=1)
def _template() -> Any:
    world = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    world.filters["plain"] = lambda text: printable(str(text))
    return world.get_template("page.html.j2")


def _day(text: str) -> date:
    return datetime.fromisoformat(text).date()
