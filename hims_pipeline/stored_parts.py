"""What an installation keeps on its disk, and what says for how long. Not here: removing it, which each part does."""

from collections.abc import Iterator

from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.settings import Settings
from hims_pipeline.watch import nights


def kept_parts(settings: Settings) -> Iterator[tuple[str, int, str]]:
    """Name, bytes and term of each part that is there."""
    policies = load_observatory(settings.data).policies
    for name, place, until in (
        ("deliveries", settings.identified, "the legal term of each contract (`hims retention plan`)"),
        ("batches", settings.validated, "as long as their deliveries"),
        ("releases", settings.releases, f"{policies.keep_releases} beside the current one (`policies.keep_releases`)"),
        ("builds", settings.build, "none: removed at the end of each night"),
        ("the last build", settings.kept, "one, which the next build carries over from"),
        ("rendered trees", settings.rendered, "that of the present data/"),
        ("Dagster's runs", settings.dagster_home, f"{policies.keep_runs_days} days (`policies.keep_runs_days`)"),
        ("records of nights", settings.nights, f"{nights.KEPT} nights"),
        ("alerts", settings.alerts, "400 days after they are over"),
    ):
        if place.exists():
            files = (path for path in place.rglob("*") if path.is_file() and not path.is_symlink())
            yield name, sum(path.stat().st_size for path in files), until
