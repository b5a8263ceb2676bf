{{ config(materialized='view') }}
-- What a total over reporting countries is made of, and the same total over a constant panel: the countries that report in
-- each year from `since` to the last of the series, so that growth is growth and no country that came or went. For all
-- countries together (_T) and for groups of them, whose members are those of the period's last day.
{%- set question = [
    'indicator', 'ref_area', 'level', 'cell', 'sex', 'age', 'source', 'vintage', 'universe', 'duration_rule', 'data_kind',
] + breakdown_columns() %}
{%- set total = question + ['group_code'] %}
with members as (
    select
        group_code,
        country_code,
        try_cast(nullif(valid_from, '') as date) as from_date,
        try_cast(nullif(valid_to, '') as date) as to_date
    from {{ ref('country_group_members') }}
    union all
    select {{ each_of(list_of(['region_m49', 'subregion_m49'])) }}, country_code, null, null from {{ ref('countries') }}
),

reported as (
    select {{ question | join(', ') }}, time_period, period_end_date, counterpart_area, obs_value
    from {{ ref('indicator_value') }}
    where
        freq = 'A'
        and window_length = '_Z'
        and obs_value is not null
        and indicator in (select code from {{ ref('indicators') }} where ref_area_side = 'origin' and measure_type in ('stock', 'flow'))
        and counterpart_area in (select country_code from {{ ref('countries') }})
),

grouped as (
    select *, '_T' as group_code from reported
    union all
    select reported.*, members.group_code
    from reported
    join members on
        reported.counterpart_area = members.country_code
        and reported.period_end_date >= coalesce(members.from_date, reported.period_end_date)
        and (members.to_date is null or reported.period_end_date < members.to_date)
    where members.group_code != ''
),

-- Counted from the last year back: a country is unbroken as far as it has a figure for each year that anybody has.
counted_back as (
    select
        *,
        dense_rank() over (partition by {{ total | join(', ') }} order by time_period desc)
            = row_number() over (partition by {{ total | join(', ') }}, counterpart_area order by time_period desc) as is_unbroken
    from grouped
),

placed as (
    select
        *,
        min(case when is_unbroken then time_period end) over (partition by {{ total | join(', ') }}, counterpart_area) as reports_since,
        {{ set_of('time_period') }} over (partition by {{ total | join(', ') }}) as years
    from counted_back
),

panels as (
    select * from (select *, {{ each_of('years') }} as since from placed) as sides where since <= time_period
)

select
    {%- for name in total %}
    panels.{{ name }},
    {%- endfor %}
    {{ labels('groups', 'group_name') }},
    panels.since,
    panels.time_period,
    sum(panels.obs_value) filter (where panels.reports_since <= panels.since) as panel_value,
    count(*) filter (where panels.reports_since <= panels.since) as panel_countries,
    sum(panels.obs_value) as reported_value,
    count(*) as reporting_countries
from panels
join {{ ref('country_groups') }} as groups on panels.group_code = groups.group_code
group by all
