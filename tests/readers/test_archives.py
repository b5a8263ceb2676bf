"""Archives: opened with caps, names inside shown and matched but never used as paths."""

import gzip
import io
import tarfile
import zipfile

import pytest

GOOD = b"id,name,birth,weight\n1,Ali,2000-02-29,1.5\n"
HOUSES = b"id\n1\n"
TWO = {
    "people": {
        "title": {"en": "P"},
        "grain": "p",
        "files": ["people*.txt*"],
        "columns": [{"name": n} for n in ("id", "name", "birth", "weight")],
    },
    "houses": {"title": {"en": "H"}, "grain": "h", "files": ["house*.txt*"], "columns": [{"name": "id"}]},
}


def zipped(entries: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_a_zip_with_folders_and_doubled_suffixes(read):
    entries = {"Q1/": b"", "Q1/People_1.txt.txt": GOOD, "Q1/in/house.txt": HOUSES, "__MACOSX/._People_1.txt": b"x"}
    seen = read({"sent.zip": zipped(entries)}, entities=TWO)
    assert seen.findings == ()
    assert {name: file.sent_as for name, file in seen.result.entities.items()} == {
        "people": "file 1, member 1",
        "houses": "file 1, member 2",
    }


def test_gzip_is_told_by_its_bytes_not_by_its_name(read):
    for name, content in (
        ("people.csv.gz", gzip.compress(GOOD)),
        ("people.csv", gzip.compress(GOOD)),
        ("people.csv.gz", GOOD),
    ):
        assert read({name: content}).findings == ()


def test_what_is_missing_unknown_or_doubled_is_named(read):
    seen = read({"people1.txt": GOOD, "people2.txt": GOOD, "notes.pdf": b"%PDF"}, entities=TWO)
    assert sorted(seen.rules) == ["ENVELOPE-MISSING-ENTITY", "ENVELOPE-TWICE", "ENVELOPE-UNKNOWN-FILE"]
    assert "people2.txt" in seen.text
    assert "houses: house*.txt*" in seen.text


def test_an_entity_that_is_not_required_may_be_missing(read):
    entities = {**TWO, "houses": {**TWO["houses"], "required": False}}
    assert read({"people.txt": GOOD}, entities=entities).findings == ()


def test_findings_of_all_files_come_at_once(read):
    seen = read({"people.txt": GOOD[:-1], "house.txt": b"di\n1\n"}, entities=TWO)
    assert {finding.entity for finding in seen.findings} == {"people", "houses"}


@pytest.mark.parametrize(
    "name", ["../people.txt", "/people.txt", "a/../../people.txt", "C:\\people.txt", "..\\people.txt"]
)
def test_an_entry_that_leaves_its_folder_is_refused(read, name):
    seen = read({"sent.zip": zipped({name: GOOD})})
    assert seen.rules == ["ENVELOPE-ARCHIVE-PATH"]


def test_links_nested_archives_and_too_many_entries_are_refused(read):
    link = zipfile.ZipInfo("people.txt")
    link.external_attr = 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert read({"sent.zip": out.getvalue()}).rules == ["ENVELOPE-ARCHIVE-PATH"]
    assert read({"sent.zip": zipped({"people.txt": zipped({"a": b"b"})})}).rules == ["ENVELOPE-ARCHIVE-NESTED"]
    many = zipped({f"people{n}.txt": GOOD for n in range(101)})
    assert read({"sent.zip": many}).rules == ["ENVELOPE-ARCHIVE-LIMIT"]


def test_a_bomb_is_stopped_on_the_way(read):
    bomb = gzip.compress(bytes(120_000_000), compresslevel=1)
    seen = read({"people.csv.gz": bomb})
    assert seen.rules == ["ENVELOPE-ARCHIVE-LIMIT"]
    assert not list(seen.settings.scratch.glob("read-*"))
    small = read({"people.csv.gz": gzip.compress(GOOD)}, limits={"unpacked_bytes": 10})
    assert small.rules == ["ENVELOPE-ARCHIVE-LIMIT"]


def test_an_encrypted_entry_is_refused(read):
    content = bytearray(zipped({"people.csv": GOOD}))
    for magic, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + place] |= 1
    seen = read({"sent.zip": bytes(content)})
    assert "password" in seen.text


def test_a_damaged_entry_is_refused(read):
    content = bytearray(zipped({"people.csv": GOOD}))
    content[45] ^= 0xFF
    assert read({"sent.zip": bytes(content)}).rules == ["ENVELOPE-ARCHIVE"]


def test_a_million_entries_are_refused_without_opening_them(read):
    many = zipped({f"{n}": b"" for n in range(30_000)})
    seen = read({"sent.zip": many})
    assert seen.rules == ["ENVELOPE-ARCHIVE-LIMIT"]
    assert "entries; at most 100" in seen.text


@pytest.mark.parametrize("outer", ["plain", "gzip"])
def test_a_tar_archive_is_called_so(read, outer):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz" if outer == "gzip" else "w") as archive:
        entry = tarfile.TarInfo("people.csv")
        entry.size = len(GOOD)
        archive.addfile(entry, io.BytesIO(GOOD))
    seen = read({"people.tar": out.getvalue()})
    assert [finding.rule for finding in seen.findings] == [
        {"plain": "ENVELOPE-KIND", "gzip": "ENVELOPE-ARCHIVE-NESTED"}[outer]
    ]
    assert "is a tar archive" in seen.text


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"RDX3\nX\n", "R"),
        (b"{\\rtf1 x}", "Rich Text"),
        (b"\0\x01\0\0Standard Jet DB\0", "Access"),
        (b"\0" * 12 + b"\xc2\xea\x81\x60", "SAS"),
        ("id\n1\n".encode("utf-32"), "UTF-32"),
    ],
)
def test_what_other_programs_write_is_called_by_its_name(read, head, what):
    assert what in read({"people.csv": head}).text


def test_what_systems_put_into_archives_is_passed_over(read):
    assert read({"sent.zip": zipped({"people.csv": GOOD, "._people.csv": b"\0", "~$people.csv": b"x"})}).findings == ()
