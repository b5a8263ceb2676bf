"""How well the linkage finds persons who stand in two registers, judged by the truth behind the synthetic country.

python -m benchmarks.linkage 0.01      scale of the country

A row of a register is known to be of the person whose passport or account it shows, or else whose national number. A
pair of registers shares those persons who stand in both. Recall is how many of them the links find, precision how many
of the links found are of one person. Who stands in a register without a number can only be missed.
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb

from hims_pipeline import intake, linkage
from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.lake import landing
from hims_pipeline.lake.batches import Batch
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.privacy.keys import load_key
from hims_pipeline.privacy.pseudonym import install, normalise_sql, pseudonym
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sql import connection, literal, quote, read_parquet
from hims_pipeline.staging.inputs import current_batches
from hims_synthetic.samples import make_tree
from hims_synthetic.streams import MARK

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

    def __str__(self) -> str:
        return (
            f"{self.first} × {self.second}: {self.shared:,} persons in both, {self.found:,} found, "
            f"precision {self.precision:.5f}, recall {self.recall:.5f}"
        )


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
        linkage.link_registers(settings)
        for one in intake.find_pending(settings, linkage.SOURCE):
            intake.take_in(settings, one.delivery, lambda text: None)
    return compared(settings, *(truth_of(home / "made", name) for name in ("persons", "true_keys")))


def truth_of(made: Path, name: str) -> Path:
    """A table of the truth that `make_tree` left beside the deliveries."""
    return made / "truth" / f"{name}_{MARK}.parquet"


def compared(settings: Settings, persons: Path, keys: Path | None = None) -> list[Score]:
    """Score the links that count against the truth.

    Args:
        persons: Parquet of person_no, national_id, passport_no.
        keys: Parquet of source, column_name, number, person_no: whose the numbers are that a source gives out.
    """
    contracts = load_contracts(settings.data)
    with connection(settings) as con:
        con.execute(f"create table persons as from read_parquet({literal(persons)})")
        con.execute("create table keys (source varchar, column_name varchar, number varchar, person_no bigint)")
        if keys:
            con.execute(f"insert into keys from read_parquet({literal(keys)})")
        con.execute("create table stands (source varchar, register_id uuid, person_no bigint)")
        for batch in current_batches(settings):
            contract = contracts[batch.manifest.source]
            for entity in batch.manifest.entities:
                _stand(con, settings, batch, entity, contract.entity_in(entity, batch.manifest.period).kept_columns)
        con.execute("create table links (study_id varchar, register_source varchar, register_id varchar)")
        for batch in current_batches(settings):
            if batch.manifest.source == linkage.SOURCE:
                pairs = read_parquet(batch.parquet("pairs"))
                con.execute(f"insert into links select study_id, register_source, register_id from {pairs}")
        return [Score(*row) for row in con.execute(_SCORES).fetchall()]


def _stand(
    con: duckdb.DuckDBPyConnection, settings: Settings, batch: Batch, entity: str, columns: tuple[Column, ...]
) -> None:
    """Note who stands in a register, by making the register's pseudonyms of all true persons: by what tells most, a
    passport or an account, before the number that may be wrong."""
    source = batch.manifest.source
    identifiers = [column for column in columns if column.sensitivity == "identifier"]
    linking = [column for column in identifiers if column.links == KEY]
    given = {
        name for (name,) in con.execute("select distinct column_name from keys where source = ?", [source]).fetchall()
    }
    owned = "select person_no, number from keys where source = {} and column_name = {}"
    known = [
        *((c, "select person_no, passport_no as number from persons") for c in identifiers if c.name in PASSPORTS),
        *((c, owned.format(literal(source), literal(c.name))) for c in identifiers if c.name in given),
        *((c, "select person_no, national_id as number from persons") for c in linking),
    ]
    domains = [column.domain or source for column, _ in known]
    install(con, load_key(settings), domains)
    joins, owners = [], []
    for place, ((column, numbers), domain) in enumerate(zip(known, domains, strict=True)):
        table = quote(f"known {source} {place} {column.name}")  # once a source, however many batches
        con.execute(
            f"create temp table if not exists {table} as "
            f"select person_no, {pseudonym(normalise_sql('number'), domains, domain)} as register_id "
            f"from ({numbers}) as t"
        )
        joins.append(f"left join {table} as k{place} on k{place}.register_id = sent.{quote(column.name)}")
        owners.append(f"k{place}.person_no")
    owner = f"coalesce({', '.join(owners)})"
    for column in linking:
        con.execute(
            f"insert into stands select distinct {literal(source)}, sent.{quote(column.name)}, {owner} "
            f"from {read_parquet(batch.parquet(entity))} as sent {' '.join(joins)} where {owner} is not null"
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
            print(one)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 0.01)
