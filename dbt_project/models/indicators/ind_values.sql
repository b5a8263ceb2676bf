-- Every figure before disclosure control: the union of all indicator models of this folder.
with figures as (
    {% for model in indicator_models() %}
    select * from {{ ref(model) }}
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select
    {{ series_key('figures') }} as series_key,
    figures.*,
    indicators.unit_measure
from figures
join {{ ref('indicators') }} as indicators on figures.indicator = indicators.code
