{# Differences between two domains of one sample, with the covariance that they have since units hold both. Here: shares and
   means of one domain less those of another, and less those of the wave before. Not here: the estimates of each (`estimates`). #}

{# One indicator over the batches of a fact, as `estimates`, whose parameters these are; none of its dimensions is ref_area.

   The share of `domain` that meets the measure, less that of `against`, in percentage points; with `value` its mean in
   `domain` less that in `against`. Domains may overlap, as a part and the whole do.
   Linearised per unit, z = (y_a - R_a x_a) / X_a - (y_b - R_b x_b) / X_b: the variance of z holds the covariance (Kish and
   Frankel 1974; R's svycontrast over svyby(covmat = TRUE)). z is counted in grains, 10^15 to the larger of both figures.
   n_obs is the smaller of both domains, by which disclosure control judges the difference. #}
{% macro differences(indicator, fact, cells, measure='true', domain='true', against='true', value=none, asked=none, dimensions={}, values={}, relation=none, listed=none) -%}
{%- set known = fact_dimensions() -%}
{%- do known.update(dimensions) -%}
{%- set dims = cells | sum(start=[]) | unique | list -%}
{%- if 'ref_area' in dims -%}{{ exceptions.raise_compiler_error("a difference has no cells by ref_area") }}{%- endif -%}
{%- set by_entity = 'batch_id, entity' -%}
{%- set by_cell = ([by_entity] + dims) | join(', ') -%}
{%- set imputed = imputed_where(fact, [measure, domain, against, value or ''] | join(' '), dims, known) -%}
{%- set sides = {'a': domain, 'b': against} -%}
{%- set percent = 100 if value is none else 1 -%}
with records as (
    select
        batch_id, entity, stratum, psu, ssu, population_units, population_ssus,
        {%- for name in dims %}
        coalesce({{ known[name] }}, '_U') as {{ name }},
        {%- endfor %}
        weight_persons as w,
        {{- imputed_flags(imputed) }}
        {%- for side, condition in sides.items() %}
        ({{ condition }}){{ ' and (' ~ value ~ ') is not null' if value }} as is_in_{{ side }},
        {%- endfor %}
        {{ 'cast(cast(weight_persons as double) * (' ~ value ~ ') as decimal(38, 18))' if value else 'case when ' ~ measure ~ ' then weight_persons else 0 end' }} as wy
    from {{ relation or ref(fact) }}
    {%- if asked %}
    where ({{ by_entity }}) in (select {{ by_entity }} from {{ ref(fact) }} where {{ asked }} not in ('_U', '_R', '_Z'))
    {%- endif %}
),

finest as (
    select
        stratum, psu, ssu, {{ by_cell }},
        {%- for side in sides %}
        coalesce(sum(w) filter (where is_in_{{ side }}), 0) as x_{{ side }},
        coalesce(sum(wy) filter (where is_in_{{ side }}), 0) as y_{{ side }},
        count(*) filter (where is_in_{{ side }}) as records_{{ side }},
        {%- endfor %}
        max(population_units) as population_units,
        max(population_ssus) as population_ssus
        {{- imputed_counts(imputed, 'is_in_a or is_in_b') }}
    from records
    group by stratum, psu, ssu, {{ by_cell }}
),

{{ drawn_strata(listed) }},

{% set sums = [] -%}
{%- for name in ['x_a', 'y_a', 'records_a', 'x_b', 'y_b', 'records_b'] -%}{%- do sums.append('sum(' ~ name ~ ') as ' ~ name) -%}{%- endfor -%}
units as (
    {{ cell_sums(cells, dims, 'stratum, psu, ssu, ' ~ by_entity, sums | join(', ') ~ imputed_counts(imputed), 'having sum(records_a + records_b) > 0') }}
),

ratios as (
    select
        {{ by_cell }},
        {%- for side in sides %}
        {{ exactly('sum(x_' ~ side ~ ')') }} as all_{{ side }},
        {{ exactly('sum(y_' ~ side ~ ')') }} / all_{{ side }} as r_{{ side }},
        {%- endfor %}
        least(sum(records_a), sum(records_b)) as counted,
        sum(records_a) + sum(records_b) as records
        {{- imputed_counts(imputed) }},
        1e15 / greatest(abs(r_a), abs(r_b), 1e-12) as grain
    from units
    group by {{ by_cell }}
    having sum(x_a) > 0 and sum(x_b) > 0
),

linearised as (
    select
        units.stratum,
        units.psu,
        {{ 'ratios.' ~ (by_cell.split(', ') | join(', ratios.')) }},
        cast(round(ratios.grain * (
            (cast(units.y_a as double) - ratios.r_a * cast(units.x_a as double)) / ratios.all_a
            - (cast(units.y_b as double) - ratios.r_b * cast(units.x_b as double)) / ratios.all_b
        )) as {{ wide_integer() }}) as z
    from units
    join ratios on {{ same('units', 'ratios', by_cell) }}
),

{{ linearised_variances(by_cell) }},

estimates as (
    select
        {{ all_but('batch_id, entity', 'batches') }},
        ratios.*,
        false as is_shared_out,
        {{ imputed_records(imputed, 'ratios', 'records') }} as imputed_records,
        {%- if imputed %}
        {{ imputation_inflation(imputed, 'ratios', 'records') }} as imputation_inflation,
        {%- endif %}
        case
            when batches.design_kind = 'census' or variances.variance is null then null
            else {{ percent }} * sqrt(greatest(cast(variances.variance as double), 0) * (1 - coalesce(batches.sampling_fraction, 0))) / ratios.grain{{ ' * imputation_inflation' if imputed }}
        end as error,
        error as standard_error,
        {{ percent }} * (ratios.r_a - ratios.r_b) as estimate,
        variances.degrees,
        variances.lonely_strata,
        {{ interval_columns('difference') }}
    from ratios
    join {{ ref('dim_batch') }} as batches on ratios.batch_id = batches.batch_id and ratios.entity = batches.entity
    join variances on {{ same('ratios', 'variances', by_cell) }}
    where
        true
        {%- for name in dims %}
        and ratios.{{ name }} != '{{ '_U' if name == 'sex' else '_Z' }}'
        {%- endfor %}
)

{% set given = {
    'indicator': "'" ~ indicator ~ "'", 'ref_area': 'ref_country', 'obs_value': 'estimate', 'n_obs': 'counted',
    'standard_error': 'standard_error', 'variance_basis': variance_basis(), 'degrees_of_freedom': 'degrees_of_freedom',
    'ci_lower': 'ci_lower', 'ci_upper': 'ci_upper', 'interval_kind': 'interval_kind', 'obs_status': estimate_status(), 'is_microdata': 'true',
} -%}
{%- for name in dims -%}{%- do given.update({name: name}) -%}{%- endfor -%}
{%- do given.update(values) -%}
{{ indicator_rows('estimates', given) }}
{%- endmacro %}

{# One indicator over the waves of a survey: the share of `domain` that meets the measure, or with `value` its mean, less that of
   the wave before (the same source's and entity's with the next earlier last day; a first wave gives no figure).

   Units are the same in both waves where stratum and psu have the same codes, and then the covariance of what stays is in the
   error: that of a panel of districts or households is smaller than that of two samples (R: both waves in one svydesign, and
   svycontrast over svyby(~wave, covmat = TRUE)). Units drawn are those that either wave lists. Where a source draws anew, its codes of units must tell the draws apart. #}
{% macro changes(indicator, fact, cells, measure='true', domain='true', value=none, asked=none, dimensions={}, values={}) -%}
{%- set pairs -%}
(
            select
                own.batch_id,
                own.entity,
                lag(own.batch_id) over (
                    partition by batches.source, own.entity order by batches.period_end_date, own.batch_id
                ) as former_batch_id
            from (select distinct batch_id, entity from {{ ref(fact) }}) as own
            join {{ ref('dim_batch') }} as batches on own.batch_id = batches.batch_id and own.entity = batches.entity
        )
{%- endset -%}
{%- set listed -%}
(
        select waves.batch_id, units.stratum, units.psu
        from {{ pairs }} as waves
        join {{ ref('fct_sampling_units') }} as units on units.batch_id in (waves.batch_id, waves.former_batch_id)
    )
{%- endset -%}
{%- set waves -%}
(
        select {{ all_but('batch_id', 'fact') }}, waves.batch_id, fact.batch_id = waves.batch_id as is_this_wave
        from {{ ref(fact) }} as fact
        join {{ pairs }} as waves on fact.entity = waves.entity and fact.batch_id in (waves.batch_id, waves.former_batch_id)
        where waves.former_batch_id is not null
    ) as fact
{%- endset -%}
{{ differences(
    indicator, fact, cells, measure, '(' ~ domain ~ ') and is_this_wave', '(' ~ domain ~ ') and not is_this_wave', value, asked,
    dimensions, values, waves, listed
) }}
{%- endmacro %}
