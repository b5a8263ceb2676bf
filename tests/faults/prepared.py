"""The installation that is hurt: an invented country after two nights, with something for every command to do."""

from dataclasses import dataclass, replace
from pathlib import Path

from hims_pipeline.lake import landing
from hims_pipeline.lake.delivery import write_record
from hims_pipeline.privacy.keys import create_key
from tests.faults.invariants import state
from tests.faults.world import ask
from tests.installation import Installation
from tests.northland import deliver_northland, drop, northland_at, south_rows

REASON = ("--reason", "tried")


@dataclass(frozen=True)
class Prepared:
    """A base that stays as it is; `key`: the file of a key that may take over."""

    base: Installation
    waiting: Path
    key: Path
    batch: str
    withdrawn: str

    def commands(self) -> dict[str, tuple[str, ...]]:
        """Every command that changes something, and those that look."""
        south = ("--source", "southland_count", "--period")
        return {
            "deliver": ("deliver", str(self.waiting), *south, "2024"),
            "withdraw": ("batch", "withdraw", self.batch, *REASON),
            "reinstate": ("batch", "reinstate", self.withdrawn),
            "use": ("release", "use", "r000001", *REASON),
            "link": ("link",),
            "scrub": ("scrub", "--all"),
            "retention": ("retention", "act", *REASON),
            "rotate": ("key", "rotate", str(self.key), *REASON),
            "status": ("status",),
            "verify": ("release", "verify"),
            "query": ("query", "select count(*) from indicator_value"),
        }


def prepare(folder: Path) -> Prepared:
    """Two nights: three batches, one of them corrected and one withdrawn since, one past its term, two releases."""
    base = northland_at(folder / "northland")
    if not base.home.exists():
        deliver_northland(folder / "northland").hims("run")
        drop(base, "southland_count", "2023", "south_2023b.csv", south_rows(45))
        base.hims("run")
        ask(lambda: _send_and_age(base, folder))
        create_key(folder / "second.key")
    waiting = folder / "south_2024.csv"
    waiting.write_text(south_rows(60), encoding="utf-8")
    batches = state(base)["batches"]
    of = {name.rpartition("/")[0]: name for name in sorted(batches)}
    return Prepared(base, waiting, folder / "second.key", of["southland_count/2022"], of["southland_count/2020"])


def _send_and_age(base: Installation, folder: Path) -> None:
    """A delivery that was withdrawn, and one whose term has ended."""
    sent = folder / "south_2020.csv"
    sent.write_text(south_rows(7), encoding="utf-8")
    for words in (
        ("deliver", str(sent), "--source", "southland_count", "--period", "2020"),
        ("batch", "withdraw", "southland_count/2020", *REASON),
    ):
        base.hims(*words)
    old = next(one for one in landing.deliveries(base.settings) if one.source == "northland_survey")
    long_ago = f"{int(old.received_at[:4]) - 3}{old.received_at[4:]}"
    write_record(base.settings, replace(old, received_at=long_ago), old.folder(base.settings))


def with_key(here: Installation, key: Path) -> Installation:
    """The installation as somebody sees it who has this key."""
    return KeyedInstallation(**vars(here), key=key)


@dataclass(frozen=True)
class KeyedInstallation(Installation):
    """An installation whose key is in a file."""

    key: Path | None = None

    @property
    def settings(self):
        return replace(super().settings, key_file=self.key)

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"HIMS_KEY_FILE": str(self.key)}
