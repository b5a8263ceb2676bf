"""What there must be before a build begins: an accepted batch of each source that the observatory requires, none late
of those that it wants fresh, and room on the disk. Not here: the build itself (`build.py`)."""

import shutil
from collections.abc import Iterable
from datetime import date

from hims_pipeline.contracts.load import broken_contracts, load_contracts
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.errors import HimsError
from hims_pipeline.lake.lateness import late_sources
from hims_pipeline.lake.periods import today_of
from hims_pipeline.settings import Settings

SMALLEST_BUILD = 200_000_000  # bytes of disk


def require_sources(settings: Settings, present: set[str]) -> None:
    """
    Raises:
        HimsError: the observatory requires a source of which no accepted batch is present, or that has no contract.
    """
    required = load_observatory(settings.data).policies.required_sources
    if unknown := set(required) - {*load_contracts(settings.data), *broken_contracts(settings.data)}:
        raise HimsError(f"observatory.yml requires {', '.join(sorted(unknown))}, for which there is no contract.")
    if missing := [source for source in required if source not in present]:
        raise HimsError(f"No release without {', '.join(missing)}: observatory.yml requires an accepted batch of each.")


def require_fresh(settings: Settings, counting: Iterable[tuple[str, str]], today: date | None = None) -> None:
    """
    Args:
        counting: source and period of each batch that counts.
        today: the observatory's own day without it.

    Raises:
        HimsError: the next delivery of a source that the observatory wants fresh is late, or it has no contract.
    """
    wanted = set(load_observatory(settings.data).policies.fresh_sources)
    if unknown := wanted - {*load_contracts(settings.data), *broken_contracts(settings.data)}:
        raise HimsError(f"observatory.yml wants {', '.join(sorted(unknown))} fresh, for which there is no contract.")
    late = [one for one in late_sources(settings, counting, today or today_of(settings)) if one.source in wanted]
    if late:
        overdue_text = "; ".join(
            f"{one.source}: its last period is {one.last_period}, the next was due {one.due}" for one in late
        )
        raise HimsError(
            f"No release: observatory.yml wants fresh what is late. {overdue_text}. The former release stays."
        )


def room_for_a_build(settings: Settings) -> int:
    """Bytes that a build may need: three times the size of a release, which is what one takes."""
    last = (
        sum(f.stat().st_size for f in settings.releases.rglob("*") if f.is_file()) if settings.releases.exists() else 0
    )
    return max(3 * last // max(1, len(list(settings.releases.glob("r*")))), SMALLEST_BUILD)


def require_room(settings: Settings) -> None:
    """
    Raises:
        HimsError: the disk is too full for a build.
    """
    need = room_for_a_build(settings)
    if (free := shutil.disk_usage(settings.home).free) < need:
        left = f"{free / 1e6:,.0f} MB left; a build needs {need / 1e6:,.0f} MB"
        raise HimsError(f"The disk of {settings.home} has {left}. Make room: what is published stays, and can be read.")
