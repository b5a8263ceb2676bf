"""Whom an installation tells of what: the `alerts` of `data/observatory.yml`.

Secrets are named and never written: `password_env: HIMS_ALERT_SMTP_PASSWORD` is a variable of the environment, or a
systemd credential of that name. Not here: what is told (`watch.alert_kinds`), and how it is sent (`watch.channels`).
"""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from hims_pipeline.contracts.basics import Positive, Strict, Whole

Class = Literal["data", "machine", "code"]
Environment = Literal["dev", "test", "prod"]
CLASSES: tuple[Class, ...] = ("data", "machine", "code")
ENVIRONMENTS: tuple[Environment, ...] = ("dev", "test", "prod")
LOCAL = ("localhost", "127.0.0.1", "::1")
Address = Annotated[str, Field(pattern=r"^[^\s<>@,;]+@[^\s<>@,;]+$")]
Secret = Annotated[str, Field(pattern=r"^HIMS_ALERT_[A-Z0-9_]+$")]
ChannelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]


class _Channel(Strict):
    """A way to people.

    Args:
        name: of the channel, by which its state is kept.
        classes: which classes of alerts it takes: `data`, `machine`, `code`.
        digest: whether it takes the weekly digest.
        on_in: the environments in which it is used.
    """

    name: ChannelName
    classes: tuple[Class, ...] = CLASSES
    digest: bool = True
    on_in: tuple[Environment, ...] = ENVIRONMENTS


class Email(_Channel):
    """By SMTP. Without encryption only to this machine.

    Args:
        host, port: of the server.
        security: `starttls`, `tls` from the first byte, or `none`.
        sender: address it comes from.
        to: addresses it goes to.
        user, password_env: for a server that asks who one is.
    """

    kind: Literal["email"]
    host: str
    port: Positive = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: Address
    to: Annotated[tuple[Address, ...], Field(min_length=1)]
    user: str | None = None
    password_env: Secret | None = None

    @model_validator(mode="after")
    def _check_guard(self) -> "Email":
        if self.security == "none" and (self.host not in LOCAL or self.user):
            raise ValueError("without encryption mail goes to a server on this machine only, and without a password")
        if (self.user is None) != (self.password_env is None):
            raise ValueError("`user` and `password_env` stand together")
        return self


class Webhook(_Channel):
    """By POST of a JSON object whose member `text` chat services show.

    Args:
        url: the address, without a secret in it; or
        url_env: the name of what holds the address, where the address itself is the secret.
        token_env: sent as `Authorization: Bearer …`.
    """

    kind: Literal["webhook"]
    url: str | None = None
    url_env: Secret | None = None
    token_env: Secret | None = None

    @model_validator(mode="after")
    def _check_address(self) -> "Webhook":
        if (self.url is None) == (self.url_env is None):
            raise ValueError("give one of `url` and `url_env`")
        if self.url is not None:
            check_url(self.url)
            if urlsplit(self.url).query or urlsplit(self.url).username:
                raise ValueError("this address seems to hold a secret: put it into the environment and name `url_env`")
        return self


def check_url(url: str) -> None:
    """Refuse an address to which alerts would go in the open.

    Raises:
        ValueError: it is no https, nor http on this machine.
    """
    parts = urlsplit(url)
    if not (parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL))):
        raise ValueError("the address must be https, or http on this machine")


class AlertFile(_Channel):
    """Into a file, one JSON object a line.

    Args:
        path: absolute, or within the installation's `alerts/`.
    """

    kind: Literal["file"]
    path: str = "told.jsonl"


Channel = Annotated[Email | Webhook | AlertFile, Field(discriminator="kind")]


class OverdueDays(Strict):
    """Days after the end of the period that is expected next, by the cadence of its contract, until it is overdue. What
    is irregular never is."""

    monthly: Whole = 45
    quarterly: Whole = 75
    annual: Whole = 365
    decennial: Whole = 730


class Alerts(Strict):
    """What people are told, and when.

    Args:
        channels: ways to people.
        overdue_days: when a source is overdue.
        disk_free_percent: below this share of free space a disk is told to be filling up; never less than two builds.
        night_grace_minutes: a night that has not begun this long after its time was missed.
        lock_hours: whoever holds the installation longer than this hangs.
        backup_within_days: how old the last backup may be; absent where backups are made by others.
        digest: weekday of the digest; absent for none.
        runbooks: where the pages of docs/runbooks are served, `https://…/`; absent for their place in the repository.
    """

    channels: tuple[Channel, ...] = ()
    overdue_days: OverdueDays = OverdueDays()
    disk_free_percent: Annotated[int, Field(strict=True, ge=0, le=90)] = 10
    night_grace_minutes: Positive = 90
    lock_hours: Positive = 6
    backup_within_days: Positive | None = None
    digest: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] | None = "monday"
    runbooks: str | None = None

    @model_validator(mode="after")
    def _check_names(self) -> "Alerts":
        names = [channel.name for channel in self.channels]
        if len(set(names)) < len(names):
            raise ValueError("two channels have one name")
        return self
