"""How long an asset's page takes where Dagster's history holds one night, and where it holds two years of them.

python -m benchmarks.pages HOME DATA    an installation after a night, of which a copy is used, and its `data/`

The night's events are copied, a day earlier each, as Dagster's storage keeps them: through its own calls that
takes an hour. Seconds are those until Chromium shows what the page is opened for, three times.
"""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

NIGHTS = 730
STEP = 1_000_000  # storage ids of a night are this much above those of the night before
IDS = ("id", "event_id", "evaluation_event_storage_id", "materialization_event_storage_id")
DAYS = (*(f"{name}_timestamp" for name in ("create", "update", "event", "evaluation_event")), "timestamp")
PAGES = {
    "conformed/dim_area?view=overview": "Latest materialization",
    "conformed/dim_area?view=events": "Materialized",
    "conformed/dim_area?view=checks": "Execution history",
    "release/current?view=overview": "Latest materialization",
    "landing/take_in?view=overview": "Latest materialization",
}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def copy_nights(home: Path, nights: int) -> int:
    """Make the last night of an installation the last of many; returns the events of assets that there are then."""
    history = home / "dagster/history"
    with (
        closing(sqlite3.connect(history / "runs.db")) as runs,
        closing(sqlite3.connect(history / "runs/index.db")) as index,
    ):
        (last,) = runs.execute("select run_id from runs where status = 'SUCCESS' order by id desc limit 1").fetchone()
        copies = [(number, str(uuid.uuid4()) if number else last) for number in reversed(range(nights))]
        for con, tables in ((runs, ("runs", "run_tags")), (index, ("event_logs", "asset_check_executions"))):
            for table in tables:
                _copy_rows(con, table, f"run_id = '{last}'", last, copies)
        events = f"event_id in (select id - {(nights - 1) * STEP} from event_logs where run_id = '{last}')"
        _copy_rows(index, "asset_event_tags", events, last, copies)
        return index.execute("select count(*) from event_logs").fetchone()[0]


def _copy_rows(con: sqlite3.Connection, table: str, where: str, last: str, copies: list[tuple[int, str]]) -> None:
    con.row_factory = sqlite3.Row
    rows = [dict(row) for row in con.execute(f"select * from {table} where {where}")]
    con.execute(f"delete from {table} where {where}")
    con.row_factory = None
    for number, run in copies:
        copied = [_earlier(row, number, len(copies) - 1 - number, last, run) for row in rows]
        marks = ", ".join("?" * len(rows[0])) if rows else ""
        con.executemany(f"insert into {table} values ({marks})", [tuple(row.values()) for row in copied])
    con.commit()


def _earlier(row: dict[str, Any], days: int, nights_before: int, last: str, run: str) -> dict[str, Any]:
    """A row as it would be of a night so many days earlier."""
    changed = {name: value.replace(last, run) for name, value in row.items() if isinstance(value, str)}
    changed |= {name: row[name] + nights_before * STEP for name in IDS if row.get(name) is not None}
    changed |= {name: row[name] - days * 86_400 for name in ("start_time", "end_time") if row.get(name)}
    for name in DAYS:
        if row.get(name):
            changed[name] = str(datetime.fromisoformat(row[name]) - timedelta(days=days))
    for name in ("event", "evaluation_event"):
        if row.get(name):
            head, key, tail = changed[name].rpartition('"timestamp": ')
            at, comma, rest = tail.partition(",")
            changed[name] = f"{head}{key}{float(at) - days * 86_400}{comma}{rest}"
    return row | changed


def time_pages(home: Path, data: Path, tell: Callable[[str], None]) -> None:
    """Open the pages in Chromium, on the installation's own web server."""
    env = os.environ | {"HIMS_HOME": str(home), "HIMS_DATA": str(data), "HIMS_ENV": "test"}
    env["HIMS_EXPECTATIONS"] = str(data.parent / "expectations")
    command = [sys.executable, "-m", "hims_pipeline.cli", "ui", "--port", "0"]
    served = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    assert served.stdout is not None
    for line in served.stdout:
        if "Ctrl-C" in line:
            break
    link = json.loads((home / "dagster/door.json").read_text(encoding="utf-8"))["operator"]
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_context(viewport={"width": 1500, "height": 900}).new_page()
        for _ in range(180):  # the door answers once the definitions are loaded
            try:
                page.goto(link)
                break
            except Exception:
                time.sleep(1)
        for place, text in PAGES.items():
            seconds = []
            for _ in range(3):
                page.goto("about:blank")
                began = time.perf_counter()
                page.goto(f"{link.split('/?')[0]}/assets/{place}", wait_until="commit")
                page.get_by_text(text).first.wait_for()
                seconds.append(time.perf_counter() - began)
            tell(f"{place}: {', '.join(f'{one:.1f}' for one in seconds)} s (wanted: under 2)")
        browser.close()
    served.send_signal(signal.SIGTERM)
    served.wait(timeout=90)


def main(home: Path, data: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder) / "home"
        shutil.copytree(home, copied, symlinks=True)
        print("one night")
        time_pages(copied, data, print)
        print(f"{NIGHTS} nights, {copy_nights(copied, NIGHTS):,} events of assets")
        time_pages(copied, data, print)
        for path in copied.rglob("*"):
            path.chmod(0o700)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
