-- Men, women and those whose sex is unknown are together the total of their cell, wherever all three are shown unprotected.
with totals as (
    select
        indicator, time_period, ref_area, counterpart_area, source, vintage, boundary_version,
        sum(obs_value) filter (where sex = '_T') as total_value,
        sum(obs_value) filter (where sex in ('M', 'F', '_U')) as summed_value,
        count(*) filter (where sex in ('M', 'F')) as sexes
    from {{ ref('ind_values') }}
    where indicator in ('A07', 'A18')
    group by all
)

select * from totals where sexes = 2 and abs(total_value - summed_value) > 0.001
