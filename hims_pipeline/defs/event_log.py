"""Dagster's SQLite storage of events, with connections that stay open while a process lives.

Dagster opens, checkpoints and closes a database for every event that it stores, two to four times; a night reports some
two thousand, and that was two fifths of a quiet one. Beside that it opens one for each check, to see whether there is a
table of checks. What it hands over together, such as all that a run is to make, is one transaction here. Tables, files
and statements are Dagster's own; only how its storage comes by a connection is put in another's place (Dagster is
pinned exactly), so that processes which Dagster starts have it as soon as they load this package. With PostgreSQL
Dagster keeps connections itself.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from pathlib import Path
from weakref import WeakKeyDictionary

import dagster as dg
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

TOGETHER = 1_000  # events; without such a number Dagster hands over one by one
MOST_OPEN = 4  # databases; each run has one of its own, and the pages of the UI read many
Place = tuple[int, ...]  # process, device and file: a connection is good for no other
_tables: WeakKeyDictionary[SqliteEventLogStorage, set[str]] = WeakKeyDictionary()
_kept: WeakKeyDictionary[SqliteEventLogStorage, dict[str, tuple[Place, Engine]]] = WeakKeyDictionary()
_together: ContextVar[tuple[dict[str, Connection], ExitStack] | None] = ContextVar("together", default=None)


def keep_connections_open() -> None:
    """Let all storages of this process keep their connections."""
    SqliteEventLogStorage._connect = _connect  # type: ignore[method-assign]
    SqliteEventLogStorage.dispose = _close  # type: ignore[method-assign]
    SqliteEventLogStorage.has_table = _has_table  # type: ignore[method-assign, assignment]
    SqliteEventLogStorage.store_event_batch = _write_together  # type: ignore[method-assign, assignment]
    dg.DagsterInstance._get_event_batch_size = lambda self: TOGETHER  # type: ignore[method-assign]


_end_watching, _look_for_table = SqliteEventLogStorage.dispose, SqliteEventLogStorage.has_table


@contextmanager
def _connect(self: SqliteEventLogStorage, shard: str) -> Iterator[Connection]:
    """A transaction on the database of a run, or on the index of all. What was committed survives the process; after a
    loss of power the last events can be missing, and the database is whole (WAL, `synchronous=NORMAL`)."""
    if (together := _together.get()) is not None:
        connections, stack = together
        if shard not in connections:
            connections[shard] = stack.enter_context(_find_engine(self, shard).begin())
        yield connections[shard]
        return
    with self._db_lock, _find_engine(self, shard).begin() as connection:
        yield connection


def _write_together(self: SqliteEventLogStorage, events: Sequence[EventLogEntry]) -> None:
    """All events or, of each database, none."""
    with self._db_lock, ExitStack() as stack:
        token = _together.set(({}, stack))
        try:
            for event in events:
                self.store_event(event)
        finally:
            _together.reset(token)


def _find_engine(storage: SqliteEventLogStorage, shard: str) -> Engine:
    """The open database; opened anew where the file is another one than before, or the process is."""
    kept = _kept.setdefault(storage, {})
    path = Path(storage.path_for_shard(shard))
    place, engine = kept.pop(shard, ((), None))
    if engine is None or place != _identify(path):
        if engine is not None:
            engine.dispose(close=place[0] == os.getpid())
        engine = _open(storage, shard)
        place = _identify(path)
    kept[shard] = place, engine
    while len(kept) > MOST_OPEN:
        kept.pop(next(iter(kept)))[1].dispose()
    return engine


def _has_table(self: SqliteEventLogStorage, name: str) -> bool:
    """A table that was there once is there: nothing of Dagster's takes one away."""
    known = _tables.setdefault(self, set())
    if name not in known and _look_for_table(self, name):
        known.add(name)
    return name in known


def _identify(path: Path) -> Place:
    try:
        file = path.stat()
    except FileNotFoundError:
        return (os.getpid(),)
    return os.getpid(), file.st_dev, file.st_ino


def _open(storage: SqliteEventLogStorage, shard: str) -> Engine:
    engine = create_engine(
        storage.conn_string_for_shard(shard),
        poolclass=StaticPool,
        # One thread at a time has it: Dagster's `_db_lock`.
        connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _write_through_at_checkpoints)
    storage._initdb(engine)
    return engine


def _write_through_at_checkpoints(connection: object, _entry: ConnectionPoolEntry) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")  # type: ignore[attr-defined]


def _close(self: SqliteEventLogStorage) -> None:
    with self._db_lock:
        for _, engine in _kept.pop(self, {}).values():
            engine.dispose()
    _end_watching(self)
