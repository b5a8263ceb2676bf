"""Who comes in through the door of Dagster's pages, from where, and what they may start there."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from dagster_graphql.schema import create_schema
from dagster_webserver.webserver import DagsterWebserver
from starlette.routing import Mount, Route, WebSocketRoute
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from hims_pipeline.defs import services
from hims_pipeline.defs.webserver import FOR_OPERATORS as ROUTES_FOR_OPERATORS
from hims_pipeline.defs.webserver import OPEN
from hims_pipeline.errors import Busy, HimsError
from hims_pipeline.lake import trail
from hims_pipeline.privacy.keys import create_key
from hims_pipeline.ui.roles import FOR_NOBODY, FOR_OPERATORS, mutations
from hims_pipeline.ui.sockets import only_one, opened_here, opened_to_proxy

SCHEMA = create_schema().graphql_schema
ASKED = '{"query": "{ version }"}'
CLOSED_PATHS = (
    "/logs/a/b/out",
    "/notebook",
    "/dagit/notebook",
    "/report_asset_check/landing/rgph",
    "/report_asset_materialization/release/current",
    "/report_asset_observation/landing/rgph",
)


def limit(number: int) -> str:
    """A mutation that changes the instance at once, so that a test sees whether it ran."""
    return f'mutation {{ setConcurrencyLimit(concurrencyKey: "trial", limit: {number}) }}'


def limit_of(house) -> int | None:
    return {one.name: one.limit for one in house.instance.event_log_storage.get_pool_limits()}.get("trial")


# ---- who


@pytest.mark.parametrize("path", ["/", "/server_info", "/assets", "/manifest.json", "/graphql", *CLOSED_PATHS])
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
    own, before = {"cookie": here.cookie("operator")}, limit_of(here)
    assert here.ask("GET", "/", **(own | sent)).status in (403, 421)
    assert here.graphql(limit(71), **(own | sent)).status in (403, 421)
    assert limit_of(here) == before


def test_what_no_page_sent_starts_nothing(here) -> None:
    own = {"cookie": here.cookie("operator"), "content_type": "application/json"}
    assert here.ask("POST", "/graphql", json.dumps({"query": limit(72)}), **own).status == 403
    assert limit_of(here) != 72


def test_a_link_elsewhere_leads_to_a_page_and_nothing_else(here) -> None:
    linked = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    own = {"cookie": here.cookie("operator")}
    assert here.ask("GET", "/runs", **(own | linked)).status == 200
    assert here.graphql(limit(73), **(own | linked)).status == 403


def test_no_page_frames_ours(here) -> None:
    answer = here.ask("GET", "/", cookie=here.cookie("viewer"))
    assert answer.getheader("x-frame-options") == "DENY"
    policies = answer.headers.get_all("content-security-policy")
    assert any("script-src 'nonce-" in one for one in policies), "Dagster's own policy holds beside ours"
    assert "frame-ancestors 'none'" in policies


# ---- what


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_not_known(here, method) -> None:
    assert here.ask(method, "/graphql", cookie=here.cookie("operator"), origin=here.origin).status == 405


def test_nothing_runs_by_get_in_a_form_or_many_at_once(here) -> None:
    own = {"cookie": here.cookie("operator"), "origin": here.origin}
    query = "/graphql?query=" + limit(74).replace(" ", "%20").replace('"', "%22")
    as_json, as_text = {"content_type": "application/json"}, {"content_type": "text/plain; application/json"}
    form = {"content_type": "application/x-www-form-urlencoded"}
    tried = [
        here.ask("GET", query, **own),
        here.ask("GET", query, **own, accept="text/html"),
        here.ask("HEAD", query, **own),
        here.ask("POST", query, "", **own),
        here.ask("POST", query, "a=b", **own, **form),
        here.ask("POST", query, "{}", **own, **as_json),
        here.ask("POST", "/graphql", json.dumps({"query": limit(74)}), **own, **as_text),
        here.ask("POST", "/graphql", limit(74), **own, content_type="application/graphql"),
        here.ask("POST", "/graphql", json.dumps([{"query": limit(74)}]), **own, **as_json),
        here.ask("POST", "/graphql", "not json", **own, **as_json),
    ]
    assert {answer.status for answer in tried} <= {400, 405}
    assert limit_of(here) != 74


def test_an_operator_starts_things_and_the_audit_trail_says_so(here) -> None:
    answer = here.graphql(limit(5), cookie=here.cookie("operator"))
    assert (answer.status, limit_of(here)) == (200, 5)
    last = json.loads((here.settings.home / "audit.jsonl").read_text().splitlines()[-1])
    assert (last["role"], last["mutations"]) == ("operator", ["setConcurrencyLimit"])
    assert last["visitor"]
    assert trail.check(here.settings).damage == []


HIDDEN = [
    limit(75),
    "query Looks { version } " + limit(75).replace("mutation", "mutation Runs"),
    limit(75).replace("set", "other: set"),
    'mutation { ...f } fragment f on Mutation { setConcurrencyLimit(concurrencyKey: "trial", limit: 75) }',
    'mutation { ... on Mutation { setConcurrencyLimit(concurrencyKey: "trial", limit: 75) } }',
    "\ufeff# query { version }\n" + limit(75),
]


@pytest.mark.parametrize("query", HIDDEN)
def test_a_viewer_looks_and_starts_nothing(here, query) -> None:
    own, trail = {"cookie": here.cookie("viewer")}, here.settings.home / "audit.jsonl"
    before = trail.read_text() if trail.exists() else ""
    assert here.graphql("{ version }", **own).status == 200
    asked = json.dumps({"query": query, "operationName": "Runs"} if "Runs" in query else {"query": query})
    answer = here.ask("POST", "/graphql", asked, **own, origin=here.origin, content_type="application/json")
    assert answer.status == 403
    assert "operators" in answer.text
    assert limit_of(here) != 75
    assert (trail.read_text() if trail.exists() else "") == before


def test_a_viewers_buttons_are_grey(here) -> None:
    asked = "{ permissions { permission value } }"
    for role, some in (("viewer", False), ("operator", True)):
        answer = here.graphql(asked, cookie=here.cookie(role))
        assert answer.status == 200, answer.text[:600]
        told = json.loads(answer.text)["data"]["permissions"]
        assert any(one["value"] for one in told) is some


def test_each_mutation_of_the_schema_has_a_role() -> None:
    assert set() == FOR_OPERATORS & FOR_NOBODY
    assert set(SCHEMA.mutation_type.fields) == FOR_OPERATORS | FOR_NOBODY


@pytest.mark.parametrize("name", sorted(SCHEMA.mutation_type.fields))
def test_each_mutation_is_refused_to_those_who_may_not(here, name) -> None:
    """Asked without what it needs: whoever may run it hears that, and whoever may not does not get so far."""
    query = f"mutation {{ {name}(nonsense: 1) {{ nonsense }} }}"
    assert mutations(query) == [name]
    assert here.graphql(query, cookie=here.cookie("viewer")).status == 403
    expected = 403 if name in FOR_NOBODY else 400
    assert here.graphql(query, cookie=here.cookie("operator")).status == expected


def test_a_mutation_that_is_not_known_is_refused_to_all(here) -> None:
    assert here.graphql("mutation { launchEverything }", cookie=here.cookie("operator")).status == 403


def test_what_a_run_reports_only_a_run_reports(here) -> None:
    own = {"cookie": here.cookie("operator"), "origin": here.origin, "content_type": "application/json"}
    for path in CLOSED_PATHS:
        for method in ("GET", "POST"):
            assert here.ask(method, path, '{"check_name": "gate", "passed": true}', **own).status == 403, path
    assert here.ask("GET", "/download_debug/some", cookie=here.cookie("viewer")).status == 403


def test_each_route_of_the_webserver_is_known(here) -> None:
    """A route that a later version adds is closed, and this says that someone must look at it."""

    class Routes(DagsterWebserver):
        def __init__(self) -> None:
            self._app_path_prefix, self._uses_app_path_prefix = "", False

    plain = Routes()
    kinds = (Route, Mount, WebSocketRoute)
    files = {one.path for one in plain.build_static_routes() if isinstance(one, kinds)}
    known = {one.path for one in plain.build_routes() if isinstance(one, kinds)} - files
    closed = {path for path in known if any(path.split("{")[0].rstrip("/") in one for one in CLOSED_PATHS)} - OPEN
    assert known == OPEN | ROUTES_FOR_OPERATORS | closed
    assert len(closed) == len(CLOSED_PATHS)


# ---- web sockets


def over_socket(house, query: str, **headers: str) -> dict:
    """What a page hears that asks for something over Dagster's web socket."""
    address = f"ws://127.0.0.1:{house.address[1]}/graphql"
    origin = headers.pop("origin", house.origin)
    with connect(address, origin=origin, subprotocols=["graphql-ws"], additional_headers=headers) as socket:
        socket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(socket.recv(10))["type"] == "connection_ack"
        socket.send(json.dumps({"type": "start", "id": "1", "payload": {"query": query}}))
        return json.loads(socket.recv(10))


def test_a_web_socket_has_the_same_door(here) -> None:
    cookie = here.cookie("operator")
    for headers in ({}, {"cookie": cookie, "origin": "https://evil.example"}, {"cookie": cookie, "origin": None}):
        with pytest.raises(InvalidStatus, match="403"):
            over_socket(here, "{ version }", **headers)


def test_nothing_is_started_over_a_web_socket(here) -> None:
    told = over_socket(here, limit(76), cookie=here.cookie("operator"))
    assert (told["type"], "Not over a web socket" in told["payload"]["message"]) == ("error", True)
    assert limit_of(here) != 76


# ---- in production


def test_behind_a_proxy_its_word_counts_and_a_role_is_needed(behind) -> None:
    operator = {"x_forwarded_user": "amina", "x_hims_role": "operator"}
    viewer = operator | {"x_hims_role": "viewer"}
    assert behind.graphql(limit(6), **viewer).status == 403
    assert behind.graphql(limit(6), **operator).status == 200
    assert limit_of(behind) == 6
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
    assert behind.graphql(limit(7), **operator, origin="https://evil.example").status == 403
    assert behind.ask("GET", "/", **operator, host="127.0.0.1").status == 421


def test_the_socket_is_the_proxys_alone(behind, tmp_path) -> None:
    assert stat.S_IMODE(Path(behind.address).stat().st_mode) == 0o600
    with opened_to_proxy(tmp_path / "ui.sock", "root", ("pages.example.org",)):
        assert stat.S_IMODE((tmp_path / "ui.sock").stat().st_mode) == 0o660
    with pytest.raises(HimsError, match="no_such"), opened_to_proxy(tmp_path / "u", "no_such", ("a",)):
        pass
    with pytest.raises(HimsError, match="--name"), opened_to_proxy(tmp_path / "u", None, ()):
        pass
    tmp_path.chmod(0o777)
    with pytest.raises(HimsError, match="others cannot write"), opened_to_proxy(tmp_path / "u", None, ("a",)):
        pass


def test_production_has_no_door_without_a_proxy(tmp_path) -> None:
    create_key(tmp_path / "key")
    own = {"HIMS_ENV": "prod", "HIMS_HOME": str(tmp_path / "home"), "HIMS_KEY_FILE": str(tmp_path / "key")}
    command = [sys.executable, "-m", "hims_pipeline.cli", "ui"]
    told = subprocess.run(command, env=os.environ | own, capture_output=True, text=True, check=False, timeout=120)
    assert (told.returncode, "--socket" in told.stderr) == (1, True), told.stderr


def test_an_installation_has_one_door(here) -> None:
    with only_one(here.settings), pytest.raises(Busy, match="runs already"), only_one(here.settings):
        pass
    with pytest.raises(HimsError, match="--port"), opened_here(here.settings, here.address[1]):
        pass


def test_the_code_servers_socket_lies_in_a_folder_of_ours_alone(here, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    folder = services._private_folder(here.settings)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert services._private_folder(here.settings) == folder
    folder.chmod(0o755)
    with pytest.raises(HimsError, match="remove it"):
        services._private_folder(here.settings)
