"""A file whose lines are of several types of records: which type a line is of, and how many there are of each."""

from collections.abc import Collection

from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.findings import block, warn
from hims_pipeline.readers.formats.codebook import RecordTypes
from hims_pipeline.readers.formats.fixed_lines import OpenedLines
from hims_pipeline.readers.typing.parts import RECORD, open_for_parts
from hims_pipeline.settings import Settings
from hims_pipeline.words import join_words, senders_text, words

_SHOWN = 5


def count_records(
    settings: Settings, types: RecordTypes, opened: OpenedLines, member: Member, read: Collection[str]
) -> tuple[dict[str, int], list[Finding]]:
    """Lines of each record by its name, and what is wrong with the whole file: lines of no known type, or unread ones.

    Args:
        read: names of the records that some entity is read from; empty where that is not known.
    """
    counts: dict[str, int] = {}
    strange, first = 0, list[int]()
    with open_for_parts(settings, opened.slices) as con:
        for number in range(len(opened.sources)):
            for kind, count, lines in con.execute(
                f"select {types.sql} as kind, count(*), min({RECORD}, {_SHOWN}) "
                f"from {opened.lines(number)} group by kind"
            ).fetchall():
                if kind in types.known:
                    name = types.known[kind]
                    counts[name] = counts.get(name, 0) + count
                else:
                    strange, first = strange + count, sorted([*first, *lines])[:_SHOWN]
    findings = []
    if strange:
        message = words(
            "lines have a record type that the codebook does not know. Send data and codebook that go together"
        )
        more = {"count": strange, "total": opened.envelope.records, "lines": tuple(first)}
        findings.append(block("ENVELOPE-RECORD-TYPE", message, member.shown, **more))
    if unread := {name: n for name, n in counts.items() if read and name not in read}:
        names = list(types.known.values())
        counts_text = join_words(
            words("{name} ({count:,} lines)", name=senders_text(name, f"record {names.index(name) + 1}"), count=count)
            for name, count in sorted(unread.items())
        )
        message = words("holds records that the contract reads into no entity: {records}", records=counts_text)
        findings.append(warn("ENVELOPE-UNREAD-RECORD", message, member.shown))
    return counts, findings
