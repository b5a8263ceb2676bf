"""The loader says what is wrong in `data/indicators`, all of it, and where."""

import shutil
from pathlib import Path

import pytest

from hims_pipeline.contracts.indicators import breakdown_columns, load_indicators
from hims_pipeline.errors import ContractError
from hims_pipeline.settings import REPOSITORY

RECORD = """indicators:
  - code: A01
    name: {en: Foreigners, fr: Étrangers, ar: الأجانب}
    definition: {en: Who they are., fr: Qui ils sont., ar: من هم.}
    unit_measure: PERSONS
    measure_type: stock
    framework: UN
    universe: residents
    sources: [census]
    breakdowns: [citizenship]
    ref_area_side: destination
    ref_area: Where they live
    status: computed
    publish: true
    cells: [[], [sex], [citizenship]]
"""
LABELS = """breakdowns:
  - {name: citizenship, label: {en: Citizenship, fr: Nationalité, ar: الجنسية}, meaning: Country of citizenship}
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "indicators"
    folder.mkdir()
    (folder / "A-stocks.yml").write_text(RECORD, encoding="utf-8")
    (folder / "breakdowns.yml").write_text(LABELS, encoding="utf-8")
    shutil.copyfile(REPOSITORY / "data" / "observatory.yml", tmp_path / "observatory.yml")
    return tmp_path


def test_a_whole_record_loads(data: Path) -> None:
    assert load_indicators(data)["A01"].cells == ((), ("sex",), ("citizenship",))
    assert breakdown_columns(data) == ["citizenship"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("code: A01", "code: A1", "A-stocks.yml"),
        ("code: A01", "code: B01", "B01 belongs into the file that begins with B"),
        ("ar: الأجانب", 'ar: ""', "A01: no name in ar"),
        (", ar: من هم.", "", "A01: no definition in ar"),
        ("breakdowns: [citizenship]", "breakdowns: [citizenship, sector]", "sector is missing; A01 uses it"),
        ("breakdowns: [citizenship]", "breakdowns: [sex]", "sex is a core dimension"),
        ("[sex], [citizenship]", "[counterpart_area]", "counterpart_area is no dimension of it"),
        ("[sex], [citizenship]", "[sex], [sex]", "a cell stands twice"),
        ("status: computed", "status: planned", "what is published is computed"),
        ("publish: true", "publish: false", "what is not published lists none"),
        ("status: computed", "status: computed\n    additive_over: [time_period]", "a stock is not additive over time"),
        ("measure_type: stock", "measure_type: ratio\n    additive_over: [sex]", "a ratio is additive over nothing"),
        (
            "ref_area_side: destination",
            "ref_area_side: country\n    counterpart_area: Else",
            "origin or the destination",
        ),
        ("framework: UN", "framework: UN\n    weight: 1", "weight"),
    ],
)
def test_what_is_wrong_is_named(data: Path, old: str, new: str, says: str) -> None:
    path = data / "indicators" / "A-stocks.yml"
    assert RECORD.count(old) == 1
    path.write_text(RECORD.replace(old, new), encoding="utf-8")
    with pytest.raises(ContractError, match=says.replace("(", r"\(")):
        load_indicators(data)


def test_a_label_that_nothing_uses_is_named(data: Path) -> None:
    more = "  - {name: route, label: {en: Route, fr: Voie, ar: المسلك}, meaning: Way of entry}\n"
    (data / "indicators" / "breakdowns.yml").write_text(LABELS + more, encoding="utf-8")
    with pytest.raises(ContractError, match="no indicator uses route"):
        load_indicators(data)


def test_a_code_that_stands_twice_is_named(data: Path) -> None:
    (data / "indicators" / "A-more.yml").write_text(RECORD, encoding="utf-8")
    with pytest.raises(ContractError, match="A01 stands twice"):
        load_indicators(data)


def test_columns_do_not_depend_on_the_order_of_files_or_records(data: Path) -> None:
    second = RECORD.replace("A01", "B01").replace("citizenship", "activity")
    (data / "indicators" / "B-flows.yml").write_text(second, encoding="utf-8")
    label = LABELS.splitlines()[1]
    for lines in ([label, label.replace("citizenship", "activity")], [label.replace("citizenship", "activity"), label]):
        text = "\n".join(["breakdowns:", *lines, ""])
        (data / "indicators" / "breakdowns.yml").write_text(text, encoding="utf-8")
        assert breakdown_columns(data) == ["activity", "citizenship"]


def test_an_edit_is_seen_at_once(data: Path) -> None:
    assert load_indicators(data)["A01"].decimals == 0
    path = data / "indicators" / "A-stocks.yml"
    path.write_text(RECORD + "    decimals: 2\n", encoding="utf-8")
    assert load_indicators(data)["A01"].decimals == 2
