{# Codes of areas that stood on the row's last day: no code of before or after a change of boundaries. #}
{% test area_of_its_time(model, column_name) %}
select facts.batch_id, facts.{{ column_name }}, count(*) as times
from {{ model }} as facts
left join {{ ref('dim_area') }} as areas
    on facts.{{ column_name }} = areas.area_code
    and {{ stood_on('facts.period_end_date', 'areas') }}
where facts.{{ column_name }} not in ('_U', '_R', '_Z') and areas.area_code is null
group by all
{% endtest %}
