{# Figures by area: those of an area are also part of every area above it. #}

{# The area above stood on a day: it was there, and the one below lay in it. #}
{% macro stood_on(day, above='above') -%}
    {{ day }} >= coalesce({{ above }}.valid_from_date, date '0001-01-01') and {{ day }} < coalesce({{ above }}.valid_to_date, date '9999-12-31')
{%- endmacro %}

{# The rows of a relation with batch_id and entity, and the same rows once more for each area that theirs lies in on the last
   day of the batch's period. The country is left out: its own figure is the total. #}
{% macro spread_over_areas(relation, area) -%}
    select {{ all_but(area) }}, {{ area }} from {{ relation }}
    union all
    select {{ all_but(area, relation) }}, above.ancestor_code as {{ area }}
    from {{ relation }}
    join {{ ref('dim_batch') }} as batches on {{ relation }}.batch_id = batches.batch_id and {{ relation }}.entity = batches.entity
    join {{ ref('dim_area_ancestor') }} as above
        on {{ relation }}.{{ area }} = above.area_code and above.ancestor_level != 'country' and {{ stood_on('batches.period_end_date') }}
{%- endmacro %}
