-- Contracts that two lists of placements hold under one number, and those that they tell otherwise.
with contracts as (
    select distinct source, entity, period, contract_id, country_code, sex
    from conformed.fct_placements
    where contract_id is not null
)

select
    one.source || '+' || other.source as source,
    greatest(one.period, other.period) as period,
    count(*) as contracts,
    count(*) filter (one.sex != other.sex and '_U' not in (one.sex, other.sex)) as of_another_sex,
    count(*) filter (
        one.country_code != other.country_code and '_U' not in (one.country_code, other.country_code)
    ) as of_another_country
from contracts as one
join contracts as other
    on one.contract_id = other.contract_id
    and (one.source, one.entity, one.period) < (other.source, other.entity, other.period)
where one.source != other.source
group by all
