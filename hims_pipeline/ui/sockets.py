"""Where the door stands: a port of this machine with tokens, or a socket that a proxy alone can open."""

import fcntl
import getpass
import os
import shutil
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hims_pipeline.errors import Busy, HimsError
from hims_pipeline.lake.files import write_json
from hims_pipeline.settings import Settings
from hims_pipeline.ui.door import Doorkeeper
from hims_pipeline.ui.visitors import Proxy, Tokens

HERE = ("127.0.0.1", "localhost")
KEPT = "dagster/door.json"
FOR_GROUP = 0o660


@contextmanager
def hold_daemon(settings: Settings) -> Iterator[None]:
    """Hold the installation's daemon: two would start its nights twice.

    Raises:
        Busy: another `hims ui` or `hims daemon` runs on it.
    """
    with (settings.dagster_home / "ui.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(
                f"`hims ui` or `hims daemon` runs already on {settings.home}; addresses of the first are in {KEPT}."
            ) from None
        yield


@contextmanager
def open_here(settings: Settings, port: int) -> Iterator[tuple[socket.socket, Doorkeeper, dict[str, str]]]:
    """A port of 127.0.0.1, and the addresses with new tokens, kept in `dagster/door.json` (0600) while it is open.

    Raises:
        HimsError: the port is taken.
    """
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind(("127.0.0.1", port))
    except OSError as error:
        raise HimsError(f"Port {port} cannot be had: {error.strerror}. Choose another with --port.") from None
    port = door.getsockname()[1]
    tokens, kept = Tokens(getpass.getuser(), port), settings.home / KEPT
    names = frozenset(f"{name}:{port}" for name in HERE)
    write_json(kept, tokens.links(), mode=0o600)
    try:
        yield door, Doorkeeper(names, frozenset(f"http://{name}" for name in names), tokens), tokens.links()
    finally:
        kept.unlink(missing_ok=True)
        door.close()


@contextmanager
def open_to_proxy(
    path: Path, group: str | None, names: tuple[str, ...], *, read_only: bool = False
) -> Iterator[tuple[socket.socket, Doorkeeper]]:
    """A Unix socket with mode 0660 for a group of the proxy's; what the proxy says of its visitor counts.

    Raises:
        HimsError: no name was given, the group is unknown, or others could put a socket of theirs in its place.
    """
    if not names:
        raise HimsError("Say with --name under which host browsers reach the proxy; requests to others are refused.")
    folder = path.resolve().parent
    if not folder.is_dir() or stat.S_IMODE(folder.stat().st_mode) & 0o002:
        raise HimsError(f"{folder} must be a folder in which others cannot write: they could take the socket's place.")
    if path.is_socket():
        path.unlink()
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o777)  # nobody connects until its group is set
    try:
        door.bind(str(path))
    except OSError as error:
        raise HimsError(f"{path} cannot be made: {error.strerror}.") from None
    finally:
        os.umask(before)
    try:
        _give(path, group)
        hosts = frozenset(name.lower() for name in names)
        yield door, Doorkeeper(hosts, frozenset(f"https://{name}" for name in hosts), Proxy(read_only=read_only))
    finally:
        door.close()
        path.unlink(missing_ok=True)


def _give(path: Path, group: str | None) -> None:
    if group is not None:
        try:
            shutil.chown(path, group=group)
        except (LookupError, PermissionError) as error:
            raise HimsError(f"{path} cannot be given to the group {group!r}: {error}.") from None
    path.chmod(FOR_GROUP if group is not None else 0o600)
