-- Holders of a valid residence card and foreign citizens whom a census counted, by area, at most a year apart.
with census as (
    select source, period, ref_country, area_code, max(period_end_date) as day, sum(weight_persons) as foreigners
    from conformed.fct_persons
    where citizenship_status = 'FOREIGN' and area_code != '_U'
    group by all
),

holders as (
    select source, period, ref_country, area_code, max(period_end_date) as day, count(distinct holder_id) as holders
    from conformed.fct_permits
    where permit_kind = 'RESIDENCE_CARD' and period_end_date between valid_from_date and valid_to_date
    group by all
)

select
    holders.source || '+' || census.source as source,
    holders.period,
    holders.area_code,
    holders.holders,
    census.foreigners
from holders
join census
    on holders.ref_country = census.ref_country
    and holders.area_code = census.area_code
    and abs(date_diff('day', holders.day, census.day)) <= 366
