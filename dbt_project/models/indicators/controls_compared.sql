-- Control figures of data/controls beside ours, before disclosure control: a row for each control whose source and edition
-- are in this build, without a figure where we have none. A figure of invented data that equals a real one proves the code
-- and not the data, so kinds of data are told apart.
with controls as (
    select
        * exclude (value, tolerance, breakdown),
        breakdown,
        cast(value as double) as published_value,
        cast(tolerance as double) as tolerance,
        nullif(regexp_extract(breakdown, '(^|;)universe=([^;]+)', 2), '') as universe,
        {%- for name in breakdown_columns() %}
        coalesce(nullif(regexp_extract(breakdown, '(^|;){{ name }}=([^;]+)', 2), ''), '_T') as {{ name }},
        {%- endfor %}
        coalesce(nullif(regexp_extract(breakdown, '(^|;)age=([^;]+)', 2), ''), '_T') as age
    from {{ ref('controls') }}
    where indicator != ''
),

editions as (
    select distinct source, vintage, data_kind from {{ ref('dim_batch') }}
)

select
    controls.control_id,
    controls.indicator,
    controls.source,
    controls.vintage,
    editions.data_kind,
    controls.time_period,
    controls.ref_area,
    controls.counterpart_area,
    controls.sex,
    controls.breakdown,
    controls.unit as unit_measure,
    controls.published_value,
    controls.tolerance,
    figures.obs_value as our_value,
    figures.obs_value - controls.published_value as difference,
    abs(figures.obs_value - controls.published_value) <= controls.tolerance + 1e-9 as is_met,
    controls.published_by,
    controls.note
from controls
join editions on controls.source = editions.source and controls.vintage = editions.vintage
left join {{ ref('ind_values') }} as figures
    on controls.indicator = figures.indicator
    and controls.source = figures.source
    and controls.vintage = figures.vintage
    and controls.time_period = figures.time_period
    and controls.ref_area = figures.ref_area
    and controls.counterpart_area = figures.counterpart_area
    and controls.sex = figures.sex
    and controls.age = figures.age
    and coalesce(controls.universe, figures.universe) = figures.universe
    {%- for name in breakdown_columns() %}
    and controls.{{ name }} = figures.{{ name }}
    {%- endfor %}
