"""Real deliveries, as institutions publish them, by the contracts of this project."""

from pathlib import Path

import duckdb
import pytest

from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.lake.landing import take_over
from hims_pipeline.readers import read_delivery
from hims_pipeline.settings import REPOSITORY, load_settings

REAL = load_settings().real_data
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(REAL is None, reason="HIMS_REAL_DATA names no folder of real deliveries"),
]


@pytest.fixture
def read_real(tmp_path, settings_for):
    def run(source: str, period: str, *files: str):
        settings = settings_for(tmp_path / "home")
        contract = load_contracts(REPOSITORY / "data")[source]
        delivery, _ = take_over(settings, contract, period, [Path(REAL) / file for file in files])
        folder = settings.bronze / delivery.batch
        folder.mkdir(parents=True)
        return read_delivery(settings, contract, delivery, folder, lambda text: None), folder

    return run


# Rows counted over the bytes by other means than this project's: quoted and unquoted, CRLF and LF, folders inside.
EPH = {
    "2021Q2": ("2_Trim_2021", 47_085, 15_620),
    "2021Q3": ("3_Trim_2021", 48_668, 16_285),
    "2021Q4": ("4_Trim_2021", 50_154, 17_037),
    "2022Q1": ("1_Trim_2022", 49_706, 16_898),
    "2022Q2": ("2_Trim_2022", 50_614, 17_367),
}


@pytest.mark.parametrize("period", EPH)
def test_argentine_quarters_load_whole(read_real, period):
    name, persons, households = EPH[period]
    result, _ = read_real("argentina_eph", period, f"argentina-eph/EPH_usu_{name}_txt.zip")
    assert result.findings == ()
    assert {name: file.rows for name, file in result.entities.items()} == {"persons": persons, "households": households}


def test_the_published_population_of_a_quarter(read_real):
    _, folder = read_real("argentina_eph", "2021Q2", "argentina-eph/EPH_usu_2_Trim_2021_txt.zip")
    with duckdb.connect() as con:
        total = con.execute(f"select sum(PONDERA)::bigint from '{folder}/persons.parquet'").fetchall()
    assert total == [(28_872_439,)]


def test_a_download_cut_off_is_refused_by_name(read_real):
    result, _ = read_real("argentina_eph", "2021Q1", "argentina-eph/EPH_usu_1_Trim_2021_txt.TRUNCATED.zip")
    assert [finding.rule for finding in result.findings] == ["ENVELOPE-ARCHIVE"]
    assert "EPH_usu_1_Trim_2021_txt.TRUNCATED.zip]: the archive is incomplete" in result.findings[0].full_text()


def test_the_chilean_sample_in_parquet(read_real):
    names = [f"chile-censo2024-sample/{name}_sample.parquet" for name in ("personas", "hogares", "viviendas")]
    result, _ = read_real("chile_census", "2024", *names)
    assert result.findings == ()
    assert sum(file.rows for file in result.entities.values()) == 40_000


def test_quoted_newlines_of_the_missing_migrants(read_real):
    result, _ = read_real("iom_missing_migrants", "2024", "iom-missing-migrants/iom_mmp.csv.gz")
    assert result.findings == ()
    assert result.entities["incidents"].rows == 19_669
