{{ config(materialized='view') }}
-- Each published claim, and beside it our figures of the same indicator, area, sex, breakdown and year: a row for each
-- source and edition of ours, one without a figure where we have none. A difference is to be explained, not corrected.
with candidates as {{ materialized() }} (
    select claims.claim_id, claims.breakdown as claimed_breakdown, claims.claim_period, series.*
    from {{ ref('published_claim') }} as claims
    join {{ ref('indicator_series') }} as series
        on
            claims.indicator = series.indicator
            and claims.unit_measure = series.unit_measure
            and claims.ref_area = series.ref_area
            and replace(claims.counterpart_area, '_Z', '_T') = replace(series.counterpart_area, '_Z', '_T')
            and claims.sex = series.sex
),

-- A breakdown is spelt for the few series that may be meant, not for all.
meant as (
    select *
    from candidates
    where claimed_breakdown = {{ breakdown_text('candidates') }}
),

figures as (
    select meant.claim_id, meant.source, meant.universe, meant.duration_rule, meant.data_kind, observations.*
    from meant
    join {{ ref('indicator_observation') }} as observations
        on
            meant.series_no = observations.series_no
            and left(observations.time_period, 4) between left(meant.claim_period, 4) and left(split_part(meant.claim_period, '/', -1), 4)
    where observations.obs_value is not null
),

compared as (
    select
        claims.claim_group,
        claims.claim_id,
        claims.publisher,
        claims.published_when,
        claims.claim_period,
        claims.definition,
        claims.claim_universe,
        claims.ref_area,
        claims.counterpart_area,
        claims.sex,
        claims.breakdown,
        claims.unit_measure,
        claims.claimed_value,
        claims.tolerance_percent,
        claims.verdict,
        claims.why,
        claims.source_note,
        claims.indicator,
        {{ labels('indicators', 'indicator_name') }},
        figures.source as our_source,
        figures.vintage as our_vintage,
        figures.time_period as our_period,
        figures.universe as our_universe,
        figures.duration_rule as our_duration_rule,
        figures.data_kind as our_data_kind,
        figures.obs_value as our_value,
        figures.standard_error as our_standard_error,
        figures.obs_value - claims.claimed_value as difference,
        round(100 * (figures.obs_value - claims.claimed_value) / nullif(claims.claimed_value, 0), 2) as difference_percent
    from {{ ref('published_claim') }} as claims
    left join {{ ref('indicators') }} as indicators on claims.indicator = indicators.code
    left join figures on claims.claim_id = figures.claim_id
)

select * from compared
