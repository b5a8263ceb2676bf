-- Contracts signed in a year. A channel counts all that it reports; the total over channels counts each contract once, so
-- it is less than their sum where two channels report the same. A total says in `source` whose reports it rests on: one
-- of other channels is another series.
with signed as (
    select *, cast(year(contract_date) as integer) as reference_year
    from {{ ref('fct_placements') }}
    where record_type = 'SIGNED'
),

delivered as (
    select ref_country, universe, duration_rule, source, reference_year, sum(days) as days
    from (
        select distinct
            ref_country, universe, duration_rule, source, reference_year, batch_id,
            {{ days_between('period_start_date', 'period_end_date') }} + 1 as days
        from signed
    ) as files
    group by all
),

years as (
    select
        ref_country, universe, duration_rule, reference_year, {{ joined('source', '+', 'source') }} as sources,
        bool_or(days < {{ days_between(year_start('reference_year'), year_end('reference_year')) }} + 1) as is_partial
    from delivered
    group by ref_country, universe, duration_rule, reference_year
),

by_channel as (
    select
        source, data_kind, vintage, duration_rule, universe, ref_country, reference_year, placement_channel,
        case when grouping(country_code) = 1 then '_T' else country_code end as country_code,
        case when grouping(placement_sector) = 1 then '_T' else placement_sector end as placement_sector,
        case when grouping(sex) = 1 then '_T' else sex end as sex,
        count(distinct coalesce(contract_id, batch_id || ':' || record_no)) as contracts
    from signed
    group by grouping sets (
        (source, data_kind, vintage, duration_rule, universe, ref_country, reference_year, placement_channel),
        (source, data_kind, vintage, duration_rule, universe, ref_country, reference_year, placement_channel, sex),
        (source, data_kind, vintage, duration_rule, universe, ref_country, reference_year, placement_channel, country_code),
        (source, data_kind, vintage, duration_rule, universe, ref_country, reference_year, placement_channel, placement_sector)
    )
),

distinct_contracts as (
    select
        vintage, duration_rule, universe, ref_country, reference_year,
        case when bool_or(data_kind = 'synthetic') then 'synthetic' when bool_or(data_kind = 'aggregate') then 'aggregate' else 'real' end as data_kind,
        case when grouping(country_code) = 1 then '_T' else country_code end as country_code,
        case when grouping(placement_sector) = 1 then '_T' else placement_sector end as placement_sector,
        case when grouping(sex) = 1 then '_T' else sex end as sex,
        count(*) as contracts
    from signed
    where is_first_report
    group by grouping sets (
        (vintage, duration_rule, universe, ref_country, reference_year),
        (vintage, duration_rule, universe, ref_country, reference_year, sex),
        (vintage, duration_rule, universe, ref_country, reference_year, country_code),
        (vintage, duration_rule, universe, ref_country, reference_year, placement_sector)
    )
),

placements as (
    select
        by_channel.*,
        delivered.days < {{ days_between(year_start('by_channel.reference_year'), year_end('by_channel.reference_year')) }} + 1 as is_partial
    from by_channel
    join delivered
        on
            by_channel.ref_country = delivered.ref_country
            and by_channel.universe = delivered.universe
            and by_channel.duration_rule = delivered.duration_rule
            and by_channel.source = delivered.source
            and by_channel.reference_year = delivered.reference_year
    union all
    select
        years.sources as source, counts.data_kind, counts.vintage, counts.duration_rule, counts.universe, counts.ref_country, counts.reference_year,
        '_T' as placement_channel, counts.country_code, counts.placement_sector, counts.sex, counts.contracts, years.is_partial
    from distinct_contracts as counts
    join years
        on
            counts.ref_country = years.ref_country
            and counts.universe = years.universe
            and counts.duration_rule = years.duration_rule
            and counts.reference_year = years.reference_year
)

{{ indicator_rows('placements', dict(
    yearly('B13', 'ref_country', 'contracts'), counterpart_area='country_code', sex='sex', channel='placement_channel',
    sector='placement_sector', n_obs='contracts', is_microdata='true',
    obs_status="case when is_partial then 'P' else 'A' end",
)) }}
