-- Two rungs of a ladder side by side, and how they differ: each difference that the list names, with the part that published
-- figures tell, and what none tells (REMAINDER), so that the parts of a pair add up to its difference. A rung has one figure a
-- day, the preferred; a pair are two that are each other's nearest in time, at most a year apart, where figures and claims,
-- synthetic or not, are paired each for themselves. What is withheld tells no part: it stays in the remainder.
{%- set pair = ['ladder', 'lower_rung', 'upper_rung', 'ref_area', 'lower_said', 'lower_end_date', 'upper_said', 'upper_end_date'] %}
{%- set columns = ['code', 'said_by', 'vintage', 'time_period', 'universe', 'duration_rule', 'unit_measure'] %}
with said as (
    select
        ladders.*,
        ladders.kind || case when ladders.data_kind = 'synthetic' then ' synthetic' else '' end as said,
        row_number() over (
            partition by ladders.ladder, ladders.rung_no, ladders.kind, ladders.data_kind = 'synthetic', ladders.ref_area, ladders.period_end_date
            order by {{ preference('ladders', 'said_by') }}, ladders.said_by, ladders.stated_value
        ) as preference
    from {{ ref('v_ladders_with_synthetic') }} as ladders
    left join {{ ref('indicators') }} as indicators on ladders.kind = 'indicator' and ladders.code = indicators.code
    where ladders.verdict = 'STANDS' and ladders.window_length = '_Z'
),

rungs as (
    select * from said where preference = 1
),

named as (
    select
        ladder,
        cast(lower_rung as integer) as lower_rung,
        cast(upper_rung as integer) as upper_rung,
        cast(place as integer) as place,
        difference_kind,
        nullif(counted_by, '') as counted_by,
        nullif(indicator, '') as indicator,
        coalesce(breakdown, '') as breakdown,
        {{ labelled('name') }}
    from {{ ref('ladder_differences') }}
),

steps as (
    select distinct ladder, lower_rung, upper_rung from named
),

near as (
    select
        steps.ladder,
        lower_side.ref_area,
        lower_side.level,
        steps.lower_rung,
        steps.upper_rung,
        {%- for side, rung in {'lower': 'lower_side', 'upper': 'upper_side'}.items() %}
        {{ rung }}.said as {{ side }}_said,
        {{ rung }}.kind as {{ side }}_kind,
        {{ rung }}.period_end_date as {{ side }}_end_date,
        {{ labelled(rung ~ '.title', side ~ '_title') }},
        {%- for name in columns %}
        {{ rung }}.{{ name }} as {{ side }}_{{ name }},
        {%- endfor %}
        {{ rung }}.stated_value as {{ side }}_value,
        {%- endfor %}
        {{ weakest_kind('lower_side.data_kind', 'upper_side.data_kind') }} as data_kind,
        {{ days_between('lower_side.period_end_date', 'upper_side.period_end_date') }} as days_apart
    from steps
    join rungs as lower_side on steps.ladder = lower_side.ladder and steps.lower_rung = lower_side.rung_no
    join rungs as upper_side
        on steps.ladder = upper_side.ladder and steps.upper_rung = upper_side.rung_no and lower_side.ref_area = upper_side.ref_area
    where abs({{ days_between('lower_side.period_end_date', 'upper_side.period_end_date') }}) <= 366
),

pairs as (
    select *, row_number() over (order by {{ pair | join(', ') }}) as pair_no
    from near
    qualify
        row_number() over (partition by {{ pair | reject('equalto', 'upper_end_date') | join(', ') }} order by abs(days_apart), days_apart) = 1
        and row_number() over (partition by {{ pair | reject('equalto', 'lower_end_date') | join(', ') }} order by abs(days_apart), days_apart) = 1
),

by_country as (
    {%- for side in ['lower', 'upper'] %}
    select pairs.pair_no, '{{ side }}' as side, figures.counterpart_area, figures.obs_value
    from pairs
    join {{ ref('indicator_value') }} as figures
        on
            pairs.ref_area = figures.ref_area
            {%- for name in columns if name != 'unit_measure' %}
            and pairs.{{ side }}_{{ name }} = figures.{{ {'code': 'indicator', 'said_by': 'source'}.get(name, name) }}
            {%- endfor %}
    where
        figures.cell = 'counterpart_area' and figures.window_length = '_Z'
        and figures.counterpart_area in (select country_code from {{ ref('countries') }})
    {{- ' union all' if not loop.last }}
    {%- endfor %}
),

countries_told as (
    select
        pair_no,
        counterpart_area,
        bool_or(side = 'lower') and bool_or(side = 'upper') as is_in_both,
        bool_or(side = 'lower') as is_in_lower,
        sum(case side when 'upper' then obs_value else -obs_value end) as told_value
    from by_country
    group by pair_no, counterpart_area
),

-- Nothing where one of the two has no figures by country.
reporters as (
    select
        pair_no,
        coalesce(sum(told_value) filter (where not is_in_both), 0) as told_value,
        count(told_value) filter (where not is_in_both) as told_countries
    from countries_told
    group by pair_no
    having bool_or(is_in_lower) and bool_or(is_in_both or not is_in_lower)
),

beside as (
    select *, {{ breakdown_text('figures') }} as breakdown
    from {{ ref('indicator_value') }} as figures
    where
        figures.sex = '_T' and figures.window_length = '_Z'
        and figures.indicator in (select indicator from named where indicator is not null)
),

-- Figures of the same source, edition, rules and period as the rung that counts them; where countries that one side alone
-- counts are a part, only of the countries that both count, lest anybody be in two parts.
parts as (
    select
        pairs.pair_no,
        named.place,
        sum(case named.counted_by when 'LOWER' then -beside.obs_value else beside.obs_value end) as told_value,
        nullif(count(case when countries_told.is_in_both then beside.obs_value end), 0) as told_countries
    from pairs
    join named on {{ same('pairs', 'named', 'ladder, lower_rung, upper_rung') }}
    join beside
        on
            pairs.ref_area = beside.ref_area and named.indicator = beside.indicator and named.breakdown = beside.breakdown
            {%- for name in columns if name not in ('code', 'unit_measure') %}
            and beside.{{ {'said_by': 'source'}.get(name, name) }} = case named.counted_by when 'LOWER' then pairs.lower_{{ name }} else pairs.upper_{{ name }} end
            {%- endfor %}
    left join reporters on pairs.pair_no = reporters.pair_no
    left join countries_told on pairs.pair_no = countries_told.pair_no and beside.counterpart_area = countries_told.counterpart_area
    where case when reporters.pair_no is null then beside.counterpart_area in ('_T', '_Z') else countries_told.is_in_both end
    group by pairs.pair_no, named.place
    union all
    select reporters.pair_no, named.place, reporters.told_value, reporters.told_countries
    from reporters
    join pairs on reporters.pair_no = pairs.pair_no
    join named on {{ same('pairs', 'named', 'ladder, lower_rung, upper_rung') }}
    where named.difference_kind = 'REPORTERS'
),

differences as (
    select * from named
    union all
    select ladder, lower_rung, upper_rung, 99, 'REMAINDER', null, null, ''{% for language in languages().split() %}, null{% endfor %} from steps
),

told as (
    select
        pairs.*,
        differences.place,
        differences.difference_kind,
        {{ labels('kinds', 'difference_kind_name') }},
        {{ labels(['differences', 'kinds'], 'difference_name') }},
        differences.counted_by,
        case when parts.told_value is not null then trim(differences.indicator || ' ' || differences.breakdown) end as told_by,
        parts.told_value,
        parts.told_countries
    from pairs
    join differences on {{ same('pairs', 'differences', 'ladder, lower_rung, upper_rung') }}
    join {{ ref('definitions') }} as kinds on kinds.kind = 'difference_kind' and differences.difference_kind = kinds.code
    left join parts on pairs.pair_no = parts.pair_no and differences.place = parts.place
)

select
    {{ all_but(['pair_no', 'lower_said', 'lower_end_date', 'upper_said', 'upper_end_date', 'told_value', 'told_countries']) }},
    upper_value - lower_value as difference_value,
    case
        when difference_kind = 'REMAINDER' then upper_value - lower_value - coalesce(sum(told_value) over (partition by pair_no), 0)
        else told_value
    end as part_value,
    told_countries as part_countries
from told
order by ladder, ref_area, lower_rung, upper_rung, lower_time_period, upper_time_period, lower_said_by, upper_said_by, place
