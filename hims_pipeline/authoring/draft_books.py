"""For a first contract of text at fixed places: which file is the codebook, and what tables it describes."""

import re
from collections.abc import Iterator
from dataclasses import replace

from hims_pipeline.authoring.dialect import Dialect, guess_dialect, guess_encoding, slug
from hims_pipeline.contracts.formats import Format
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.files.signatures import kind_of
from hims_pipeline.readers.formats.codebook import Codebook, Description
from hims_pipeline.readers.formats.cspro.database import record_columns
from hims_pipeline.readers.formats.cspro.read import read_dictionary
from hims_pipeline.readers.formats.ddi import ddi_records, read_ddi, read_ddi_labels
from hims_pipeline.settings import Settings

_CODEBOOK = re.compile(rb"\s*(?:<[?!].*?>\s*)*<([\w.-]+:)?codeBook[\s>]", re.S)
_DICTIONARY = re.compile(rb'^\s*(\[Dictionary\]|\{.*"fileType"\s*:\s*"dictionary")', re.S | re.I)


def is_book(member: Member) -> bool:
    """A DDI-Codebook or a dictionary of CSPro, by its first bytes."""
    return _begins(member, _CODEBOOK) or _is_dictionary(member)


def _is_dictionary(member: Member) -> bool:
    return _begins(member, _DICTIONARY)


def _begins(member: Member, pattern: re.Pattern[bytes]) -> bool:
    with member.path.open("rb") as file:
        return bool(pattern.match(file.read(4096).removeprefix(b"\xef\xbb\xbf")))


def _read_labelled_text(settings: Settings, member: Member, book: Member) -> tuple[Dialect, Description] | None:
    """Delimited text whose header names variables of a DDI-Codebook, with their labels; None for other text."""
    if kind_of(member.path) != "text":
        return None
    seen, labels = guess_dialect(settings, member.path), read_ddi_labels(book.path, member.name)
    shared = set(seen.names) & set(labels.names)
    return (seen, Description(labels)) if 2 * len(shared) > len(seen.names) else None


def database_tables(member: Member) -> Iterator[tuple[str, Member, Dialect, Description]]:
    """The records in a database of CSPro, as `tables_of` gives those of a text.

    Raises:
        DataError: it is no such database.
    """
    records = record_columns(member.path)
    data = replace(member, records=tuple(records))
    for name, columns in records.items():
        yield (
            slug(name),
            data,
            Dialect(Format(type="cspro", record=name), columns),
            Description(Codebook(columns, {}, {}, {})),
        )


def tables_of(settings: Settings, member: Member, book: Member) -> Iterator[tuple[str, Member, Dialect, Description]]:
    """The tables in a data file: name, file with codebook, format and names, places and labels.

    Raises:
        DataError: the codebook cannot be read.
    """
    encoding, remark = guess_encoding(member.path)
    remarks = (remark,) if remark else ()
    glob = f"*.{book.name.rpartition('.')[2]}"
    if not _is_dictionary(book) and (seen := _read_labelled_text(settings, member, book)):
        yield slug(member.name), member, *seen
        return
    if not _is_dictionary(book):
        types = ddi_records(book.path, member.name)
        kinds = tuple(kind for kind, _ in types)
        several: list[tuple[str | None, str]] = [*types] or [(None, "records")]
        for kind, label in several:
            described = read_ddi(book.path, member.name, kind)
            form = Format(type="fixed_width", codebook=glob, encoding=encoding, record=kind)
            data = replace(member, codebook=book, records=kinds)
            yield slug(label or f"record {kind}"), data, Dialect(form, described.codebook.names, remarks), described
        return
    dictionary = read_dictionary(book.path, encoding)
    names = tuple(record.name for record in dictionary.records)
    for record in dictionary.records:
        described = dictionary.describe_record(record)
        form = Format(
            type="cspro", codebook=glob if glob.lower() != "*.dcf" else None, record=record.name, encoding=encoding
        )
        name = slug(record.name.lower().removesuffix("_rec"))
        data = replace(member, codebook=book, records=names)
        yield name, data, Dialect(form, described.codebook.names, remarks), described
