"""What a visitor of Dagster's pages may start, by role, over whatever way."""

import json

import pytest
from dagster_graphql.schema import create_schema
from dagster_webserver.webserver import DagsterWebserver
from starlette.routing import Mount, Route, WebSocketRoute
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from hims_pipeline.defs.webserver import FOR_OPERATORS as ROUTES_FOR_OPERATORS
from hims_pipeline.defs.webserver import OPEN
from hims_pipeline.lake import trail
from hims_pipeline.ui.roles import FOR_NOBODY, FOR_OPERATORS, UNREAD, mutations, refusal
from hims_pipeline.ui.visitors import OPERATOR, Visitor

SCHEMA = create_schema().graphql_schema
CLOSED_PATHS = (
    "/logs/a/b/out",
    "/notebook",
    "/dagit/notebook",
    "/report_asset_check/landing/rgph",
    "/report_asset_materialization/release/current",
    "/report_asset_observation/landing/rgph",
)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_not_known(here, method) -> None:
    assert here.ask(method, "/graphql", cookie=here.cookie("operator"), origin=here.origin).status == 405


def test_nothing_runs_by_get_in_a_form_or_many_at_once(here) -> None:
    own = {"cookie": here.cookie("operator"), "origin": here.origin}
    query = "/graphql?query=" + here.limiting(74).replace(" ", "%20").replace('"', "%22")
    as_json, as_text = {"content_type": "application/json"}, {"content_type": "text/plain; application/json"}
    form = {"content_type": "application/x-www-form-urlencoded"}
    tried = [
        here.ask("GET", query, **own),
        here.ask("GET", query, **own, accept="text/html"),
        here.ask("HEAD", query, **own),
        here.ask("POST", query, "", **own),
        here.ask("POST", query, "a=b", **own, **form),
        here.ask("POST", query, "{}", **own, **as_json),
        here.ask("POST", "/graphql", json.dumps({"query": here.limiting(74)}), **own, **as_text),
        here.ask("POST", "/graphql", here.limiting(74), **own, content_type="application/graphql"),
        here.ask("POST", "/graphql", json.dumps([{"query": here.limiting(74)}]), **own, **as_json),
        here.ask("POST", "/graphql", "not json", **own, **as_json),
    ]
    assert {answer.status for answer in tried} <= {400, 405}
    assert here.limit != 74


@pytest.mark.parametrize(
    "path",
    [
        "/%67raphql", "/graphql%2F", "//graphql", "/./graphql", "/x/../graphql", "/graphql%00", "/graphql;a=b",
        "/%2567raphql", "/GRAPHQL", "/report_asset_check%2Flanding%2Frgph", "/%72eport_asset_check/landing/rgph",
        "//report_asset_check/landing/rgph", "/logs/..%2F..%2Fetc/passwd/out", "/%6Cogs/a/b/out",
        "/static/..%2F..%2F..%2Fetc%2Fpasswd",
    ],
)  # fmt: skip
def test_no_spelling_of_a_path_runs_anything_by_get_or_opens_what_is_closed(here, path) -> None:
    own = {"cookie": here.cookie("operator"), "origin": here.origin}
    query = "?query=" + here.limiting(75).replace(" ", "%20").replace('"', "%22")
    answers = [here.ask("GET", path + query, **own), here.ask("POST", path, '{"passed": true}', **own)]
    assert here.limit != 75
    for answer in answers:
        assert "root:" not in answer.text
        assert answer.status in (200, 400, 403, 404, 405)
        assert answer.status != 200 or "<!doctype html>" in answer.text.lower()  # the pages, which any path leads to


def test_what_is_nested_without_end_is_refused(here) -> None:
    own = {"cookie": here.cookie("operator"), "origin": here.origin, "content_type": "application/json"}
    assert here.ask("POST", "/graphql", "[" * 50_000, **own).status == 400
    for depth in (20, 100, 150, 170, 180, 190, 200, 20_000):  # where we give up, Dagster may not yet
        spelt = "... on Mutation {" * depth + here.limiting(76).split("{", 1)[1] + "}" * depth
        answer = here.graphql("mutation {" + spelt, cookie=here.cookie("viewer"))
        assert answer.status == 403
    assert here.limit != 76


def test_what_only_dagster_might_parse_is_run_by_nobody() -> None:
    """Deep in other calls our parser gives up on what another one, called from less deep, reads well."""
    spelt = "mutation {" + "... on Mutation {" * 30 + "reportRunlessAssetEvents" + "}" * 31

    def deep(calls: int) -> list[str]:
        return deep(calls - 1) if calls else mutations(spelt)

    told = [deep(calls) for calls in (0, *range(700, 900, 20))]
    assert told[0] == ["reportRunlessAssetEvents"]
    assert [UNREAD] in told
    assert all(told)
    assert refusal(Visitor("somebody", OPERATOR), [UNREAD])


def test_an_operator_starts_things_and_the_audit_trail_says_so(here) -> None:
    answer = here.graphql(here.limiting(5), cookie=here.cookie("operator"))
    assert (answer.status, here.limit) == (200, 5)
    last = json.loads((here.settings.home / "audit.jsonl").read_text().splitlines()[-1])
    assert (last["role"], last["mutations"]) == ("operator", ["setConcurrencyLimit"])
    assert last["visitor"]
    assert trail.check(here.settings).damage == []


LIMIT = 'mutation { setConcurrencyLimit(concurrencyKey: "trial", limit: 75) }'
HIDDEN = [
    LIMIT,
    "query Looks { version } " + LIMIT.replace("mutation", "mutation Runs"),
    LIMIT.replace("set", "other: set"),
    'mutation { ...f } fragment f on Mutation { setConcurrencyLimit(concurrencyKey: "trial", limit: 75) }',
    'mutation { ... on Mutation { setConcurrencyLimit(concurrencyKey: "trial", limit: 75) } }',
    "\ufeff# query { version }\n" + LIMIT,
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
    assert here.limit != 75
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
    told = over_socket(here, here.limiting(76), cookie=here.cookie("operator"))
    assert (told["type"], "Not over a web socket" in told["payload"]["message"]) == ("error", True)
    assert here.limit != 76
