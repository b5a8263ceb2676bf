"""Dagster's real webserver behind the door, on a real socket; the workspace is empty, so it starts in a moment."""

import contextlib
import http.client
import json
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pytest
import uvicorn
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import EmptyWorkspaceTarget

from hims_pipeline.commands.runs import INSTANCE_FILE
from hims_pipeline.defs.pages import gate_routes
from hims_pipeline.defs.services import record_service
from hims_pipeline.defs.webserver import guarded_app
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.ui.door import Doorkeeper
from hims_pipeline.ui.sockets import open_here, open_to_proxy


@dataclass
class House:
    """A running webserver, its instance, and how to knock."""

    settings: Settings
    instance: dg.DagsterInstance
    address: str | tuple[str, int]
    host: str
    origin: str
    links: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> http.client.HTTPResponse:
        """A request with nothing but these headers (`content_type`: Content-Type), and our Host without one."""
        connection = http.client.HTTPConnection("localhost", timeout=30)
        connection.sock = socket.socket(socket.AF_INET if isinstance(self.address, tuple) else socket.AF_UNIX)
        connection.sock.connect(self.address)
        sent = {"host": self.host} | {name.replace("_", "-"): value for name, value in headers.items()}
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in sent.items():
            for one in value.split("\n"):
                connection.putheader(name, one)
        if body is not None:
            connection.putheader("content-length", str(len(body.encode())))
        connection.endheaders(body.encode() if body is not None else None)
        answer = connection.getresponse()
        answer.text = answer.read().decode(errors="replace")
        return answer

    @staticmethod
    def limiting(number: int) -> str:
        """A mutation that changes the instance at once, so that a test sees in `limit` whether it ran."""
        return f'mutation {{ setConcurrencyLimit(concurrencyKey: "trial", limit: {number}) }}'

    @property
    def limit(self) -> int | None:
        return {one.name: one.limit for one in self.instance.event_log_storage.get_pool_limits()}.get("trial")

    def cookie(self, role: str) -> str:
        """The cookie that a browser gets for the printed address."""
        path = self.links[role].split(self.host, 1)[1]
        return self.ask("GET", path).getheader("set-cookie").split(";")[0]

    def graphql(self, query: str, **headers: str) -> http.client.HTTPResponse:
        """As a page of ours sends it."""
        own = {"origin": self.origin, "content_type": "application/json"}
        return self.ask("POST", "/graphql", json.dumps({"query": query}), **(own | headers))


@contextlib.contextmanager
def serving(settings: Settings, door: socket.socket, keeper: Doorkeeper) -> Iterator[dg.DagsterInstance]:
    with (
        dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance,
        WorkspaceProcessContext(instance, EmptyWorkspaceTarget()) as context,
    ):
        app = guarded_app(
            context, keeper, lambda who, names: record_service(settings, who, names), gate_routes(settings)
        )
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", proxy_headers=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
        thread.start()
        while not server.started:
            thread.join(0.05)
        yield instance
        server.should_exit = True
        thread.join(30)


def installed(home: Path) -> Settings:
    settings = Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", home, env="test")
    settings.dagster_home.mkdir(parents=True)
    shutil.copyfile(INSTANCE_FILE, settings.dagster_home / "dagster.yaml")
    return settings


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The door of this machine: a port with tokens."""
    settings = installed(tmp_path_factory.mktemp("ui") / "home")
    with open_here(settings, 0) as (door, keeper, links), serving(settings, door, keeper) as instance:
        port = door.getsockname()[1]
        host = f"127.0.0.1:{port}"
        yield House(settings, instance, ("127.0.0.1", port), host, f"http://{host}", links)


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The door behind a proxy: a socket of its own."""
    settings = installed(tmp_path_factory.mktemp("behind") / "home")
    path, name = settings.home / "ui.sock", "pages.example.org"
    with open_to_proxy(path, None, (name,)) as (door, keeper), serving(settings, door, keeper) as instance:
        yield House(settings, instance, str(path), name, f"https://{name}")
