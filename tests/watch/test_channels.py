"""Mail and webhooks, to servers on this machine: what arrives, and what happens when it does not."""

from datetime import timedelta

import pytest

from hims_pipeline.watch import alert_book
from hims_pipeline.watch.tell import tell
from tests.lake.test_tampering import refuse
from tests.watch.conftest import LOG, NOW, alerts, kinds_told, night


def mail(port: int, to: str = "engineer@observatory.example", **more: object) -> dict:
    here = {"host": "127.0.0.1", "port": port, "security": "none", "sender": "hims@observatory.example", "to": [to]}
    return {"name": "mail", "kind": "email", **here, **more}


def test_a_mail_arrives_with_the_letter_and_only_once(watched, smtp) -> None:
    port, taken = smtp
    alerts(watched, channels=[mail(port)], disk_free_percent=0)
    refuse(watched, "census", "2025")
    night(watched, NOW, ("The disk is full",))
    for minutes in range(3):
        tell(watched, now=NOW + timedelta(minutes=minutes))
    (one,) = taken
    assert one["To"] == "engineer@observatory.example"
    assert one["Subject"].startswith("[HIMS test] URGENT: A night failed, and 1 more")
    assert one["Message-ID"].endswith(".mail@observatory.example>")
    text = one.get_body().get_content()
    assert text.index("== Data, for their senders") < text.index("== Code")
    (letter,) = one.iter_attachments()
    assert letter.get_filename().startswith("census_2025_")
    assert letter.get_content_type() == "text/html"
    assert "renvoyer l&#39;envoi entier." in letter.get_content()


def test_a_server_that_is_down_is_tried_again_later_each_time_with_the_same_id(watched, smtp) -> None:
    port, taken = smtp
    alerts(watched, channels=[mail(1), LOG], disk_free_percent=0)
    night(watched, NOW, ("a reason",))
    assert tell(watched, now=NOW) == 1
    assert kinds_told(watched) == ["night-failed"]  # one channel does not wait for another
    (waiting,) = alert_book.read(watched).outbox
    assert (waiting.attempts, waiting.trouble) == (1, "Connection refused")
    tell(watched, now=NOW + timedelta(seconds=30))
    assert alert_book.read(watched).outbox[0].attempts == 1
    tell(watched, now=NOW + timedelta(minutes=2))
    assert alert_book.read(watched).outbox[0].attempts == 2
    alerts(watched, channels=[mail(port), LOG], disk_free_percent=0)
    assert tell(watched, now=NOW + timedelta(hours=2)) == 0
    assert taken[0]["Message-ID"] == f"<{waiting.id}.mail@observatory.example>"


def test_a_channel_that_takes_nothing_for_long_is_told_through_another(watched, smtp) -> None:
    alerts(watched, channels=[mail(smtp[0], to="nobody@observatory.example"), LOG], disk_free_percent=0)
    night(watched, NOW, ("a reason",))
    for hours in (0, 3, 7):
        tell(watched, now=NOW + timedelta(hours=hours))
    assert kinds_told(watched) == ["night-failed", "alerts-unsent"]
    assert "SMTPRecipientsRefused" in alert_book.read(watched).outbox[0].trouble


def test_a_webhook_gets_text_and_facts_with_its_token(watched, receiver, monkeypatch) -> None:
    monkeypatch.setenv("HIMS_ALERT_TOKEN", "hush-4711")
    monkeypatch.setenv("HIMS_ALERT_URL", receiver.url)
    hook = {"name": "chat", "kind": "webhook", "url_env": "HIMS_ALERT_URL", "token_env": "HIMS_ALERT_TOKEN"}
    alerts(watched, channels=[hook | {"classes": ["code"]}], disk_free_percent=0)
    refuse(watched, "census", "2025")
    night(watched, NOW, ("a reason",))
    tell(watched, now=NOW)
    ((headers, record),) = receiver.taken
    assert headers["Authorization"] == "Bearer hush-4711"
    assert headers["Idempotency-Key"].startswith("chat-")
    assert "A night failed" in record["text"]
    assert [one["kind"] for one in record["alerts"]] == ["night-failed"]  # the classes that it takes
    assert "hush-4711" not in (watched.alerts / alert_book.BOOK).read_text(encoding="utf-8")


@pytest.mark.parametrize(("answer", "why"), [(500, "127.0.0.1 answered 500"), (302, "127.0.0.1 answered 302")])
def test_a_webhook_that_answers_otherwise_took_nothing(watched, receiver, answer: int, why: str) -> None:
    receiver.answer = answer
    alerts(watched, channels=[{"name": "chat", "kind": "webhook", "url": receiver.url}], disk_free_percent=0)
    night(watched, NOW, ("a reason",))
    assert tell(watched, now=NOW) == 1
    assert alert_book.read(watched).outbox[0].trouble == why


def test_a_secret_that_is_not_there_is_told_by_its_name(watched, monkeypatch) -> None:
    monkeypatch.delenv("HIMS_ALERT_URL", raising=False)
    alerts(watched, channels=[{"name": "chat", "kind": "webhook", "url_env": "HIMS_ALERT_URL"}], disk_free_percent=0)
    night(watched, NOW, ("a reason",))
    tell(watched, now=NOW)
    assert alert_book.read(watched).outbox[0].trouble == "HIMS_ALERT_URL is not set"


def test_a_systemd_credential_is_a_secret(receiver, watched, monkeypatch, tmp_path) -> None:
    (tmp_path / "HIMS_ALERT_URL").write_text(f"{receiver.url}\n", encoding="utf-8")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    alerts(watched, channels=[{"name": "chat", "kind": "webhook", "url_env": "HIMS_ALERT_URL"}], disk_free_percent=0)
    night(watched, NOW, ("a reason",))
    assert tell(watched, now=NOW) == 0


def test_a_channel_of_another_environment_is_silent(watched, receiver) -> None:
    channel = {"name": "chat", "kind": "webhook", "url": receiver.url, "on_in": ["prod"]}
    alerts(watched, channels=[channel], disk_free_percent=0)
    night(watched, NOW, ("a reason",))
    assert (tell(watched, now=NOW), receiver.taken) == (0, [])
