"""Which account of this machine a loopback connection comes from, as the kernel tells it."""

import os
import socket
import struct
from pathlib import Path

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
ESTABLISHED = "01"  # of others the kernel no longer knows the account
Address = tuple[str, int]


def is_of_account(client: Address | None, server: Address | None) -> bool:
    """Does the other end of a connection belong to our account or to root? Where the kernel has no such table, True."""
    if not TABLES[0].exists():
        return True
    if client is None or server is None:
        return False
    wanted = (_write_address(client), _write_address(server))
    for table in TABLES:
        for line in table.read_text(encoding="ascii").splitlines()[1:] if table.exists() else ():
            _, local, remote, state, *rest = line.split()
            if (_shorten(local), _shorten(remote)) == wanted and state == ESTABLISHED:
                return int(rest[3]) in (0, os.geteuid())
    return False


def _write_address(address: Address) -> str:
    """An IPv4 address and port as the table writes them."""
    (number,) = struct.unpack("=I", socket.inet_aton(address[0]))
    return f"{number:08X}:{address[1]:04X}"


def _shorten(written: str) -> str:
    """An IPv4 address that an IPv6 socket uses, as of IPv4."""
    mapped = "0000000000000000FFFF0000"
    return written.removeprefix(mapped) if written.startswith(mapped) else written
