"""What a release withholds, seen from its files alone."""

import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from hims_pipeline.disclosure.attack import attack_files
from hims_pipeline.disclosure.decide import decide, find_parts, judged_figures
from hims_pipeline.disclosure.history import (
    DECIDED,
    earlier_decisions,
    last_decisions,
    write_decided,
    write_earlier,
)
from hims_pipeline.disclosure.protect import protect
from hims_pipeline.errors import ReleaseError
from hims_pipeline.release.disclosure import refuse_disclosing
from tests.installation import Installation

KEY = ["series_key", "time_period", "vintage"]
SHOWN_AGAIN = """
    update candidate.published.indicator_observation as here
    set obs_value = figures.obs_value, numerator = figures.numerator, denominator = figures.denominator,
        n_obs = figures.n_obs, conf_status = 'F', obs_status = 'A'
    from staff.indicators.ind_disclosed as decisions
    join staff.published.indicator_series as series on decisions.series_key = series.series_key
    join staff.indicators.ind_values as figures
        on decisions.series_key = figures.series_key and decisions.time_period = figures.time_period
    where decisions.rule = 'BESIDE_OTHERS'
        and here.series_no = series.series_no and here.time_period = figures.time_period
"""


def show_again(public: Path, staff: Path) -> int:
    """Show what was withheld for the sake of others all the same; returns how many figures."""
    with duckdb.connect() as con:
        con.execute(f"attach '{public}' as candidate")
        con.execute(f"attach '{staff}' as staff (read_only)")
        con.execute("use staff")
        (number,) = con.execute(SHOWN_AGAIN).fetchone()
    return int(number)


def test_a_night_gives_nothing_away(brief_night: tuple[Installation, str]) -> None:
    here = brief_night[0]
    found = attack_files(here.settings, [next(here.home.glob("releases/r*/public/warehouse.duckdb"))])
    assert found.withheld > 0
    assert found.lines()[1:] == []


def test_what_an_earlier_file_showed_is_known(brief_night: tuple[Installation, str], tmp_path: Path) -> None:
    here = brief_night[0]
    last = next(here.home.glob("releases/r*/public/warehouse.duckdb"))
    earlier = tmp_path / "earlier.duckdb"
    shutil.copyfile(last, earlier)
    assert attack_files(here.settings, [earlier, last]).lines()[1:] == []
    shown = show_again(earlier, last.parent.parent / "staff/warehouse.duckdb")
    found = attack_files(here.settings, [earlier, last])
    assert len(found.exact) >= shown > 0  # and what can be computed from those
    assert attack_files(here.settings, [earlier, last], only_new=True).exact == []  # the earlier file gave them away


def test_a_release_says_what_protection_cost(brief_night: tuple[Installation, str]) -> None:
    folder = next(brief_night[0].home.glob("releases/r*"))
    public, staff = ((folder / part / "DISCLOSURE.md").read_text(encoding="utf-8") for part in ("public", "staff"))
    assert "| B14 | border_post direction |" in public
    assert "beside others" in staff
    assert "beside others" not in public


@pytest.mark.slow
def test_a_candidate_that_gives_something_away_is_refused(
    brief_night: tuple[Installation, str], tmp_path: Path
) -> None:
    here = brief_night[0]
    release = next(here.home.glob("releases/r*"))
    for part in ("public", "staff"):
        (tmp_path / part).mkdir()
        shutil.copyfile(release / part / "warehouse.duckdb", tmp_path / part / "warehouse.duckdb")
    strict, told = replace(here.settings, env="prod"), list[str]()
    refuse_disclosing(strict, tmp_path)
    show_again(tmp_path / "public/warehouse.duckdb", tmp_path / "staff/warehouse.duckdb")
    with pytest.raises(ReleaseError, match="would learn what is withheld"):
        refuse_disclosing(strict, tmp_path)
    refuse_disclosing(here.settings, tmp_path, told.append)
    assert len(told) > 1


@pytest.mark.slow
def test_the_same_figures_are_decided_as_the_release_before_did(
    brief_night: tuple[Installation, str], tmp_path: Path
) -> None:
    here = brief_night[0]
    staff = next(here.home.glob("releases/r*/staff/warehouse.duckdb"))
    shutil.copyfile(staff, tmp_path / "warehouse.duckdb")
    with duckdb.connect() as con:
        write_earlier(con, staff, tmp_path)
    with duckdb.connect(tmp_path / "warehouse.duckdb") as con:
        earlier = earlier_decisions(con)
        made = decide(con, earlier)
        before = con.execute(
            "select series_key, time_period, vintage, rule from indicators.ind_disclosed where is_tonight"
        ).fetchall()
    assert len(earlier) == len(before) > 0
    tonight = made[made["is_tonight"]]
    withheld = {tuple(row[:3]) for row in before if row[3]}
    assert {tuple(row) for row in tonight.loc[~tonight["is_shown"], KEY].to_numpy().tolist()} == withheld
    assert len(made) == 2 * len(before)


@pytest.mark.slow
def test_parts_are_decided_as_the_whole_and_again_only_where_a_figure_changed(
    brief_night: tuple[Installation, str], tmp_path: Path
) -> None:
    file, kept = tmp_path / "warehouse.duckdb", tmp_path / DECIDED
    shutil.copyfile(next(brief_night[0].home.glob("releases/r*/staff/warehouse.duckdb")), file)
    with duckdb.connect(file) as con:
        figures = judged_figures(con)
        parts = find_parts(figures)
        assert len(parts) > 1
        alone = {part[at].key for part in parts for at in protect(part, {}).rules}
        assert alone == {figures[at].key for at in protect(figures, {}).rules} != set()
        write_decided(con, tmp_path)
        con.execute(f"create temp table told as select * replace (if(rule = '', '', 'KEPT') as rule) from '{kept}'")
        con.execute(f"copy told to '{kept}' (format parquet)")
        before = decide(con, [], last_decisions(con))
        assert set(before["rule"]) == {"", "KEPT"}
        con.execute("update indicators.b14_border_passages set n_obs = n_obs + 1 where sex = 'F'")
        after = decide(con, [], last_decisions(con))
        anew = con.execute(
            "select distinct indicator from after join indicators.ind_values using (series_key, time_period, vintage)"
            " where rule not in ('', 'KEPT')"
        ).fetchall()
        still = con.execute(
            "select count(*) from after join indicators.ind_values using (series_key, time_period, vintage)"
            " where rule = 'KEPT' and indicator in (select unnest($1))",
            [[code for (code,) in anew]],
        ).fetchall()
    assert ("B14",) in anew
    assert still == [(0,)]
    assert "KEPT" in set(after["rule"])
