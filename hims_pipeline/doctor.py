"""`hims doctor`: is this installation set up as it must be? Each check looks at one thing and says what to mend.

Not here: what goes wrong while it runs (`watch`), and what production refuses to start with (`privacy.production`),
whose answer is one check here.
"""

import grp
import importlib.metadata as installed
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from hims_pipeline.build_preconditions import room_for_a_build
from hims_pipeline.contracts.alerts import Email, Webhook
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.contracts.yaml_records import read_yaml
from hims_pipeline.errors import HimsError
from hims_pipeline.failures import explain
from hims_pipeline.lake import journal, trail
from hims_pipeline.privacy.file_modes import find_too_open
from hims_pipeline.privacy.keys import load_key
from hims_pipeline.privacy.production import check_installation
from hims_pipeline.settings import Settings, secret
from hims_pipeline.staging.render import dbt_executable
from hims_pipeline.stored_parts import kept_parts
from hims_pipeline.watch import backups, nights
from hims_pipeline.watch.look import heartbeat
from hims_pipeline.watch.tell import channels_of

State = Literal["well", "note", "wrong"]
NOOP = "NoOpComputeLogManager"
SCRUBBED_WITHIN, AHEAD = timedelta(days=2), timedelta(minutes=5)
LOCKED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)(?: *; *(.+?))? *\\?$", re.MULTILINE)
CLOCK_SYNCHRONISED = Path("/run/systemd/timesync/synchronized")


@dataclass(frozen=True)
class Checkup:
    """What a check came to: `well`, a `note` that a person should know, or `wrong` with what to do."""

    name: str
    state: State
    text: str
    todo: str = ""


def examine_installation(settings: Settings, now: datetime | None = None) -> list[Checkup]:
    """All checks; one that cannot be made is wrong by itself."""
    now = now or datetime.now(UTC)
    checkups: list[Checkup] = []
    for check in CHECKS:
        name = check.__name__.strip("_").replace("_", " ")
        try:
            checkups += check(settings, now)
        except Exception as error:
            checkups.append(Checkup(name, "wrong", explain(error)))
    return checkups


def _installation(settings: Settings, _now: datetime) -> Iterable[Checkup]:
    yield Checkup("installation", "well", f"{settings.home} ({settings.env}), data {settings.data}")
    if not settings.home.is_dir():
        yield Checkup("installation", "wrong", "It is not there yet.", "Set HIMS_HOME, or start `hims run`.")


def _versions(settings: Settings, _now: datetime) -> Iterable[Checkup]:
    python = platform.python_version()
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        yield Checkup("versions", "wrong", f"Python {python}.", "Use 3.11, 3.12 or 3.13.")
    lock = settings.project / "requirements.lock"
    if not lock.exists():
        yield Checkup("versions", "note", f"No {lock}, so versions of packages are not compared.")
        return
    other = [
        f"{name} {have or 'missing'} instead of {version}"
        for name, version, only in LOCKED.findall(lock.read_text(encoding="utf-8"))
        if not only and (have := _version_of(name)) != version
    ]
    if other:
        text = f"{len(other)} packages are not the locked ones: {', '.join(other[:5])}."
        yield Checkup("versions", "wrong", text, "Install `requirements.lock` with --require-hashes.")
    else:
        yield Checkup("versions", "well", f"Python {python}; all packages are the locked ones.")
    if not Path(dbt_executable()).exists():
        yield Checkup("versions", "wrong", "There is no dbt beside this Python.", "Install `requirements.lock` anew.")


def _version_of(name: str) -> str | None:
    try:
        return installed.version(name)
    except installed.PackageNotFoundError:
        return None


def _modes(settings: Settings, _now: datetime) -> Iterable[Checkup]:
    wide = [str(one) for one in find_too_open(settings)] if settings.home.is_dir() else []
    for text in wide:
        yield Checkup("modes", "wrong", text, "The next start closes it outside production; ask who read it.")
    if not wide:
        yield Checkup("modes", "well", "Nothing is open to more accounts than its role is for.")
    if settings.staff_group:
        try:
            group = grp.getgrnam(settings.staff_group)
        except KeyError:
            todo = f"`groupadd {settings.staff_group}`, or unset HIMS_STAFF_GROUP."
            yield Checkup("modes", "wrong", f"There is no group {settings.staff_group}.", todo)
        else:
            if os.geteuid() and group.gr_gid not in os.getgroups():
                todo = "Make this account a member of it."
                yield Checkup("modes", "wrong", f"This account is not in {settings.staff_group}.", todo)


def _key(settings: Settings, _now: datetime) -> Iterable[Checkup]:
    key = load_key(settings)
    if key.demonstration:
        text = "The demonstration key, which is public, protects nobody."
        yield Checkup("key", "note", text, "`hims key init FILE`, and HIMS_KEY_FILE, before any real person's data.")
    else:
        yield Checkup("key", "well", f"Its fingerprint is {key.version}.")
    check_installation(settings)


def _audit_trail(settings: Settings, _now: datetime) -> Iterable[Checkup]:
    checked_trail = trail.check(settings)
    for text in checked_trail.damage:
        yield Checkup("audit trail", "wrong", text, "`hims audit verify`, then find out who or what did it.")
    if not checked_trail.damage:
        yield Checkup("audit trail", "well", f"{checked_trail.lines:,} lines, whole.")
    if settings.env == "prod" and settings.head_file is None:
        todo = "Set HIMS_AUDIT_HEAD to a file on another disk."
        yield Checkup("audit trail", "note", "Its head lies beside it, so both can be put back together.", todo)


def _disk(settings: Settings, _now: datetime) -> Iterable[Checkup]:
    for place in dict.fromkeys((settings.home, Path(tempfile.gettempdir()))):
        if not place.exists():
            continue
        free, need = shutil.disk_usage(place).free, room_for_a_build(settings)
        text = f"{place}: {free / 1e9:,.1f} GB left; a build takes up to {need / 1e9:,.1f} GB."
        state: State = "well" if free > 2 * need else "wrong"
        yield Checkup("disk", state, text, "" if state == "well" else "docs/runbooks/disk-filling.md")


def _memory(settings: Settings, _now: datetime) -> Iterable[Checkup]:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    yield Checkup("memory", "well", f"{total / 1e9:,.1f} GB; DuckDB may use {settings.memory_limit}.")
    if total < 2e9:
        yield Checkup("memory", "wrong", "A night takes up to 2 GB.", "Give the machine more.")


def _clock(settings: Settings, now: datetime) -> Iterable[Checkup]:
    last = max((entry["at"] for entry in journal.entries(settings) if entry.get("at")), default="")
    if last and datetime.fromisoformat(last) > now + AHEAD:
        text = f"It is {now:%Y-%m-%d %H:%M} here, and something was done at {last}."
        yield Checkup("clock", "wrong", text, "Set the clock right, and keep it so (systemd-timesyncd, chrony).")
    elif CLOCK_SYNCHRONISED.exists():
        yield Checkup("clock", "well", "Kept by systemd-timesyncd.")
    else:
        yield Checkup("clock", "note", "Not behind the audit trail; whether anything keeps it is not known here.")


def _dagster(settings: Settings, _now: datetime) -> Iterable[Checkup]:
    path = settings.dagster_home / "dagster.yaml"
    if not path.exists():
        yield Checkup("dagster", "note", "It has no instance yet; the first run makes it.")
        return
    config = read_yaml(path) or {}
    if NOOP not in str(config.get("compute_logs", {}).get("class")):
        text = "Compute logs are kept: what steps print may quote data."
        yield Checkup("compute logs", "wrong", text, f"Take `compute_logs` of deploy/dagster.local.yaml into {path}.")
    else:
        yield Checkup("compute logs", "well", "Not kept.")
    for name, wanted in (("run_monitoring", True), ("telemetry", False)):
        if config.get(name, {}).get("enabled") is not wanted:
            todo = f"Take `{name}` of deploy/dagster.local.yaml into {path}."
            yield Checkup("dagster", "wrong", f"`{name}` is not as this project needs it.", todo)


def _schedule(settings: Settings, now: datetime) -> Iterable[Checkup]:
    if not nights.is_scheduled(settings):
        text = f"Off in {settings.env}: nights begin when somebody starts them."
        yield Checkup("schedule", "note", text, "`schedule.on_in` of observatory.yml names where it is on.")
    else:
        yield Checkup("schedule", "well", f"On; the last night was due at {nights.last_due(settings, now)}.")
    beat = heartbeat(settings)
    if beat is not None:
        late = nights.is_scheduled(settings) and now - beat > timedelta(minutes=15)
        text = f"Its last sign was at {beat:%Y-%m-%d %H:%M} UTC."
        yield Checkup("daemon", "wrong" if late else "well", text, "docs/runbooks/daemon-silent.md" if late else "")
    elif nights.is_scheduled(settings):
        text = "It has never run here."
        yield Checkup("daemon", "note", text, "Start hims-daemon (deploy/systemd), or `hims run` by cron.")
    if past := nights.nights(settings, last=1):
        last = past[-1]
        state: State = "wrong" if nights.has_failed(last, now) else "well"
        yield Checkup(
            "nights", state, f"The last began at {last.begun}.", "`hims alert list`" if state == "wrong" else ""
        )


def _scrub(settings: Settings, now: datetime) -> Iterable[Checkup]:
    last = next((one for one in reversed(journal.entries(settings)) if one["event"] == "scrubbed"), None)
    if last is None:
        yield Checkup("scrub", "note", "Nothing was read again yet; each night does.")
        return
    old = now - datetime.fromisoformat(last["at"]) > SCRUBBED_WITHIN
    text = f"{last['parts']} of {last['of']} parts at {last['at']}, {len(last['damaged'])} damaged."
    state: State = "wrong" if last["damaged"] else "note" if old else "well"
    yield Checkup("scrub", state, text, "`hims scrub --all`" if state != "well" else "")


def _backup(settings: Settings, now: datetime) -> Iterable[Checkup]:
    days = load_observatory(settings.data).alerts.backup_within_days
    last = backups.last_backup(settings)
    text = f"The last was made at {last:%Y-%m-%d %H:%M} UTC." if last else "None was made by `hims backup make`."
    old = last is None or (days is not None and now - last > timedelta(days=days))
    state: State = "well" if not old else "wrong" if days is not None else "note"
    yield Checkup("backup", state, text, "`hims backup make FOLDER`" if old else "")


def _alerts(settings: Settings, _now: datetime) -> Iterable[Checkup]:
    channels = channels_of(settings)
    if not any(isinstance(channel, Email | Webhook) for channel in channels.values()):
        text = f"No mail and no webhook in {settings.env}: nobody hears of a failed night."
        yield Checkup("alerts", "wrong" if settings.env == "prod" else "note", text, "docs/alerts.md")
    for name, one in channels.items():
        for needed in (getattr(one, field, None) for field in ("password_env", "url_env", "token_env")):
            if needed and secret(needed) is None:
                todo = "Set it in the environment of the unit that sends, or as its credential."
                yield Checkup("alerts", "wrong", f"{name}: {needed} is not set here.", todo)


def _check_kept(settings: Settings, _now: datetime) -> Iterable[Checkup]:
    for name, size, until in kept_parts(settings):
        yield Checkup("kept", "well", f"{name}: {size / 1e6:,.1f} MB; {until}")


CHECKS: tuple[Callable[[Settings, datetime], Iterable[Checkup]], ...] = (
    _installation, _versions, _modes, _key, _audit_trail, _disk, _memory, _clock, _dagster, _schedule, _scrub, _backup,
    _alerts, _check_kept,
)  # fmt: skip


def require_well(checkups: Iterable[Checkup]) -> None:
    """
    Raises:
        HimsError: something is wrong; says how many things.
    """
    if wrong := sum(one.state == "wrong" for one in checkups):
        raise HimsError(f"{wrong} thing(s) to mend.")
