"""`hims docs`: the generated pages under `docs/`."""

import csv
from pathlib import Path

import click

from hims_pipeline.settings import REPOSITORY, Settings, load_settings


@click.command()
@click.option("--counted", is_flag=True, help="Take tables and rows anew from this installation's current release.")
def docs(counted: bool) -> None:
    """Write docs/dictionary, docs/sources.md and docs/contracts.md from contracts, descriptions and code lists."""
    from hims_pipeline.docs.contracts import contracts_page
    from hims_pipeline.docs.dictionary import WORDS, DictionaryPage, read_tables
    from hims_pipeline.docs.sources import sources_page

    settings = load_settings()
    folder = REPOSITORY / "docs"
    if counted:
        _count(settings, folder)
    tables = read_tables(folder / "dictionary/tables.csv")
    for language in WORDS:
        dictionary = DictionaryPage(settings, language)
        (folder / f"dictionary/{language}.md").write_text(dictionary.page(tables), encoding="utf-8")
        for name in dictionary.find_missing(tables):
            click.echo(f"{language}: nothing describes {name}")
    (folder / "sources.md").write_text(sources_page(settings), encoding="utf-8")
    (folder / "contracts.md").write_text(contracts_page(settings.data), encoding="utf-8")


def _count(settings: Settings, folder: Path) -> None:
    from hims_pipeline.docs.dictionary import columns_built, write_tables
    from hims_pipeline.release import store
    from hims_pipeline.staging.inputs import current_batches

    release = store.current_release(settings)
    if release is None:
        raise click.ClickException("There is no release to count: `make run` makes one.")
    (folder / "dictionary").mkdir(exist_ok=True)
    write_tables(folder / "dictionary/tables.csv", columns_built(settings, release.staff / "warehouse.duckdb"))
    rows: dict[tuple[str, str], int] = {}
    for batch in current_batches(settings):  # the last one of a source stays
        rows |= {(batch.manifest.source, name): entity.rows for name, entity in batch.manifest.entities.items()}
    with (settings.data / "samples/rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("source", "entity", "rows"), *((*key, n) for key, n in sorted(rows.items()))])


COMMANDS = (docs,)
