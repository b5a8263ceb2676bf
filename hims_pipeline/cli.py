"""`hims …`: the pipeline for people and for cron."""

import sys

import click

from hims_pipeline.commands import audit, batches, docs, keys, query, releases, runs, sources, synth
from hims_pipeline.errors import HimsError
from hims_pipeline.privacy.keys import check_key
from hims_pipeline.settings import load_settings

KEYED = {"run", "ui", "deliver", "status", "batch", "link", "build", "retention"}  # readers of releases need no key


class Plain(click.Group):
    """Errors that a person can mend are printed as they are; a trace is for defects of ours."""

    def invoke(self, ctx: click.Context):
        try:
            return super().invoke(ctx)
        except HimsError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=Plain)
@click.version_option(package_name="hims-pipeline")
@click.pass_context
def main(ctx: click.Context) -> None:
    """From deliveries of migration data to a released warehouse of indicators."""
    if ctx.invoked_subcommand in KEYED and "--help" not in sys.argv:
        check_key(load_settings())


GROUPS = (runs, batches, sources, releases, query, audit, keys, synth, docs)
for command in (one for group in GROUPS for one in group.COMMANDS):
    main.add_command(command)

if __name__ == "__main__":
    sys.exit(main())
