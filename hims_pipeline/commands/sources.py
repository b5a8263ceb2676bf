"""`hims source …`: adding a source."""

from pathlib import Path

import click

from hims_pipeline import intake
from hims_pipeline.commands.start import open_installation


@click.group()
def source() -> None:
    """Write and try contracts."""


@source.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", "name", required=True, help="Name of a contract in data/contracts.")
@click.option("--period", help="Period whose layout to compare with; the base layout without it.")
@click.option("--drift", is_flag=True, help="Every difference in full, and which names were probably changed.")
def check(files: tuple[Path, ...], name: str, period: str | None, drift: bool) -> None:
    """Say how FILES (data, and a codebook where there is one) differ from their contract; nothing is taken in."""
    from hims_pipeline.authoring.check import check_file

    settings = open_installation()
    differences = check_file(settings, intake.contract_of(settings, name), files, period, drift)
    for line in differences:
        click.echo(line)
    if differences:
        raise SystemExit(1)
    click.echo(f"{files[0].name} fits the contract of {name}.")


@source.command("draft")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def draft(files: tuple[Path, ...]) -> None:
    """Print a first contract from what FILES hold, labels included; save it as data/contracts/<source>.yml.

    Of text at fixed places, give the data file and its DDI-Codebook (.xml) or CSPro dictionary (.dcf).
    """
    from hims_pipeline.authoring.check import draft_contract

    click.echo(draft_contract(*files), nl=False)


COMMANDS = (source,)
