{# Variances of estimates by the design: units within strata, and what to do where a stratum shows none. Here: the step from
   deviations of units to a variance. Not here: the deviations (`estimates`), bounds (`intervals`). #}

{# Variance, degrees of freedom and lonely strata of each cell, from rows of a stratum in which the cell's domain was found.

   deviations: relation with the columns of `by`, lonely_units, n_h units drawn, left_out (1 - n_h / N_h, of N_h units in the
   population; 1 where that is not known), sz and szz (sums of the units' z and of their squares; units without any are 0).

   var = sum_h left_out * n_h / (n_h - 1) * (sum z^2 - (sum z)^2 / n_h). A stratum of which all was taken adds nothing.
   One with a single unit of several is lonely, and the design says what then (R survey's options(survey.lonely.psu)): nothing:
   no variance at all; `remove`, `certainty`: it adds nothing; `adjust`: its z, around that of the whole sample, which is 0;
   `average`: the mean of the other strata. #}
{% macro design_variance(deviations, by) -%}
    select
        {{ by }},
        count(*) filter (where n_h = 1 and left_out > 0) as lonely_strata,
        cast(sum(n_h - 1) as bigint) as degrees,
        case
            when lonely_strata > 0 and any_value(lonely_units) is null then null
            else sum(cast(
                case
                    when n_h > 1 then left_out * n_h / (n_h - 1.0) * (szz - sz ** 2 / n_h)
                    when lonely_units = 'adjust' then left_out * szz
                    when lonely_units != 'average' or left_out = 0 then 0
                end as decimal(38, 0)
            )) * case when any_value(lonely_units) = 'average' then count(*) / nullif(count(*) - lonely_strata, 0) else 1 end
        end as variance
    from {{ deviations }}
    group by {{ by }}
{%- endmacro %}

{# Whether an error follows the design, or what stood in for it: for strata and units, and for strata with one unit. #}
{% macro variance_basis() -%}
    {{ return("case when standard_error is not null then coalesce(design_fallback, 'DESIGN') || case when lonely_strata > 0 then ';LONELY_' || upper(lonely_units) else '' end end") }}
{%- endmacro %}

{# CTEs `drawn` and `strata` of the batches in `finest`: all units drawn, also those of fct_sampling_units in which nobody was
   found, and of each stratum what `design_variance` needs. #}
{% macro drawn_strata() -%}
drawn as (
    select batch_id, entity, stratum, psu from finest
    union
    select entities.batch_id, entities.entity, units.stratum, units.psu
    from (select distinct batch_id, entity from finest) as entities
    join {{ ref('fct_sampling_units') }} as units on entities.batch_id = units.batch_id
),

-- n_h units drawn, and the share of the stratum's units that was not: all but nothing where it is not known.
strata as (
    select
        drawn.batch_id, drawn.entity, drawn.stratum,
        count(*) as n_h,
        case when any_value(populated.population_units) is null then 1 else 1 - n_h / greatest(any_value(populated.population_units), n_h) end as left_out
    from drawn
    left join (
        select batch_id, entity, stratum, max(population_units) as population_units from finest group by batch_id, entity, stratum
    ) as populated on drawn.batch_id = populated.batch_id and drawn.entity = populated.entity and drawn.stratum = populated.stratum
    group by drawn.batch_id, drawn.entity, drawn.stratum
)
{%- endmacro %}

{# CTEs `deviations` and `variances` from `linearised`: a row a unit of a cell, with the columns of `by_cell`, stratum, and z in
   whole grains; units in which nobody of the cell was found need none. #}
{% macro linearised_variances(by_cell) -%}
deviations as (
    select
        {{ 'linearised.' ~ (by_cell.split(', ') | join(', linearised.')) }},
        batches.lonely_units,
        strata.n_h,
        strata.left_out,
        cast(sum(linearised.z) as double) as sz,
        cast(sum(linearised.z * linearised.z) as double) as szz
    from linearised
    join strata on {{ same('linearised', 'strata', 'batch_id, entity, stratum') }}
    join {{ ref('dim_batch') }} as batches on linearised.batch_id = batches.batch_id and linearised.entity = batches.entity
    group by linearised.stratum, batches.lonely_units, strata.n_h, strata.left_out, {{ 'linearised.' ~ (by_cell.split(', ') | join(', linearised.')) }}
),

variances as (
    {{ design_variance('deviations', by_cell) }}
)
{%- endmacro %}
