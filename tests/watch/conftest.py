"""An installation that is watched, and servers on this machine that take what it sends."""

import email
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import yaml

from hims_pipeline.settings import Settings
from hims_pipeline.watch import nights
from tests.lake.test_tampering import SUITE
from tests.linkage.conftest import installation
from tests.release.conftest import make

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LOG = {"name": "log", "kind": "file"}


@pytest.fixture
def watched(tmp_path) -> Settings:
    """An installation with a release and one night that ended well, which is told into a file."""
    settings = installation(tmp_path)
    (settings.expectations / "census__people.json").write_text(json.dumps(SUITE), encoding="utf-8")
    alerts(settings, channels=[LOG], disk_free_percent=0)
    alerts(settings, channels=[LOG], disk_free_percent=0)
    (settings.home / "sent").mkdir(parents=True)
    make(settings, "r000001")
    night(settings, NOW - timedelta(days=1))
    return settings


def alerts(settings: Settings, **values: object) -> None:
    """Write the alerts of `observatory.yml`, and have nights begin by themselves here where a schedule is given."""
    path = settings.data / "observatory.yml"
    record = yaml.safe_load(path.read_text(encoding="utf-8"))
    if on_in := values.pop("schedule_on_in", None):
        record["schedule"]["on_in"] = on_in
    record["alerts"] = values
    path.write_text(yaml.safe_dump(record, allow_unicode=True, sort_keys=False), encoding="utf-8")


def night(settings: Settings, at: datetime, reasons: tuple[str, ...] = (), run: str = "") -> None:
    """A night that began and ended at a time."""
    run = run or f"{int(at.timestamp()):08x}-run"
    nights.begin(settings, run, at)
    nights.end_night(settings, run, well=not reasons, reasons=reasons, now=at + timedelta(minutes=5))


def told(settings: Settings) -> list[dict]:
    """Messages in the file channel, oldest first."""
    path = settings.alerts / "told.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def kinds_told(settings: Settings) -> list[str]:
    return [alert["kind"] for message in told(settings) for alert in message["alerts"]]


class Smtp(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as one message takes."""

    def handle(self) -> None:
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            verb = line.upper()[:4]
            if verb == "DATA":
                self.say("354 go on")
                self.take()
            elif verb == "QUIT":
                return self.say("221 bye")
            self.say("550 unknown" if verb == "RCPT" and "nobody" in line else "250 well")

    def take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        self.server.taken.append(email.message_from_bytes(b"".join(lines), policy=policy.default))

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def serving(server) -> Iterator:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class Receiver(BaseHTTPRequestHandler):
    """A receiver of webhooks."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((dict(self.headers), json.loads(body)))
        self.send_response(self.server.answer)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def receiving() -> Iterator[HTTPServer]:
    """A receiver's `url`, what it has `taken` (headers and records), and the code it shall `answer`."""
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.taken, server.answer = [], 200
    server.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    with serving(server):
        yield server


@contextmanager
def mailed() -> Iterator[tuple[int, list[EmailMessage]]]:
    """Port and what came, as mail."""
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Smtp)
    server.taken = []
    with serving(server):
        yield server.server_address[1], server.taken


@pytest.fixture
def smtp() -> Iterator[tuple[int, list[EmailMessage]]]:
    with mailed() as found:
        yield found


@pytest.fixture
def receiver() -> Iterator[HTTPServer]:
    with receiving() as server:
        yield server
