-- Control figures of data/controls beside ours, before disclosure control: a row for each control whose source and edition
-- are in this build, without a figure where we have none. Invented data are a part of an invented country: what is published
-- is scaled to them by the one number that half of their counts lie above and half below, and chance is allowed for. A
-- figure of invented data that meets a real one proves the code and not the data, so kinds of data are told apart.
with controls as (
    select
        {{ all_but('value, tolerance, breakdown') }},
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
),

-- Few figures have a control: those of its place in time and space are looked for first, all that they are about then.
figures as (
    select * from {{ ref('ind_values') }}
    where (indicator, source, vintage, time_period, ref_area) in (
        select indicator, source, vintage, time_period, ref_area from controls
    )
),

compared as (
    select
        controls.*,
        editions.data_kind,
        figures.obs_value as our_value,
        coalesce(figures.numerator, figures.n_obs) as events,
        indicators.measure_type in ('stock', 'flow') as is_additive,
        editions.data_kind = 'synthetic' as is_sample
    from controls
    join editions on controls.source = editions.source and controls.vintage = editions.vintage
    join {{ ref('indicators') }} as indicators on controls.indicator = indicators.code
    left join figures
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
),

scaled as (
    select median(our_value / published_value) as sample_scale
    from compared
    where is_sample and is_additive and our_value > 0 and published_value > 0
),

expected as (
    select
        compared.*,
        case when is_sample and is_additive then scaled.sample_scale else 1 end as scale,
        published_value * scale as expected_value,
        case
            when not is_sample then tolerance
            when is_additive then tolerance * scale + 0.01 * expected_value + case when unit like '%MILLION%' then 0.1 else 1 + 2 * sqrt(expected_value) end
            else tolerance + published_value * (0.01 + 2 / sqrt(greatest(coalesce(events, 1), 1)))
        end as allowed
    from compared
    cross join scaled
)

select
    control_id,
    indicator,
    source,
    vintage,
    data_kind,
    time_period,
    ref_area,
    counterpart_area,
    sex,
    breakdown,
    unit as unit_measure,
    published_value,
    scale,
    expected_value,
    allowed as tolerance,
    our_value,
    our_value - expected_value as difference,
    abs(our_value - expected_value) <= allowed + 1e-9 as is_met,
    published_by,
    note
from expected
