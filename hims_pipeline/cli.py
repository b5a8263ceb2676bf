"""`hims …`: the pipeline for people and for cron."""

import atexit
import gc
import sys
from typing import Any

import click

from hims_pipeline.commands import (
    audit,
    batches,
    checks,
    country,
    dbt,
    decisions,
    docs,
    estimate,
    gate,
    installation,
    keys,
    query,
    releases,
    runs,
    sources,
    synth,
    watch,
    weighting,
    why,
)
from hims_pipeline.errors import HimsError
from hims_pipeline.failures import explain
from hims_pipeline.privacy.key_record import NoteDamaged
from hims_pipeline.privacy.keys import check_key
from hims_pipeline.settings import close_umask, is_debugging, load_settings
from hims_pipeline.stopping import STOPPED, exit_code, find_stop, note_signals

# What a night holds, it holds to its end: Python need not look through all of it every few hundred objects.
OBJECTS_BETWEEN_LOOKS = 10_000
# Readers of releases need no key.
KEYED = {"run", "ui", "daemon", "deliver", "status", "batch", "gate", "link", "build", "retention", "scrub"}


class PlainGroup(click.Group):
    """Every error is one line that says what is wrong and what to do; a developer asks for the trace."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise  # click knows what to do about these
        except BaseException as error:
            if find_stop(error) is not None:
                click.echo(f"\n{STOPPED}", err=True)
                raise click.exceptions.Exit(exit_code()) from None
            if not isinstance(error, Exception) or (is_debugging() and not isinstance(error, HimsError)):
                raise
            raise click.ClickException(explain(error)) from None


@click.group(cls=PlainGroup)
@click.version_option(package_name="hims-pipeline")
@click.pass_context
def main(ctx: click.Context) -> None:
    """From deliveries of migration data to a released warehouse of indicators."""
    gc.set_threshold(OBJECTS_BETWEEN_LOOKS)
    close_umask()
    note_signals()
    atexit.register(gc.freeze)  # else Python looks through all that it holds once more before it ends, for seconds
    if ctx.invoked_subcommand in KEYED and "--help" not in sys.argv:
        try:
            check_key(load_settings())
        except NoteDamaged:
            if ctx.invoked_subcommand != "status":  # which tells it beside all else
                raise


GROUPS = (
    runs, batches, decisions, sources, releases, query, estimate, why, dbt, audit, checks, gate, keys, watch,
    installation, synth, docs, country, weighting,
)  # fmt: skip
for command in (one for group in GROUPS for one in group.COMMANDS):
    main.add_command(command)

if __name__ == "__main__":
    sys.exit(main())
