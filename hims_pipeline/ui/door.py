"""The door itself, in front of every request: the right host, no foreign origin, a known visitor.

An ASGI middleware. What a visitor may then do stands in `roles`.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hims_pipeline.ui.visitors import Register

VISITOR = "hims.visitor"  # in the scope of a request that was let in
SAFE = ("GET", "HEAD")
HEADERS = {
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
NO_FRAMES = "frame-ancestors 'none'"


@dataclass(frozen=True)
class Doorkeeper:
    """What this door lets in.

    Args:
        hosts: values of `Host` that are this server, with the port where a browser sends one.
        origins: pages of its own, as `Origin` names them.
        register: tells who a request is from.
    """

    hosts: frozenset[str]
    origins: frozenset[str]
    register: Register


class Door:
    """Refuses what does not come from one of our own pages or a known visitor, web sockets included."""

    def __init__(self, app: ASGIApp, keeper: Doorkeeper) -> None:
        self.app, self.keeper = app, keeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        send = _add_headers(send)
        answer = self._refuse_foreign(scope) or self._refuse_unknown(scope)
        if answer is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "refused"})
        else:
            await answer(scope, receive, send)

    def _refuse_foreign(self, scope: Scope) -> Response | None:
        """The refusal of what was not sent by a person's own browser on a page of ours."""
        headers, method = Headers(scope=scope), scope.get("method", "")
        if [host.lower() for host in headers.getlist("host")] not in [[host] for host in self.keeper.hosts]:
            return PlainTextResponse(f"This server is {' or '.join(sorted(self.keeper.hosts))}, nothing else.", 421)
        if scope["type"] == "http" and method not in (*SAFE, "POST"):
            return PlainTextResponse("Only GET and POST are known here.", 405)
        origins = headers.getlist("origin")
        safe = scope["type"] == "http" and method in SAFE
        if origins not in [[own] for own in self.keeper.origins] and not (safe and not origins):
            return PlainTextResponse("This was sent by a page that is not ours (Origin).", 403)
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not (safe and _navigates(headers)):
            return PlainTextResponse("This was sent by a page that is not ours (Sec-Fetch-Site).", 403)
        return None

    def _refuse_unknown(self, scope: Scope) -> Response | None:
        """The way in with a token, or the refusal of whoever is not known."""
        connection, register = HTTPConnection(scope), self.keeper.register
        tokens = connection.query_params.getlist("token") if scope["type"] == "http" else []
        if tokens and scope["method"] == "GET" and (cookie := register.cookie_for(tokens[0])):
            rest = [(name, value) for name, value in connection.query_params.multi_items() if name != "token"]
            place = f"{scope['path']}?{urlencode(rest)}" if rest else scope["path"]
            welcome = RedirectResponse("/" + place.lstrip("/\\"), 303)
            welcome.set_cookie(*cookie, httponly=True, samesite="strict", path="/")
            return welcome
        visitor = register.visitor(connection.headers, connection.cookies, scope)
        if visitor is None:
            return PlainTextResponse(f"This page is closed. {register.how}\n", 401)
        scope[VISITOR] = visitor
        return None


def _navigates(headers: Headers) -> bool:
    """Is a person going to a page of ours by a link elsewhere? Nothing happens by looking."""
    return headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"


def _add_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(HEADERS)
            headers.append("content-security-policy", NO_FRAMES)  # beside Dagster's own: both hold
        await send(message)

    return send_with_headers
