"""Which figures are withheld: those on too few records, and those beside which these could be worked out.

First every group of records that a figure shows is judged (`Verdict.rule`); then the attack is run on what would be
shown, and for each group that it finds one more figure is withheld, the one on the fewest records that closes the gap,
until it finds none; what is withheld for nothing in the end is shown again. All of it follows from the figures alone,
so the same figures give the same answer. Not here: the attack on a release (`attack`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hims_pipeline.disclosure.bounds import narrow
from hims_pipeline.disclosure.determined import determine
from hims_pipeline.disclosure.figures import SHARE, Figure
from hims_pipeline.disclosure.linked import Equation, Linked, components, link

FEW, EVERYBODY, BESIDE, BEFORE = "FEW_RECORDS", "EVERYBODY", "BESIDE_OTHERS", "WITHHELD_BEFORE"
TURNS = 300  # each withholds more, so it ends; far above what was ever needed


@dataclass
class Protected:
    """What was decided.

    Attributes:
        rules: place of a withheld figure -> rule: FEW_RECORDS, EVERYBODY (a share of all), WITHHELD_BEFORE (in an
            earlier release), BESIDE_OTHERS (others could be worked out).
        linked: the groups that figures show.
        sensitive: groups that must not be known, each with how far apart its bounds must be.
    """

    rules: dict[int, str]
    linked: Linked
    sensitive: dict[int, float] = field(default_factory=dict)


def protect(
    figures: Sequence[Figure], parents: Mapping[str, Sequence[tuple[str, str]]], kept: frozenset[tuple[str, str, str]]
) -> Protected:
    """Decide which figures are withheld.

    Args:
        figures: all that might be shown, with the records behind them.
        parents: as in `link`.
        kept: keys of figures that earlier releases withheld and that must stay so.
    """
    linked = link(figures, parents)
    rules: dict[int, str] = {}
    sensitive: dict[int, float] = {}
    for at, (figure, groups) in enumerate(zip(figures, linked.shows, strict=True)):
        for one in groups:
            rule = _judge(linked, one, figure)
            if rule:
                sensitive[one] = max(sensitive.get(one, 0.0), protection_width(figure.minimum))
                rules.setdefault(at, rule)
        if figure.key in kept:
            rules.setdefault(at, BEFORE)
    made = Protected(rules, linked, sensitive)
    _spread(made)
    shown_by = _shown_by(linked)
    for equations in components(linked.equations):
        for _ in range(TURNS):
            if not (_mend_exact(made, equations, shown_by) or _mend_narrow(made, equations, shown_by)):
                break
        else:
            raise RuntimeError(f"withholding came to no end at {linked.names[min(equations[0])]}")
    _show_again(made)
    return made


def protection_width(minimum: int) -> float:
    """How many records the bounds of a protected group must be apart: half the minimum."""
    return minimum / 2


def _judge(linked: Linked, group: int, figure: Figure) -> str:
    if figure.minimum == 0:
        return ""
    records = linked.records[group]
    if records is None:
        return FEW if (figure.records or 0) < figure.minimum else ""
    if 0 < records < figure.minimum:
        return FEW
    if figure.kind == SHARE and linked.names[group].part == "R" and records == 0 and figure.base:
        return EVERYBODY
    return ""


def _spread(made: Protected) -> None:
    """A group that equals a sensitive one is sensitive, and every figure that shows one is withheld."""
    same = [tuple(equation) for equation in made.linked.equations if len(equation) == 2]  # noqa: PLR2004
    changed = True
    while changed:
        changed = False
        for one, other in same:
            for a, b in ((one, other), (other, one)):
                if a in made.sensitive and made.sensitive.get(b, -1.0) < made.sensitive[a]:
                    made.sensitive[b] = made.sensitive[a]
                    changed = True
    for at, groups in enumerate(made.linked.shows):
        if any(one in made.sensitive for one in groups):
            made.rules.setdefault(at, BESIDE)


def _shown_by(linked: Linked) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for at, groups in enumerate(linked.shows):
        for one in groups:
            found[one].append(at)
    return found


def shown_groups(linked: Linked, withheld: Mapping[int, str]) -> set[int]:
    """Groups whose sizes some figure shows that is not withheld."""
    return {one for at, groups in enumerate(linked.shows) if at not in withheld for one in groups}


def _hidden(made: Protected, equations: Iterable[Equation], shown_by: Mapping[int, Sequence[int]]) -> set[int]:
    groups = {one for equation in equations for one in equation}
    return {one for one in groups if all(at in made.rules for at in shown_by.get(one, ()))}


def _mend_exact(made: Protected, equations: Sequence[Equation], shown_by: Mapping[int, Sequence[int]]) -> int:
    """Withhold what lets a sensitive group be computed; returns how many groups were found."""
    hidden = _hidden(made, equations, shown_by)
    found = determine(equations, hidden)
    bad = sorted(one for one in found if one in made.sensitive)
    for one in bad:
        direct = [other for other in found[one] if other not in hidden]
        if not _withhold_one(made, shown_by, direct or _behind(found, one, hidden), hidden):
            made.sensitive.pop(one)  # it follows from nothing that is shown: one table has the same number twice
    return len(bad)


def _behind(found: Mapping[int, Equation], group: int, hidden: set[int]) -> list[int]:
    """The shown groups that a group is computed from, through others that can be computed."""
    seen, todo = {group}, [group]
    while todo:
        for one in found[todo.pop()]:
            if one not in seen:
                seen.add(one)
                if one in hidden and one in found:
                    todo.append(one)
    return sorted(seen - hidden)


def _mend_narrow(made: Protected, equations: Sequence[Equation], shown_by: Mapping[int, Sequence[int]]) -> int:
    """Withhold what lets the bounds of a sensitive group be too close; returns how many groups were found."""
    hidden = _hidden(made, equations, shown_by)
    records = made.linked.records
    known = {
        one: size for equation in equations for one in equation if one not in hidden and (size := records[one]) is not None
    }
    bad = narrow(equations, known, hidden, least_sizes(made.linked, hidden), made.sensitive)
    by_group: dict[int, list[int]] = defaultdict(list)
    for at, equation in enumerate(equations):
        for one in equation:
            if one in bad:
                by_group[one].append(at)
    for one in sorted(bad):
        tight = min(by_group[one], key=lambda at: sum(records[g] or 0 for g in equations[at] if g in hidden))
        if not _withhold_one(made, shown_by, list(equations[tight]), hidden, enough=made.sensitive[one]):
            for at in by_group[one]:
                if _withhold_one(made, shown_by, list(equations[at]), hidden):
                    break
            else:
                made.sensitive.pop(one)
    return len(bad)


def least_sizes(linked: Linked, hidden: set[int]) -> dict[int, float]:
    """What anybody knows of hidden groups: what is counted and withheld is no zero."""
    counted = {groups[0] for groups in linked.shows if groups and linked.names[groups[0]].part == "C"}
    return dict.fromkeys(hidden & counted, 1.0)


def _withhold_one(
    made: Protected, shown_by: Mapping[int, Sequence[int]], groups: Sequence[int], hidden: set[int], enough: float = 0.0
) -> bool:
    """Withhold the figures that show one of these groups, unless one was withheld in this turn; whether there is one."""
    now = [one for one in groups if one in shown_by]
    if any(one not in hidden and all(at in made.rules for at in shown_by[one]) for one in now):
        return True
    best = min((one for one in now if one not in hidden), key=lambda one: _cost(made, shown_by, one, enough), default=None)
    if best is None:
        return False
    for at in shown_by[best]:
        made.rules.setdefault(at, BESIDE)
    return True


def _cost(made: Protected, shown_by: Mapping[int, Sequence[int]], group: int, enough: float) -> tuple[bool, float, int]:
    records = made.linked.records[group] or 0.0
    figures = sum(at not in made.rules for at in shown_by[group])
    return (records <= enough, records * figures, group)


def _show_again(made: Protected) -> None:
    """Figures that could be worked out from what is shown protect nobody by being withheld."""
    hidden = _hidden(made, made.linked.equations, _shown_by(made.linked))
    known = set(determine(made.linked.equations, hidden)) | shown_groups(made.linked, made.rules)
    for at in [at for at, rule in made.rules.items() if rule == BESIDE]:
        if all(one in known and one not in made.sensitive for one in made.linked.shows[at]):
            del made.rules[at]
