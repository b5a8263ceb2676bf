"""Whose connection it is, as the kernel's tables tell it."""

import os

import pytest

from hims_pipeline.ui import peer

CLIENT, SERVER = ("127.0.0.1", 40000), ("127.0.0.1", 3000)
HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
MAPPED = "0000000000000000FFFF0000"


def line(uid: int, state: str = "01", prefix: str = "", local: str = "0100007F:9C40") -> str:
    return f"   0: {prefix}{local} {prefix}0100007F:0BB8 {state} 00000000:00000000 00:00000000 00000000 {uid:5} 0 1\n"


@pytest.mark.parametrize(
    ("first", "second", "ours"),
    [
        (line(os.geteuid()), "", True),
        (line(0), "", True),
        (line(os.geteuid() + 1), "", False),
        (line(0, state="06"), "", False),  # closed already: the kernel says root of it, whoever it was
        (line(os.geteuid(), local="0100007F:9C41"), "", False),
        ("", line(os.geteuid(), prefix=MAPPED), True),
        ("", line(os.geteuid() + 1, prefix=MAPPED), False),
        ("", "", False),
    ],
)
def test_the_account_of_a_connection(tmp_path, monkeypatch, first, second, ours) -> None:
    tables = (tmp_path / "tcp", tmp_path / "tcp6")
    for table, text in zip(tables, (first, second), strict=True):
        table.write_text(HEAD + text)
    monkeypatch.setattr(peer, "TABLES", tables)
    assert peer.is_of_account(CLIENT, SERVER) is ours
    assert peer.is_of_account(None, SERVER) is False


def test_where_the_kernel_has_no_table_the_cookie_alone_counts(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(peer, "TABLES", (tmp_path / "none",))
    assert peer.is_of_account(CLIENT, SERVER)
