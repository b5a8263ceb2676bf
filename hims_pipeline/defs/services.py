"""`hims ui`: the code server, the daemon and the guarded webserver of one installation, started and stopped together;
or apart, as `hims daemon` and `hims ui --apart`.

Nothing but the door listens where another account could connect: the code server's socket lies in a private folder.
"""

import contextlib
import ctypes
import hashlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import uvicorn
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget

from hims_pipeline.defs.execution import fail_dead_runs
from hims_pipeline.defs.instance import open_instance
from hims_pipeline.defs.pages import gate_routes
from hims_pipeline.defs.webserver import guarded_app
from hims_pipeline.errors import HimsError
from hims_pipeline.lake import journal
from hims_pipeline.settings import REPOSITORY, Settings, quiet_environment
from hims_pipeline.ui.door import Doorkeeper
from hims_pipeline.ui.visitors import Visitor

LOCATION = "hims_pipeline"
WORKSPACE = "workspace.yaml"
START_SECONDS, STOP_SECONDS = 180, 60
_END_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def serve(settings: Settings, keeper: Doorkeeper, door: socket.socket, log: Callable[[str], None]) -> None:
    """Serve Dagster's pages through an open socket until a signal comes or one of the processes ends.

    Raises:
        HimsError: the code server or the daemon does not start, or ended by itself.
    """
    for sent in (signal.SIGINT, signal.SIGTERM):  # else the web server ends us by it, and leaves the others running
        signal.signal(sent, signal.default_int_handler)
    with open_instance(settings) as opened:
        fail_dead_runs(opened, every=True)
    ended = ""
    with (
        contextlib.suppress(KeyboardInterrupt),
        _processes(settings, log) as (processes, workspace),
        dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance,
        WorkspaceProcessContext(instance, WorkspaceFileTarget([str(workspace)]), dg.__version__) as context,
    ):
        ended = _host(_app(settings, context, keeper), door, processes)
    if ended:
        raise HimsError(f"The {ended} ended by itself; its own words stand above. Everything was stopped.")


def serve_daemon(settings: Settings, log: Callable[[str], None]) -> None:
    """Run the code server and the daemon, without pages, until a signal comes or one of them ends.

    Raises:
        HimsError: one does not start, or ended by itself.
    """
    for sent in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sent, signal.default_int_handler)
    with open_instance(settings) as opened:
        fail_dead_runs(opened, every=True)
    ended = ""
    with contextlib.suppress(KeyboardInterrupt), _processes(settings, log) as (processes, _):
        log("the code server and the daemon run")
        while not ended:
            time.sleep(1)
            ended = next((name for name, process in processes.items() if process.poll() is not None), "")
    if ended:
        raise HimsError(f"The {ended} ended by itself; its own words stand above. Everything was stopped.")


def serve_pages(settings: Settings, keeper: Doorkeeper, door: socket.socket, log: Callable[[str], None]) -> None:
    """Serve Dagster's pages alone, on the code server that `hims daemon` runs; waits for that one to come up.

    Raises:
        HimsError: no daemon has ever run here, or its code server does not come up.
    """
    workspace = settings.dagster_home / WORKSPACE
    if not workspace.exists():
        raise HimsError("Pages apart need the code server of `hims daemon`, which has not run here yet: start it.")
    code = Path(json.loads(workspace.read_text(encoding="utf-8"))["load_from"][0]["grpc_server"]["socket"])
    log("waiting for the code server of `hims daemon`")
    _await(code)
    for sent in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sent, signal.default_int_handler)
    with (
        contextlib.suppress(KeyboardInterrupt),
        dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance,
        WorkspaceProcessContext(instance, WorkspaceFileTarget([str(workspace)]), dg.__version__) as context,
    ):
        _host(_app(settings, context, keeper), door, {})


def record_service(settings: Settings, visitor: Visitor, names: list[str]) -> None:
    """Write into the audit trail who started what in the pages, before it is run."""
    journal.record(settings, journal.ASKED, visitor=visitor.name, role=visitor.role, mutations=names)


def _app(settings: Settings, context: WorkspaceProcessContext, keeper: Doorkeeper):
    return guarded_app(context, keeper, lambda who, names: record_service(settings, who, names), gate_routes(settings))


def _host(app, door: socket.socket, processes: dict[str, subprocess.Popen]) -> str:
    """Answer requests until a signal or the end of a process; returns which one ended."""
    config = uvicorn.Config(app, log_level="warning", proxy_headers=False, server_header=False)
    server = uvicorn.Server(config)
    ended: list[str] = []

    def watch() -> None:
        while not server.should_exit:
            ended.extend(name for name, process in processes.items() if process.poll() is not None)
            if ended:
                server.should_exit = True
            time.sleep(1)

    threading.Thread(target=watch, daemon=True).start()
    server.run(sockets=[door])
    return ended[0] if ended else ""


def _private_folder(settings: Settings) -> Path:
    """A folder for sockets and temporary files, always the same: a run that is going on outlives `hims ui` and uses it.
    Not within the installation, since the path of a socket may have 107 bytes at most.

    Raises:
        HimsError: another account made it first.
    """
    name = hashlib.sha256(str(settings.home).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir(), f"hims-{os.geteuid()}-{name}")
    folder.mkdir(mode=0o700, exist_ok=True)
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid() or state.st_mode & 0o077:
        raise HimsError(f"{folder} is not a folder of this account alone: remove it.")
    for left in folder.iterdir():
        if left.is_socket():
            left.unlink()
    return folder


@contextmanager
def _processes(settings: Settings, log: Callable[[str], None]) -> Iterator[tuple[dict[str, subprocess.Popen], Path]]:
    """The code server and the daemon, and the workspace file that names the first one's socket."""
    private = _private_folder(settings)
    code, workspace = private / "code.sock", settings.dagster_home / WORKSPACE
    located = {"location_name": LOCATION, "host": "localhost", "socket": str(code)}
    workspace.write_text(json.dumps({"load_from": [{"grpc_server": located}]}), encoding="utf-8")  # JSON is YAML
    environment = quiet_environment(settings) | {"TMPDIR": str(private)}
    dagster = str(Path(sys.executable).parent / "dagster")
    quiet = ["--log-level", "warning"]
    serving = ["--socket", str(code), "-m", "hims_pipeline.definitions", "--location-name", LOCATION]
    processes: dict[str, subprocess.Popen] = {}

    def start(name: str, *command: str) -> None:
        processes[name] = subprocess.Popen(
            command, env=environment, cwd=REPOSITORY, start_new_session=True, preexec_fn=_end_with_parent
        )

    try:
        log("loading the definitions")
        start("code server", dagster, "code-server", "start", *serving, *quiet)
        _await(code, processes["code server"])
        start("daemon", f"{dagster}-daemon", "run", "-w", str(workspace), *quiet)
        yield processes, workspace
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _end_with_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job ignores it, and Dagster would go on so
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGTERM)


def _await(path: Path, process: subprocess.Popen | None = None) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not path.exists():
        if (process is not None and process.poll() is not None) or time.monotonic() > deadline:
            raise HimsError("Dagster's code server did not start; its own words stand above.")
        time.sleep(0.2)
