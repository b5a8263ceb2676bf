"""Which figures are withheld: those on too few records, and those beside which these could be worked out.

First every group of records that a figure shows is judged (`Verdict.rule`); then the attack is run on what would be
shown, and for each group that it finds one more figure is withheld, the one on the fewest records that closes the gap,
until it finds none; what is withheld for nothing in the end is shown again. All of it follows from the figures and
their order alone. Not here: the attack on a release (`attack`).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hims_pipeline.disclosure.bounds import find_narrow
from hims_pipeline.disclosure.elimination import determine
from hims_pipeline.disclosure.figures import OTHER, SHARE, Figure
from hims_pipeline.disclosure.groups import Equation, Linked, components
from hims_pipeline.disclosure.history import Key, State, change_of
from hims_pipeline.disclosure.linked_tables import link_figures, sizes_shown_by

FEW, EVERYBODY, BESIDE = "FEW_RECORDS", "EVERYBODY", "BESIDE_OTHERS"
BEFORE, CHANGE = "WITHHELD_BEFORE", "SMALL_CHANGE"
TURNS = 300  # each withholds more, so it ends; far above what was ever needed


@dataclass
class Protected:
    """What was decided.

    Attributes:
        rules: place of a withheld figure -> rule: FEW_RECORDS, EVERYBODY (a share of all), SMALL_CHANGE (against what
            an earlier release showed), WITHHELD_BEFORE (and the same since), BESIDE_OTHERS (they give others away).
        linked: the groups that figures show.
        sensitive: groups that must not be known, each with how far apart its bounds must be.
        public: figures that an earlier release showed as they are tonight: they are known whatever is done.
        open: sensitive groups that nothing can protect any more, since what gives them away is public.
    """

    rules: dict[int, str]
    linked: Linked
    sensitive: dict[int, float] = field(default_factory=dict)
    public: set[int] = field(default_factory=set)
    open: set[int] = field(default_factory=set)


def protect(
    figures: Sequence[Figure],
    parents: Mapping[str, Sequence[tuple[str, str]]],
    history: Iterable[tuple[Key, State]] = (),
) -> Protected:
    """Decide which figures are withheld.

    Args:
        figures: all that might be shown, with the records behind them; where one of several could be withheld as well,
            their order decides.
        parents: as in `link_figures`.
        history: key of a figure, and what an earlier release had of it; in any order, and several of one figure.
    """
    linked = link_figures(figures, parents)
    made = Protected({}, linked)
    for at, (figure, groups) in enumerate(zip(figures, linked.shows, strict=True)):
        for group, (records, _) in zip(groups, sizes_shown_by(figure), strict=True):
            if rule := _judge(linked, group, figure, linked.records[group] if records is None else records):
                made.sensitive[group] = max(made.sensitive.get(group, 0.0), protection_width(figure.minimum))
                made.rules.setdefault(at, rule)
        if figure.kind == OTHER and figure.records and (figure.counted or 0) < figure.minimum:
            made.rules.setdefault(at, FEW)  # a quantile is near the few values on a side of it
    _remember(made, figures, history)
    _spread(made)
    shown_by = _figures_showing(linked)
    for equations in components(linked.equations):
        settled: set[int] = set()
        for _ in range(TURNS):
            if not (_mend_exact(made, equations, shown_by) or _mend_narrow(made, equations, shown_by, settled)):
                break
        else:
            raise RuntimeError(f"withholding came to no end at {linked.names[min(equations[0])]}")
    _show_again(made)
    return made


def _remember(made: Protected, figures: Sequence[Figure], history: Iterable[tuple[Key, State]]) -> None:
    """What earlier releases showed stays known, what they withheld stays withheld, and a change of fewer records than
    may be shown is withheld as such a count would be."""
    states: dict[Key, list[State]] = defaultdict(list)
    for key, state in history:
        states[key].append(state)
    for at, figure in enumerate(figures):
        for state in states.get(figure.key, ()):
            change = change_of(figure, state)
            if state.shown and change == 0:
                made.public.add(at)
            elif state.shown and change < figure.minimum:
                made.rules.setdefault(at, CHANGE)
                for one in made.linked.shows[at]:
                    made.sensitive.setdefault(one, protection_width(figure.minimum))
            elif not state.shown and change < figure.minimum:
                made.rules.setdefault(at, BEFORE)
    for at in made.public:
        if made.rules.get(at) in (BEFORE, CHANGE):
            del made.rules[at]


def protection_width(minimum: int) -> float:
    """How many records the bounds of a protected group must be apart: half the minimum."""
    return minimum / 2


def _judge(linked: Linked, group: int, figure: Figure, records: float | None) -> str:
    if figure.minimum == 0:
        return ""
    if records is None:
        return FEW if (figure.records or 0) < figure.minimum else ""
    if 0 < records < figure.minimum:
        return FEW
    if figure.kind == SHARE and linked.names[group].part == "R" and records == 0 and figure.base:
        return EVERYBODY
    return ""


def _spread(made: Protected) -> None:
    """A group that equals a sensitive one is sensitive, and every figure that shows one is withheld."""
    same = [tuple(equation) for equation in made.linked.equations if len(equation) == 2]
    changed = True
    while changed:
        changed = False
        for one, other in same:
            for a, b in ((one, other), (other, one)):
                if a in made.sensitive and made.sensitive.get(b, -1.0) < made.sensitive[a]:
                    made.sensitive[b] = made.sensitive[a]
                    changed = True
    for at, groups in enumerate(made.linked.shows):
        if at not in made.public and any(group in made.sensitive for group in groups):
            made.rules.setdefault(at, BESIDE)
    for at in made.public & made.rules.keys():
        del made.rules[at]
    for at in made.public:
        for one in made.linked.shows[at]:
            if made.sensitive.pop(one, None) is not None:
                made.open.add(one)


def _figures_showing(linked: Linked) -> dict[int, list[int]]:
    figures_of: dict[int, list[int]] = defaultdict(list)
    for at, groups in enumerate(linked.shows):
        for group in groups:
            figures_of[group].append(at)
    return figures_of


def shown_groups(linked: Linked, withheld: Mapping[int, str]) -> set[int]:
    """Groups whose sizes some figure shows that is not withheld."""
    return {group for at, groups in enumerate(linked.shows) if at not in withheld for group in groups}


def _find_hidden(made: Protected, equations: Iterable[Equation], shown_by: Mapping[int, Sequence[int]]) -> set[int]:
    groups = {one for equation in equations for one in equation}
    return {group for group in groups if all(at in made.rules for at in shown_by.get(group, ()))}


def _mend_exact(made: Protected, equations: Sequence[Equation], shown_by: Mapping[int, Sequence[int]]) -> int:
    """Withhold what lets a sensitive group be computed; returns how many groups were found."""
    hidden = _find_hidden(made, equations, shown_by)
    determined = determine(equations, hidden)
    bad = sorted(one for one in determined if one in made.sensitive)
    for one in bad:
        direct = [other for other in determined[one] if other not in hidden]
        _withhold_near(made, shown_by, (direct, _trace_groups(determined, one, hidden)), one, hidden)
    return len(bad)


def _trace_groups(equations: Mapping[int, Equation], group: int, hidden: set[int]) -> list[int]:
    """The shown groups that a group is computed from, through others that can be computed."""
    seen, todo = {group}, [group]
    while todo:
        for one in equations[todo.pop()]:
            if one not in seen:
                seen.add(one)
                if one in hidden and one in equations:
                    todo.append(one)
    return sorted(seen - hidden)


def _mend_narrow(
    made: Protected, equations: Sequence[Equation], shown_by: Mapping[int, Sequence[int]], settled: set[int]
) -> int:
    """Withhold what lets the bounds of a sensitive group be too close; returns how many groups were found.

    Args:
        settled: groups that are wide enough, as `find_narrow` found in the turns before.
    """
    hidden = _find_hidden(made, equations, shown_by)
    records = made.linked.records
    known = {
        one: size
        for equation in equations
        for one in equation
        if one not in hidden and (size := records[one]) is not None
    }
    sizes = {one: size for equation in equations for one in equation if (size := records[one]) is not None}
    bad = find_narrow(equations, known, hidden, least_sizes(made.linked, hidden), made.sensitive, sizes, settled)
    rows_of: dict[int, list[int]] = defaultdict(list)
    for at, equation in enumerate(equations):
        for one in equation:
            if one in hidden:
                rows_of[one].append(at)
    for one in sorted(bad):
        tight = min(rows_of[one], key=lambda at: sum(records[g] or 0 for g in equations[at] if g in hidden))
        _withhold_near(made, shown_by, _rings(equations, rows_of, one, tight), one, hidden)
    return len(bad)


def _rings(
    equations: Sequence[Equation], rows_of: Mapping[int, Sequence[int]], group: int, tight: int
) -> Iterator[list[int]]:
    """The groups beside a hidden group in its tightest equation, in all of its, in those of the hidden ones there, and
    so on."""
    yield list(equations[tight])
    near, seen = {group}, set[int]()
    while rows := {at for one in near for at in rows_of.get(one, ())} - seen:
        seen |= rows
        near = {one for at in rows for one in equations[at]}
        yield sorted(near)


def least_sizes(linked: Linked, hidden: set[int]) -> dict[int, float]:
    """What anybody knows of hidden groups: what is counted and withheld is no zero; of the few that are none does."""
    counted = {groups[0] for groups in linked.shows if groups and linked.names[groups[0]].part == "C"}
    return {one: 1.0 for one in hidden & counted if linked.records[one] != 0}


def _withhold_near(
    made: Protected, shown_by: Mapping[int, Sequence[int]], rings: Iterable[list[int]], group: int,
    hidden: set[int],
) -> None:  # fmt: skip
    """Withhold one more figure for the sake of a group, as near to it as there is one; zeros, which are to be shown,
    only where nothing else is left. A group that nothing can hide stays open."""
    enough, passed = made.sensitive[group], list[list[int]]()
    for ring in rings:
        if _withhold_one(made, shown_by, ring, hidden, enough):
            return
        passed.append(ring)
    if not any(_withhold_one(made, shown_by, ring, hidden, enough, zeros=True) for ring in passed):
        made.sensitive.pop(group)
        made.open.add(group)


def _withhold_one(
    made: Protected, shown_by: Mapping[int, Sequence[int]], groups: Sequence[int], hidden: set[int], enough: float,
    *, zeros: bool = False,
) -> bool:  # fmt: skip
    """Withhold the figures that show one of these groups, unless one was in this turn; whether there is one."""
    now = [
        group
        for group in groups
        if group in shown_by and not any(at in made.public for at in shown_by[group])
        and (zeros or made.linked.records[group] != 0)
    ]  # fmt: skip
    if any(one not in hidden and all(at in made.rules for at in shown_by[one]) for one in now):
        return True
    best = min(
        (one for one in now if one not in hidden), key=lambda one: _cost(made, shown_by, one, enough), default=None
    )
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
    hidden = _find_hidden(made, made.linked.equations, _figures_showing(made.linked))
    known = set(determine(made.linked.equations, hidden)) | shown_groups(made.linked, made.rules)
    for at in [at for at, rule in made.rules.items() if rule == BESIDE]:
        if all(one in known and one not in made.sensitive for one in made.linked.shows[at]):
            del made.rules[at]
