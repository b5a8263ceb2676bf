"""What became of each rule since an earlier inventory: gone, emptied, weaker, or changed in a way that cannot be
ordered. New and stronger rules need nobody's word, and are left out."""

import fnmatch
from dataclasses import asdict, dataclass
from typing import Any, Literal

from hims_pipeline.contracts.load import fingerprint
from hims_pipeline.gates.inventory import BASE, Inventory

Kind = Literal["gone", "emptied", "weaker", "changed"]


@dataclass(frozen=True)
class RuleChange:
    """What became of one rule. `what` says it in words; `was` and `now` are the whole rule, so that who agrees to a
    change agrees to this one."""

    section: str
    code: str
    kind: Kind
    what: str
    periods: tuple[str, ...]
    was: dict[str, Any]
    now: dict[str, Any] | None

    def sentence(self) -> str:
        named = [period for period in self.periods if period != BASE]
        where = f" in {', '.join(named)}" if named and BASE not in self.periods else ""
        return f"{self.code} ({self.section}): {self.kind}{where}{f', {self.what}' if self.what else ''}"


def compare_rules(before: Inventory, now: Inventory) -> list[RuleChange]:
    """What became of the rules of an earlier inventory, by section and code; empty where none is less than it was."""
    changes: dict[tuple[str, ...], RuleChange] = {}
    for section, old in sorted(before.items()):
        new = now.get(section, {"layouts": [BASE], "rules": {}})
        for period in dict.fromkeys([*old["layouts"], *new["layouts"]]):
            for code in sorted(old["rules"]):
                was, is_now = _find_rule(old, code, period), _find_rule(new, code, period)
                if was is None or (less := _became(was, is_now)) is None:
                    continue
                key = (section, code, *less)
                periods = (*changes[key].periods, period) if key in changes else (period,)
                changes[key] = RuleChange(section, code, *less, periods, was, is_now)
    return list(changes.values())


def _find_rule(section: dict[str, Any], code: str, period: str) -> dict[str, Any] | None:
    place = period if period in section["layouts"] else BASE
    for record in section["rules"].get(code, ()):
        if place in record["in"]:
            return {name: value for name, value in record.items() if name != "in"}
    return None


def _became(was: dict[str, Any], now: dict[str, Any] | None) -> tuple[Kind, str] | None:
    """The gravest change from one version of a rule to another; None where it is as strong as it was."""
    if now is None:
        return "gone", ""
    if now["empty"] and not was["empty"]:
        return "emptied", "it can find nothing any more"
    weaker, changed = [], []
    if (was["severity"], now["severity"]) == ("blocking", "warning"):
        weaker.append("a warning where it refused")
    if now["may_be_empty"] and not was["may_be_empty"]:
        weaker.append("the column may be empty")
    if narrowed := _find_narrowed(was.get("periods", []), now.get("periods", [])):
        weaker.append(f"no longer for {', '.join(narrowed)}")
    for name in ("expectation", "table"):
        if was.get(name) != now.get(name):
            changed.append(name)
    for name in sorted(was["terms"].keys() | now["terms"].keys()):
        old, new = was["terms"].get(name), now["terms"].get(name)
        if old != new:
            order = _order(now["expectation"], name, old, new)
            if order != "stronger":
                (weaker if order == "weaker" else changed).append(_words(name, old, new, order))
    if weaker:
        return "weaker", "; ".join(weaker)
    return ("changed", f"cannot be ordered: {'; '.join(changed)}") if changed else None


def _find_narrowed(was: list[str], now: list[str]) -> list[str]:
    """Periods that a rule was for and is not any more; without any it is for all."""
    if not now or not was:
        return ["all periods"] if now and not was else []
    # A pattern with brackets does not match itself.
    return [glob for glob in was if glob not in now and not any(fnmatch.fnmatch(glob, other) for other in now)]


def _order(expectation: str, name: str, old: Any, new: Any) -> str:
    """`weaker`, `stronger` or `unknown`: what a changed argument makes of a rule."""
    if name == "value_set" and isinstance(old, list) and isinstance(new, list):
        if expectation == "expect_column_distinct_values_to_equal_set":
            return "unknown"
        demanded = expectation == "expect_column_distinct_values_to_contain_set"
        lost = _values(old) - _values(new) if demanded else _values(new) - _values(old)
        return "weaker" if lost else "stronger"
    if name in ("min_value", "max_value", "mostly"):
        old, new = (1 if name == "mostly" and one is None else one for one in (old, new))
        if old is None or new is None:
            return "stronger" if old is None else "weaker"
        if isinstance(old, str) != isinstance(new, str):
            return "unknown"
        return "weaker" if (new > old) == (name == "max_value") else "stronger"
    if name in ("set_aside", "may_be_accepted"):
        return "weaker" if (new or 0) > (old or 0) else "stronger"
    if name in ("strict_min", "strict_max"):
        return "weaker" if old else "stronger"
    if name in ("row_condition", "where") and not (old and new):
        return "weaker" if new else "stronger"
    return "unknown"


def _values(listed: list[Any]) -> set[str]:
    return {str(one) for one in listed}


def _words(name: str, old: Any, new: Any, order: str) -> str:
    if name == "value_set" and isinstance(old, list) and isinstance(new, list):
        return f"{name} of {len(old)} became {len(new)}"
    short = [one for one in (old, new) if one is None or (isinstance(one, int | float | str) and len(str(one)) <= 20)]
    return f"{name} {old} became {new}" if order == "weaker" and len(short) == 2 else name


def difference_sha256(changes: list[RuleChange]) -> str:
    """What an approval is bound to: every change, with the rule as it was and as it is."""
    return fingerprint({"changes": [asdict(change) for change in changes]})
