{# Flows between countries that two tables of stocks by birthplace and residence ask for, in one statement: rows of the keys,
   origin and destination.

     least_persons        the least movement that leads from one table to the other, with a uniform seed: of each birthplace,
                          loss(o) * gain(d) / sum of losses (Abel 2013, Demographic Research 28: 505-546)
     independent_persons  residence at the end as if it had nothing to do with that at the beginning:
                          start(o) * end(d) / sum of starts

   stocks: relation with the keys, birth_code, residence_code, start_persons and end_persons, one row a birthplace and
   residence; of each birthplace as many at the end as at the beginning. Sums are over decimals, so that two builds are equal.
   The same in Python, with what it refuses: hims_pipeline/methods/flows.py. #}
{% macro flows_from_stocks(stocks, keys) -%}
{%- set keys = keys | join(', ') -%}
with sides as (
    select
        *,
        greatest(start_persons - end_persons, 0) as loss_persons,
        greatest(end_persons - start_persons, 0) as gain_persons,
        sum(cast(greatest(start_persons - end_persons, 0) as decimal(18, 6))) over (partition by {{ keys }}, birth_code) as moved_persons,
        sum(cast(start_persons as decimal(18, 6))) over (partition by {{ keys }}, birth_code) as whole_persons
    from {{ stocks }}
)

select
    {{ keys }},
    losing.residence_code as origin_code,
    gaining.residence_code as destination_code,
    cast(sum(cast(
        case when losing.moved_persons > 0 then cast(losing.loss_persons as double) * cast(gaining.gain_persons as double) / losing.moved_persons else 0 end
        as decimal(18, 6))) as double) as least_persons,
    cast(sum(cast(
        cast(losing.start_persons as double) * cast(gaining.end_persons as double) / losing.whole_persons as decimal(18, 6))) as double) as independent_persons
from sides as losing
join sides as gaining using ({{ keys }}, birth_code)
where losing.residence_code != gaining.residence_code and losing.start_persons > 0 and gaining.end_persons > 0
group by {{ keys }}, losing.residence_code, gaining.residence_code
{%- endmacro %}

{# Share of the least movement in the pseudo-Bayesian mix, the rest being the independent model (Azose & Raftery 2019, PNAS 116:
   116-122); fitted by them to flows of European countries that are known. #}
{% macro share_of_least_flows() -%}0.87{%- endmacro %}
