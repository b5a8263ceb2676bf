{{ config(materialized='view') }}
-- One question, several honest answers, rung by rung with what makes the difference: our figures and published claims of
-- the totals. Which indicators and groups of claims are rungs is a code list; nothing is ever added over rungs.
with rungs as (
    select *, cast(rung as integer) as rung_no from {{ ref('ladder_rungs') }}
),

figures as (
    select
        rungs.*,
        figures.ref_area,
        figures.level,
        figures.time_period,
        figures.period_end_date,
        figures.window_length,
        figures.source as said_by,
        figures.vintage,
        figures.universe,
        figures.duration_rule,
        figures.data_kind,
        figures.obs_value as stated_value,
        figures.ci_lower,
        figures.ci_upper,
        figures.unit_measure,
        figures.obs_status,
        'STANDS' as verdict
    from rungs
    join {{ ref('indicator_value') }} as figures on rungs.kind = 'indicator' and rungs.code = figures.indicator
    where
        figures.counterpart_area in ('_T', '_Z') and figures.sex = '_T' and figures.age = '_T' and figures.obs_value is not null
        {%- for name in breakdown_columns() %} and figures.{{ name }} = '_T'{% endfor %}
),

said as (
    select
        rungs.*,
        claims.ref_area,
        coalesce(areas.level, 'country') as level,
        claims.claim_period as time_period,
        case
            when split_part(claims.claim_period, '/', -1) like '%-%' then last_day(cast(split_part(claims.claim_period, '/', -1) || '-01' as date))
            else {{ year_end("split_part(claims.claim_period, '/', -1)") }}
        end as period_end_date,
        '_Z' as window_length,
        claims.publisher as said_by,
        coalesce(claims.published_when, '_Z') as vintage,
        claims.claim_universe as universe,
        '_U' as duration_rule,
        claims.data_kind,
        cast(claims.claimed_value as double) as stated_value,
        cast(null as double) as ci_lower,
        cast(null as double) as ci_upper,
        claims.unit_measure,
        'A' as obs_status,
        claims.verdict
    from rungs
    join {{ ref('published_claim') }} as claims on rungs.kind = 'claim' and rungs.code = claims.claim_group
    left join {{ ref('areas') }} as areas on claims.ref_area = areas.area_code
    where
        claims.indicator is not null and claims.counterpart_area in ('_T', '_Z') and claims.sex = '_T'
        and claims.breakdown = '' and claims.unit_measure != 'PERCENT'
),

ladders as (
    select {{ all_but('rung') }} from figures
    union all
    select {{ all_but('rung') }} from said
)

select * from ladders
