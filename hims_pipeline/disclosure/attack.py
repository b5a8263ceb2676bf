"""The attack on what is public: `python -m hims_pipeline.disclosure.attack PUBLIC_FILE …`, oldest release first.

It links all tables in the public files as a stranger can, believes what is so where the staff's file lies beside the
last of them (without it, whatever looks so), and says which withheld figures can be computed, which are known to within
a few records, and where two releases differ by fewer records than may be shown.
A figure that one release shows and another withholds counts as known, where it did not change. Not here: what to do
about it (`protect`).
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hims_pipeline.disclosure.bounds import find_narrow
from hims_pipeline.disclosure.decide import judged_figures
from hims_pipeline.disclosure.elimination import determine
from hims_pipeline.disclosure.figures import CONTEXT, CORE, Figure, breakdowns_sql, minimum_sql, read_figures
from hims_pipeline.disclosure.groups import Equation, Linked, components
from hims_pipeline.disclosure.history import Key
from hims_pipeline.disclosure.linked_tables import link_figures, sizes_shown_by
from hims_pipeline.disclosure.protect import least_sizes, protection_width, shown_groups
from hims_pipeline.errors import HimsError
from hims_pipeline.settings import Settings, load_settings
from hims_pipeline.sql import connection, literal

RIGHT = 0.01  # records, or their weights: an equation that is no farther off holds, since figures are rounded
PAIR = 2  # groups of an equation that says that they are equal
LEAST = 10  # records that bounds are measured by: a stranger does not know which of the withheld rest on fewer
OWN = (
    "series_key",
    "indicator",
    "universe",
    "duration_rule",
    "ref_area",
    "obs_value",
    "numerator",
    "denominator",
    "n_obs",
    "obs_status",
)


@dataclass
class Found:
    """What an attack found.

    Attributes:
        withheld: number of withheld figures that were attacked.
        exact: figures that can be computed.
        narrow: figures on records that are known to within fewer than half the minimum.
        differences: figures of two releases that differ by fewer records than may be shown.
    """

    withheld: int = 0
    exact: list[Figure] = field(default_factory=list)
    narrow: list[Figure] = field(default_factory=list)
    differences: list[Figure] = field(default_factory=list)

    @property
    def succeeded(self) -> bool:
        return bool(self.exact or self.narrow or self.differences)

    def lines(self) -> list[str]:
        """The findings by indicator and breakdown, for people."""
        lines = [
            f"{self.withheld:,} withheld figures: {len(self.exact):,} can be computed, {len(self.narrow):,} are known"
            f" to within a few records; {len(self.differences):,} differences between releases show too few records."
        ]
        for what, figures in (("computed", self.exact), ("narrow", self.narrow), ("difference", self.differences)):
            tables = Counter((figure.concept[0], " ".join(name for name, _ in figure.cell)) for figure in figures)
            lines += [f"  {what:<10} {code} [{cell}] {many:,}" for (code, cell), many in sorted(tables.items())]
        return lines


def public_figures(con: Any, database: str, newest: str, *, but_latest: bool = False) -> list[Figure]:
    """The figures of a public file that rest on records, or are withheld; what indicators are says the newest one.

    Args:
        but_latest: leave out those that the newest file holds just so.
    """
    query = _figures_sql(con, database, newest)
    if not query:
        return []  # of a layout that no release has had for long
    if but_latest:
        query = f"({query}) except ({_figures_sql(con, newest, newest)})"
    cursor = con.execute(query)
    columns, rows = [column[0] for column in cursor.description], cursor.fetchall()
    formers = con.execute(
        f"select successor_code, former_code from {newest}.reference.area_successors where weight != ''"
    ).fetchall()
    return read_figures(rows, columns, dict(formers))


def _figures_sql(con: Any, database: str, newest: str) -> str:
    there = con.execute(
        "select column_name from duckdb_columns() where database_name = ? and table_name = 'indicator_series'",
        [database],
    ).fetchall()
    if not there:
        return ""
    listed = con.execute(f"select breakdown from {newest}.reference.breakdowns").fetchall()
    breakdowns = [one for (one,) in listed if (one,) in there]
    names = [f"figures.{one}" for one in (*OWN, *CONTEXT, *CORE)]
    return f"""
        with series as (select distinct series_no from {database}.published.indicator_observation
                        where conf_status = 'C' or n_obs is not null),
        figures as (
            select series.*, observations.* exclude (series_no)
            from {database}.published.indicator_observation as observations
            join {database}.published.indicator_series as series on observations.series_no = series.series_no
            where observations.series_no in (select series_no from series)
        )
        select {", ".join(names)}, indicators.statistic, indicators.balance_of, conf_status = 'F' as shown,
            {minimum_sql(breakdowns, f"{newest}.reference")} as minimum, {breakdowns_sql(breakdowns)} as breakdowns
        from figures
        join {newest}.reference.indicators as indicators on figures.indicator = indicators.code
    """


def public_parents(con: Any, database: str) -> dict[str, list[tuple[str, str]]]:
    """Area -> (its level, each area above it), through all hierarchies of a public file."""
    levels = dict(con.execute(f"select area_code, level from {database}.reference.areas").fetchall())
    above: dict[str, set[str]] = defaultdict(set)
    pairs = con.execute(
        f"select child_code, parent_code from {database}.reference.area_hierarchies union "
        f"select area_code, parent_code from {database}.reference.areas where coalesce(parent_code, '') != ''"
    ).fetchall()
    for child, parent in pairs:
        above[child].add(parent)
    parents = {}
    for area in above:
        seen: set[str] = set()
        todo = [area]
        while todo:
            new = above.get(todo.pop(), set()) - seen
            seen |= new
            todo += new
        parents[area] = sorted((levels.get(area, ""), one) for one in seen)
    return parents


def attack(
    releases: Sequence[Sequence[Figure]], parents: Mapping[str, Sequence[tuple[str, str]]], *, quick: bool = False,
    truth: Sequence[Figure] | None = None,
) -> Found:  # fmt: skip
    """Attack the last of several releases with all of them.

    Args:
        releases: figures of each, oldest first.
        parents: as in `link_figures`.
        quick: only what is exact, and differences.
        truth: all figures as they are, where they are at hand: what a stranger takes for true is then believed only
            where it is, be it a figure of an earlier release or a sum over areas that are not all there.
    """
    last = list(releases[-1])
    disclosed = Found(withheld=sum(not one.shown for one in last), differences=_differences(releases))
    now = None if truth is None else {one.key: one.value for one in truth}
    earlier: dict[Key, Figure] = {}
    for release in releases[:-1]:
        earlier |= {one.key: one for one in release if one.shown and (now is None or now.get(one.key) == one.value)}
    known = [earlier[one.key] if not one.shown and one.key in earlier else one for one in last]
    linked = link_figures(known, parents)
    withheld = {at: "" for at, one in enumerate(known) if not one.shown}
    shown = shown_groups(linked, withheld)
    given = {at for at, (here, there) in enumerate(zip(known, last, strict=True)) if here.shown and not there.shown}
    sizes = [] if truth is None else _true_sizes(linked, known, truth)
    believed = [equation for equation in linked.equations if _may_hold(equation, sizes)]
    zeros = {one for one, size in sizes[0].items() if size == 0} if sizes else set()
    computed: set[int] = set()
    close: set[int] = set()
    for equations in components(believed):
        hidden = {one for equation in equations for one in equation} - shown
        if hidden:
            computed |= set(determine(equations, hidden))
            if not quick:
                close |= _close(linked, equations, hidden - computed, shown | computed, zeros)
    for at, groups in enumerate(linked.shows):
        if at in given:
            disclosed.exact.append(last[at])
        elif at in withheld and groups:
            if all(group in shown or group in computed for group in groups):
                disclosed.exact.append(last[at])
            elif groups[0] in close:
                disclosed.narrow.append(last[at])
    return disclosed


def _true_sizes(linked: Linked, figures: Sequence[Figure], truth: Sequence[Figure]) -> list[dict[int, float]]:
    """Records and weighted sizes of groups as they are, where they are known.

    Args:
        figures: those that were linked, in that order.
        truth: the same as they are.
    """
    true = {one.key: one for one in truth}
    sizes: list[dict[int, float]] = [{}, {}]
    for groups, figure in zip(linked.shows, figures, strict=True):
        if figure.key in true and not figure.former:
            for group, both in zip(groups, sizes_shown_by(true[figure.key]), strict=True):
                for kind, size in zip(sizes, both, strict=True):
                    if size is not None:
                        kind.setdefault(group, size)
    return sizes


def _may_hold(equation: Equation, sizes: Sequence[Mapping[int, float]]) -> bool:
    """Whether nothing says that an equation does not hold, in records or in weights."""
    known = [kind for kind in sizes if equation.keys() <= kind.keys()]
    return not known or any(abs(sum(factor * kind[one] for one, factor in equation.items())) < RIGHT for kind in known)


def _close(
    linked: Linked, equations: Sequence[Equation], hidden: set[int], known: set[int], zeros: set[int]
) -> set[int]:
    """Groups known to within fewer records than they must be, by the numbers of records that are shown.

    Args:
        zeros: groups in which nobody is: that somebody is in them is not believed then, and that nobody is, no secret;
            nor is a group that is a shown one but for nobody.
    """
    inhabited = [equation.keys() - zeros for equation in equations]
    shown_too = {one for pair in inhabited if len(pair) == PAIR and pair & known for one in pair}
    sizes = {
        one: size
        for equation in equations
        for one in equation
        if one in known and (size := linked.records[one]) is not None
    }
    width = dict.fromkeys(hidden - zeros - shown_too, protection_width(LEAST))
    return set(find_narrow(equations, sizes, hidden, least_sizes(linked, hidden - zeros), width))


def _differences(releases: Sequence[Sequence[Figure]]) -> list[Figure]:
    """Figures that two releases show with numbers of records that differ by too few."""
    states: dict[Key, dict[float, Figure]] = defaultdict(dict)
    differences: dict[Key, Figure] = {}
    for release in releases:
        for figure in release:
            if figure.shown and figure.records is not None:
                if any(0 < abs(figure.records - before) < figure.minimum for before in states[figure.key]):
                    differences[figure.key] = figure
                states[figure.key][figure.records] = figure
    return list(differences.values())


def attack_files(settings: Settings, files: Sequence[Path], *, quick: bool = False, only_new: bool = False) -> Found:
    """Attack the last of several public files with all of them, oldest first.

    Where the staff's file of it lies beside it, what follows is held against that.

    Args:
        quick: only what is exact, and differences.
        only_new: leave out what earlier files gave away by themselves, as those from before there was any control.
    """
    truth = None
    with connection(settings) as con:
        for place, path in enumerate(files):
            con.execute(f"attach {literal(path)} as r{place} (read_only)")
        *earlier, newest = [f"r{place}" for place in range(len(files))]
        last = public_figures(con, newest, newest)
        # What an earlier file says as the last one does adds nothing to that one.
        others = [public_figures(con, one, newest, but_latest=True) for one in earlier]
        parents = public_parents(con, newest)
        staff = files[-1].parent.parent / "staff/warehouse.duckdb"
        if staff.exists():
            with connection(settings, staff, read_only=True) as true:
                truth = judged_figures(true)
        disclosed = attack([*others, last], parents, quick=quick, truth=truth)
        if only_new and (disclosed.exact or disclosed.narrow) and earlier:
            whole = [public_figures(con, one, newest) for one in earlier]
            _leave_out_known(disclosed, whole, attack(whole, parents, quick=quick))
    return disclosed


def _leave_out_known(disclosed: Found, releases: Sequence[Sequence[Figure]], before: Found) -> None:
    """Leave out what anybody knew before the last release: no release gives it away again."""
    known = {one.key for release in releases for one in release if one.shown}
    known |= {one.key for one in (*before.exact, *before.narrow)}
    disclosed.exact = [one for one in disclosed.exact if one.key not in known]
    disclosed.narrow = [one for one in disclosed.narrow if one.key not in known]


def main(*words: str) -> int:
    """Attack public files, by default of all releases of this installation."""
    settings = load_settings()
    files = [Path(word) for word in words] or sorted(settings.releases.glob("r*/public/warehouse.duckdb"))
    if not files:
        raise HimsError("There is no release to attack; `hims run` makes one.")
    disclosed = attack_files(settings, files)
    print("\n".join(disclosed.lines()))
    return int(disclosed.succeeded)


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except HimsError as error:
        sys.exit(str(error))
