"""The closed list of what can be told, and what one such thing is. Each kind has a page, `docs/runbooks/<kind>.md`.

Not here: how it is found (`look`).
"""

from dataclasses import dataclass
from datetime import datetime

from hims_pipeline.contracts.alerts import Class


@dataclass(frozen=True)
class Kind:
    """One kind of thing that people are told.

    Args:
        of: whose it is to mend: of the `data` and their senders, the `machine`, or `code` and what people edit.
        critical: nights or readers are concerned, so a watchdog is to wake somebody.
        title: in a few words.
        blocks: what does not happen meanwhile.
        todo: what to do, where a condition does not say it better itself.
        settles: it may come and go within minutes, so it is over only when it was gone for an hour.
    """

    of: Class
    critical: bool
    title: str
    blocks: str
    todo: str
    settles: bool = False


KINDS: dict[str, Kind] = {
    "night-failed": Kind(
        "code", True, "A night failed",
        "No new release; the former one stays and can be read.",
        "Read the reasons, mend them, and start `hims run`; the next night tries again by itself.",
    ),
    "night-missed": Kind(
        "machine", True, "A night was missed",
        "What was delivered since waits, and no release came out.",
        "See whether the daemon and the machine were up; `hims run` makes up for it at once.",
    ),
    "no-release": Kind(
        "code", True, "There is no release",
        "Readers get nothing.",
        "`hims status` shows what was accepted; `hims run` publishes.",
    ),
    "delivery-refused": Kind(
        "data", False, "A delivery was refused",
        "Its period keeps the delivery accepted before, or has no figures; all else goes out.",
        "Send the letter to the sender, and ask for the whole delivery again.",
    ),
    "source-overdue": Kind(
        "data", False, "A source is overdue",
        "Figures from it end with its last period; all else goes out.",
        "Ask the sender; if its cadence has changed, say so in its contract.",
    ),
    "release-damaged": Kind(
        "machine", True, "A release is not what was published",
        "Its readers may get wrong figures; publishing goes on.",
        "`hims release verify` says which file; `hims release use` another release, or put it back from a backup.",
    ),
    "record-damaged": Kind(
        "machine", True, "Something that was written is not what it was",
        "The batch or record concerned does not count; all else goes out.",
        "Do what the line says; then look at the disk, since one bad file seldom comes alone.",
    ),
    "release-held": Kind(
        "code", True, "A release is held",
        "No release comes out until somebody agrees to it; the former one stays and can be read.",
        "`hims rules show` or `hims release show --held` tells what it waits for, and for whose word.",
    ),
    "source-held-back": Kind(
        "data", False, "A source fell back to the delivery before",
        "Figures of the new delivery; those of the one before stay, and all else goes out.",
        "Ask the sender for a correction, or mend the control or rule: the next night judges again.",
    ),
    "source-broken": Kind(
        "code", False, "What people edit for a source does not hold",
        "Its new deliveries wait; its figures go on by what last held, and all other sources go out.",
        "Mend the file that the text names; `hims source check` tries it.",
    ),
    "disk-filling": Kind(
        "machine", True, "A disk is filling up",
        "Nothing yet; without room no night can build.",
        "Make room: `hims doctor` says what the installation keeps and for how long.",
        settles=True,
    ),
    "lock-held": Kind(
        "machine", True, "Something holds the installation and does not end",
        "Nights and intakes wait for it.",
        "Look at the process that the text names; when it hangs, end it: the next start clears away what it leaves.",
        settles=True,
    ),
    "daemon-silent": Kind(
        "machine", True, "Dagster's daemon does not answer",
        "No night starts by itself.",
        "Start it again: `systemctl restart hims-daemon`, or `hims ui`.",
        settles=True,
    ),
    "backup-old": Kind(
        "machine", False, "The last backup is too old",
        "What was delivered since would be lost with the disk.",
        "`hims backup make FOLDER`, and see why the timer did not.",
    ),
    "alerts-unsent": Kind(
        "machine", False, "Alerts do not get through",
        "People on that channel know nothing of what is written here.",
        "`hims alert list` tells the error; mend the server or the secret, then `hims alert check`.",
        settles=True,
    ),
    "installation-unusable": Kind(
        "machine", True, "The installation cannot be looked at",
        "Whether all is well is not known, and nights will not run.",
        "Do what the text says; `hims doctor` looks at each part.",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Condition:
    """Something that holds now and that people are to know.

    Args:
        kind: one of `KINDS`.
        subject: what makes it the same thing tomorrow: a batch, a source, a place.
        what: a sentence for people, without a word of a sender.
        since: since when, as an ISO day or instant.
        todo: what to do, where that is better known than the kind knows it.
        batch: the delivery whose letter goes with it.
        over: it has passed already, and is told all the same.
    """

    kind: str
    subject: str
    what: str
    since: str
    todo: str = ""
    batch: str = ""
    over: bool = False

    @property
    def key(self) -> str:
        return f"{self.kind} {self.subject}"


def instant(now: datetime) -> str:
    """A moment as records keep it: ISO 8601, to the second."""
    return now.isoformat(timespec="seconds")
