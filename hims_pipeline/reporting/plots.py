"""What a report draws: a distribution of this delivery beside that of the one before it, from their profiles.

Shares only, of codes that the contract or its code list knows, and of groups of at least the observatory's minimum
count; what is smaller, and what nobody knows, is summed up. Nothing is drawn of a column that is called sensitive.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.crosswalks import load_schemes
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.gates.measures import MEASURES
from hims_pipeline.gates.profile import Profile
from hims_pipeline.settings import Settings

MOST_BARS = 14
OTHERS = ""  # the label of what is summed up; the page names it
_KINDS = (  # what is drawn for which measures, and from which counts of the profile
    ("plot_ages", ("heaping", "one_age", "oldest", "unborn", "ages", "mean_age", "heaping_more"), "ages"),
    ("plot_values", ("constant", "one_sex", "shares", "shift", "more_women", "lost"), "values"),
    ("plot_days", ("days_of_month", "one_day"), "day_of_month"),
    ("plot_years", ("years", "stale", "year_lost"), "years_back"),
)
Counts = dict[str, float]


@dataclass(frozen=True)
class Plot:
    """Bars in order: label (`""` for the others), of this delivery, of the one before (None where there is none).

    Args:
        kind: names its title among the sentences of the page.
        about: the column, `""` for rows.
        is_share: numbers are percentages.
    """

    kind: str
    about: str
    bars: tuple[tuple[str, float, float | None], ...]
    is_share: bool = True


def plot_of(
    settings: Settings,
    contract: Contract,
    entity: str,
    period: str,
    measure: str,
    column: str,
    now: Profile,
    before: Profile | None,
) -> Plot | None:
    """What a finding of a measure is drawn by; None where a picture would say nothing or too much."""
    if measure not in MEASURES:
        return None
    least = load_observatory(settings.data).policies.minimum_count
    if measure in ("size", "size_revised"):
        return _numbers("plot_rows", "", now, before, lambda one: one.number("rows"))
    known = {one.name: one for one in contract.entity_in(entity, period).kept_columns}.get(column)
    if known is None or known.sensitivity not in ("open", "quasi"):
        return None
    if measure == "sum" and (now.number("amount", column, "count") or 0) >= least:  # nobody's own amount
        return _numbers("plot_amounts", column, now, before, lambda one: one.number("amount", column, "sum"))
    if measure in ("unknown", "more_unknown"):
        return _numbers("plot_unknown", column, now, before, lambda one: _share_unknown(one, column))
    for kind, measures, counted in _KINDS:
        if measure in measures:
            new, old = now.counts(counted, column), before.counts(counted, column) if before else None
            if counted == "ages":
                new, old = _group_by_five_years(new), _group_by_five_years(old) if old is not None else None
            elif counted == "values":
                may_say = _codes(settings, contract, entity, known)
                new, old = _keep_known(new, may_say), _keep_known(old, may_say) if old is not None else None
            return _shares(kind, column, new, old, least, in_order=counted != "values")
    return None


def _numbers(
    kind: str, about: str, now: Profile, before: Profile | None, number: Callable[[Profile], float | None]
) -> Plot | None:
    new, old = number(now), number(before) if before else None
    return None if new is None else Plot(kind, about, (("", new, old),), is_share=kind == "plot_unknown")


def _share_unknown(profile: Profile, column: str) -> float | None:
    rows = profile.number("rows")
    return 100 * (profile.number("unknown", column) or 0) / rows if rows else None


def _group_by_five_years(counts: Counts) -> Counts:
    groups: Counts = {}
    for key, number in counts.items():
        start = max(0, int(float(key))) // 5 * 5
        name = f"{start}-{start + 4}" if start < 95 else "95+"
        groups[name] = groups.get(name, 0) + number
    return dict(sorted(groups.items(), key=lambda item: int(item[0].rstrip("+").split("-")[0])))


def _codes(settings: Settings, contract: Contract, entity: str, column: Column) -> set[str]:
    """Values that may be named: codes of the contract, of its mappings and of the list that it names."""
    known_codes = {str(code) for code in column.codes or ()}
    if column.crosswalk:
        known_codes |= set(load_schemes(settings.data).codes.get(column.crosswalk, ()))
    for feed in contract.entities[entity].feeds:
        for mapping in feed.columns.values():
            if mapping.from_ == column.name:
                known_codes |= {str(to) for to in (mapping.codes or {}).values()}
    return known_codes


def _keep_known(counts: Counts, known: set[str]) -> Counts:
    kept = {key: number for key, number in counts.items() if key in known}
    return kept | {OTHERS: sum(counts.values()) - sum(kept.values())}


def _shares(kind: str, about: str, new: Counts, old: Counts | None, least: int, in_order: bool) -> Plot | None:
    """Percentages; groups below the minimum count on either side are summed up with the others."""
    total, total_old = sum(new.values()), sum((old or {}).values())
    if total < least:
        return None
    keys = [*new, *(key for key in old or () if key not in new)]
    big = [key for key in keys if key and max(new.get(key, 0), (old or {}).get(key, 0)) >= least]
    big = [key for key in big if not 0 < new.get(key, 0) < least and not 0 < (old or {}).get(key, 0) < least]
    if not in_order:
        big = sorted(big, key=lambda key: -max(new.get(key, 0) / total, _part(old, key, total_old)))[:MOST_BARS]
    elif all(key.lstrip("-").isdigit() for key in big):
        big = sorted(big, key=int)
    bars: list[tuple[str, float, float | None]] = [
        (key, 100 * new.get(key, 0) / total, 100 * _part(old, key, total_old) if total_old else None) for key in big
    ]
    rest, rest_old = 100 - sum(bar[1] for bar in bars), 100 - sum(bar[2] or 0 for bar in bars)
    if rest > 0.05 or (total_old and rest_old > 0.05):
        bars.append((OTHERS, max(rest, 0.0), max(rest_old, 0.0) if total_old else None))
    return Plot(kind, about, tuple(bars)) if bars else None


def _part(counts: Counts | None, key: str, total: float) -> float:
    return (counts or {}).get(key, 0) / total if total else 0.0


def as_svg_bars(plot: dict[str, Any], width: int = 620) -> list[dict[str, Any]]:
    """Places and sizes of the bars, for the template: two thin ones a label, the longest as wide as there is room."""
    room, step = width - 220, 30
    numbers = [one for bar in plot["bars"] for one in bar[1:] if one is not None]
    most = max(numbers, default=0) or 1
    return [
        {
            "label": label, "y": place * step + 4, "new": new, "old": old,
            "new_width": round(room * new / most, 1), "old_width": round(room * (old or 0) / most, 1),
        }
        for place, (label, new, old) in enumerate(plot["bars"])
    ]  # fmt: skip
