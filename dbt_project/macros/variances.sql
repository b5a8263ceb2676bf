{# Variances of estimates by the design: units within strata, and what to do where a stratum shows none. Here: the step from
   deviations of units to a variance. Not here: the deviations (`estimates`), bounds (`intervals`). #}

{# Variance, degrees of freedom and lonely strata of each cell, from rows of a stratum in which the cell's domain was found.

   deviations: relation with the columns of `by`, lonely_units, n_h units drawn, left_out (1 - n_h / N_h, of N_h units in the
   population; 1 where that is not known), sz and szz (sums of the units' z and of their squares; units without any are 0),
   within and lonely_within (what the second stage adds, `variance_within`; null without one).

   var = sum_h left_out * n_h / (n_h - 1) * (sum z^2 - (sum z)^2 / n_h) + within. A stratum of which all was taken adds nothing.
   One with a single unit of several is lonely, and the design says what then (R survey's options(survey.lonely.psu)): nothing:
   no variance at all; `remove`, `certainty`: it adds nothing; `adjust`: its z, around that of the whole sample, which is 0;
   `average`: the mean of the other strata. A unit with a single unit of the second stage adds nothing by all of them. #}
{% macro design_variance(deviations, by) -%}
    select
        {{ by }},
        count(*) filter (where n_h = 1 and left_out > 0) as lonely_alone,
        cast(lonely_alone + coalesce(sum(lonely_within), 0) as bigint) as lonely_strata,
        cast(sum(n_h - 1) as bigint) as degrees,
        case
            when lonely_strata > 0 and any_value(lonely_units) is null then null
            else sum(cast(
                case
                    when n_h > 1 then left_out * n_h / (n_h - 1.0) * (szz - pow(sz, 2) / n_h)
                    when lonely_units = 'adjust' then left_out * szz
                    when lonely_units != 'average' or left_out = 0 then 0
                end as decimal(38, 0)
            )) * case when any_value(lonely_units) = 'average' then count(*) / nullif(count(*) - lonely_alone, 0) else 1 end
            + coalesce(sum(within), 0)
        end as variance
    from {{ deviations }}
    group by {{ by }}
{%- endmacro %}

{# What the second stage adds to the variance of a stratum: of n_h units drawn of N_h, in which m_i of M_i units of the second
   stage were drawn, n_h / N_h * sum_i (1 - m_i / M_i) * m_i / (m_i - 1) * (sum_j z^2 - (sum_j z)^2 / m_i) (Sarndal, Swensson,
   Wretman 1992, 4.3; R's svydesign(id = ~psu + ssu, fpc = ~N + M)). Where N or M is not known, units are as drawn with
   replacement, and it adds nothing.

   parts: relation with the columns of `by`, stratum, psu and z in whole grains, a row for each unit of the second stage. #}
{% macro variance_within(parts, by) -%}
    select
        sums.stratum, {{ 'sums.' ~ (by.split(', ') | join(', sums.')) }},
        count(*) filter (where second_stage.m_i = 1) as lonely_within,
        sum(cast(
            case when second_stage.m_i > 1 then second_stage.weight * (sums.szz - pow(sums.sz, 2) / second_stage.m_i) else 0 end
            as decimal(38, 0)
        )) as within
    from (
        select stratum, psu, {{ by }}, cast(sum(z) as double) as sz, cast(sum(z * z) as double) as szz from {{ parts }} group by stratum, psu, {{ by }}
    ) as sums
    join second_stage on {{ same('sums', 'second_stage', 'batch_id, entity, stratum, psu') }}
    group by sums.stratum, {{ 'sums.' ~ (by.split(', ') | join(', sums.')) }}
{%- endmacro %}

{# Whether an error follows the design, or what stood in for it: for strata and units, and for strata with one unit; or the
   producer's own errors, where `published` says so. #}
{% macro variance_basis(published=none) -%}
    {%- set designed = "coalesce(design_fallback, 'DESIGN') || case when lonely_strata > 0 then ';LONELY_' || upper(lonely_units) else '' end" -%}
    {{ return('case when standard_error is null then null' ~ (' when ' ~ published ~ " then 'PUBLISHED_ERRORS'" if published) ~ ' else ' ~ designed ~ ' end') }}
{%- endmacro %}

{# The error that the producer publishes for a total of this size, or null: none is published, the total is beyond those that it
   is published for, or lies in one area. Of a share that of its numerator around it, y * sqrt(cv(y)^2 - cv(x)^2): what the two
   have in common cancels (Wolter 2007, 7.3). #}
{% macro published_error(kind, dims) -%}
    {%- set relative = ["exp(2 * (error_level + (error_slope - 1) * ln(", ")))"] -%}
    case
        when ratios.y between error_smallest and error_largest{{ " and ratios.ref_area = '_T'" if 'ref_area' in dims }}
            then ratios.y * sqrt(greatest(0, {{ relative | join('ratios.y') }}{% if kind == 'share' %} - {{ relative | join('ratios.x') }}{% endif %}))
    end
{%- endmacro %}

{# CTEs `drawn`, `strata` and `second_stage`: all units drawn, also those of fct_sampling_units in which nobody was found; of
   each stratum what `design_variance` needs, and of each unit what `variance_within` does.
   listed: a relation in place of fct_sampling_units. units: relation that has rows of each unit in which somebody was found.
   designed: relation with ssu, population_units and population_ssus of all records that have one of the two populations. #}
{% macro drawn_strata(listed=none, units='finest', designed='finest') -%}
drawn as (
    select batch_id, entity, stratum, psu from {{ units }}
    union
    select entities.batch_id, entities.entity, units.stratum, units.psu
    from (select distinct batch_id, entity from {{ units }}) as entities
    join {{ listed or ref('fct_sampling_units') }} as units on entities.batch_id = units.batch_id
),

-- n_h units drawn, and the share of the stratum's units that was not: all but nothing where it is not known.
strata as (
    select
        drawn.batch_id, drawn.entity, drawn.stratum,
        count(*) as n_h,
        case when any_value(populated.population_units) is null then 1 else 1 - n_h / greatest(any_value(populated.population_units), n_h) end as left_out
    from drawn
    left join (
        select batch_id, entity, stratum, max(population_units) as population_units from {{ designed }} group by batch_id, entity, stratum
    ) as populated on drawn.batch_id = populated.batch_id and drawn.entity = populated.entity and drawn.stratum = populated.stratum
    group by drawn.batch_id, drawn.entity, drawn.stratum
),

second_stage as (
    select
        units.batch_id, units.entity, units.stratum, units.psu,
        units.m_i,
        (1 - strata.left_out) * (1 - units.m_i / greatest(units.population_ssus, units.m_i)) * units.m_i / nullif(units.m_i - 1.0, 0) as weight
    from (
        select batch_id, entity, stratum, psu, count(distinct ssu) as m_i, max(population_ssus) as population_ssus
        from {{ designed }} where population_ssus is not null
        group by batch_id, entity, stratum, psu
    ) as units
    join strata on {{ same('units', 'strata', 'batch_id, entity, stratum') }}
    where strata.left_out < 1 and units.population_ssus > units.m_i
)
{%- endmacro %}

{# CTEs `within`, `deviations` and `variances` from `linearised`: a row for each unit of the last stage of a cell, with the columns
   of `by_cell`, stratum, psu, and z in whole grains; units in which nobody of the cell was found need none. #}
{% macro linearised_variances(by_cell) -%}
{%- set cell = 'units.' ~ (by_cell.split(', ') | join(', units.')) -%}
within as (
    {{ variance_within('linearised', by_cell) }}
),

deviations as (
    select
        {{ cell }},
        batches.lonely_units,
        strata.n_h,
        strata.left_out,
        any_value(within.within) as within,
        any_value(within.lonely_within) as lonely_within,
        cast(sum(units.z) as double) as sz,
        cast(sum(units.z * units.z) as double) as szz
    from (select stratum, psu, {{ by_cell }}, cast(sum(z) as {{ wide_integer() }}) as z from linearised group by stratum, psu, {{ by_cell }}) as units
    join strata on {{ same('units', 'strata', 'batch_id, entity, stratum') }}
    join {{ ref('dim_batch') }} as batches on units.batch_id = batches.batch_id and units.entity = batches.entity
    left join within on units.stratum = within.stratum and {{ same('units', 'within', by_cell) }}
    group by units.stratum, batches.lonely_units, strata.n_h, strata.left_out, {{ cell }}
),

variances as (
    {{ design_variance('deviations', by_cell) }}
)
{%- endmacro %}

{# CTE `within`: what the second stage of a design adds to the variances of `ratios`, stratum by stratum. Of batches whose
   design has none nothing is summed. sums: of `records`, as `estimates` makes them for each unit. #}
{% macro within_cells(cells, dims, based, by_cell, by_base, sums) -%}
{%- set inner_units = 'stratum, psu, ssu, batch_id, entity' -%}
inner_weighed as (
    select
        stratum, psu, ssu, {{ by_cell }},
        {{- sums }}
    from records
    where (batch_id, entity, stratum, psu) in (select batch_id, entity, stratum, psu from second_stage)
    group by stratum, psu, ssu, {{ by_cell }}
),

{% if 'ref_area' in dims -%}
inner_spread as (
    {{ spread_over_areas('inner_weighed', 'ref_area') }}
),

{% endif -%}
inner_counted as (
    {{ cell_sums(cells, dims, inner_units, sum_as_double('wy') ~ ' as dy', 'having sum(records) > 0', 'inner_weighed', 'inner_spread') }}
),

inner_based as (
    {{ cell_sums(base_cells(cells, based), based, inner_units, sum_as_double('wx') ~ ' as dx', '', 'inner_weighed', 'inner_spread') }}
),

inner_deviations as (
    select
        bases.stratum,
        bases.psu,
        {{ 'ratios.' ~ (by_cell.split(', ') | join(', ratios.')) }},
        cast(round((coalesce(counted.dy, 0) - ratios.r * bases.dx) * grains.grain) as {{ wide_integer() }}) as z
    from ratios
    join grains on {{ same('ratios', 'grains', 'batch_id, entity') }}
    join inner_based as bases on {{ same('ratios', 'bases', by_base) }}
    left join inner_counted as counted on bases.stratum = counted.stratum and bases.psu = counted.psu and bases.ssu = counted.ssu and {{ same('ratios', 'counted', by_cell) }}
),

within as (
    {{ variance_within('inner_deviations', by_cell) }}
)
{%- endmacro %}
