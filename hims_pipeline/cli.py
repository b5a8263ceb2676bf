"""`hims …`: the pipeline for people and for cron."""

import sys

import click

from hims_pipeline.commands import audit, batches, checks, docs, releases, runs, sources, synth
from hims_pipeline.errors import HimsError


class Plain(click.Group):
    """Errors that a person can mend are printed as they are; a trace is for defects of ours."""

    def invoke(self, ctx: click.Context):
        try:
            return super().invoke(ctx)
        except HimsError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=Plain)
@click.version_option(package_name="hims-pipeline")
def main() -> None:
    """From deliveries of migration data to a released warehouse of indicators."""


GROUPS = (runs, batches, sources, releases, audit, checks, synth, docs)
for command in (one for group in GROUPS for one in group.COMMANDS):
    main.add_command(command)

if __name__ == "__main__":
    sys.exit(main())
