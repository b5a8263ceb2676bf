"""`hims source …`: adding a source."""

from pathlib import Path

import click

from hims_pipeline.commands.start import open_installation
from hims_pipeline.required_files import require_parts
from hims_pipeline.settings import load_settings


@click.group()
def source() -> None:
    """Write and try contracts."""


@source.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", "name", required=True, help="Name of a contract in data/contracts.")
@click.option("--period", help="Period that they are of; by default that of their folder or names, or the last one.")
@click.option("--drift", is_flag=True, help="Every difference in full, and which names were probably changed.")
@click.option("--figures/--no-figures", default=True, help="Also build what FILES would give; takes a minute or so.")
def check(files: tuple[Path, ...], name: str, period: str | None, drift: bool, figures: bool) -> None:
    """Say what the night would make of FILES (one whole delivery: data, and a codebook where there is one).

    How they differ from their contract, what the gate would refuse, and which figures they would give. Nothing is taken
    in: what passes here, the night accepts.
    """
    from hims_pipeline.authoring.check import check_file, rehearse_files
    from hims_pipeline.authoring.rehearsal import check_source, guess_period

    settings = open_installation()
    require_parts(settings)
    contract = check_source(settings, name)
    if period is None:
        period = guess_period(settings, contract, files)
        click.echo(f"Taken for a delivery of {period}; --period says otherwise.")
    differences = check_file(settings, contract, files, period, drift)
    rehearsal = rehearse_files(settings, contract, files, period, click.echo, build=figures)
    refusals = [*differences, *rehearsal.refusals, *(f"(warning) {text}" for text in rehearsal.warnings)]
    for line in dict.fromkeys(refusals):
        click.echo(line)
    if rehearsal.refusals:
        click.echo(f"{name}/{period} would be refused.")
        raise SystemExit(1)
    click.echo(f"{files[0].name} fits the contract of {name}: {name}/{period} would be accepted.")
    for line in rehearsal.figures.sentences() if rehearsal.figures else ():
        click.echo(line)


@source.command("draft")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def draft(files: tuple[Path, ...]) -> None:
    """Print a first contract from what FILES hold, labels included; save it as data/contracts/<source>.yml.

    Of text at fixed places, give the data file and its DDI-Codebook (.xml) or CSPro dictionary (.dcf).
    """
    from hims_pipeline.authoring.check import draft_contract

    click.echo(draft_contract(*files), nl=False)


@source.command("totals")
@click.argument("name", metavar="SOURCE")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--period", help="Period that they are of, where the contract differs by period.")
def totals(name: str, files: tuple[Path, ...], period: str | None) -> None:
    """Write a template for control totals beside each of FILES (or print one), for the sender to fill.

    A delivery with `<file>.totals.yml` is held to its SHA-256, rows and sums before anything else.
    """
    from hims_pipeline.authoring.totals import totals_template, write_templates
    from hims_pipeline.intake import contract_of

    contract = contract_of(load_settings(), name)
    if not files:
        click.echo(totals_template(contract, period or ""), nl=False)
    for path in write_templates(contract, period or "", files):
        click.echo(f"{path}: to be filled, and sent with the file.")


COMMANDS = (source,)
