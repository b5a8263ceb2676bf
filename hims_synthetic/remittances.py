"""Remittances of the synthetic country, as the central bank announces them: cumulative sums, and the year's account.

They are the recipe's amounts times the scale of the country, since they are sums over its emigrants: what one emigrant
sends keeps its size at any scale. Parts and totals are rounded one by one, and so need not add up to the last digit.
"""

from pathlib import Path

from hims_synthetic.country import Country
from hims_synthetic.sample import Sample
from hims_synthetic.streams import MARK, write_csv
from hims_synthetic.totals import make_recipe_table

CURRENCY = "TND"
FILES = {
    "cumulative": ("transferts_cumules", "CANAL"), "annual": ("revenus_travail", "NATURE"),
    "corridors": ("pays_accueil", "PAYS"),
}  # fmt: skip

# Every part, and the total that each file shows: channels are shares of a total, forms and countries add up to one.
_AMOUNTS = """
create or replace table remittance_rows as
select day, entity, item, cast(amount as double) as amount, n from remittances
union all
select day, entity, channel, cast(amount as double) * cast(percent as double) / 100, remittance_channels.n
from remittances, remittance_channels where entity = 'cumulative'
union all
select day, entity, if(entity = 'annual', 'T', 'Total'), sum(cast(amount as double)), 1000
from remittances where entity != 'cumulative' group by day, entity
"""

_WRITTEN = f"""
select
    strftime(cast(day as date), '%d/%m/%Y') as DATE_ARRET,
    item as {{column}},
    replace(cast(cast(round(amount * {{scale}}, 1) as decimal(18, 1)) as varchar), '.', ',') as MONTANT,
    '{CURRENCY}' as DEVISE
from remittance_rows
where day = '{{day}}' and entity = '{{entity}}'
order by if(item = 'TOTAL', 1000, n)
"""


def write(country: Country, out: Path) -> list[Sample]:
    """Write the files of each day of the recipe under `out/remittances/<day>/`."""
    con = country.con
    for name in ("remittances", "remittance_channels"):
        make_recipe_table(country, name)
    con.execute(_AMOUNTS)
    by_period: dict[str, list[Path]] = {}
    for day, entity in con.execute(
        "select distinct day, entity from remittance_rows order by day, entity desc"
    ).fetchall():
        name, column = FILES[entity]
        query = _WRITTEN.format(column=column, scale=country.scale, day=day, entity=entity)
        path = write_csv(con, query, out / "remittances" / day / f"{name}_{day}_{MARK}.csv", delimiter=";")
        by_period.setdefault(day, []).append(path)
    return [Sample("remittances", day, paths) for day, paths in sorted(by_period.items())]
