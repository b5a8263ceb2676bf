{# Each figure's duration rule is that of a batch of one of its sources, and its universe too, or that of the indicator's
   own record (holders, counted from the permits they hold) or of a measure in mirror_measures: no model gives a sum a name of its own. That no model adds rows of two universes in the first place is read from the SQL itself (tests/indicators). #}
{% test labelled_as_its_batches(model) %}
with labels as (
    select distinct indicator, unnest(string_split(source, '+')) as source, universe, duration_rule from {{ model }}
)

select labels.indicator, labels.universe, labels.duration_rule
from labels
join {{ ref('indicators') }} as indicators on labels.indicator = indicators.code
cross join (select list(distinct universe) as universes from {{ ref('mirror_measures') }}) as measured
left join {{ ref('stg_batches') }} as batches
    on labels.source = batches.source
    and (
        labels.universe in (batches.universe, indicators.universe)
        or list_contains(measured.universes, labels.universe)
    )
    and labels.duration_rule = batches.duration_rule
group by all
having count(batches.batch_id) = 0
{% endtest %}
