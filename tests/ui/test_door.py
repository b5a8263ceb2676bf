"""Who comes in through the door of Dagster's pages, and from where."""

import json
import os
import stat
import subprocess
import sys

import pytest

ASKED = '{"query": "{ version }"}'


@pytest.mark.parametrize(
    "path", ["/", "/server_info", "/assets", "/manifest.json", "/graphql", "/report_asset_check/landing/rgph"]
)
def test_nobody_comes_in_without_a_token(here, path) -> None:
    assert here.ask("GET", path).status == 401
    assert here.ask("POST", path, ASKED, origin=here.origin, content_type="application/json").status == 401


@pytest.mark.parametrize(
    "cookie", ["hims_door=x", "hims_door_{port}=", "hims_door_{port}=é", "hims_door_{port}={token}"]
)
def test_no_other_cookie_is_taken(here, cookie) -> None:
    token = here.links["operator"].split("=", 1)[1]
    assert here.ask("GET", "/", cookie=cookie.format(port=here.address[1], token=token)).status == 401


def test_a_token_becomes_a_cookie_that_pages_elsewhere_cannot_use(here) -> None:
    token = here.links["viewer"].split("=", 1)[1]
    answer = here.ask("GET", f"/runs?view=all&token={token}")
    assert (answer.status, answer.getheader("location")) == (303, "/runs?view=all")
    assert {"HttpOnly", "SameSite=strict"} <= set(answer.getheader("set-cookie").split("; "))
    assert here.ask("GET", "/", cookie=answer.getheader("set-cookie").split(";")[0]).status == 200
    assert here.ask("GET", "/?token=wrong").status == 401
    assert here.ask("GET", f"//elsewhere.org/?token={token}").getheader("location") == "/elsewhere.org/"


def test_the_addresses_are_kept_for_this_account_alone(here) -> None:
    kept = here.settings.home / "dagster/door.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text()) == here.links


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another account")
def test_an_operators_cookie_that_another_account_got_hold_of_opens_nothing(here) -> None:
    code = (
        "import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]));"
        "c.request('GET', '/server_info', headers={'cookie': sys.argv[2]}); print(c.getresponse().status)"
    )
    for role, expected in (("operator", "401"), ("viewer", "200")):
        command = [sys.executable, "-c", code, str(here.address[1]), here.cookie(role)]
        asked = {"capture_output": True, "text": True, "check": False, "cwd": "/"}
        other = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command], **asked)
        assert (other.stdout.strip(), subprocess.run(command, **asked).stdout.strip()) == (expected, "200"), (
            other.stderr
        )


# ---- from where


FOREIGN = [
    {"host": "evil.example"},
    {"host": "127.0.0.1"},
    {"host": "127.0.0.1:{port}\nevil.example"},
    {"host": "127.0.0.1:{port}.evil.example"},
    {"origin": "https://evil.example"},
    {"origin": "http://127.0.0.1:1"},
    {"origin": "https://127.0.0.1:{port}"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:{port}\nhttps://evil.example"},
    {"sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "same-site"},
    {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=lambda headers: " ".join(headers.values()))
def test_what_a_foreign_page_sends_is_refused(here, headers) -> None:
    sent = {name: value.format(port=here.address[1]) for name, value in headers.items()}
    own, before = {"cookie": here.cookie("operator")}, here.limit
    assert here.ask("GET", "/", **(own | sent)).status in (403, 421)
    assert here.graphql(here.limiting(71), **(own | sent)).status in (403, 421)
    assert here.limit == before


def test_what_no_page_sent_starts_nothing(here) -> None:
    own = {"cookie": here.cookie("operator"), "content_type": "application/json"}
    assert here.ask("POST", "/graphql", json.dumps({"query": here.limiting(72)}), **own).status == 403
    assert here.limit != 72


def test_a_link_elsewhere_leads_to_a_page_and_nothing_else(here) -> None:
    linked = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    own = {"cookie": here.cookie("operator")}
    assert here.ask("GET", "/runs", **(own | linked)).status == 200
    assert here.graphql(here.limiting(73), **(own | linked)).status == 403


def test_no_page_frames_ours(here) -> None:
    answer = here.ask("GET", "/", cookie=here.cookie("viewer"))
    assert answer.getheader("x-frame-options") == "DENY"
    policies = answer.headers.get_all("content-security-policy")
    assert any("script-src 'nonce-" in one for one in policies), "Dagster's own policy holds beside ours"
    assert "frame-ancestors 'none'" in policies
