"""Pairs of pseudonyms by which registers are joined: written beside a batch, inside the identified zone alone.

A register's pseudonym is under a key of its own domain; the study pseudonym of the same number is under the key of the
kind of number, so it is the same in all registers. Joining the pairs of several registers is not done here (`linkage`).
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from hims_pipeline.lake.files import private_folder, sync
from hims_pipeline.privacy.pseudonym import pseudonym
from hims_pipeline.readers.typing.parts import TextPart, run_in_parallel
from hims_pipeline.readers.typing.write import PARQUET, EntityPlan, link_domain, typed_relation
from hims_pipeline.settings import Settings
from hims_pipeline.sql import literal, read_parquet


def write_links(
    settings: Settings,
    con: duckdb.DuckDBPyConnection,
    plan: EntityPlan,
    parts: Sequence[TextPart],
    target: Path,
    scratch: Path,
    only: str = "",
) -> None:
    """Write the distinct pairs of an entity: link_key, domain, register_id, study_id; the same rows, the same bytes.

    Args:
        only: SQL condition of the rows that were kept.
    """
    selects, files = [], []
    for number, part in enumerate(parts):
        files.append(scratch / f"links-{number:06d}.parquet")
        relation = f"(select * from ({typed_relation(plan.typings, part)}){f' where {only}' if only else ''})"
        pairs = " union all ".join(_pairs(plan, place, relation) for place in plan.linking)
        selects.append(f"copy (select distinct * from ({pairs})) to {literal(files[-1])} ({PARQUET})")
    run_in_parallel(settings, con, selects, plan.prepare)
    private_folder(target.parent)
    together = f"select distinct * from {read_parquet(files)} order by all"
    con.execute(f"copy ({together}) to {literal(target)} ({PARQUET})")
    target.chmod(0o600)
    sync(target)
    sync(target.parent)


def _pairs(plan: EntityPlan, place: int, relation: str) -> str:
    column, value = plan.shape.columns[place], f"v{place}"
    domain, domains = plan.domain_of(column), list(plan.domains)
    return (
        f"select {literal(column.links)} as link_key, {literal(domain)} as domain, "
        f"{pseudonym(value, domains, domain)} as register_id, "
        f"{pseudonym(value, domains, link_domain(column.links or ''))} as study_id "
        f"from {relation} where {value} is not null"
    )
