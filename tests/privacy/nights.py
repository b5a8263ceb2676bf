"""The nights of the leak scan, with all that may come between them: a change of the key, a contract that does not load,
deliveries past their term; every way to look at what came of them, and every mail and message that they send. Not here:
the search (`leak_scan`).
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import yaml

from hims_pipeline.contracts.load import read_yaml
from hims_pipeline.lake import landing
from hims_pipeline.lake.delivery import write_record
from hims_pipeline.lake.files import private_folder
from hims_pipeline.privacy.keys import create_key
from hims_pipeline.settings import REPOSITORY, Settings, quiet_environment
from tests.privacy.persons import Person
from tests.watch.conftest import mailed, receiving

LOOKS = (
    ("status",),
    ("health",),
    ("health", "--json"),
    ("metrics",),
    ("alert", "check"),
    ("alert", "list"),
    ("alert", "digest"),
    ("rules", "show"),
    ("status", "--format", "json"),
    ("release", "list"),
    ("release", "show"),
    ("audit", "show", "--last", "10000"),
    ("retention", "plan"),
    ("scrub", "--all"),
    ("key", "show"),
    ("doctor",),
    ("dbt", "docs", "generate"),
)
MAY_END_OTHERWISE = ("health", "doctor")  # by which they say how the installation is
BROKEN = "leak_broken"


def make_harder(settings: Settings, who: Person) -> None:
    """What a second night meets: a contract that does not load, with files of its source in landing, and deliveries
    past their term, which the night itself destroys."""
    (settings.data / f"contracts/{BROKEN}.yml").write_text(f"source: {BROKEN}\nentities: [\n")
    place = private_folder(settings.landing / BROKEN / "2024")
    (place / f"{who.whole}.csv").write_text(f"{who.name}\n{who.cin}\n", encoding="utf-8")
    observatory = settings.data / "observatory.yml"
    rules = read_yaml(observatory)
    rules["policies"] = rules.get("policies", {}) | {"destroy_at_term": True}
    observatory.write_text(yaml.safe_dump(rules, allow_unicode=True), encoding="utf-8")
    for one in past_term(settings):
        old = replace(one, received_at=f"{int(one.received_at[:4]) - 3}{one.received_at[4:]}")
        write_record(settings, old, old.folder(settings))


def past_term(settings: Settings) -> list[landing.Delivery]:
    """Each third delivery of persons."""
    return [one for one in landing.deliveries(settings) if one.source.startswith("leak_")][::3]


def run_nights(settings: Settings, persons: Sequence[Person], key: Path) -> dict[str, str]:
    """Nights with a change of the key between them, and every way to look at what came of them: what was printed, and
    what was sent by mail and to a chat.

    Raises:
        SystemExit: a command failed that must not.
    """
    with mailed() as (port, mails), receiving() as chat:
        tell_people(settings, port, chat.url)
        printed = _run_nights(settings, persons, key)
    sent = [part.get_content() for mail in mails for part in mail.walk() if part.get_content_maintype() == "text"]
    assert any("delivery-refused" in text for text in sent)
    assert any(mail.is_multipart() for mail in mails), "no letter to a sender went with a mail"
    assert chat.taken
    return printed | {
        "mails as sent": "\n".join(map(str, mails)),
        "mails as read": "\n".join(map(str, sent)),
        "a chat": json.dumps(chat.taken, ensure_ascii=False),
    }


def tell_people(settings: Settings, port: int, hook: str) -> None:
    """Mail, a chat and a file are told of everything."""
    mail = {"name": "mail", "kind": "email", "host": "localhost", "port": port, "security": "none"}
    mail |= {"sender": "hims@observatory.example", "to": ["engineer@observatory.example"]}
    channels = [mail, {"name": "chat", "kind": "webhook", "url": hook}, {"name": "log", "kind": "file"}]
    observatory = settings.data / "observatory.yml"
    rules = read_yaml(observatory)
    rules["alerts"] = rules.get("alerts", {}) | {"channels": channels}
    observatory.write_text(yaml.safe_dump(rules, allow_unicode=True), encoding="utf-8")


def _run_nights(settings: Settings, persons: Sequence[Person], key: Path) -> dict[str, str]:
    printed: dict[str, str] = {}

    def hims(now: Settings, *words: str, ends: int = 0) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "hims_pipeline.cli", *words],
            env=quiet_environment(now) | {"PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            check=False,
        )
        printed[f"what `hims {' '.join(words)}` printed, {len(printed)}"] = done.stdout + done.stderr
        print(f"`hims {' '.join(words)}` ended with {done.returncode}", flush=True)
        if done.returncode != ends and words[0] not in MAY_END_OTHERWISE:
            raise SystemExit(done.stdout[-3000:] + done.stderr[-3000:])

    hims(settings, "run", "--samples", "--only", "border_crossings", "--scale", "0.002")
    for words in LOOKS:
        hims(settings, *words)
    create_key(key)
    hims(settings, "key", "rotate", str(key), "--reason", "the scan")
    keyed = replace(settings, key_file=key)
    past = past_term(keyed)
    make_harder(keyed, persons[0])
    hims(keyed, "run", ends=1)  # a source takes nothing in
    destroyed = [one for one in printed.values() if "destroyed" in one]
    assert destroyed, "the night destroyed nothing that was past its term"
    assert not [one for one in past if one.folder(keyed).exists()]
    (settings.data / f"contracts/{BROKEN}.yml").unlink()
    hims(keyed, "run")
    for words in LOOKS:
        hims(keyed, *words)
    return printed
