"""`hims gate …`: the rules for people. Shown in words, edited in a workbook, tried on what came before they count."""

from pathlib import Path

import click

from hims_pipeline.commands.start import open_installation
from hims_pipeline.settings import load_settings

BOOK = click.Path(dir_okay=False, path_type=Path)


@click.group()
def gate() -> None:
    """The rules of the gate, in words and thresholds."""


@gate.command("show")
@click.argument("entity", metavar="SOURCE[/ENTITY]")
@click.option("--language", type=click.Choice(["fr", "ar", "en"]), default="en")
@click.option("--period", default="", help="As they are in this period, where the contract has other layouts.")
def show(entity: str, language: str, period: str) -> None:
    """Every rule as a sentence, compiled ones included: severity, threshold, and what it has caught so far."""
    from hims_pipeline.authoring.rulebook import show_rules as lines

    for line in lines(load_settings(), entity, language, period):
        click.echo(line)


@gate.command("export")
@click.argument("target", type=BOOK)
def export(target: Path) -> None:
    """Write the thresholds of all judgement rules into TARGET, a workbook (.xlsx) or a list (.csv)."""
    from hims_pipeline.authoring.threshold_book import write_thresholds

    number = write_thresholds(load_settings().expectations, target)
    click.echo(f"{target}: {number} thresholds. Edit the column `value`; `hims gate try` says what would change.")


@gate.command("import")
@click.argument("source", type=BOOK)
@click.option("--dry-run", is_flag=True, help="Say what would be changed, and change nothing.")
def take_back(source: Path, dry_run: bool) -> None:
    """Put the thresholds of SOURCE, as `hims gate export` writes it and Excel saves it, into the suites."""
    from hims_pipeline.authoring.threshold_book import read_thresholds
    from hims_pipeline.authoring.thresholds import change, thresholds

    expectations = load_settings().expectations
    known = {
        (threshold.file, threshold.code, threshold.what): threshold.value for threshold in thresholds(expectations)
    }
    edited = read_thresholds(expectations, source)
    for one in edited:
        click.echo(f"{one.file}: {one.code} {one.what}: {known[one.file, one.code, one.what]} -> {one.value}")
    if not edited:
        click.echo("No threshold differs.")
    elif not dry_run:
        change(expectations, edited)
        click.echo(f"{len(edited)} changed. The next run judges their sources again.")


@gate.command("try")
@click.argument("changed", type=BOOK)
@click.option("--source", help="On the batches of one source alone.")
def try_out(changed: Path, source: str | None) -> None:
    """Judge all past batches by CHANGED (a suite, comparisons.yml, a workbook) and say what differs; nothing counts."""
    from hims_pipeline.authoring.rule_trials import try_rules

    settings = open_installation()
    rules = list(try_rules(settings, changed, source, lambda text: click.echo(text, err=True)))
    for one in rules:
        if one is not None:
            click.echo(one.sentence())
    click.echo(f"{sum(one is not None for one in rules)} of {len(rules)} batches would come out otherwise.")


@gate.command("docs")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def docs(folder: Path) -> None:
    """Write Great Expectations' Data Docs into FOLDER: an index, a page on each delivery, those of the release."""
    from hims_pipeline.release.data_docs import INDEX, write_site

    number = write_site(open_installation(), folder)
    click.echo(f"{folder / INDEX}: {number:,} pages. `hims ui` serves the same under /gate/.")


COMMANDS = (gate,)
