"""`python -m tests.faults.season 30 1`: nights in a row with nobody there, on a clock of their own.

Each day senders deliver, late, wrongly or again, somebody withdraws or edits something; each night is left alone, hurt,
killed, or does not begin. What must be published and told after each is worked out here from what was sent, by code
that shares nothing with the pipeline, and compared with what readers and the people on duty get.
"""

import contextlib
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hims_pipeline.release.reader import connect
from hims_pipeline.watch import alert_book, nights
from tests.elsewhere import other_clock
from tests.faults.invariants import broken, faults_of
from tests.faults.trials import Told
from tests.faults.world import Ended, ask, go_on_in_a_copy, run, thrown_away
from tests.installation import Installation
from tests.northland import deliver_northland, drop, rows

SOUTH, NORTH = "southland_count", "northland_survey"
ZONE = ZoneInfo("Pacific/Auckland")
AT_NIGHT, IN_THE_MORNING = timedelta(hours=4, minutes=16), timedelta(hours=9)
ALERTS = """
alerts:
  channels: [{{name: log, kind: file}}]
  overdue_days: {{annual: {granted}}}
  disk_free_percent: 0
  digest: null
"""
BAD = {
    "no such place": "person,place\n1,1\n2,9\n",
    "a page": "<html><body>Session expired</body></html>\n",
    "nothing": "person,place\n",
    "a key twice": "person,place\n1,1\n1,1\n",
    "other columns": "person,region\n1,1\n",
}
FAULTS = ("", "", "", "", "kill", "kill", "kill", "ENOSPC", "EIO", "off", "dead daemon", "alerter killed")


@dataclass
class Sent:
    """One delivery, as its sender knows it: `figure` is what its period must show, None where it must be refused."""

    source: str
    period: str
    figure: float | None
    batch: str = ""
    withdrawn: bool = False


@dataclass
class Expected:
    """What has been sent and done, and what follows from it for readers and for people on duty."""

    sent: list[Sent] = field(default_factory=list)
    broken: bool = False
    missed: set[str] = field(default_factory=set)
    # Days behind the year after the last period: in the season, a source that has sent 2024 becomes overdue.
    granted: int = (date.today() + timedelta(days=10) - date(2025, 12, 31)).days

    def judged(self) -> list[Sent]:
        return [one for one in self.sent if one.batch and not one.withdrawn]

    def figures(self) -> dict[tuple[str, str], float]:
        """(source, period) -> the figure of the last good delivery that was judged and not withdrawn."""
        return {(one.source, one.period): one.figure for one in self.judged() if one.figure is not None}

    def refused(self) -> set[str]:
        """Periods whose last delivery, of those that were judged and not withdrawn, is a bad one."""
        last = {f"{one.source}/{one.period}": one.figure for one in self.judged()}
        return {period for period, figure in last.items() if figure is None}

    def overdue(self, today: date) -> set[str]:
        """Sources by their last period, whose next is not here in time."""
        last: dict[str, str] = {}
        for one in self.judged():
            last[one.source] = max(last.get(one.source, ""), one.period)
        return {
            f"{source} after {period}"
            for source, period in last.items()
            if today > date(int(period) + 1, 12, 31) + timedelta(days=self.granted)
        }


class Season:
    """An installation that lives through a season."""

    def __init__(self, here: Installation, folder: Path, dice: random.Random, told: Told) -> None:
        self.here, self.dice, self.told = here, dice, told
        self.preloaded = other_clock(folder)
        self.day = datetime.now(ZONE).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        self.number = 0
        self.acts = b""
        self.last_well, self.missed_since = True, False
        self.expected = Expected([
            Sent(NORTH, "2023", 80 * 10.25), Sent(SOUTH, "2022", 19), Sent(SOUTH, "2023", 30),
        ])  # fmt: skip
        self.published: dict[tuple[str, str], float] = {}
        self.counts: Counter[str] = Counter()

    def hims(self, at: timedelta, *words: str, kind: str = "", act: int = 0) -> Ended:
        """Run a command at a time of the simulated day."""
        ahead = int((self.day + at).timestamp() - time.time())
        return run(self.here, *words, kind=kind, at=act, more=self.preloaded | {"CLOCK_AHEAD": str(ahead)})

    def live(self, days: int) -> None:
        for number in range(1, days + 1):
            done = self._by_day() if number > 1 else ["the first deliveries"]
            fault = self.dice.choice(FAULTS) if number > 2 else ""
            what = f"night {number} ({'; '.join(done) or 'nothing new'}; {fault or 'left alone'})"
            self._night(what, fault)
            self.told.say(f"{what}: {len(self.published)} figures, {len(self._open())} alerts open")
            self.day += timedelta(days=1)

    # By day: what senders and people do.

    def _by_day(self) -> list[str]:
        acts = {
            self._send_good: 5, self._send_bad: 3, self._send_survey: 1, self._withdraw: 2, self._reinstate: 1,
            self._break: 1,
        }  # fmt: skip
        chosen = self.dice.choices(list(acts), list(acts.values()), k=self.dice.choice([0, 1, 1, 2]))
        if self.expected.broken:
            chosen = [self._mend]
        return [done for act in dict.fromkeys(chosen) if (done := act())]

    def _free_period(self) -> str | None:
        waiting = {one.period for one in self.expected.sent if one.source == SOUTH and not one.batch}
        return self.dice.choice(sorted({"2021", "2023", "2024", "2025"} - waiting) or [None])

    def _send(self, source: str, period: str, text: str, figure: float | None) -> None:
        self.number += 1
        drop(self.here, source, period, f"{source[:5]}_{self.number}.{'csv' if source == SOUTH else 'txt'}", text)
        self.expected.sent.append(Sent(source, period, figure))

    def _send_good(self) -> str:
        if (period := self._free_period()) is None:
            return ""
        # All of the Heath; in steps of the minimum count, since a smaller change of what was shown is withheld.
        persons = 12 + 3 * (self.number % 20)
        text = "person,place\n" + "".join(f"{person + 100 * self.number},1\n" for person in range(persons))
        self._send(SOUTH, period, text, float(persons))
        return f"{SOUTH} {period} sent"

    def _send_bad(self) -> str:
        if (period := self._free_period()) is None:
            return ""
        kind = self.dice.choice(sorted(BAD))
        self._send(SOUTH, period, BAD[kind] + "\n" * self.number, None)
        return f"{SOUTH} {period} sent with {kind}"

    def _send_survey(self) -> str:
        if any(one.source == NORTH and not one.batch for one in self.expected.sent):
            return ""
        lines, period = rows().splitlines(), self.dice.choice(["2023", "2024"])
        persons = 80 - self.number % 10
        self._send(NORTH, period, "\n".join([lines[0], *lines[-persons:]]) + "\n", persons * 10.25)
        return f"{NORTH} {period} sent"

    def _withdraw(self) -> str:
        good = [one for one in self.expected.judged() if one.figure is not None]
        again = Counter((one.source, one.period) for one in good)
        able = [one for one in self.expected.judged() if one.figure is None or again[one.source, one.period] > 1]
        return self._act("withdraw", self.dice.choice(able)) if able else ""

    def _reinstate(self) -> str:
        able = [one for one in self.expected.sent if one.withdrawn]
        return self._act("reinstate", self.dice.choice(able)) if able else ""

    def _act(self, verb: str, one: Sent) -> str:
        reason = ("--reason", "tried") if verb == "withdraw" else ()
        ended = self.hims(timedelta(hours=1), "batch", verb, one.batch, *reason)
        self.told.note(verb, faults_of(ended) + ([f"{ended.code}: {ended.printed}"] if ended.code else []))
        one.withdrawn = verb == "withdraw"
        return f"{one.batch} {verb}n" if verb == "withdraw" else f"{one.batch} {verb}d"

    def _break(self) -> str:
        self._edit("cadence: annual", "cadence: anual")
        self.expected.broken = True
        return "a contract broken"

    def _mend(self) -> str:
        self._edit("cadence: anual", "cadence: annual")
        self.expected.broken = False
        return "the contract mended"

    def _edit(self, old: str, new: str) -> None:
        path = self.here.data / "contracts" / f"{SOUTH}.yml"
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    # By night.

    def _night(self, what: str, fault: str) -> None:
        if fault in ("off", "dead daemon"):
            self.counts["nights that did not begin"] += 1
            self.expected.missed.add(f"{self.day + AT_NIGHT - timedelta(minutes=1):%Y-%m-%d}")
            self.missed_since = True
            if fault == "dead daemon":
                self._check_alerts(what)
            return
        hurt = fault if fault in ("kill", "ENOSPC", "EIO") and not self.expected.broken else ""
        act = Ended(0, "", self.acts).draw(self.dice) if hurt else 0
        ended = self.hims(AT_NIGHT, "run", kind=hurt or "count", act=act)
        self.counts[f"nights {hurt or 'left alone'}"] += 1
        self.acts = self.acts if hurt else max(self.acts, ended.acts, key=len)
        problems = faults_of(ended) + broken(self.here)
        last = ask(lambda: nights.nights(self.here.settings)[-1])
        if not hurt and ended.code != int(self.expected.broken):
            problems.append(f"exit code {ended.code}: {ended.printed.strip()[-500:]}")
        former = dict(self.published)
        self._learn()
        wanted = self.expected.figures()
        self.published = ask(lambda: read_figures(self.here))
        if (not hurt or last.well) and self.published != wanted:
            problems.append(f"readers get {self.published} for {wanted}")
        if self.published not in (former, wanted):
            problems.append(f"readers get neither what was there nor what was to come: {self.published}")
        if hurt and not ended.was_killed and ended.code == 0 and self.published != wanted:
            problems.append("success is told")
        self.told.note(what, problems)
        self.last_well, self.missed_since = last.well, False
        self._check_alerts(what, killed=fault == "alerter killed")

    def _learn(self) -> None:
        """Which batch became of each delivery that waited."""
        known = {one.batch for one in self.expected.sent}
        ended = self.hims(AT_NIGHT + timedelta(minutes=30), "status", "--format", "json")
        batches = [one["batch"] for one in json.loads(ended.printed)["batches"] if one["state"] != "pending"]
        for batch in batches:
            source, period, _ = batch.split("/")
            waiting = [one for one in self.expected.sent if (one.source, one.period, one.batch) == (source, period, "")]
            if batch not in known and waiting:
                waiting[0].batch = batch

    def _open(self) -> list[alert_book.Alert]:
        return ask(lambda: [one for one in alert_book.read(self.here.settings).alerts if one.is_open])

    def _check_alerts(self, what: str, *, killed: bool = False) -> None:
        """The timer's look in the morning; then open is what holds, and nothing was told twice."""
        if killed:
            self.counts["alerters killed"] += 1
            self.hims(IN_THE_MORNING, "alert", "check", kind="kill", act=self.dice.randint(1, 8))
        ended = self.hims(IN_THE_MORNING + timedelta(minutes=10), "alert", "check")
        problems = faults_of(ended)
        alerts = ask(lambda: alert_book.read(self.here.settings).alerts)
        standing = Counter((one.kind, one.key.partition(" ")[2]) for one in alerts if one.is_open)
        failed = sum(count for (kind, _), count in standing.items() if kind == "night-failed")
        if failed != int(not self.last_well):
            problems.append(f"{failed} failed nights are told")
        for day in sorted(self.expected.missed):
            told = [one for one in alerts if one.kind == "night-missed" and day in one.key]
            if len(told) != 1 or (told[0].is_open and day != f"{self.day:%Y-%m-%d}" and not self.missed_since):
                problems.append(f"the night of {day} was missed, and is told {len(told)} times")
        problems += self._differences(standing)
        problems += told_twice(self.here)
        self.told.note(f"{what}, in the morning", problems)

    def _differences(self, standing: Counter[tuple[str, str]]) -> list[str]:
        """What is open and should not be, and the other way round, of what comes from deliveries and contracts."""
        if any(not one.batch for one in self.expected.sent) and not self.expected.broken:
            return []  # whether a night that failed had judged it is not known here
        wanted = {("delivery-refused", period) for period in self.expected.refused()}
        wanted |= {("source-overdue", source) for source in self.expected.overdue(self.day.date())}
        wanted |= {("source-broken", SOUTH)} if self.expected.broken else set()
        shown = {
            (kind, subject.rpartition("/")[0] if kind == "delivery-refused" else subject)
            for kind, subject in standing
            if kind not in ("night-failed", "night-missed")
        }
        shown = {(kind, subject.split(" ")[0] if kind == "source-broken" else subject) for kind, subject in shown}
        return [f"open are {sorted(shown)} for {sorted(wanted)}"] if shown != wanted else []


def read_figures(here: Installation) -> dict[tuple[str, str], float]:
    """(source, period) -> the population that readers get."""
    con = connect(settings=here.settings)
    found = con.execute(
        "select ref_area, time_period, obs_value from indicator_value"
        " where indicator = 'P01' and cell = '' and ref_area in ('XSL', 'XNL')"
    ).fetchall()
    con.close()
    return {(SOUTH if area == "XSL" else NORTH, period): value for area, period, value in found}


def told_twice(here: Installation) -> list[str]:
    """Alerts that came through the channel more than once, as new or as over, and those that never came."""
    path = here.settings.alerts / "told.jsonl"
    messages = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        with contextlib.suppress(ValueError):  # of a message whose writer was killed; the next writes it again
            messages.append(json.loads(line))
    found = []
    for part in ("alerts", "over"):
        times = Counter(alert["id"] for message in messages for alert in message[part])
        found += [f"{alert} was told {count} times ({part})" for alert, count in times.items() if count > 1]
        if part == "alerts":
            known = ask(lambda: [one.id for one in alert_book.read(here.settings).alerts])
            found += [f"{alert} was never told" for alert in known if alert not in times]
    return found


def main() -> int:
    days, seed = (int(word) for word in (*sys.argv[1:3], *("30", "1")[len(sys.argv) - 1 :]))
    with thrown_away(tempfile.mkdtemp(prefix="season-")) as folder:
        if "CLOCK_AHEAD" not in os.environ:
            clock = other_clock(folder) | {"CLOCK_AHEAD": "0"}
            go_on_in_a_copy("tests.faults.season", folder / "code", [str(days), str(seed)], clock)
        told = Told()
        here = deliver_northland(folder)
        observatory = here.data / "observatory.yml"
        text = observatory.read_text(encoding="utf-8").replace("on_in: [prod]", "on_in: [test]")
        observatory.write_text(text + ALERTS.format(granted=Expected.granted), encoding="utf-8")
        season = Season(here, folder, random.Random(seed), told)  # noqa: S311 - reproducible, not secret
        season.live(days)
    for name, count in sorted(season.counts.items()):
        told.say(f"{count:6d}  {name}")
    told.say(f"{len(told.wrong)} things did not hold")
    return 1 if told.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
