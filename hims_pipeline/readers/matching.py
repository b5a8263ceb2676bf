"""Which file of a delivery is which entity: by its name, each file once, a data file of CSPro for all its records."""

from dataclasses import replace

from hims_pipeline.contracts.model import Contract, matches
from hims_pipeline.lake.periods import periods_named
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.findings import block
from hims_pipeline.readers.shape import TableShape
from hims_pipeline.words import our_text, words


def match(
    contract: Contract, shapes: dict[str, TableShape], members: list[Member], period: str, complete: bool
) -> tuple[dict[str, Member], list[Finding]]:
    """Entity -> its file, with the codebook that goes with it, and what is wrong with the delivery as a whole.

    Args:
        complete: False where an archive could not be opened: then nothing is called missing.
    """
    taken: dict[str, Member] = {}
    books: dict[str, Member] = {}
    findings = []
    for member in members:
        if contract.is_companion(member.name, period):
            findings += _add_book(shapes, books, member)
            continue
        takers = contract.takers(member.name, period)
        if not takers:
            findings.append(_refuse_unknown(contract, shapes, member))
        elif twice := [name for name in takers if name in taken]:
            findings.append(
                block(
                    "ENVELOPE-TWICE",
                    words(
                        "is a second file for {entity}, beside {other}; send one",
                        entity=our_text(twice[0]),
                        other=taken[twice[0]].shown,
                    ),
                    member.shown,
                    entity=twice[0],
                )
            )
        else:
            taken |= dict.fromkeys(takers, member)
    if complete:
        findings += _find_missing(shapes, taken)
    findings += _find_other_periods(contract, shapes, taken, period)
    members_by_entity = {
        name: attach_books(contract, member, list(books.values()), period) for name, member in taken.items()
    }
    return members_by_entity, findings


def _find_other_periods(
    contract: Contract, shapes: dict[str, TableShape], taken: dict[str, Member], period: str
) -> list[Finding]:
    """Where no column states the period, the name of a file is all that may tell that it is another one's."""
    findings = []
    for name, member in taken.items():
        stated, named = shapes[name].entity.period, sorted(periods_named(contract, member.name))
        if (stated and stated.columns) or contract.period.kind == "edition" or not named or period in named:
            continue
        message = words(
            "its name says {named}, it was sent for {period}, and no column tells which is right. If it is of {named}, "
            "send it for that",
            named=our_text(" and ".join(named)),
            period=our_text(period),
        )
        findings.append(replace(block("ENVELOPE-NAME", message, member.shown, entity=name), severity="warning"))
    return findings


def expected_files(shapes: dict[str, TableShape]) -> str:
    """The files of a delivery in words: `persons: persons_*.csv; codebook: *.xml`."""
    globs = dict.fromkeys(glob for shape in shapes.values() if (glob := shape.format.companion))
    messages = [f"{name}: {' or '.join(shape.entity.files)}" for name, shape in shapes.items()]
    return "; ".join([*messages, *(f"codebook: {glob}" for glob in globs)])


def _add_book(shapes: dict[str, TableShape], books: dict[str, Member], member: Member) -> list[Finding]:
    """Note for which glob a codebook was sent; a second one leaves open which holds."""
    globs = dict.fromkeys(glob for shape in shapes.values() if (glob := shape.format.companion))
    findings = []
    for glob in globs:
        if not matches(member.name, glob):
            continue
        if glob in books:
            message = words("is a second codebook, beside {other}; send the one that holds", other=books[glob].shown)
            findings.append(block("ENVELOPE-TWICE", message, member.shown))
        else:
            books[glob] = member
    return findings


def _refuse_unknown(contract: Contract, shapes: dict[str, TableShape], member: Member) -> Finding:
    expected = expected_files(shapes)
    message = words(
        "is no file of {source}; its contract expects {expected}. Rename it or leave it out",
        source=our_text(contract.source),
        expected=our_text(expected),
    )
    return block("ENVELOPE-UNKNOWN-FILE", message, member.shown)


def _find_missing(shapes: dict[str, TableShape], taken: dict[str, Member]) -> list[Finding]:
    return [
        block(
            "ENVELOPE-MISSING-ENTITY",
            words(
                "no file for {name} was sent ({files}); send the whole delivery",
                name=our_text(name),
                files=our_text(" or ".join(shape.entity.files)),
            ),
            entity=name,
        )
        for name, shape in shapes.items()
        if shape.entity.required and name not in taken
    ]


def attach_books(contract: Contract, member: Member, books: list[Member], period: str) -> Member:
    """A data file with the codebook that goes with it, and the records that are read from it."""
    forms = [contract.format_in(name, period) for name in contract.takers(member.name, period)]
    globs = [form.companion for form in forms if form.companion]
    fitting = [book for book in books if any(matches(book.name, glob) for glob in globs)]
    records = tuple(form.record for form in forms if form.record)
    return replace(member, codebook=fitting[0] if fitting else None, records=records)
