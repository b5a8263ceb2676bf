{# Each figure's duration rule is that of a batch of one of its sources, and its universe too, or that of the indicator's
   own record (holders, counted from the permits they hold) or of a mirror table's measure from the same source: no model gives a sum a name of its own. That no model adds rows of two universes in the first place is read from the SQL itself (tests/indicators). #}
{% test labelled_as_its_batches(model) %}
with labels as (
    select distinct indicator, {{ each_of(parts_of('source', '+')) }} as source, universe, duration_rule from {{ model }}
)

select labels.indicator, labels.universe, labels.duration_rule
from labels
join {{ ref('indicators') }} as indicators on labels.indicator = indicators.code
left join {{ ref('stg_batches') }} as batches
    on labels.source = batches.source
    and labels.universe in (batches.universe, indicators.universe)
    and labels.duration_rule = batches.duration_rule
left join (select distinct source, universe, duration_rule from {{ ref('fct_mirror_cells') }}) as cells
    on labels.source = cells.source and labels.universe = cells.universe and labels.duration_rule = cells.duration_rule
group by labels.indicator, labels.universe, labels.duration_rule
having count(batches.batch_id) = 0 and count(cells.source) = 0
{% endtest %}
