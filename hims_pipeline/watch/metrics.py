"""Figures about the installation in Prometheus' text format, for node_exporter's textfile folder. None is of data."""

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path

from hims_pipeline import intake
from hims_pipeline.lake.files import write_text
from hims_pipeline.release import store
from hims_pipeline.settings import Settings
from hims_pipeline.watch import alert_book, backups, nights, overdue
from hims_pipeline.watch.alert_kinds import KINDS
from hims_pipeline.watch.health import Health
from hims_pipeline.watch.look import heartbeat

READABLE = 0o644  # node_exporter runs under another account
Labels = dict[str, str]
Metric = tuple[str, str, list[tuple[Labels, float]]]


def collect_metrics(settings: Settings, health: Health) -> str:
    """All metrics, each with its help and type; those of which nothing is known are left out."""
    lines: list[str] = []
    for name, help_text, samples in _all_metrics(settings, health):
        if samples:
            lines += [f"# HELP hims_{name} {help_text}", f"# TYPE hims_{name} gauge"]
            lines += [f"hims_{name}{_labels(labels)} {value:.17g}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def write_metrics(path: Path, text: str) -> None:
    """Put the metrics in the place of the former ones, in one step."""
    write_text(path, text, READABLE)


def _all_metrics(settings: Settings, health: Health) -> Iterator[Metric]:
    yield "health_code", "0 well, 1 warning, 2 critical.", [({}, health.code)]
    yield "looked_timestamp_seconds", "When the installation was looked at.", [({}, _seconds(health.at))]
    kinds = Counter(condition.kind for condition in health.conditions if not condition.over)
    kind_counts = [({"kind": name, "class": kind.of}, float(kinds[name])) for name, kind in KINDS.items()]
    yield "conditions", "What holds now and people are to know, by kind.", kind_counts
    yield "messages_unsent", "Messages that no channel has taken yet.", [({}, health.unsent)]
    known = [alert for alert in alert_book.read(settings).alerts if alert.is_open]
    seen = Counter("yes" if one.acknowledged else "no" for one in known)
    yield "alerts_open", "Open alerts.", [({"acknowledged": word}, float(seen[word])) for word in ("yes", "no")]
    yield from _night_metrics(settings)
    yield from _release_metrics(settings, health)
    states = Counter(one.state for one in intake.states(settings))
    yield (
        "deliveries",
        "Deliveries, by where they stand.",
        [({"state": s}, float(n)) for s, n in sorted(states.items())],
    )
    ends = overdue.last_ends(settings)
    last = [({"source": source}, _day(end)) for source, (_, end) in sorted(ends.items())]
    yield "source_last_period_end_timestamp_seconds", "Last day of the last period that was delivered.", last
    if settings.home.exists():
        disk = shutil.disk_usage(settings.home)
        yield "disk_free_bytes", "Room on the installation's disk.", [({}, disk.free)]
        yield "disk_size_bytes", "Size of the installation's disk.", [({}, disk.total)]
    backup, beat = backups.last_backup(settings), heartbeat(settings)
    yield "backup_timestamp_seconds", "When the last backup was made.", [({}, backup.timestamp())] if backup else []
    yield "daemon_timestamp_seconds", "Last sign of Dagster's daemon.", [({}, beat.timestamp())] if beat else []


def _night_metrics(settings: Settings) -> Iterator[Metric]:
    ended = [night for night in nights.nights(settings) if night.ended]
    if ended:
        last = ended[-1]
        yield "night_ended_timestamp_seconds", "When the last night ended.", [({}, _seconds(last.ended))]
        yield "night_well", "Whether the last night ended well.", [({}, float(last.well))]
        took = _seconds(last.ended) - _seconds(last.begun)
        yield "night_duration_seconds", "How long the last night took.", [({}, took)]
    well = [one for one in ended if one.well]
    if well:
        yield "night_well_timestamp_seconds", "When a night last ended well.", [({}, _seconds(well[-1].ended))]


def _release_metrics(settings: Settings, health: Health) -> Iterator[Metric]:
    yield "releases", "Releases on disk.", [({}, float(len(store.releases(settings))))]
    if health.release is None or any(condition.kind == "release-damaged" for condition in health.conditions):
        return
    at = store.get(settings, health.release).manifest()["published_at"]
    yield "release_published_timestamp_seconds", "The current release.", [({"release": health.release}, _seconds(at))]


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _day(day: date) -> float:
    return datetime.combine(day, time(), UTC).timestamp()


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    marks = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
    return "{" + ",".join(f'{name}="{value.translate(marks)}"' for name, value in labels.items()) + "}"
