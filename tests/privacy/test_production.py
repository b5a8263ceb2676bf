"""Production starts only in a closed home with a real key out of reach, and opens a personal source only with its legal
record besides."""

import base64
from dataclasses import replace

import pytest

from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import HimsError
from hims_pipeline.privacy.file_modes import make_home
from hims_pipeline.privacy.keys import DEMONSTRATION_KEY, create_key
from hims_pipeline.privacy.production import check_installation, check_personal_source
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
    settings = Settings(
        REPOSITORY, tmp_path / "d", tmp_path / "e", home, env="prod", key_file=tmp_path / "key"
    )  # fmt: skip
    make_home(settings)
    return settings


def test_all_in_order_passes(prod):
    check_installation(prod)
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
    prod.links.rmdir()
    prod.identified.rmdir()
    with pytest.raises(HimsError, match="does not exist"):
        check_personal_source(prod, contract())


def test_other_sources_and_other_environments_are_not_held_to_it(prod, tmp_path):
    bare = Settings(REPOSITORY, tmp_path / "d", tmp_path / "e", tmp_path / "bare")
    check_personal_source(bare, contract())
    check_personal_source(
        Settings(REPOSITORY, bare.data, bare.expectations, bare.home, env="prod"), contract(personal=False)
    )


OPEN = [("", 0o755), ("identified", 0o750), ("identified/links", 0o700), ("validated", 0o755), ("bronze", 0o711)]
OPEN += [("dagster", 0o705), ("build", 0o755), ("releases", 0o777), ("releases/r000001/staff", 0o755)]
OPEN += [("releases/r000001/public", 0o777), ("audit.jsonl", 0o644), ("anything", 0o755)]


@pytest.mark.parametrize(("place", "mode"), OPEN)
def test_an_open_home_is_refused_and_the_mending_said(prod, place, mode):
    path = prod.home / place
    if place.endswith("jsonl"):
        path.touch()
    path.mkdir(parents=True, exist_ok=True) if not path.exists() else None
    for made in (path, *path.parents):
        if made.is_relative_to(prod.releases) and made != path:
            made.chmod(0o755)
    path.chmod(mode)
    if place == "identified/links":  # closed: the counterproof
        return check_installation(prod)
    with pytest.raises(HimsError, match=f"chmod 0[0-7]{{3}} {path}"):
        check_installation(prod)
    with pytest.raises(HimsError, match=f"chmod 0[0-7]{{3}} {path}"):
        check_personal_source(prod, contract())
    return check_installation(replace(prod, env="dev"))


def test_a_folder_above_that_others_can_write_in_is_refused(prod, tmp_path):
    tmp_path.chmod(0o770)
    with pytest.raises(HimsError, match=f"chmod go-w {tmp_path}"):
        check_installation(prod)
    tmp_path.chmod(0o1777)  # as /tmp: nobody can rename what is not his
    check_installation(prod)


def test_a_key_within_the_installation_is_refused(prod):
    for folder in (prod.home, prod.identified, prod.data, prod.expectations):
        folder.mkdir(exist_ok=True)
        inside = folder / "k" / "key"
        create_key(inside)
        with pytest.raises(HimsError, match="lies inside"):
            check_installation(replace(prod, key_file=inside))


def test_a_key_that_others_can_open_or_replace_is_refused(prod, tmp_path):
    (tmp_path / "key").chmod(0o440)
    with pytest.raises(HimsError, match="chmod 0400"):
        check_installation(prod)
    create_key(tmp_path / "keys/key")
    (tmp_path / "keys").chmod(0o777)
    with pytest.raises(HimsError, match="can be written by others"):
        check_installation(replace(prod, key_file=tmp_path / "keys/key"))


FORMS = {
    "bytes": DEMONSTRATION_KEY,
    "hexadecimal": DEMONSTRATION_KEY.hex().encode() + b"\n",
    "upper": DEMONSTRATION_KEY.hex().upper().encode(),
    "blocks": DEMONSTRATION_KEY.hex(" ", 4).encode(),
    "colons": DEMONSTRATION_KEY.hex(":").encode(),
    "prefixed": b"0x" + DEMONSTRATION_KEY.hex().encode(),
    "base64": base64.b64encode(DEMONSTRATION_KEY),
    "urlsafe": base64.urlsafe_b64encode(DEMONSTRATION_KEY).rstrip(b"="),
    "among others": b"key = " + DEMONSTRATION_KEY.hex().encode() + b" # ours",
    "phrase": b"hims demonstration key: protects nobody",
}


@pytest.mark.parametrize("form", FORMS)
def test_the_demonstration_key_is_refused_however_it_is_written(prod, tmp_path, form):
    (tmp_path / "other").write_bytes(FORMS[form])
    (tmp_path / "other").chmod(0o400)
    with pytest.raises(HimsError, match="demonstration key"):
        check_installation(replace(prod, key_file=tmp_path / "other"))


def test_no_key_is_refused(prod):
    with pytest.raises(HimsError, match="HIMS_KEY_FILE"):
        check_installation(replace(prod, key_file=None))
