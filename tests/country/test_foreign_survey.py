"""A survey that nothing here was written for gets in by the files that docs/adding-a-source.md shows, and no code."""

import shutil
from pathlib import Path

import pytest

from hims_pipeline.release.reader import connect
from hims_pipeline.settings import REPOSITORY
from tests.conftest import REAL_DATA
from tests.installation import Installation

pytestmark = pytest.mark.real_data
FILE = "pseudopeople-samples/current_population_survey.parquet"


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory, untested_code: Path) -> tuple[Installation, str]:
    root = tmp_path_factory.mktemp("foreign")
    data = root / "data"
    shutil.copytree(REPOSITORY / "data", data, ignore=shutil.ignore_patterns("samples"))
    for contract in (data / "contracts").glob("*.yml"):
        contract.unlink()  # so that it is seen that it needs none of the others
    (data / "deliveries.yml").unlink()  # what is said of those goes with them
    shutil.rmtree(data / "corrections")
    shutil.copy(REPOSITORY / "docs/examples/current_population_survey.yml", data / "contracts")
    with (data / "codelists/areas.csv").open("a", encoding="utf-8") as file:
        file.write("US-WA,state,Washington,Washington,واشنطن,USA,USA,US-WA,WA,,,\n")
    with (data / "codelists/xwalk_area.csv").open("a", encoding="utf-8") as file:
        file.write("US_STATE,WA,US-WA,Washington\n")
    expectations = root / "expectations"
    expectations.mkdir()
    shutil.copyfile(REPOSITORY / "expectations/release.json", expectations / "release.json")
    here = Installation(root / "home", data, expectations, code=untested_code)
    assert REAL_DATA is not None
    here.hims("deliver", str(Path(REAL_DATA) / FILE), "--source", "current_population_survey", "--period", "2041")
    return here, here.hims("run")


def test_it_is_accepted_and_published(night) -> None:
    here, printed = night
    assert "1  (1 accepted)" in printed
    con = connect(settings=here.settings)
    rows = con.execute(
        "select ref_area, sex, obs_value, data_kind from indicator_value"
        " where indicator = 'P01' and cell in ('', 'sex') order by all"
    ).fetchall()
    con.close()
    # Counted in the file as it comes, by hand: 2,139 records, 1,126 of them women.
    kind = "synthetic"
    assert rows == [
        ("US-WA", "F", 1126.0, kind), ("US-WA", "M", 1013.0, kind), ("US-WA", "_T", 2139.0, kind),
        ("USA", "F", 1126.0, kind), ("USA", "M", 1013.0, kind), ("USA", "_T", 2139.0, kind),
    ]  # fmt: skip
