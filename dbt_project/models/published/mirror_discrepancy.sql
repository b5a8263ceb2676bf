-- What the country of origin says of those who moved to a partner, and what the partner says, with both sides' rules: partner by
-- partner, the preferred figure of each side. Stocks are each other's nearest in time, at most a year apart, flows of one
-- period. A difference is to be explained, not corrected; where a side is withheld there is no row.
{%- set sides = ['origin', 'destination'] %}
{%- set pair = ['origin_indicator', 'origin_breakdown', 'destination_indicator', 'destination_breakdown', 'ref_area', 'counterpart_area'] %}
with pairs as (
    select
        origin_indicator,
        coalesce(origin_breakdown, '') as origin_breakdown,
        destination_indicator,
        coalesce(destination_breakdown, '') as destination_breakdown,
        {{ labelled('rules') }}
    from {{ ref('mirror_pairs') }}
),

wanted as (
    {%- for side in sides %}
    select {{ side }}_indicator as indicator, {{ side }}_breakdown as breakdown from pairs
    {{- ' union' if not loop.last }}
    {%- endfor %}
),

figures as (
    select figures.*, {{ breakdown_text('figures') }} as breakdown
    from {{ ref('indicator_value') }} as figures
    where
        figures.indicator in (select indicator from wanted)
        and figures.ref_area in (
            select ref_area from {{ ref('indicator_value') }} where indicator in (select origin_indicator from pairs) and obs_value is not null
        )
        and figures.counterpart_area in (select country_code from {{ ref('countries') }})
        and figures.sex = '_T'
        and figures.window_length = '_Z'
        and figures.obs_value is not null
),

ranked as (
    select
        figures.*,
        indicators.measure_type,
        {{ labels('indicators', 'indicator_name') }},
        {{ labels('universes', 'universe_name') }},
        {{ labels('durations', 'duration_name') }},
        {{ labels('kinds', 'source_kind_name') }},
        row_number() over (
            partition by figures.indicator, figures.breakdown, figures.ref_area, figures.counterpart_area, figures.time_period
            order by {{ preference('figures') }}, figures.series_key
        ) as preference
    from figures
    join wanted on figures.indicator = wanted.indicator and figures.breakdown = wanted.breakdown
    join {{ ref('indicators') }} as indicators on figures.indicator = indicators.code
    left join {{ ref('sources') }} as sources on split_part(figures.source, '+', 1) = sources.source
    left join {{ ref('definitions') }} as universes on universes.kind = 'universe' and figures.universe = universes.code
    left join {{ ref('definitions') }} as durations on durations.kind = 'duration_rule' and figures.duration_rule = durations.code
    left join {{ ref('definitions') }} as kinds
        on
            kinds.kind in ('design_kind', 'source_kind')
            and kinds.code = coalesce(nullif(sources.design_kind, ''), case when sources.is_personal = 'true' then 'REGISTER' else 'TABLES' end)
),

near as (
    select
        pairs.origin_indicator,
        pairs.origin_breakdown,
        pairs.destination_indicator,
        pairs.destination_breakdown,
        {{ labelled('pairs.rules', 'rules') }},
        origin.ref_area,
        origin.level,
        origin.counterpart_area,
        {%- for side in sides %}
        {{ labelled(side ~ '.indicator_name', side ~ '_indicator_name') }},
        {%- for language in languages().split() %}
        concat_ws(' · ', {{ side }}.universe_name_{{ language }}, {{ side }}.duration_name_{{ language }}, {{ side }}.source_kind_name_{{ language }}) as {{ side }}_rules_{{ language }},
        {%- endfor %}
        {%- for name in ['source', 'vintage', 'time_period', 'universe', 'duration_rule', 'unit_measure'] %}
        {{ side }}.{{ name }} as {{ side }}_{{ name }},
        {%- endfor %}
        {{ side }}.obs_value as {{ side }}_value,
        {%- endfor %}
        {{ weakest_kind('origin.data_kind', 'destination.data_kind') }} as data_kind,
        {{ days_between('origin.period_end_date', 'destination.period_end_date') }} as days_apart
    from pairs
    join ranked as origin on pairs.origin_indicator = origin.indicator and pairs.origin_breakdown = origin.breakdown
    join ranked as destination
        on
            pairs.destination_indicator = destination.indicator
            and pairs.destination_breakdown = destination.breakdown
            and origin.ref_area = destination.ref_area
            and origin.counterpart_area = destination.counterpart_area
            and (origin.measure_type = 'stock' or origin.time_period = destination.time_period)
    where
        origin.preference = 1
        and destination.preference = 1
        and abs({{ days_between('origin.period_end_date', 'destination.period_end_date') }}) <= 366
)

select
    *,
    origin_value - destination_value as difference_value,
    100 * (origin_value - destination_value) / nullif(destination_value, 0) as difference_percent
from near
qualify
    row_number() over (partition by {{ pair | join(', ') }}, origin_time_period order by abs(days_apart), days_apart) = 1
    and row_number() over (partition by {{ pair | join(', ') }}, destination_time_period order by abs(days_apart), days_apart) = 1
order by {{ pair | join(', ') }}, origin_time_period
