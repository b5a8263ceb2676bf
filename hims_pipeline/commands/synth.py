"""`hims synth`: the sources of the synthetic country as files, at any scale."""

import time
from pathlib import Path

import click

from hims_pipeline.settings import load_settings


@click.command()
@click.option(
    "--scale",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.01,
    show_default=True,
    help="1.0 is the whole country.",
)
@click.option("--seed", type=int, default=42, show_default=True, help="The same seed and scale give the same bytes.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write into.")
def synth(scale: float, seed: int, out: Path) -> None:
    """Write what all sources of an invented country send, SYNTHETIC throughout, and who its people truly are.

    Deliveries go to OUT/deliveries/<source>/<period>/, true identities and stays to OUT/truth, which only the owner
    can read.
    """
    from hims_synthetic.samples import make_tree

    began = time.monotonic()

    def say(text: str) -> None:
        click.echo(f"{time.monotonic() - began:7.1f} s  {text}")

    made = make_tree(load_settings(), out, seed, scale, say)
    size = sum(file.stat().st_size for sample in made for file in sample.files)
    say(f"{len(made)} deliveries, {size / 1e6:,.1f} MB under {out}")


COMMANDS = (synth,)
