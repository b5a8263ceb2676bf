"""How well the linkage finds persons who stand in two registers, judged by the truth behind the synthetic country.

python -m benchmarks.linkage 0.01      scale of the country

A row of a register is known to be of the person whose passport it shows, or else whose national number. A pair of
registers shares those persons who stand in both. Recall is how many of them the links find, precision how many of the
links found are of one person. Who stands in a register without a number can only be missed: that share is told too.
"""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from hims_pipeline import intake, linkage
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.lake import landing
from hims_pipeline.lake.batches import Batch
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.privacy.keys import load_key
from hims_pipeline.privacy.pseudonym import install, normalised, pseudonym
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sql import connection, literal, quote
from hims_pipeline.staging.inputs import current_batches
from hims_pipeline.synthetic.samples import make_tree

KEY = "national_id"
PASSPORTS = {"PASSEPORT", "passport_no", "PASSPORT"}  # columns that hold a passport, as registers call them


@dataclass(frozen=True)
class Score:
    """Two registers: persons in both by the truth, pairs found, and those of them that are of one person."""

    first: str
    second: str
    shared: int
    found: int
    right: int

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.shared if self.shared else 1.0


def score(home: Path, scale: float, data: Path = REPOSITORY / "data") -> list[Score]:
    """Make the country, take in the registers that can be linked, link them, and compare with the truth."""
    settings = Settings(REPOSITORY, data, REPOSITORY / "expectations", home, env="test")
    contracts = load_contracts(data)
    linking = {name for name, one in contracts.items() if linkage.has_links(one)}
    samples = make_tree(settings, home / "made", 42, scale, lambda text: None)
    with installation_lock(settings, "measuring the linkage"):
        for sample in samples:
            if sample.source in linking:
                delivery, _ = landing.take_over(settings, contracts[sample.source], sample.period, sample.files)
                intake.take_in(settings, delivery, lambda text: None)
        linkage.link(settings)
        for one in intake.pending(settings, linkage.SOURCE):
            intake.take_in(settings, one.delivery, lambda text: None)
    [persons] = (home / "made" / "truth").glob("persons_*.parquet")
    return compared(settings, persons)


def compared(settings: Settings, persons: Path) -> list[Score]:
    """Score the links that count against true persons (Parquet: person_no, national_id, passport_no)."""
    contracts = load_contracts(settings.data)
    with connection(settings) as con:
        con.execute(f"create table truth as from read_parquet({literal(persons)})")
        con.execute("create table stands (source varchar, register_id uuid, person_no bigint)")
        for batch in current_batches(settings):
            for entity, column, domain, passport in _columns(contracts[batch.manifest.source], batch):
                _stand(con, settings, batch, entity, column, domain, passport)
        links = " union all ".join(
            f"select * from read_parquet({literal(batch.parquet('pairs'))})"
            for batch in current_batches(settings)
            if batch.manifest.source == linkage.SOURCE
        )
        con.execute(f"create table links as {links}")
        return [Score(*row) for row in con.execute(_SCORES).fetchall()]


def _columns(contract, batch: Batch) -> Iterator[tuple[str, str, str, tuple[str, str] | None]]:
    """Entity, linking column, its domain, and the column of the passport with its domain."""
    for entity in batch.manifest.entities:
        columns = contract.entity_in(entity, batch.manifest.period).kept_columns
        passports = [c for c in columns if c.name in PASSPORTS and c.sensitivity == "identifier"]
        passport = (passports[0].name, passports[0].domain or contract.source) if passports else None
        for column in columns:
            if column.links == KEY:
                yield entity, column.name, column.domain or contract.source, passport


def _stand(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    batch: Batch,
    entity: str,
    column: str,
    domain: str,
    passport: tuple[str, str] | None,
) -> None:
    """Note who stands in a register, by making the register's pseudonyms of all true persons."""
    domains = [domain, passport[1] if passport else domain]
    install(con, load_key(settings), domains)
    con.execute(
        f"create or replace temp table known as select person_no, "
        f"{pseudonym(normalised('national_id'), domains, domains[0])} as by_number, "
        f"{pseudonym(normalised('passport_no'), domains, domains[1]) if passport else 'null::uuid'} as by_passport "
        f"from truth"
    )
    shown = f"sent.{quote(passport[0])}" if passport else "null::uuid"
    con.execute(
        f"insert into stands select distinct {literal(batch.manifest.source)}, sent.{quote(column)}, "
        f"coalesce(p.person_no, n.person_no) from read_parquet({literal(batch.parquet(entity))}) as sent "
        f"left join known as p on p.by_passport = {shown} left join known as n on n.by_number = sent.{quote(column)} "
        f"where coalesce(p.person_no, n.person_no) is not null"
    )


_SCORES = """
with present as (
    select distinct source, person_no from stands
),

shared as (
    select a.source as first, b.source as second, count(*) as shared
    from present as a join present as b on a.person_no = b.person_no and a.source < b.source
    group by all
),

linked as (
    select distinct stands.source, links.study_id, stands.person_no
    from stands
    join links on links.register_source = stands.source and links.register_id = stands.register_id::varchar
),

found as (
    select
        a.source as first, b.source as second,
        count(*) as found, count(*) filter (a.person_no = b.person_no) as "right"
    from linked as a join linked as b on a.study_id = b.study_id and a.source < b.source
    group by all
)

select first, second, shared, coalesce(found, 0), coalesce("right", 0)
from shared left join found using (first, second)
order by first, second
"""


def main(scale: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for one in score(Path(folder), scale):
            print(
                f"{one.first} × {one.second}: {one.shared:,} persons in both, {one.found:,} found, "
                f"precision {one.precision:.4f}, recall {one.recall:.4f}"
            )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 0.01)
