"""Sending one message through one channel: mail, webhook, file. What fails is told by kind, since a server's own words
and addresses with a secret in them are not ours to repeat. Not here: what is sent, and when again (`tell`)."""

import errno
import http.client
import json
import smtplib
import socket
import ssl
import urllib.error
import urllib.request
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hims_pipeline.contracts.alerts import AlertFile, Channel, Email, Webhook, check_url
from hims_pipeline.settings import Settings, secret
from hims_pipeline.watch.alert_book import Message
from hims_pipeline.words import printable

SECONDS = 20  # for a server to answer
NO_WAY_OUT = frozenset({errno.EAFNOSUPPORT, errno.EPERM, errno.EACCES, errno.ENETUNREACH})


class Unsent(Exception):
    """A channel did not take a message; `from_here`: this process may not reach the network, another one will."""

    def __init__(self, why: str, *, from_here: bool = False) -> None:
        super().__init__(why)
        self.from_here = from_here


def send(settings: Settings, channel: Channel, message: Message) -> None:
    """Send a message.

    Raises:
        Unsent: it was not taken; says why, without a secret.
    """
    try:
        if isinstance(channel, Email):
            _send_mail(channel, message)
        elif isinstance(channel, Webhook):
            _post(channel, message)
        else:
            _append(settings, channel, message)
    except Unsent:
        raise
    except (smtplib.SMTPException, http.client.HTTPException, ssl.SSLError) as error:
        code = getattr(error, "smtp_code", "")
        raise Unsent(f"{type(error).__name__} {code}".strip()) from None
    except (urllib.error.URLError, OSError) as error:
        cause = getattr(error, "reason", error)
        number = getattr(cause, "errno", None)
        why = getattr(cause, "strerror", None) or type(cause).__name__
        closed = number in NO_WAY_OUT or isinstance(cause, socket.gaierror)  # no names without a network
        raise Unsent(why, from_here=closed) from None


def _require_secret(name: str) -> str:
    value = secret(name)
    if value is None:
        raise Unsent(f"{name} is not set")
    return value


def _send_mail(channel: Email, message: Message) -> None:
    mail = EmailMessage()
    mail["Subject"] = printable(message.subject)
    mail["From"], mail["To"] = channel.sender, ", ".join(channel.to)
    mail["Date"] = format_datetime(datetime.fromisoformat(message.made))
    # The same when it is sent again, so that a server or reader may drop the second.
    mail["Message-ID"] = f"<{message.id}.{channel.name}@{channel.sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    for name, text in message.letters:
        mail.add_attachment(text, subtype="html", filename=name)
    context = ssl.create_default_context()
    host = socket.getfqdn() or "localhost"
    server: smtplib.SMTP
    if channel.security == "tls":
        server = smtplib.SMTP_SSL(channel.host, channel.port, local_hostname=host, timeout=SECONDS, context=context)
    else:
        server = smtplib.SMTP(channel.host, channel.port, local_hostname=host, timeout=SECONDS)
    with server:
        if channel.security == "starttls":
            server.starttls(context=context)
        if channel.user and channel.password_env:
            server.login(channel.user, _require_secret(channel.password_env))
        server.send_message(mail)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An alert goes where it was told to go, and nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _post(channel: Webhook, message: Message) -> None:
    url = channel.url or _require_secret(channel.url_env or "")
    try:
        check_url(url)
    except ValueError as error:
        raise Unsent(str(error)) from None
    headers = {"Content-Type": "application/json", "Idempotency-Key": f"{channel.name}-{message.id}"}
    if channel.token_env:
        headers["Authorization"] = f"Bearer {_require_secret(channel.token_env)}"
    body = json.dumps(as_record(message), ensure_ascii=False).encode()
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - https, or this machine
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=SECONDS) as answer:
            answer.read(1 << 16)
    except urllib.error.HTTPError as error:
        raise Unsent(f"{urlsplit(url).hostname} answered {error.code}") from None


def _append(settings: Settings, channel: AlertFile, message: Message) -> None:
    """One line; a message that stands there already, from before a kill, is not written again."""
    path = settings.alerts / Path(channel.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(as_record(message), ensure_ascii=False) + "\n"
    with path.open("a+", encoding="utf-8") as file:
        file.seek(0)
        whole = file.read()
        if f'"message": "{message.id}"' in whole:
            return
        file.write(line if whole.endswith("\n") or not whole else f"\n{line}")


def as_record(message: Message) -> dict[str, Any]:
    """A message for programs: `text` is what chat services show."""
    letters = [{"name": name, "text": text} for name, text in message.letters]
    head = {"message": message.id, "at": message.made, "subject": message.subject}
    return head | {"text": f"{message.subject}\n\n{message.text}", **message.facts, "letters": letters}
