"""The leak scan: invented persons in every place of every format and in every fault, one night, and then every byte
outside the identified zone (and all that was printed) is searched for them. `make leak-scan`; a smaller one is a test.

Searched for, of each person: name, family name, numbers; plain, in other encodings and escapes, as hexadecimal digits,
base64 at all three alignments, and as hashes without a key.
"""

import argparse
import base64
import hashlib
import html
import itertools
import json
import os
import shutil
import sqlite3
import sys
import tempfile
import unicodedata
import urllib.parse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.lake import landing
from hims_pipeline.lake.files import private_folder
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sql import literal, quote
from tests.privacy.nights import run_nights
from tests.privacy.persons import Person, people
from tests.privacy.seeded import source_of, variants, write_contract
from tests.privacy.seeded_formats import FORMATS

WINDOW, BLOCK = 7, 4 << 20
HASHES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")


@dataclass(frozen=True)
class Needle:
    person: int
    form: str
    content: bytes

    @property
    def digits_alone(self) -> bool:
        return self.form == "plain" and self.content.isdigit()


def needles(persons: Sequence[Person]) -> list[Needle]:
    """Everything to look for; forms shorter than the window say too little and are left out."""
    found = {}
    for number, person in enumerate(persons):
        for word in person.words:
            for form, content in _forms(word):
                if len(content) >= WINDOW:
                    found.setdefault(content, Needle(number, form, content))
    return list(found.values())


def _forms(word: str) -> Iterator[tuple[str, bytes]]:
    for text in dict.fromkeys((word, word.lower(), word.upper(), unicodedata.normalize("NFD", word))):
        plain = text.encode()
        yield "plain", plain
        yield "JSON", json.dumps(text)[1:-1].encode()
        yield "Python", ascii(text)[1:-1].encode()
        yield "Python bytes", repr(plain)[2:-1].encode()
        yield "URL", urllib.parse.quote(text).encode()
        yield "HTML", html.escape(text).encode("ascii", "xmlcharrefreplace")
        for encoding in ("utf-16-le", "utf-16-be", "utf-32-le", "cp1252", "cp437"):
            yield encoding, text.encode(encoding, "ignore")
        yield "hex", plain.hex().encode()
        yield "hex", plain.hex().upper().encode()
        yield from (("base64", one) for one in _base64(plain))
        for name in HASHES:
            digest = hashlib.new(name, plain, usedforsecurity=False).digest()
            yield name, digest
            yield name, digest.hex().encode()
            yield name, base64.b64encode(digest).rstrip(b"=")


def _base64(plain: bytes) -> Iterator[bytes]:
    """What stays the same whatever stands before and behind, at each of the three alignments."""
    for shift in range(3):
        whole = (len(plain) + shift) // 3 * 3 - shift
        yield base64.b64encode(b"\0" * shift + plain[:whole])[(0, 2, 3)[shift] :]
        yield base64.urlsafe_b64encode(b"\0" * shift + plain[:whole])[(0, 2, 3)[shift] :]


class Scanner:
    """Finds any of many needles in bytes: a table over the first three bytes leaves few places to look at."""

    def __init__(self, wanted: Iterable[Needle]) -> None:
        self.by_start: dict[bytes, list[Needle]] = {}
        for one in wanted:
            self.by_start.setdefault(one.content[:WINDOW], []).append(one)
        self.table = np.zeros(1 << 24, dtype=bool)
        for start in self.by_start:
            self.table[start[0] | start[1] << 8 | start[2] << 16] = True
        self.longest = max(len(one.content) for group in self.by_start.values() for one in group)

    def hits(self, content: bytes) -> set[Needle]:
        found: set[Needle] = set()
        for begin in range(0, len(content), BLOCK):
            block = np.frombuffer(content, np.uint8, offset=begin)[: BLOCK + self.longest].astype(np.uint32)
            if len(block) < WINDOW:
                break
            keys = block[:-2] | block[1:-1] << 8 | block[2:] << 16
            for place in np.flatnonzero(self.table[keys]) + begin:
                for one in self.by_start.get(content[place : place + WINDOW], ()):
                    if content.startswith(one.content, place) and _whole(one, content, int(place)):
                        found.add(one)
        return found


def _whole(one: Needle, content: bytes, place: int) -> bool:
    """Eight digits within a longer number are chance."""
    around = content[max(place - 1, 0) : place] + content[place + len(one.content) : place + len(one.content) + 1]
    return not (one.digits_alone and any(chr(byte).isdigit() for byte in around))


def contents(path: Path) -> Iterator[bytes]:
    """The bytes of a file, and what stands in it where it is packed."""
    yield path.read_bytes()
    if path.suffix == ".parquet":
        with duckdb.connect() as con:
            yield _rows(con, f"read_parquet({literal(path)})")
            yield str(con.execute(f"from parquet_kv_metadata({literal(path)})").fetchall()).encode()
    elif path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as con:
            for schema, table in con.execute("select schema_name, table_name from duckdb_tables()").fetchall():
                yield _rows(con, f"{quote(schema)}.{quote(table)}")
    elif path.suffix == ".db":
        with sqlite3.connect(path) as lite:
            for (table,) in lite.execute("select name from sqlite_master where type = 'table'").fetchall():
                yield "\n".join(map(str, lite.execute(f"select * from {quote(table)}").fetchall())).encode()


def _rows(con: duckdb.DuckDBPyConnection, relation: str) -> bytes:
    texts = con.execute(
        f"select column_name from (describe from {relation}) where column_type in ('VARCHAR', 'UUID', 'BIGINT')"
    ).fetchall()
    columns = [f"select distinct {quote(name)}::varchar as v from {relation}" for (name,) in texts]
    if not columns:
        return b""
    # Column by column: DuckDB never ends where many groupings of one large table are fetched together.
    return "\n".join(v or "" for column in columns for (v,) in con.execute(column).fetchall()).encode()


def scan(home: Path, persons: Sequence[Person], printed: dict[str, str] | None = None) -> list[str]:
    """Where persons were found outside the identified zone; empty when all is well."""
    scanner, found = Scanner(needles(persons)), []
    places: list[tuple[str, Iterable[bytes]]] = [(name, [text.encode()]) for name, text in (printed or {}).items()]
    for path in sorted(home.rglob("*")):
        inside = path.relative_to(home)
        if inside.parts[0] != "identified":
            places.append((f"the name of {inside.parent}/…", [str(inside).encode()]))
            if path.is_file() and not path.is_symlink():
                places.append((str(inside), contents(path)))
    for name, parts in places:
        hits = set[Needle]().union(*(scanner.hits(part) for part in parts))
        if hits:
            forms = ", ".join(sorted({one.form for one in hits}))
            found.append(f"{name}: {len({one.person for one in hits})} person(s), {forms}")
    return found


def make_data(folder: Path) -> Path:
    """A copy of data/ with the contracts of the seeded sources."""
    shutil.copytree(REPOSITORY / "data", folder)
    for form in FORMATS:
        write_contract(folder, form)
    return folder


def deliver(settings: Settings, persons: Sequence[Person], forms: Iterable[str]) -> dict[str, tuple[str, Delivery]]:
    """Put every variant of the formats into landing; batch -> (what is wrong with it, the delivery)."""
    found, endless = {}, itertools.cycle(persons)
    outside = private_folder(settings.identified) / "outgoing"
    for form in forms:
        contract = load_contracts(settings.data)[source_of(form)]
        for number, (what, files) in enumerate(variants(form, endless)):
            outside.mkdir()
            for name, content in files.items():
                (outside / name).write_bytes(content)
            delivery, _ = landing.take_over(settings, contract, str(1950 + number), sorted(outside.iterdir()))
            found[delivery.batch] = (what, delivery)
            shutil.rmtree(outside)
    return found


def main() -> int:
    """Deliver everything, run nights with all that may come between them, and search."""
    asked = argparse.ArgumentParser(prog="python -m tests.privacy.leak_scan")
    asked.add_argument("--only", action="append", choices=[*FORMATS], help="this format; all without it")
    forms = asked.parse_args().only or [*FORMATS]
    folder = Path(tempfile.mkdtemp(prefix="hims-leak-scan-"))
    try:
        home, persons = folder / "home", people(50)
        settings = Settings(REPOSITORY, make_data(folder / "data"), REPOSITORY / "expectations", home, env="test")
        sent = deliver(settings, persons, forms)
        print(f"{len(sent)} deliveries with {len(persons)} persons; now the nights", flush=True)
        found = scan(home, persons, run_nights(settings, persons, folder / "second.key"))
        print("\n".join(found) or f"0 hits outside the identified zone, for {len(needles(persons)):,} spellings")
        return 1 if found else 0
    finally:
        for place, _, _ in os.walk(folder):
            Path(place).chmod(0o700)
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
