-- In a fact, rows of one source, universe and duration rule are all stocks or all flows, and of one reference point: what
-- is grouped by universe and duration rule can be added up.
with meanings as (
    {% for fact in fact_models() %}
    select distinct '{{ fact }}' as fact, source, universe, duration_rule, measure_type, reference_point from {{ ref(fact) }}
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select fact, source, universe, duration_rule
from meanings
group by all
having count(*) > 1
