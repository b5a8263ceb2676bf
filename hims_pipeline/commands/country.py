"""`hims init`: another country's data/ and expectations/."""

from pathlib import Path

import click


@click.command()
@click.option("--country", required=True, metavar="ISO3", help="ISO 3166-1 alpha-3, such as MAR.")
@click.option("--languages", required=True, metavar="LIST", help="ISO 639 codes, such as fr,ar,en.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A folder that is empty or not there yet.")
@click.option("--time-zone", help="Where the country has several.")
@click.option("--currency", help="ISO 4217; the country's own without it.")
def init(country: str, languages: str, out: Path, time_zone: str | None, currency: str | None) -> None:
    """Write a whole data/ and expectations/ for another country, with its areas and the sources of all countries."""
    from hims_pipeline.new_country.folder import write_country

    asked = [one.strip() for one in languages.split(",") if one.strip()]
    notes = write_country(out, country.upper(), asked, time_zone, currency)
    click.echo(f"{out} holds data/ and expectations/ for {country.upper()}; README.md there says how to go on.")
    for note in notes:
        click.echo(f"- {note}")


COMMANDS = (init,)
