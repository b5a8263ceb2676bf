"""The two files of a release, made from a build's: what is in them, and what is not."""

from pathlib import Path

import duckdb
import pytest

from hims_pipeline.carry.content import content_of
from hims_pipeline.errors import ReleaseError
from hims_pipeline.release.tables import PUBLIC_SCHEMAS, STAFF_SCHEMAS, copy_for_staff, copy_schemas

NUMBER = "5d41402a-bc4b-2a76-b971-9d911017c592"
BUILT = f"""
    create schema staging; create schema reference; create schema conformed; create schema indicators;
    create schema published;
    copy (select '{NUMBER}' as study_id) to '{{folder}}/links.parquet';
    create view staging.stg_links as from '{{folder}}/links.parquet';
    create view conformed.fct_person_links as from warehouse.staging.stg_links;
    create table conformed.fct_persons as select range as person from range(5000);
    create table reference.areas as select 'TUN' as area_code;
    create table published.figures as select 'A01' as indicator, 12.5 as obs_value;
    create view published.v_rounded as select round(obs_value) as obs_value from "warehouse"."published"."figures";
    create view published.v_figures as from warehouse.published.v_rounded
"""


@pytest.fixture
def build(tmp_path: Path) -> Path:
    path = tmp_path / "build/warehouse.duckdb"
    path.parent.mkdir()
    with duckdb.connect(str(path)) as con:
        con.execute(BUILT.format(folder=tmp_path))
    return path


def relations(con: duckdb.DuckDBPyConnection) -> set[str]:
    listed = con.execute(
        "select schema_name || '.' || table_name from duckdb_tables() where database_name = 'elsewhere' union all"
        " select schema_name || '.' || view_name from duckdb_views()"
        " where database_name = 'elsewhere' and not internal"
    ).fetchall()
    return {name for (name,) in listed}


def test_each_file_has_its_schemas_and_reads_under_any_name(build: Path, tmp_path: Path) -> None:
    public, staff = tmp_path / "public/warehouse.duckdb", tmp_path / "staff/warehouse.duckdb"
    with duckdb.connect() as con:
        copy_schemas(con, build, public, PUBLIC_SCHEMAS, lambda text: None)
        copy_for_staff(con, build, staff, STAFF_SCHEMAS)
    expected = {"reference.areas", "published.figures", "published.v_figures", "published.v_rounded"}
    for path, more in ((public, set()), (staff, {"conformed.fct_persons"})):
        assert not list(path.parent.glob("*.wal"))
        assert NUMBER.encode() not in path.read_bytes()
        with duckdb.connect() as con:
            con.execute(f"attach '{path}' as elsewhere (read_only)")
            con.execute("use elsewhere")
            assert relations(con) == expected | more
            assert con.execute("from published.v_figures").fetchall() == [(13,)]
    with duckdb.connect(str(build), read_only=True) as con, duckdb.connect(str(staff), read_only=True) as copied:
        assert content_of(con, "conformed", "fct_persons") == content_of(copied, "conformed", "fct_persons")


@pytest.mark.parametrize("name", ["conformed.links", "staging.rows"])
def test_a_table_whose_rows_would_stay_in_the_file_refuses_it(build: Path, tmp_path: Path, name: str) -> None:
    with duckdb.connect(str(build)) as con:
        con.execute(f"create table {name} as select '{NUMBER}' as study_id")
    with duckdb.connect() as con, pytest.raises(ReleaseError, match=name):
        copy_for_staff(con, build, tmp_path / "staff/warehouse.duckdb", STAFF_SCHEMAS)
