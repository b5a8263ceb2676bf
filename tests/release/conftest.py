"""Small releases, bound and published by the same code as large ones."""

from pathlib import Path

import duckdb
import pytest

from hims_pipeline.release import acts, proof, store
from hims_pipeline.settings import REPOSITORY, Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    home = tmp_path / "home"
    return Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", home, env="test")


def candidate(settings: Settings, release_id: str, value: float = 1.0) -> Path:
    """A candidate with one figure, ready for the last step of publishing."""
    folder = settings.build / release_id / "release"
    facts = {
        "release": release_id,
        "published_at": "2026-01-01T00:00:00+00:00",
        "contains_synthetic_data": True,
        "sources": [],
        "tables": {"published.indicator_value": {"rows": 1, "content_hash": "0"}},
        "inputs_sha256": f"inputs of {release_id}",
    }
    for part in proof.PARTS:
        (folder / part).mkdir(parents=True)
        con = duckdb.connect(str(folder / part / "warehouse.duckdb"))
        con.execute("create schema published")
        con.execute(
            f"""create table published.indicator_value as select 'P01.1' as series_key, '2024' as time_period,
                '_Z' as vintage, 'P01' as indicator, 'census' as source, {value}::double as obs_value,
                'A' as obs_status, 'F' as conf_status, null::double as standard_error"""
        )
        con.close()
    proof.write_manifests(settings, folder, dict.fromkeys(proof.PARTS, facts))
    proof.make_durable(settings, folder)
    return folder


def make(settings: Settings, release_id: str, value: float = 1.0) -> store.Release:
    """A small release as `publish` leaves it."""
    acts.place(settings, candidate(settings, release_id, value), release_id, f"inputs of {release_id}")
    return store.get(settings, release_id)
