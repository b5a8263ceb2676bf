"""Disclosure control at the door: the attack on a candidate beside every earlier public file, and what protection cost.

Here: the rule that refuses a candidate, and the utility report that goes out with a release. Not here: what is withheld
(`hims_pipeline.disclosure`, in the build).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.disclosure.figures import total_codes
from hims_pipeline.errors import ReleaseError
from hims_pipeline.lake.files import write_text
from hims_pipeline.release import store
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection, literals

Log = Callable[[str], None]
REPORT = "DISCLOSURE.md"
COST = """
    select
        figures.indicator, {cell} as cell, count(*) as figures,
        count(*) filter (where decisions.is_shown) as shown,
        count(*) filter (where decisions.rule in ('FEW_RECORDS', 'EVERYBODY')) as by_count,
        count(*) filter (where decisions.rule = 'BESIDE_OTHERS') as beside,
        count(*) filter (where decisions.rule in ('SMALL_CHANGE', 'WITHHELD_BEFORE')) as against_earlier,
        coalesce(sum(decisions.records), 0) as records,
        coalesce(sum(decisions.records) filter (where decisions.is_shown), 0) as records_shown
    from indicators.ind_disclosed as decisions
    join published.indicator_series as figures on decisions.series_key = figures.series_key
    where decisions.is_tonight
    group by all order by all
"""


def refuse_disclosing(settings: Settings, candidate: Path, log: Log = lambda text: None) -> None:
    """Attack a candidate's public file with all public files on disk; what is found is told, and refuses it where the
    policy `refuse_disclosing` names the environment. Elsewhere bounds, which take longest, are not looked at.

    Raises:
        ReleaseError: a withheld figure can be computed or is known too closely, or releases differ by too few records.
    """
    from hims_pipeline.disclosure.attack import attack_files  # a third of what every command imports, for one step

    refuses = settings.env in load_observatory(settings.data).policies.refuse_disclosing
    earlier = [release.public / "warehouse.duckdb" for release in store.releases(settings)]
    files = [*(path for path in earlier if path.exists()), candidate / "public/warehouse.duckdb"]
    disclosed = attack_files(settings, files, quick=not refuses, only_new=True)
    for line in disclosed.lines():
        log(line)
    if disclosed.succeeded and refuses:
        raise ReleaseError(
            "Not published: somebody who puts the public figures together would learn what is withheld.\n  "
            + "\n  ".join(disclosed.lines())
            + "\nWithhold more of these tables (`cells` of the indicator's record), or wait with the correction that"
            " changes so few records until more has changed."
        )


def write_cost(settings: Settings, candidate: Path) -> None:
    """Write what protection cost: for everybody by table, for staff with the rules as well."""
    rows = _cost(settings, candidate / "staff/warehouse.duckdb")
    write_text(candidate / "public" / REPORT, _report(rows, rules=False))
    write_text(candidate / "staff" / REPORT, _report(rows, rules=True))


def _cost(settings: Settings, staff: Path) -> list[tuple[Any, ...]]:
    with connection(settings, staff, read_only=True) as con:
        columns = con.execute("select breakdown from reference.breakdowns order by all").fetchall()
        names = sorted(["counterpart_area", "sex", "age", *(name for (name,) in columns)])
        cell = ", ".join(
            f"case when figures.{one} not in ({literals(total_codes(one))}) then '{one}' end" for one in names
        )
        return con.execute(COST.format(cell=f"concat_ws(' ', {cell})")).fetchall()


def _report(rows: list[tuple[Any, ...]], *, rules: bool) -> str:
    """Markdown; which rule withheld how much of a small table would say too much of it, and is for staff."""
    head = ["indicator", "breakdown", "figures", "shown", "withheld", "records in what is shown"]
    if rules:
        head += ["few records, or everybody", "beside others", "against earlier releases"]
    lines = [
        "# What disclosure control withholds",
        "",
        "Figures that rest on records of persons, or on counts that are published nowhere else. Withheld are those on"
        " fewer records than the minimum, shares that speak of everybody, and as many others as it takes that none of"
        " these can be computed, or is known to within half the minimum, from all figures of this release and of"
        " earlier ones; and a revision that would show fewer records than the minimum. A true zero is shown.",
        "",
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
    ]
    for indicator, cell, figures, shown, by_count, beside, against, records, kept in rows:
        part = f"{100 * kept / records:.1f} %" if records else ""
        line = [indicator, cell or "total", figures, shown, figures - shown, part]
        lines.append(
            "| " + " | ".join(str(one) for one in line + ([by_count, beside, against] if rules else [])) + " |"
        )
    total = [sum(row[place] for row in rows) for place in (2, 3)]
    lines += ["", f"{total[1]:,} of {total[0]:,} figures are shown."]
    return "\n".join(lines) + "\n"
