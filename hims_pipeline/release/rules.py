"""Rules from release to release: each keeps the inventory of all rules that it was held to, and a rule that is gone,
weaker or emptied since stands in the notes and needs a second account.

    releases/<id>/staff/rules.json       the inventory, sealed
    approvals/held.json                  what a held release waits for, for those who are asked
    approvals/<difference>-<uid>.json    an account's word on exactly this difference

Who gave a word is the owner of its file, which the kernel knows and nobody can write into it. Not here: what a change
of a rule is (`gates.rule_changes`).
"""

import json
import os
import pwd
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.errors import Damaged, HimsError, ReleaseError
from hims_pipeline.gates import inventory
from hims_pipeline.gates.inventory import BASE, Inventory
from hims_pipeline.gates.rule_changes import RuleChange, compare_rules, difference_sha256
from hims_pipeline.lake import journal
from hims_pipeline.lake.files import write_json
from hims_pipeline.lake.seal import read_sealed, write_sealed
from hims_pipeline.plain_file import read_json
from hims_pipeline.privacy.file_modes import share
from hims_pipeline.release import store
from hims_pipeline.release.hold_records import read_waiting, remove_waiting
from hims_pipeline.settings import Settings
from hims_pipeline.staging.in_force import find_in_force
from hims_pipeline.staging.render import MANIFEST

FILE, HELD = "rules.json", "held.json"
ASKED = "POLICY-SECOND-ACCOUNT-"


def take_rules(settings: Settings, tree: Path) -> Inventory:
    """The rules as they are now; `tree` is the rendered dbt project."""
    return inventory.take_inventory(settings, find_in_force(settings).contracts.values(), read_json(tree / MANIFEST))


def write_rules(settings: Settings, staff: Path, release_id: str, rules: Inventory) -> None:
    """Keep the inventory with a release."""
    write_sealed(settings, staff / FILE, "rules", {"release": release_id, "rules": rules})


@dataclass(frozen=True)
class Since:
    """Rules that are less than they were in `release`, the last one that counts; `""` before the first inventory.
    `asked`: whether a second account must agree here."""

    release: str
    changes: list[RuleChange]
    asked: bool


def compare_with_last(settings: Settings, rules: Inventory) -> Since:
    """Compare with the newest release that was not taken back and whose inventory is what was written. Where there are
    inventories and none can be believed, that itself is a rule less: it never stops a release where nobody is asked."""
    damaged = []
    for release in reversed(store.releases(settings)):
        if release.id in _find_taken_back(settings) or not _lists(release):
            continue
        try:
            before = _read(settings, release)
        except Damaged as error:
            damaged.append(str(error))
            continue
        return Since(release.id, compare_rules(before, rules), _asks(settings, before))
    if damaged:
        lost = RuleChange("release", "INVENTORY", "gone", " ".join(damaged), (BASE,), {}, None)
        return Since("what was published before", [lost], _asks(settings, {}))
    return Since("", [], False)


def _read(settings: Settings, release: store.Release) -> Inventory:
    path = release.staff / FILE
    try:
        record = read_sealed(settings, path, "rules")
    except Damaged:
        if store.verify_release(settings, release):
            raise
        record = read_json(path)  # sealed with a former key, and bound by its manifest and the audit trail
    if record["release"] != release.id:
        raise Damaged(path, "is the inventory of another release")
    rules: Inventory = record["rules"]
    return rules


def _find_taken_back(settings: Settings) -> set[str]:
    try:
        return set(store.withdrawn_releases(settings))
    except (OSError, ValueError, HimsError):
        return set()  # told by the scrub; a release taken back was made by rules too


def _lists(release: store.Release) -> bool:
    """Whether a release was made with an inventory; one whose manifest cannot be read has one if the file is there."""
    try:
        return FILE in release.manifest("staff")["files"]
    except (OSError, ValueError, KeyError, HimsError):
        return (release.staff / FILE).exists()


def _asks(settings: Settings, before: Inventory) -> bool:
    """The policy as it is or as it was: to drop it is itself a rule less."""
    asked_before = f"{ASKED}{settings.env.upper()}" in before.get("policies", {}).get("rules", {})
    return asked_before or settings.env in load_observatory(settings.data).policies.second_account


def require_agreement(settings: Settings, since: Since) -> None:
    """Let rules that are less than they were pass where no second account is asked for, or one has agreed.

    Raises:
        ReleaseError: the release is held; names the rules, and what is to be done by whom.
    """
    changes = since.changes
    if not changes or not since.asked:
        return
    difference = difference_sha256(changes)
    barred = {os.getuid(), *_authors(settings, changes)}
    codes = sorted({one.code for one in changes})
    if (word := _word(settings, difference, barred)) is not None:
        uid, reason = word
        journal.record(
            settings, "rules approved", difference=difference, account=_name(uid), uid=uid, reason=reason, codes=codes
        )
        return
    _hold(settings, since.release, difference, changes, barred)
    raise ReleaseError(
        f"Held: {len(changes)} rule(s) are less than in {since.release}, and a second account must agree:\n  "
        + "\n  ".join(one.sentence() for one in changes)
        + f"\nAn account other than {', '.join(sorted(map(_name, barred)))} says `hims rules approve --reason …`; then"
        " run `nightly` again. Or put the rules back."
    )


def rule_notes(since: Since) -> str:
    """What the release notes say of it: rules by code, never their conditions."""
    lines = [f"- {change.sentence()}" for change in since.changes]
    if not since.release:
        lines = ["This is the first release that keeps an inventory of its rules."]
    elif not lines:
        lines = [f"No rule is gone or weaker than in {since.release}."]
    else:
        lines = [f"Less than in {since.release}:", "", *lines]
    return "\n".join(["", "## Rules", "", *lines]) + "\n"


def _authors(settings: Settings, changes: Iterable[RuleChange]) -> set[int]:
    """Accounts that own the files in which rules were changed, or the folder that one was deleted from."""
    files = {
        "release": [settings.expectations / "release.json"],
        "across": [settings.expectations / "warehouse.json"],
        "revision": [settings.expectations / "revisions.yml"],
        "policies": [settings.data / "observatory.yml"],
        "controls": [settings.data / "controls", *(settings.data / "controls").glob("*.csv")],
        "warehouse": [settings.dbt_project],
    }
    paths: set[Path] = set()
    for section in {one.section for one in changes}:
        source, _, entity = section.partition("/")
        own = [settings.data / f"contracts/{source}.yml", settings.expectations / f"{source}__{entity}.json"]
        paths.update(files.get(section, own))
    return {_owner(path if path.exists() else path.parent) for path in paths if path.parent.exists()}


def _owner(path: Path) -> int:
    return path.lstat().st_uid


def _hold(settings: Settings, last_id: str, difference: str, changes: list[RuleChange], barred: set[int]) -> None:
    held = {
        "difference": difference,
        "since": last_id,
        "rules": [one.sentence() for one in changes],
        "not_by": sorted(barred),
    }
    share(settings, settings.approvals)
    write_json(settings.approvals / HELD, held, mode=0o640)
    journal.record(settings, "release held", difference=difference, codes=sorted({one.code for one in changes}))


def clear_hold(settings: Settings) -> None:
    """Take the question away once a release is out."""
    remove_waiting(settings.approvals / HELD)


def _word(settings: Settings, difference: str, barred: set[int]) -> tuple[int, str] | None:
    """Who agreed to this difference, and why; the word of a barred account is no word."""
    for path in sorted((settings.approvals).glob(f"{difference[:16]}-*.json")):
        if path.is_symlink() or not path.is_file() or _owner(path) in barred:
            continue
        try:
            word = read_json(path)
            if word["difference"] == difference and str(word["reason"]).strip():
                return _owner(path), str(word["reason"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def read_rules_hold(settings: Settings) -> dict[str, Any] | None:
    """What a held release waits for: `difference`, `since`, `rules` in words, and `not_by` whom; None where none is.

    Raises:
        Damaged: what lies there is no such record.
        HimsError: it cannot be read by this account.
    """
    needed = {"difference", "since", "rules", "not_by"}
    return read_waiting(settings.approvals / HELD, needed, _membership(settings))


def approve_rules(settings: Settings, reason: str) -> dict[str, Any]:
    """Give this account's word on what a held release waits for; returns it. The night looks at whose word it is.

    Raises:
        HimsError: nothing is held, no reason, or this account runs the night or changed the rules itself.
    """
    waiting = read_rules_hold(settings)
    if waiting is None:
        raise HimsError("No release is held.")
    if not reason.strip():
        raise HimsError("Say why, with --reason: it is kept in the audit trail.")
    if os.getuid() in waiting["not_by"]:
        raise HimsError(
            f"{_name(os.getuid())} runs the night or changed the rules, and cannot agree to it as well: ask somebody"
            " with another account."
        )
    path = settings.approvals / f"{waiting['difference'][:16]}-{os.getuid()}.json"
    word = {
        "difference": waiting["difference"],
        "reason": reason.strip(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    try:
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w", encoding="utf-8") as file:  # noqa: PTH123
            os.fchmod(file.fileno(), 0o644)  # whatever the umask: the night, of another account, reads it
            json.dump(word, file)
    except OSError as error:
        raise HimsError(f"{path} cannot be written ({error.strerror}): {_membership(settings)}.") from None
    return waiting


def _membership(settings: Settings) -> str:
    """What an account needs to agree."""
    try:
        name = settings.approvals.group()
    except (OSError, KeyError):
        name = settings.staff_group or "of the account that runs the night"
    return f"an account that agrees is a member of the group {name}"


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
