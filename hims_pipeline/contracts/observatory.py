"""The observatory itself: whose it is, its languages, clock, geography levels and policies (`data/observatory.yml`)."""

from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field, model_validator

from hims_pipeline.contracts.alerts import Alerts
from hims_pipeline.contracts.basics import Flag, Name, Strict, Text, Whole
from hims_pipeline.contracts.yaml_records import parse_record


class Level(Strict):
    """A level of the geography, such as region or province; `standard` names the code system of `area_code`."""

    code: Name
    title: Text
    parent: str | None = None


class Policies(Strict):
    """Thresholds and rules of publication.

    Args:
        minimum_count: unweighted records below which a figure from microdata is withheld.
        strict_count: the same for indicators whose record says `strict`.
        delivered_counts: sources of counts that are published nowhere else; a delivered count is judged as records are.
        refuse_disclosing: environments in which a finding of the attack refuses a release; elsewhere it is told.
        required_sources: no release goes out without an accepted batch of each.
        destroy_at_term: each night destroys deliveries whose legal term has ended; `hims retention act` without it.
        fresh_sources: no release goes out while the next delivery of one of these is late by its cadence and
            `alerts.overdue_days`; of other sources the release says so, and stands on the last accepted batch.
        keep_releases: how many past releases stay on disk beside the current one.
        keep_runs_days: days for which Dagster's record of a run is kept; nights' own records stay longer.
        scrub_megabytes_a_night: what the nightly scrub reads again of all that was written.
        scrub_within_nights: nights within which everything is read again, whatever it takes a night.
        full_build_every: of so many builds of the warehouse one carries nothing over, and is compared with the others.
        second_account: environments in which a release with a rule less or weaker waits for another account's word.
    """

    minimum_count: Whole = 10
    strict_count: Whole = 20
    delivered_counts: tuple[Name, ...] = ()
    refuse_disclosing: tuple[Literal["dev", "test", "prod"], ...] = ("prod",)
    required_sources: tuple[Name, ...] = ()
    fresh_sources: tuple[Name, ...] = ()
    keep_releases: Whole = 14
    keep_runs_days: Annotated[Whole, Field(ge=2)] = 180
    scrub_megabytes_a_night: Annotated[Whole, Field(gt=0)] = 50_000
    scrub_within_nights: Annotated[Whole, Field(gt=0)] = 7
    full_build_every: Annotated[Whole, Field(gt=0)] = 7
    second_account: tuple[Literal["dev", "test", "prod"], ...] = ("prod",)
    destroy_at_term: Flag = False


def _check_cron(line: str) -> str:
    try:
        CronSim(line, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(f"{line!r} is no line of cron ({error})") from None
    return line


def _check_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, KeyError, ValueError):  # a folder of the list, none of its names, no name at all
        raise ValueError(f"{name!r} is no time zone of the IANA list, such as Africa/Cairo") from None
    return name


class Schedule(Strict):
    """When the nightly job runs, as a cron line in the observatory's time zone; `on_in` names the environments where
    it is on by default."""

    cron: Annotated[str, AfterValidator(_check_cron)]
    on_in: tuple[Literal["dev", "test", "prod"], ...] = ("prod",)


class Observatory(Strict):
    """An installation's own record.

    Args:
        languages: ISO 639 codes; each table with labels has a column `…_<language>` for each of them. English is one.
        settle_seconds: a dropped file is taken in once it has not changed for this long.
        alerts: whom the installation tells of what.
        headline: indicators that the summary of a run shows, the first five that have a figure.
    """

    name: Text
    reference_country: str
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")], ...]
    time_zone: Annotated[str, AfterValidator(_check_zone)]
    currency: str
    schedule: Schedule
    levels: tuple[Level, ...]
    policies: Policies = Policies()
    alerts: Alerts = Alerts()
    contact: str
    settle_seconds: float = 5.0
    headline: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _check_consistency(self) -> "Observatory":
        if "en" not in self.languages or len(set(self.languages)) < len(self.languages):
            raise ValueError("languages names English (en), in which reports are written, and each language once")
        levels = [level.code for level in self.levels]
        if unknown := {level.parent for level in self.levels} - {None, *levels}:
            raise ValueError(f"levels: no such parent {', '.join(sorted(str(one) for one in unknown))}")
        return self


@lru_cache(maxsize=8)
def _load(path: Path, _state: int) -> Observatory:
    return parse_record(Observatory, path)


def load_observatory(data: Path) -> Observatory:
    """Read `observatory.yml`, again when it has changed."""
    path = data / "observatory.yml"
    return _load(path, path.stat().st_mtime_ns if path.exists() else 0)
