"""A delivery rehearsed: taken in, judged and built as the night would, in a scratch installation that is thrown away.

What passes here, the night accepts: the same readers, gate, code lists, corrections, suites, models and tests run over
it, and it is compared with the same accepted batches. It is built alone, so what other sources would add to a figure,
what a figure needs of them, and rules that lay two sources beside each other, are not there.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from hims_pipeline import build as building
from hims_pipeline import dbt, intake
from hims_pipeline.authoring.figures import Figures, figures_of
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import HimsError
from hims_pipeline.intake.predecessors import predecessors_of
from hims_pipeline.lake import landing
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.lake.periods import check_period, covers, is_period, periods_named, today_of
from hims_pipeline.settings import Settings
from hims_pipeline.sources import broken_sources
from hims_pipeline.staging import render

if TYPE_CHECKING:  # imports Great Expectations, which takes seconds
    from hims_pipeline.gates.predecessor_evidence import Predecessor
    from hims_pipeline.gates.warehouse import Broken

Log = Callable[[str], None]
RUN = "rehearsal"


@dataclass(frozen=True)
class Rehearsal:
    """What the night would make of a delivery.

    Args:
        refusals: why it would be refused, or held back when figures are built, one sentence each; empty where it would
            be accepted.
        warnings: what would be told beside.
        figures: what it would give; None where it was refused, or figures were not asked for.
    """

    refusals: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    figures: Figures | None = None


def check_source(settings: Settings, source: str) -> Contract:
    """The contract of a source of which everything holds that the night holds it to before a delivery is looked at.

    Raises:
        HimsError: there is no such source, or something of it does not hold; all that is known to be wrong.
    """
    if source in (broken := broken_sources(settings)):
        raise HimsError(broken[source])
    return intake.contract_of(settings, source)


def rehearse(
    settings: Settings,
    contract: Contract,
    paths: Sequence[Path],
    period: str,
    scratch: Path,
    log: Log,
    build: bool = True,
) -> Rehearsal:
    """Take files in as one delivery of a scratch installation, and tell what would come of it.

    Args:
        scratch: an empty folder in the identified zone; the caller removes it.
        build: whether to build the figures too, which takes most of the time.

    Raises:
        HimsError: the period or a file is none that can be delivered, or what the night runs on does not hold: a rule
            that cannot be evaluated, a model or test that fails.
    """
    from hims_pipeline.gates import GateError  # imports Great Expectations, which takes seconds

    there = replace(settings, home=scratch, head_file=None)
    check_period(there, contract, period)
    with installation_lock(there, "rehearsing"):
        delivery, _ = landing.take_over(there, contract, period, list(paths))
        try:
            verdict = intake.take_in(there, delivery, lambda text: None, _predecessors(settings, contract, delivery))
        except GateError as error:  # no fault of the delivery: a rule cannot be evaluated on what the source sends
            raise HimsError(str(error)) from None
        findings = [(finding.severity, finding.full_text()) for finding in verdict.findings]
        refusals = [text for severity, text in findings if severity == "blocking"]
        warnings = [text for severity, text in findings if severity != "blocking"]
        last = covers(contract, period)[1]
        if contract.period.kind == "reference_period" and last > today_of(there):
            warnings.append(
                f"{period} is not over before {last}: figures would be of a part of it, until it is sent again"
            )
        if not verdict.accepted or not build:
            return Rehearsal(refusals, warnings)
        log("It would be accepted. Building what it gives, which takes a minute or so …")
        figures, broken = _build(settings, there, contract)
        refusals += [f"held back: {one.sentence()}" for one in broken if one.severity == "blocking"]
        warnings += [one.sentence() for one in broken if one.severity != "blocking"]
        return Rehearsal(refusals, warnings, figures)


def _predecessors(settings: Settings, contract: Contract, delivery: Delivery) -> list["Predecessor"]:
    """The accepted batches of the installation that the night would compare a delivery with: it comes after all that
    were sent, unless it is one of them."""
    known = landing.deliveries(settings, contract.source)
    same = next((one for one in known if one.batch == delivery.batch), None)
    last = max((one.sequence for one in known), default=0)
    return predecessors_of(settings, contract, same or replace(delivery, sequence=last + 1), known)


def _build(settings: Settings, there: Settings, contract: Contract) -> tuple[Figures, list["Broken"]]:
    """What a delivery gives, and the rules on the warehouse that it breaks by itself."""
    from hims_pipeline.gates.warehouse import judge_warehouse

    known = render.ensure_rendered(settings)  # of the installation itself: the night finds it made
    shutil.copytree(known, there.rendered / known.name, symlinks=True)
    prepared = building.prepare(there, RUN, rehearsal=True)
    try:
        dbt.run_dbt(there, prepared, lambda text: None)
        broken = [one for one in judge_warehouse(there, prepared.warehouse)[1] if one.sources == (contract.source,)]
        return figures_of(there, contract, prepared.warehouse, prepared.tree), broken
    finally:
        building.discard_build(prepared.folder)


def guess_period(settings: Settings, contract: Contract, paths: Sequence[Path]) -> str:
    """The period that files are of where nobody says: that of their folder, the one in their names, else the last that
    is over.

    Raises:
        HimsError: nothing says it, and the contract's periods do not end by the calendar.
    """
    folders = {path.resolve().parent.name for path in paths}
    if len(folders) == 1 and is_period(contract, name := folders.pop()):
        return name
    named = {period for path in paths for period in periods_named(contract, path.name)}
    if len(named) == 1:
        return named.pop()
    today = today_of(settings)
    candidates = {
        "year": [f"{today.year - 1}"],
        "quarter": [f"{year}Q{q}" for year in (today.year - 1, today.year) for q in (1, 2, 3, 4)],
        "month": [f"{year}-{m:02}" for year in (today.year - 1, today.year) for m in range(1, 13)],
        "week": ["{}-W{:02}".format(*(today - timedelta(days)).isocalendar()[:2]) for days in (7, 0)],
        "academic_year": [f"{year - 1}-{year % 100:02}" for year in (today.year - 1, today.year)],
        "date": [today.isoformat()],
    }
    over = [one for one in candidates[contract.period.pattern] if covers(contract, one)[1] <= today]
    if not over:
        raise HimsError(f"{contract.source}: say which period the files are of: --period")
    return over[-1]
