"""What a person reads when a run has ended."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import click

from hims_pipeline.commands.start import mark_demonstration
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.intake import find_destroyed, states
from hims_pipeline.release.night_proof import Proof
from hims_pipeline.release.reader import connect
from hims_pipeline.settings import Settings

SYNTHETIC = ", SYNTHETIC"


def print_summary(settings: Settings, failures: Sequence[str], proof: Proof | str) -> None:
    """What arrived, what was accepted, what was refused and why; then how the night ended. Figures are shown of a
    release that is proven to be tonight's, never of one that stays for want of a new one.

    Args:
        proof: the proof that the night ended with, or why there is none.
    """
    _print_deliveries(settings)
    for failure in failures:
        click.echo(f"\nThe run FAILED:\n{failure}", err=True)
    if isinstance(proof, str):
        click.echo(f"\n{proof}", err=True)
        return
    manifest = proof.release.manifest()
    click.echo(f"\nRelease {proof.release.id}, published {manifest['published_at']}, {proof.release.folder}")
    click.echo(f"  {proof.why}")
    if manifest["contains_synthetic_data"]:
        click.echo("  It holds SYNTHETIC data (data_kind = 'synthetic'): no real person or event.")
    for line in headline(settings):
        click.echo(f"  {line}")
    click.echo('\nNext:  hims status · hims release show · hims query "from v_indicator_values limit 20" · make ui')


def _print_deliveries(settings: Settings) -> None:
    shown = [*states(settings), *find_destroyed(settings)]
    counts = Counter(one.state for one in shown)
    click.echo(f"\nDeliveries: {len(shown)}  ({', '.join(f'{n} {state}' for state, n in sorted(counts.items()))})")
    for one in shown:
        rows = f"{one.rows:>10,} rows" if one.rows is not None else " " * 15
        click.echo(mark_demonstration(settings, f"  {one.state:<10} {one.batch:<44}{rows}"))
        for reason in one.reasons:
            click.echo(f"             {reason}")


def headline(settings: Settings) -> list[str]:
    """The first five headline indicators that have a figure for the reference country, their latest, as lines."""
    observatory = load_observatory(settings.data)
    con = connect(settings=settings)
    try:
        rows = con.execute(
            """
            select figures.*, cast(decimals as integer) as decimals
            from v_indicator_values as figures
            join reference.indicators on indicator = code
            where
                ref_area = ? and counterpart_area in ('_T', '_Z') and sex = '_T' and age = '_T'
                and obs_value is not null
            qualify row_number() over (
                partition by indicator
                order by
                    data_kind = 'synthetic', period_end_date desc, len(cell), vintage desc, obs_value desc, series_key
            ) = 1
            """,
            [observatory.reference_country],
        )
        names = [name for name, *_ in rows.description]
        figures = {row["indicator"]: row for row in (dict(zip(names, one, strict=True)) for one in rows.fetchall())}
    finally:
        con.close()
    return [describe_figure(figures[code]) for code in observatory.headline if code in figures][:5]


def describe_figure(figure: dict[str, Any]) -> str:
    """A figure as a line; one that is of a part alone, since none is of the whole, says of which."""
    part = "".join(f", {name} {figure[name]}" for name in figure["cell"].split())
    kind = SYNTHETIC if figure["data_kind"] == "synthetic" else ""
    return (
        f"{figure['indicator']}  {figure['indicator_name_en']}{part}: {figure['obs_value']:,.{figure['decimals']}f} "
        f"{figure['unit_measure'].lower()}, {figure['time_period']} ({figure['source']}{kind})"
    )
