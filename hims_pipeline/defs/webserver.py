"""Dagster's own pages behind our door (`ui/`): its webserver with the roles held where a GraphQL operation is run.

It leans on `DagsterWebserver` of the pinned version; `tests/ui` notices when a route, a mutation or a hook changes. Not
here: the processes around it (`services`).
"""

from collections.abc import Callable, Sequence
from typing import Any

from dagster._core.workspace.context import WorkspaceProcessContext, WorkspaceRequestContext
from dagster_webserver.webserver import DagsterWebserver
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from hims_pipeline.ui.door import VISITOR, Door, Doorkeeper
from hims_pipeline.ui.roles import mutations, refusal
from hims_pipeline.ui.visitors import OPERATOR, VIEWER, Visitor

Record = Callable[[Visitor, list[str]], None]
OPEN = frozenset({"/", "/{path:path}", "/graphql", "/server_info", "/dagit_info"})
FOR_OPERATORS = frozenset({"/download_debug/{run_id:str}"})  # a run's whole event log


async def _refuse_route(_: Request) -> Response:
    return PlainTextResponse("Closed: what a run reports, only a run reports, and logs are read on the pages.", 403)


class GuardedWebserver(DagsterWebserver[WorkspaceProcessContext, WorkspaceRequestContext]):
    """Dagster's webserver behind the door.

    Args:
        context: Dagster's instance and code location.
        keeper: what the door lets in.
        record: is told of each mutation before it is run: by whom, and its names.
        own: pages of ours beside Dagster's.
    """

    def __init__(
        self, context: WorkspaceProcessContext, keeper: Doorkeeper, record: Record, own: Sequence[Route]
    ) -> None:
        self._keeper, self._record, self._own = keeper, record, own
        super().__init__(context, live_data_poll_rate=2000)

    def build_middleware(self) -> list[Middleware]:
        return [Middleware(Door, keeper=self._keeper), *super().build_middleware()]

    def build_routes(self) -> list[BaseRoute]:
        """Dagster's routes. What is neither open nor a file of the pages is closed: so is what a later version adds."""
        files = {route.path for route in self.build_static_routes() if isinstance(route, (Route, Mount))}
        return [*self._own, *(self._guard(route, files) for route in super().build_routes())]

    def _guard(self, route: BaseRoute, files: set[str]) -> BaseRoute:
        path = route.path if isinstance(route, (Route, Mount, WebSocketRoute)) else ""
        if path in OPEN | files:
            return route
        if path in FOR_OPERATORS and isinstance(route, Route):
            return Route(path, _require_operator(route), methods=["GET"])
        return Route(path or "/", _refuse_route, methods=["GET", "POST"])

    def _make_request_context(self, conn: HTTPConnection) -> WorkspaceRequestContext:
        """Dagster's context of a request; a viewer's is read-only, so that buttons are grey and Dagster refuses too."""
        process = self._process_context
        return WorkspaceRequestContext(
            instance=process.instance,
            current_workspace=process.get_current_workspace(),
            process_context=process,
            version=process.version,
            source=conn,
            read_only=process.read_only or conn.scope[VISITOR].role == VIEWER,
        )

    async def graphql_http_endpoint(self, request: Request) -> Response:
        """One operation by POST as JSON: nothing is asked or run by GET, in a form, or many at once."""
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if request.method != "POST" or kind != "application/json":
            return PlainTextResponse("GraphQL is asked by POST, as application/json.", 405)
        try:
            asked = await request.json()
        except (ValueError, RecursionError):
            return PlainTextResponse("This is no JSON.", 400)
        if not isinstance(asked, dict) or not isinstance(asked.get("query"), str):
            return PlainTextResponse("One operation with its `query` is expected.", 400)
        return await super().graphql_http_endpoint(request)

    async def execute_graphql_request(
        self, request: Request, query: str, variables: dict[str, Any] | None, operation_name: str | None
    ) -> JSONResponse:
        visitor, names = request.scope[VISITOR], mutations(query)
        if why := refusal(visitor, names):
            return JSONResponse({"data": None, "errors": [{"message": why}]}, 403)
        if names:
            await run_in_threadpool(self._record, visitor, names)
        return await super().execute_graphql_request(request, query, variables, operation_name)

    async def execute_graphql_subscription(
        self,
        websocket: WebSocket,
        operation_id: str,
        query: str,
        variables: dict[str, Any] | None,
        operation_name: str | None,
    ):
        if names := mutations(query):
            return None, {"message": f"Not over a web socket: {', '.join(names)}."}
        return await super().execute_graphql_subscription(websocket, operation_id, query, variables, operation_name)


def _require_operator(route: Route) -> Callable:
    async def answer(request: Request) -> Response:
        if request.scope[VISITOR].role != OPERATOR:
            return PlainTextResponse("This is for operators.", 403)
        return await route.endpoint(request)

    return answer


def guarded_app(
    context: WorkspaceProcessContext, keeper: Doorkeeper, record: Record, own: Sequence[Route]
) -> Starlette:
    """Dagster's pages and ours behind the door, as an ASGI application."""
    return GuardedWebserver(context, keeper, record, own).create_asgi_app()
