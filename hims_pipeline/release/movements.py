"""What moved between the last release and a candidate, figure by figure: evidence in numbers, each with its cause and
the limit that it is held to.

First figures of a new period or edition are laid beside the last ones. Not here: which figures are the
same (`figure_matching`), what changed (`causes`), the limits (`gates.revisions`), and what is done about it (`holds`).
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.indicators import load_indicators
from hims_pipeline.gates.revisions import Cause, RevisionEvidence, RevisionLimits
from hims_pipeline.release.causes import Changes
from hims_pipeline.release.figure_matching import match_figures
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection

NOISY: tuple[Cause, ...] = ("new_period", "corrected_delivery", "new_edition", "growing_period", "withdrawn_delivery")
MOST = 1000  # movements of one group and measure that are looked at, the largest first


@dataclass(frozen=True)
class Movement:
    """One number of evidence.

    Args:
        about: what beside country and period the figure is about: `citizenship=LBY`; "" for the total.
        before, after: values, or for `gone` and `hidden` the numbers of figures there were and are left.
        percent: of `before`, without what chance makes where the data changed; the number that is judged.
        because: what may have moved it: batches, files, libraries.
    """

    measure: str
    indicator: str
    source: str
    area: str
    about: str
    time_period: str
    vintage: str
    before: float
    after: float
    percent: float
    limit: float
    cause: Cause
    because: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """What a person agrees to: these numbers of this figure, whatever they are held to."""
        plain = asdict(self)
        messages = [
            plain[name] for name in ("measure", "indicator", "source", "area", "about", "time_period", "vintage")
        ]
        messages += [f"{self.before:.9g}", f"{self.after:.9g}"]
        return hashlib.sha256(json.dumps(messages).encode()).hexdigest()


def movement_evidence(movements: Sequence[Movement]) -> list[RevisionEvidence]:
    """Movements as a table that Great Expectations can hold to its limits, a row each."""
    return [RevisionEvidence(one.measure, no, one.percent, one.limit) for no, one in enumerate(movements)]


def find_movements(
    settings: Settings, old: Path, new: Path, changes: Changes, limits: RevisionLimits
) -> list[Movement]:
    """Compare `published.indicator_value` of two database files. Without a figure in the old one, or of a source in it,
    there is nothing to say."""
    with connection(settings) as con:
        match_figures(settings, con, old, new)
        groups = _groups(con, changes)
        return [
            *_find_changed(con, groups, limits),
            *_find_gone(con, groups, limits),
            *_find_missing(con, groups, limits),
            *_new_level(settings, con, groups, limits),
        ]


@dataclass(frozen=True)
class _Group:
    """The figures of one indicator, source, period and edition; `beside` is the group that a new one is laid beside."""

    no: int
    indicator: str
    source: str
    time_period: str
    vintage: str
    start: date
    end: date
    is_old: bool
    is_new: bool
    cause: Cause
    because: tuple[str, ...]
    beside: int | None = None

    def limit(self, limits: RevisionLimits, measure: str) -> float:
        limit: float = getattr(limits.limits[self.cause], measure)
        return limit


def _groups(con: Any, changes: Changes) -> dict[int, _Group]:
    rows = con.execute(
        "select no, indicator, source, time_period, vintage, start_date, end_date, is_old, is_new, freq, edition "
        "from groups"
    ).fetchall()
    known = {(row[1], row[2]) for row in rows if row[7]}  # an indicator and source that had figures before
    groups: dict[int, _Group] = {}
    for row in rows:
        causes = changes.causes_of_figure(row[1], row[2], row[5], row[6])
        cause: Cause = causes[0][0] if causes else "nothing"
        beside = _period_beside(row, rows) if row[8] and not row[7] and (row[1], row[2]) in known else None
        because = tuple(text for kind, text in causes if kind == cause)
        groups[row[0]] = _Group(*row[:9], cause, because, beside)  # type: ignore[call-arg]
    return groups


def _period_beside(new: tuple[Any, ...], rows: Iterable[tuple[Any, ...]]) -> int | None:
    """The last period of a new one's own edition, else the edition before for the same period."""
    alike = [row for row in rows if row[1:3] == new[1:3] and row[9] == new[9] and row[0] != new[0] and row[8]]
    earlier = [row for row in alike if row[10] == new[10] and row[6] < new[6] and row[7]]
    editions = [row for row in alike if row[3] == new[3] and row[10] < new[10] and row[7]]
    chosen = max(editions, key=lambda row: row[10], default=None) or max(earlier, key=lambda row: row[6], default=None)
    return chosen[0] if chosen else None


def _find_changed(con: Any, groups: Mapping[int, _Group], limits: RevisionLimits) -> Iterator[Movement]:
    """Figures with a value then and now: totals of countries, and what is of weight below them."""
    noisy = [no for no, one in groups.items() if one.cause in NOISY]
    weight = limits.weight
    con.execute("create or replace temp table noisy as select unnest($1::bigint[]) as no", [noisy])
    rows = con.execute(f"""
        with both_there as (
            select
                *, about = '' and not is_part_of_country as is_total,
                max(abs(before)) over (partition by no) as largest,
                case
                    when no not in (from noisy) then 0
                    when se_before is not null then 2 * se_before
                    when n_before is null then 0
                    else abs(before) / sqrt(greatest(n_before, 1))
                end as noise
            from figures where before is not null and after is not null
        ),

        added as (
            select no, max(value) as value
            from (
                select no, part, sum(value) as value
                from (
                    select
                        no, regexp_extract(about, '^[^=]+') as part, about, max(after) as value,
                        bool_or(was_there) as was
                    from figures where about != '' and not contains(about, ';') and not is_part_of_country
                    group by no, part, about having not was
                ) as newly
                group by no, part
            ) as parts
            group by no
        ),

        judged as (
            select
                both_there.*,
                100 * greatest(0, abs(after - before) - noise
                    - case when is_total and after > before then coalesce(added.value, 0) else 0 end)
                    / nullif(abs(before), 0) as percent
            from both_there left join added using (no)
            where after is distinct from before
                and (
                    (
                        greatest(abs(before), abs(after)) >= largest * {weight.share / 100}
                        and (not is_count or greatest(abs(before), abs(after)) >= {weight.smallest})
                        and (is_total or coalesce(n_before, {weight.smallest}) >= {weight.smallest})
                    )
                    or no not in (from noisy)
                )
        )

        select no, ref_area, about, before, after, coalesce(percent, 1000000), is_total
        from judged
        where percent is null or percent > 1e-9
        qualify
            row_number() over (partition by is_total, no order by percent desc nulls first, ref_area, about) <= {MOST}
        order by 1, 2, 3
    """).fetchall()
    for no, area, about, before, after, percent, is_total in rows:
        group = groups[no]
        measure = "total" if is_total else "part"
        yield _movement(measure, group, area, about, before, after, percent, group.limit(limits, measure))


def _movement(
    measure: str, group: _Group, area: str, about: str, before: float, after: float, percent: float, limit: float
) -> Movement:
    return Movement(
        measure, group.indicator, group.source, area, about, group.time_period, group.vintage, float(before),
        float(after), float(percent), limit, group.cause, group.because,
    )  # fmt: skip


def _find_gone(con: Any, groups: Mapping[int, _Group], limits: RevisionLimits) -> Iterator[Movement]:
    """Figures that are no longer there, and those that have no value any more, as shares of their group."""
    rows = con.execute("""
        select
            no, count(*) filter (was_there), count(*) filter (was_there and not is_there),
            count(*) filter (before is not null), count(*) filter (before is not null and is_there and after is null)
        from figures group by no
        having count(*) filter (was_there and (not is_there or (before is not null and after is null))) > 0 order by no
    """).fetchall()
    for no, were, gone, valued, hidden in rows:
        group = groups[no]
        for measure, of, lost in (("gone", were, gone), ("hidden", valued, hidden)):
            if lost:
                yield _movement(measure, group, "", "", of, of - lost, 100 * lost / of, group.limit(limits, measure))


def _find_missing(con: Any, groups: Mapping[int, _Group], limits: RevisionLimits) -> Iterator[Movement]:
    """Codes with weight that have no figure now: of the same period before, or of the one that a new one is beside."""
    pairs = [(no, one.beside) for no, one in groups.items() if one.beside is not None]
    pairs += [(no, no) for no, one in groups.items() if one.is_old and one.is_new and one.cause != "withdrawn_delivery"]
    con.execute(
        "create or replace temp table beside as select unnest($1::bigint[]) as no, unnest($2::bigint[]) as other",
        [[one[0] for one in pairs], [one[1] for one in pairs]],
    )
    weight = limits.weight
    rows = con.execute(f"""
        with told as (
            select no, 'ref_area=' || ref_area as code, before, after, n_before, is_count, is_there from figures
            union all
            select no, unnest(string_split(about, '; ')) as code, before, after, n_before, is_count, is_there
            from figures
            where about != '' and (not contains(about, ';') or starts_with(about, 'counterpart_area='))
        ),

        codes as (
            select
                no, code, max(abs(before)) as before, max(abs(after)) as after, bool_or(is_count) as is_count,
                max(n_before) as n_before, bool_or(is_there) as is_there
            from told where not regexp_matches(code, '^age=|=_[A-Z]$')
            group by no, code
        ),

        then_there as (
            select beside.no, codes.code, codes.before, codes.is_count, codes.n_before,
                max(codes.before) over (partition by beside.no, split_part(code, '=', 1)) as largest
            from beside join codes on beside.other = codes.no
            where codes.before is not null
        )

        select then_there.no, then_there.code, then_there.before
        from then_there
        left join codes on then_there.no = codes.no and then_there.code = codes.code
        where not coalesce(codes.is_there, false)
            and then_there.before >= {weight.share / 100} * then_there.largest
            and (not then_there.is_count or then_there.before >= {weight.smallest})
            and coalesce(then_there.n_before, {weight.smallest}) >= {weight.smallest}
        order by 1, 3 desc, 2
    """).fetchall()
    for no, code, before in rows:
        name, _, value = code.partition("=")
        area, about = (value, "") if name == "ref_area" else ("", code)
        yield _movement("missing", groups[no], area, about, before, 0.0, 100.0, limits.missing)


def _new_level(
    settings: Settings, con: Any, groups: Mapping[int, _Group], limits: RevisionLimits
) -> Iterator[Movement]:
    """Totals in a new period, of all countries that are in both, beside those of the period before: percent a year."""
    kinds = {code: one.measure_type for code, one in load_indicators(settings.data).items()}
    rows = con.execute("""
        select
            beside.no, beside.other, case when count(*) = 1 then any_value(f.ref_area) else '' end as area,
            sum(p.before) as before, sum(f.after) as after, sum(p.n_before) as records,
            sqrt(sum(p.se_before * p.se_before)) as error
        from beside
        join figures as f on beside.no = f.no
        join figures as p on beside.other = p.no and f.ref_area = p.ref_area
        where beside.no != beside.other and f.about = '' and p.about = '' and not f.is_part_of_country
            and f.is_count and p.before is not null and f.after is not null
        group by beside.no, beside.other
        having sum(p.before) >= 30 order by 1
    """).fetchall()
    for no, other, area, before, after, records, error in rows:
        group, last = groups[no], groups[other]
        chance = 2 * error if error is not None else before / max(records, 1) ** 0.5 if records is not None else 0.0
        years = max(1.0, (group.end - last.end).days / 365.25)
        low, high = sorted((before, after))
        ratio = max(1.0, (high - chance) / max(low, 1e-9))
        percent = 100 * (ratio ** (1 / years) - 1)
        limit = limits.new_level.of(group.indicator, kinds.get(group.indicator, "flow"))
        yield _movement("new_level", group, area, "", before, after, percent, limit)
