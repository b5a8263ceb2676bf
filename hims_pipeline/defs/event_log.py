"""Where Dagster keeps the events of runs on one machine: its own SQLite storage, with connections that stay open.

Dagster's opens, checkpoints and closes a database for every event that it stores, two to four times; a night reports
some two thousand, and that was two fifths of a quiet one. Tables, files and statements are Dagster's. Named by an
installation's `dagster.yaml`; with PostgreSQL Dagster keeps connections itself.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

MOST_OPEN = 4  # databases; each run has one of its own, and the pages of the UI read many


class EventLog(SqliteEventLogStorage):
    """Dagster's SQLite storage of events under `$DAGSTER_HOME/history/runs`, a connection a database.

    Dagster itself lets one thread at a time to them (`_db_lock`). What was committed survives the process; after a loss
    of power the last events can be missing, and the database is whole (WAL, `synchronous=NORMAL`).
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None):
        self._open: dict[str, tuple[tuple[int, ...], Engine]] = {}
        self._tables = set[str]()
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:  # noqa: ARG003 - empty
        """The storage of the running installation; `DAGSTER_HOME` says where, so that an installation can be moved."""
        return cls(str(Path(os.environ["DAGSTER_HOME"]) / "history" / "runs"), inst_data)

    def has_table(self, table_name: str) -> bool:
        """Whether a table is there; Dagster asks it before each result of a check."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock, self._engine(shard).begin() as connection:
            yield connection

    def _engine(self, shard: str) -> Engine:
        """The open database of a run; opened anew where the file is another one than before, or the process is."""
        present, engine = self._open.pop(shard, ((), None))
        if engine is None or present != self._identify(shard):
            if engine is not None:
                engine.dispose(close=present[:1] == (os.getpid(),))
            engine = self._open_database(shard)
        self._open[shard] = self._identify(shard), engine
        while len(self._open) > MOST_OPEN:
            self._open.pop(next(iter(self._open)))[1].dispose()
        return engine

    def _identify(self, shard: str) -> tuple[int, ...]:
        try:
            file = Path(self.path_for_shard(shard)).stat()
        except FileNotFoundError:
            return (os.getpid(),)
        return os.getpid(), file.st_dev, file.st_ino

    def _open_database(self, shard: str) -> Engine:
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        )
        event.listen(engine, "connect", _sync_at_checkpoints)
        self._initdb(engine)
        return engine

    def dispose(self) -> None:
        """Close what is open."""
        with self._db_lock:
            for _, engine in self._open.values():
                engine.dispose()
            self._open.clear()
        super().dispose()


def _sync_at_checkpoints(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")
