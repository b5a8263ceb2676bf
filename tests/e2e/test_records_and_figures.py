"""What the records of indicators declare and what all sources together publish: the same, both ways."""

from collections import defaultdict

import pytest

from hims_pipeline.contracts.indicators import CORE, load_indicators
from hims_pipeline.disclosure.figures import total_codes
from hims_pipeline.release.reader import connect
from hims_pipeline.settings import REPOSITORY
from hims_pipeline.sql import literals

pytestmark = pytest.mark.real_data
PUBLISHED = {code: one for code, one in load_indicators(REPOSITORY / "data").items() if one.publish}


@pytest.fixture(scope="module")
def published(whole_night) -> dict[str, dict[str, set]]:
    """Indicator -> its sources, universes and cells, each as a set."""
    found: dict[str, dict[str, set]] = {code: defaultdict(set) for code in PUBLISHED}
    con = connect(settings=whole_night[0].settings)
    names = [name for (name,) in con.execute("select breakdown from reference.breakdowns").fetchall()]
    parts = ", ".join(
        f"case when {name} not in ({literals(total_codes(name))}) then '{name}' end"
        for name in ("counterpart_area", "sex", "age", *names)
    )
    rows = con.execute(f"select distinct indicator, source, universe, [{parts}] from indicator_series").fetchall()
    con.close()
    for indicator, source, universe, cell in rows:
        found[indicator]["sources"].update(source.split("+"))
        found[indicator]["universes"].add(universe)
        found[indicator]["cells"].add(frozenset(cell) - {None})
    return found


@pytest.mark.parametrize("code", PUBLISHED)
def test_a_record_declares_what_is_published_and_no_more(published, code: str) -> None:
    record, found = PUBLISHED[code], published[code]
    assert found["cells"] == {frozenset(cell) for cell in record.cells}
    assert {name for cell in record.allowed_cells for name in cell} - {*CORE} == set(record.breakdowns)
    if record.cells:
        assert found["sources"] == set(record.sources)
        assert set(record.universes) <= found["universes"] <= {record.universe, *record.universes}


def test_every_code_of_a_figure_has_a_label_in_three_languages(whole_night) -> None:
    con = connect(settings=whole_night[0].settings)
    unlabelled = {}
    for (dimension,) in con.execute("select distinct dimension from v_codes").fetchall():
        table = "indicator_observation" if dimension in ("obs_status", "conf_status") else "indicator_series"
        codes = con.execute(
            f"select distinct {dimension} from {table} where {dimension} is not null and {dimension} not in ("
            f"select code from v_codes where dimension = '{dimension}'"
            " and code_name_en != '' and code_name_fr != '' and code_name_ar != '')"
        ).fetchall()
        unlabelled |= {dimension: codes} if codes else {}
    con.close()
    assert unlabelled == {}


def test_nationality_in_an_area_below_the_country_asks_for_more_records(whole_night) -> None:
    con = connect(settings=whole_night[0].settings)
    shown = con.execute("""
        select distinct indicator from indicator_value
        where level != 'country' and contains(cell, 'citizenship') and (n_obs is not null or conf_status = 'C')
    """).fetchall()  # fmt: skip
    con.close()
    assert shown
    assert [code for (code,) in shown if "ref_area" not in PUBLISHED[code].strict_by] == []
