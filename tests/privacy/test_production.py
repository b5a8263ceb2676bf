"""In production a personal source is opened only with its legal record, a real key and a closed zone."""

import pytest

from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import HimsError
from hims_pipeline.privacy.keys import create_key
from hims_pipeline.privacy.production import check_personal_source
from hims_pipeline.settings import REPOSITORY, Settings


def contract(**changes) -> Contract:
    column = {"name": "cin", "sensitivity": "identifier"}
    entity = {"title": {"en": "P"}, "grain": "a person", "files": ["*"], "columns": [column]}
    return Contract.model_validate(
        {
            "source": "register",
            "title": {"en": "Register"},
            "description": "For tests.",
            "data_kind": "real",
            "personal": True,
            "owner": {"institution": "none", "contact": "none"},
            "licence": {"name": "none", "attribution": "none", "redistributable": False},
            "purpose": "tests",
            "legal": {"basis": "a law", "record": "no. 12 of 2024", "retention_years": 1},
            "cadence": "annual",
            "period": {"pattern": "year"},
            "clock": "none",
            "universe": "all",
            "duration_rule": "NONE",
            "measure_type": "stock",
            "entities": {"people": entity},
        }
        | changes
    )


@pytest.fixture
def prod(tmp_path) -> Settings:
    create_key(tmp_path / "key")
    home = tmp_path / "home"
    (home / "identified").mkdir(parents=True, mode=0o700)
    return Settings(REPOSITORY, home / "d", home / "e", home, env="prod", key_file=tmp_path / "key")


def test_all_in_order_passes(prod):
    check_personal_source(prod, contract())


def test_a_legal_record_is_needed(prod):
    with pytest.raises(HimsError, match="legal basis and record"):
        check_personal_source(prod, contract(legal={"basis": "a law", "retention_years": 1}))


def test_everything_that_is_missing_is_said_at_once(prod, tmp_path):
    prod.identified.chmod(0o750)
    open_home = Settings(prod.project, prod.data, prod.expectations, prod.home, env="prod")
    with pytest.raises(HimsError) as raised:
        check_personal_source(open_home, contract(legal={"basis": "a law", "retention_years": 1}))
    assert all(words in str(raised.value) for words in ("legal", "HIMS_KEY_FILE", "chmod 0700"))
    prod.identified.rmdir()
    with pytest.raises(HimsError, match="does not exist"):
        check_personal_source(prod, contract())


def test_other_sources_and_other_environments_are_not_held_to_it(prod, tmp_path):
    bare = Settings(REPOSITORY, tmp_path / "d", tmp_path / "e", tmp_path / "bare")
    check_personal_source(bare, contract())
    check_personal_source(
        Settings(REPOSITORY, bare.data, bare.expectations, bare.home, env="prod"), contract(personal=False)
    )
