"""What there must be before a build begins: an accepted batch of each source that the observatory requires, and room on
the disk. Not here: the build itself (`build.py`)."""

import shutil

from hims_pipeline.contracts.load import broken_contracts, load_contracts
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.errors import HimsError
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
