"""Placements abroad of the synthetic country: contracts of citizens who left for work, by three channels that overlap.

Each contract belongs to one channel; some are reported by a second one under the same number. Contracts are as many as
the recipe says, and cooperants in post too: those placed in the year, and of those in post before as many as the total
leaves room for, those who came back first to go.
"""

from pathlib import Path

from hims_synthetic.country import Country
from hims_synthetic.formats import write_workbook
from hims_synthetic.sample import Sample
from hims_synthetic.streams import HOME, MARK, write_csv
from hims_synthetic.totals import make_recipe_table

CHANNELS = ("placements_atct", "placements_aneti", "placements_private")  # in this order they choose their contracts
AGENCY, OFFICE, BUREAUX = CHANNELS
_TITLES = f"select coalesce(line, '') from titles where source = '{AGENCY}' order by n"

# All who left for work with papers of their own, and the day on which they would have signed: no Saturday or Sunday,
# when offices are closed.
_POOL = f"""
create or replace table placement_pool as
with leavers as (
    select persons.*, person_no * 64 + stay_no as move_no, country, from_date, to_date,
        from_date - 10 - cast(floor(60 * u('signed before', person_no * 64 + stay_no)) as int) as ready_on,
        ready_on - case isodow(ready_on) when 6 then 3 when 7 then 6 else 0 end as signed_on
    from stays join persons using (person_no)
    where country != '{HOME}' and citizenship = '{HOME}' and reason = 'EMP' and route = 'REGULAR'
        and national_id is not null
)
select leavers.*, coalesce(placement_sectors.label, 'Autre') as sector,
    coalesce(placement_sectors.code, '10') as sector_code,
    'C' || year(signed_on) || '-' || lpad(cast(row_number() over (
        partition by year(signed_on) order by u('contract', move_no), move_no
    ) as varchar), 6, '0') as contract_no
from leavers left join placement_sectors using (occupation)
"""

# As many contracts as a channel and period need, drawn by the channel's weights from those that no channel has.
_DRAWN = """
insert into placed
with wanted as (
    select period, year, round(cast(contracts as int) * {scale}) - round(cast(also as int) * {scale}) as own
    from placements
    where source = '{source}'
),
open_pool as (
    select pool.*, wanted.period, wanted.own,
        row_number() over (
            partition by wanted.period
            order by -ln(1 - u('{source}', pool.move_no)) / cast(weight as double), pool.contract_no
        ) as place
    from placement_pool as pool
    join placement_destinations as weights on weights.source = '{source}' and weights.country = pool.country
    join wanted on {in_period}
    where not exists (select 1 from placed where placed.contract_no = pool.contract_no)
)
select '{source}', period, contract_no, false from open_pool where place <= own
"""

# Contracts of the channels before that this one reports too.
_SHARED = """
insert into placed
with wanted as (
    select period, year, round(cast(also as int) * {scale}) as also from placements where source = '{source}'
),
others as (
    select placed.contract_no, wanted.period, wanted.also,
        row_number() over (partition by wanted.period order by u('{source} too', move_no), contract_no) as place
    from placed join placement_pool as pool using (contract_no) join wanted on {in_period}
    where not placed.is_shared and placed.source != '{source}'
)
select '{source}', period, contract_no, true from others where place <= also
"""

_IN_POST = """
create or replace table cooperants as
with before as (select contract_no from cooperants),
eligible as (
    select pool.contract_no, pool.person_no, pool.move_no,
        placed.contract_no is not null as is_new,
        before.contract_no is not null as was_in_post,
        coalesce(to_date, date '9999-12-31') > date '{year}-12-31' as is_abroad
    from placement_pool as pool
    left join placed
        on placed.contract_no = pool.contract_no and placed.source = '{source}' and placed.period = '{year}'
    left join before on before.contract_no = pool.contract_no
    left join placement_destinations as weights on weights.source = '{source}' and weights.country = pool.country
    where from_date <= date '{year}-12-31' and coalesce(death_date, date '9999-12-31') > date '{year}-12-31'
        and (placed.contract_no is not null or before.contract_no is not null
            or ({is_first} and weights.weight is not null))
),
one_post as (
    select * from eligible
    qualify row_number() over (
        partition by person_no order by is_new desc, is_abroad desc, move_no desc
    ) = 1
),
ranked as (
    select *, row_number() over (order by is_new desc, is_abroad desc, u('in post', move_no), contract_no) as place
    from one_post
)
select contract_no from ranked where place <= {stock}
"""

_NAMED = """
with given as (
    select part, latin, arabic, row_number() over (partition by part order by n) - 1 as k,
        count(*) over (partition by part) as many
    from names
)
select pool.*, given.latin || ' ' || family.latin as name_latin, given.arabic || ' ' || family.arabic as name_arabic,
    places.name_fr
from {chosen} as chosen
join placement_pool as pool using (contract_no)
join places on places.country = pool.country
join given on given.part = sex and given.k = given_no % given.many
join given as family on family.part = 'family' and family.k = family_no % family.many
{where}
"""

_ANETI = """
select contract_no as NUM_CONTRAT, national_id as CIN, if(sex = 'M', '1', '2') as SEXE, named.country as PAYS,
    if(u('sector not stated', move_no) < 0.02, '99', sector_code) as SECTEUR,
    strftime(signed_on, '%d/%m/%Y') as DATE_SIGNATURE,
    if(u('wage not stated', move_no) < 0.1, null,
        replace(cast(cast(900 + 2400 * u('wage', move_no) as decimal(18, 3)) as varchar), '.', ',')
    ) as SALAIRE_MENSUEL,
    if(u('wage not stated', move_no) < 0.1, null, destinations.currency) as DEVISE
from ({named}) as named
join placement_destinations as destinations on destinations.source = '{source}' and destinations.country = named.country
order by signed_on, contract_no
"""

_PRIVATE = """
select contract_no,
    'B' || lpad(cast(1 + cast(floor(30 * u('bureau', move_no)) as int) as varchar), 3, '0') as agrement,
    if(u('number not stated', move_no) < 0.08, null, national_id) as cin, name_arabic as nom,
    if(u('sex not stated', move_no) < 0.01, 'X', sex) as sexe, country as pays,
    if(u('sector not stated', move_no) < 0.05, 'NC', sector) as secteur, signed_on as date_signature
from ({named}) as named
order by signed_on, contract_no
"""

_ATCT = """
select contract_no, if(u('number not stated', move_no) < 0.02, null, national_id), name_latin,
    if(sex = 'M', 'H', 'F'), name_fr, sector, {day}
from ({named}) as named
order by {day}, contract_no
"""
_ATCT_HEADER = ("N° contrat", "CIN", "Nom et prénom", "Sexe", "Pays", "Secteur", "Date")


def write(country: Country, out: Path) -> list[Sample]:
    """Write the files of the three channels under `out/<source>/<period>/`."""
    con = country.con
    for name in ("placements", "placement_destinations", "placement_sectors", "places", "titles"):
        make_recipe_table(country, name)
    con.execute(_POOL)
    con.execute(
        "create or replace table placed (source varchar, period varchar, contract_no varchar, is_shared boolean)"
    )
    for source in CHANNELS:
        in_period = "cast(wanted.year as int) = year(signed_on)"
        if source == OFFICE:
            in_period += " and wanted.period = year(signed_on) || 'Q' || quarter(signed_on)"
        for query in (_DRAWN, _SHARED):
            con.execute(query.format(source=source, scale=country.scale, in_period=in_period))
    con.execute("create or replace table cooperants (contract_no varchar)")
    samples = []
    for source, period, year, stock in con.execute(
        "select source, period, cast(year as int), cast(stock as int) from placements order by n"
    ).fetchall():
        folder = out / source / period
        if source == AGENCY:
            paths = _agency_files(country, folder, year, stock)
        elif source == OFFICE:
            query = _ANETI.format(named=_placements_sql(source, period), source=source)
            paths = [write_csv(con, query, folder / f"aneti_placements_{period}_{MARK}.csv", delimiter=";")]
        else:
            query = _PRIVATE.format(named=_placements_sql(source, period))
            paths = [write_csv(con, query, folder / f"bureaux_prives_{period}_{MARK}.csv")]
        samples.append(Sample(source, period, paths))
    return samples


def _placements_sql(source: str, period: str) -> str:
    return _NAMED.format(chosen="placed", where=f"where chosen.source = '{source}' and chosen.period = '{period}'")


def _agency_files(country: Country, folder: Path, year: int, stock: int | None) -> list[Path]:
    """The workbook of contracts of a year, and that of cooperants in post where the recipe has their number."""
    con = country.con
    placements = folder / f"atct_placements_{year}_{MARK}.xlsx"
    paths = [
        _workbook(country, placements, "Placements de l'année", year, _placements_sql(AGENCY, str(year)), "signed_on")
    ]
    if stock is None:
        return paths
    ((is_first,),) = con.execute("select count(*) = 0 from cooperants").fetchall()
    wanted = round(stock * country.scale)
    con.execute(_IN_POST.format(source=AGENCY, year=year, is_first=str(is_first).lower(), stock=wanted))
    in_post = _NAMED.format(chosen="cooperants", where="")
    cooperants = folder / f"atct_cooperants_{year}_{MARK}.xlsx"
    return [*paths, _workbook(country, cooperants, "Coopérants en exercice au 31 décembre", year, in_post, "from_date")]


def _workbook(country: Country, path: Path, what: str, year: int, named: str, day: str) -> Path:
    titles = [(line.format(what=what, year=year),) for (line,) in country.con.execute(_TITLES).fetchall()]
    rows = country.con.execute(_ATCT.format(named=named, day=day)).fetchall()
    return write_workbook(path, "Feuil1", [*titles, _ATCT_HEADER, *rows])
