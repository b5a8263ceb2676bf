"""Where the door stands: behind a proxy in production, once an installation, and nothing else open."""

import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.datastructures import Headers

from hims_pipeline.defs import services
from hims_pipeline.errors import Busy, HimsError
from hims_pipeline.privacy.keys import create_key
from hims_pipeline.ui.sockets import hold_daemon, open_here, open_to_proxy


def test_behind_a_proxy_its_word_counts_and_a_role_is_needed(behind) -> None:
    operator = {"x_forwarded_user": "amina", "x_hims_role": "operator"}
    viewer = operator | {"x_hims_role": "viewer"}
    assert behind.graphql(behind.limiting(6), **viewer).status == 403
    assert behind.graphql(behind.limiting(6), **operator).status == 200
    assert behind.limit == 6
    last = json.loads((behind.settings.home / "audit.jsonl").read_text().splitlines()[-1])
    assert last["visitor"] == "amina"
    for wrong in (
        {},
        {"x_forwarded_user": "amina"},
        {"x_hims_role": "operator"},
        operator | {"x_hims_role": "admin"},
        operator | {"x_forwarded_user": " "},
        operator | {"x_forwarded_user": "amina\nroot"},
        operator | {"x_hims_role": "viewer\noperator"},
    ):
        assert behind.ask("GET", "/", **wrong).status == 401, wrong
    assert behind.graphql(behind.limiting(7), **operator, origin="https://evil.example").status == 403
    assert behind.ask("GET", "/", **operator, host="127.0.0.1").status == 421


def test_the_socket_is_the_proxys_alone(behind, tmp_path) -> None:
    assert stat.S_IMODE(Path(behind.address).stat().st_mode) == 0o600
    with open_to_proxy(tmp_path / "ui.sock", "root", ("pages.example.org",)):
        assert stat.S_IMODE((tmp_path / "ui.sock").stat().st_mode) == 0o660
    with pytest.raises(HimsError, match="no_such"), open_to_proxy(tmp_path / "u", "no_such", ("a",)):
        pass
    with pytest.raises(HimsError, match="--name"), open_to_proxy(tmp_path / "u", None, ()):
        pass
    tmp_path.chmod(0o777)
    with pytest.raises(HimsError, match="others cannot write"), open_to_proxy(tmp_path / "u", None, ("a",)):
        pass


def test_production_has_no_door_without_a_proxy(tmp_path) -> None:
    create_key(tmp_path / "key")
    own = {"HIMS_ENV": "prod", "HIMS_HOME": str(tmp_path / "home"), "HIMS_KEY_FILE": str(tmp_path / "key")}
    command = [sys.executable, "-m", "hims_pipeline.cli", "ui"]
    told = subprocess.run(command, env=os.environ | own, capture_output=True, text=True, check=False, timeout=120)
    assert (told.returncode, "--socket" in told.stderr) == (1, True), told.stderr


def test_an_installation_has_one_door(here) -> None:
    with hold_daemon(here.settings), pytest.raises(Busy, match="runs already"), hold_daemon(here.settings):
        pass
    with pytest.raises(HimsError, match="--port"), open_here(here.settings, here.address[1]):
        pass


def test_the_code_servers_socket_lies_in_a_folder_of_ours_alone(here, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    folder = services._private_folder(here.settings)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert services._private_folder(here.settings) == folder
    folder.chmod(0o755)
    with pytest.raises(HimsError, match="remove it"):
        services._private_folder(here.settings)


@pytest.mark.parametrize(("read_only", "role"), [(True, "viewer"), (False, "operator")])
def test_where_pages_are_read_only_everybody_is_a_viewer(tmp_path, read_only: bool, role: str) -> None:
    sent = Headers({"x-forwarded-user": "amina", "x-hims-role": "operator"})
    with open_to_proxy(tmp_path / "ui.sock", None, ("a.example",), read_only=read_only) as (_, keeper):
        assert keeper.register.visitor(sent, {}, {}).role == role


def test_pages_apart_say_that_no_daemon_has_run(here, tmp_path) -> None:
    elsewhere = replace(here.settings, home=tmp_path / "none")
    with pytest.raises(HimsError, match="Pages apart need the code server"):
        services.serve_pages(elsewhere, None, None, print)
