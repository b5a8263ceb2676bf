"""Data Docs as a place to browse: the pages of all deliveries that the gate judged, of the last release and an index.

    index.html
    batches/<source>/<period>/<id>/data_docs.html, report.fr.html, …   as they lie beside the verdict
    release/warehouse.html, revision.html, release.html                as they lie with the release, under staff/

A release is judged three times: its warehouse across sources, what moved since the last one, and its own tables. Not
here: one page (`reporting.data_docs`), and who may look at them over the network (`defs.pages`).
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hims_pipeline.errors import HimsError
from hims_pipeline.gates.judge import database_rules
from hims_pipeline.gates.revisions import load_revision_limits, revision_rules
from hims_pipeline.gates.rules import Rule
from hims_pipeline.gates.warehouse import warehouse_rules
from hims_pipeline.intake import states
from hims_pipeline.lake import batches, landing
from hims_pipeline.lake.files import private_folder, write_text
from hims_pipeline.release.store import current_release
from hims_pipeline.reporting import DATA_DOCS, PAGES, render_data_docs
from hims_pipeline.settings import Settings
from hims_pipeline.staging.in_force import find_in_force

FOLDER = "data_docs"  # of a release, under staff/
INDEX, BATCHES, RELEASE = "index.html", "batches", "release"
NAMES = {DATA_DOCS: "rules"} | {
    page: page.removesuffix(".html").replace(".", " ") for page in PAGES if page != DATA_DOCS
}
JUDGED = {
    "warehouse": "The warehouse across its sources",
    "revision": "What moved since the last release",
    "release": "The tables of the release",
}


def write_release_pages(
    settings: Settings, folder: Path, release_id: str, verdicts: Mapping[str, Mapping[str, Any] | None]
) -> None:
    """Write a page on each of the three judgements of a candidate; none where there was nothing to judge by.

    Args:
        verdicts: what came of each of `JUDGED`, as the manifest keeps it.
    """
    folder.mkdir(parents=True)
    for name, rules in _rules(settings).items():
        verdict = verdicts[name]
        if verdict is not None:
            facts = {"release": release_id, "judged": "accepted" if verdict["accepted"] else "told, and published"}
            write_text(folder / f"{name}.html", render_data_docs(JUDGED[name], facts, rules, verdict["rules"]))


def _rules(settings: Settings) -> dict[str, list[Rule]]:
    limits = load_revision_limits(settings.expectations)
    tables = database_rules(settings.expectations / "release.json")
    return {
        "warehouse": warehouse_rules(settings.expectations),
        "revision": revision_rules(limits) if limits else [],
        "release": [rule for rules in tables.values() for rule in rules],
    }


def render_index(settings: Settings) -> str:
    """The index as a page: where each delivery stands, with links relative to it.

    Raises:
        Damaged: the pointer to the last release cannot be read.
    """
    release = current_release(settings)
    pages = [path.stem for path in _release_pages(settings)]
    text: str = _template().render(
        release=release.id if release else "",
        release_pages=[(name, title) for name, title in JUDGED.items() if name in pages],
        sources=_list_by_source(settings),
        synthetic={name for name, one in find_in_force(settings).contracts.items() if one.data_kind == "synthetic"},
    )
    return text


def _list_by_source(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    sources: dict[str, list[dict[str, Any]]] = {}
    folders = dict(_batch_folders(settings))
    for one in states(settings):
        source, period, *_ = one.batch.split("/")
        folder = folders.get(one.batch)
        pages = {page: name for page, name in NAMES.items() if folder and (folder / page).is_file()}
        sources.setdefault(source, []).append({"state": one, "period": period, "pages": pages})
    return {source: sorted(rows, key=lambda row: row["period"]) for source, rows in sorted(sources.items())}


def _batch_folders(settings: Settings) -> Iterator[tuple[str, Path]]:
    for delivery in landing.deliveries(settings):
        yield delivery.batch, batches.settled_folder(settings, delivery)


def _release_pages(settings: Settings) -> Sequence[Path]:
    release = current_release(settings)
    return sorted((release.staff / FOLDER).glob("*.html")) if release else []


def find_page(settings: Settings, place: str) -> Path | None:
    """The file that a place of the index stands for; None where there is no such page.

    Raises:
        Damaged: the pointer to the last release cannot be read.
    """
    kind, _, inside = place.partition("/")
    batch, _, name = inside.rpartition("/")
    if kind == BATCHES and name in PAGES:
        folder = dict(_batch_folders(settings)).get(batch)
        return folder / name if folder and (folder / name).is_file() else None
    if kind == RELEASE and not batch:
        return next((path for path in _release_pages(settings) if path.name == name), None)
    return None


def write_site(settings: Settings, folder: Path) -> int:
    """Write the index and a copy of every page into a folder, readable by us alone; returns how many pages.

    Args:
        folder: a new or empty one, or one that this wrote before.

    Raises:
        Damaged: the pointer to the last release cannot be read.
        HimsError: something else lies in the folder.
    """
    present = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    others = present - {INDEX, BATCHES, RELEASE} if INDEX in present else present
    if others:
        raise HimsError(f"{folder} holds other things ({min(others)}); name a new folder.")
    private_folder(folder)
    files = {f"{RELEASE}/{path.name}": path for path in _release_pages(settings)}
    for batch, beside in _batch_folders(settings):
        files |= {f"{BATCHES}/{batch}/{name}": beside / name for name in PAGES if (beside / name).is_file()}
    for kind in (BATCHES, RELEASE):
        shutil.rmtree(folder / kind, ignore_errors=True)
    for place, path in files.items():
        write_text(folder / place, path.read_text(encoding="utf-8"), 0o600)
    write_text(folder / INDEX, render_index(settings), 0o600)
    return len(files)


@lru_cache(maxsize=1)
def _template() -> Any:
    world = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return world.get_template("data_docs_index.html")
