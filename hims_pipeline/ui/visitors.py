"""Who a request is from: a visitor with a name and a role, by a token of this start or by the word of a proxy."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.datastructures import Headers

from hims_pipeline.ui.peer import is_of_account

OPERATOR, VIEWER = "operator", "viewer"
ROLES = (OPERATOR, VIEWER)


@dataclass(frozen=True)
class Visitor:
    """Whoever passed the door; an operator may start things, a viewer only looks."""

    name: str
    role: str


class Register(Protocol):
    """What tells the visitor of a request."""

    @property
    def how(self) -> str:
        """How to get in, for whoever was not let in."""

    def visitor(self, headers: Headers, cookies: Mapping[str, str], scope: Mapping[str, Any]) -> Visitor | None: ...

    def cookie_for(self, token: str) -> tuple[str, str] | None: ...


def _tokens_by_role() -> dict[str, str]:
    return {role: secrets.token_urlsafe(32) for role in ROLES}


@dataclass(frozen=True)
class Tokens:
    """The door on this machine: a token and a cookie a role, new at each start.

    Browsers send a cookie to every port of a host, so to servers of other accounts too: an operator's is taken from
    connections of this account (or root) alone.
    """

    account: str
    port: int
    tokens: dict[str, str] = field(
        default_factory=lambda: {role: secrets.token_urlsafe(32) for role in ROLES}, repr=False
    )
    secret: dict[str, str] = field(
        default_factory=lambda: {role: secrets.token_urlsafe(32) for role in ROLES}, repr=False
    )
    how: str = (
        "Open the address that `hims ui` printed where it was started; it holds a token. The account that started it "
        "finds it in $HIMS_HOME/dagster/door.json too, and as operator it opens for that account alone."
    )

    @property
    def cookie(self) -> str:
        return f"hims_door_{self.port}"

    def links(self) -> dict[str, str]:
        """Role -> the address that lets a browser in."""
        return {role: f"http://127.0.0.1:{self.port}/?token={token}" for role, token in self.tokens.items()}

    def cookie_for(self, token: str) -> tuple[str, str] | None:
        """Name and value of the cookie that a token is changed into."""
        for role, known in self.tokens.items():
            if secrets.compare_digest(known.encode(), token.encode()):
                return self.cookie, self.secret[role]
        return None

    def visitor(self, headers: Headers, cookies: Mapping[str, str], scope: Mapping[str, Any]) -> Visitor | None:  # noqa: ARG002 - as the protocol has it
        sent = cookies.get(self.cookie, "").encode()
        for role, known in self.secret.items():
            if secrets.compare_digest(known.encode(), sent):
                trusted = role == VIEWER or is_of_account(scope.get("client"), scope.get("server"))
                return Visitor(self.account if role == OPERATOR else VIEWER, role) if trusted else None
        return None


@dataclass(frozen=True)
class Proxy:
    """The door behind a proxy that has asked for names and passwords, on a socket that only the proxy can open.

    Args:
        read_only: everybody is a viewer here, whatever the proxy says.
    """

    read_only: bool = False
    how: str = "The proxy in front did not say who you are (X-Forwarded-User) and as what (X-Hims-Role)."

    def cookie_for(self, token: str) -> tuple[str, str] | None:  # noqa: ARG002 - as the protocol has it
        return None

    def visitor(self, headers: Headers, cookies: Mapping[str, str], scope: Mapping[str, Any]) -> Visitor | None:  # noqa: ARG002 - as the protocol has it
        names, roles = headers.getlist("x-forwarded-user"), headers.getlist("x-hims-role")
        if len(names) != 1 or len(roles) != 1 or not names[0].strip() or roles[0] not in ROLES:
            return None
        return Visitor(names[0].strip(), VIEWER if self.read_only else roles[0])
