{# Quantiles of a number over a domain, medians among them, with Woodruff's intervals. Here: one indicator of kind `quantile`.
   Not here: means (`estimates`), variances (`design_variance`). #}

{# One indicator over the batches of a fact, as `estimates`, whose parameters these are; none of its dimensions is ref_area.

   The smallest value that at least the share `p` of the domain's weight does not exceed (R survey's qrule = "math").
   The share of the domain at or below it has a linearised error, and p-bounds share +- t se; the values at these bounds are
   those of the quantile, and its error is their distance over 2 t (Woodruff 1952; R's interval.type = "mean"). Where a bound
   of the share lies beyond 0 or 1 the sample holds no value for it: BEYOND_SAMPLE.
   n_obs is the domain, of which a few may have no value: how many have one would give away those who have none.
   n_numerator is the smaller side, by which disclosure control judges it: with few records there, a quantile is near their values. #}
{% macro quantiles(indicator, fact, cells, value, p=0.5, domain='true', asked=none, dimensions={}, values={}) -%}
{%- set known = fact_dimensions() -%}
{%- do known.update(dimensions) -%}
{%- set dims = cells | sum(start=[]) | unique | list -%}
{%- if 'ref_area' in dims -%}{{ exceptions.raise_compiler_error("a quantile has no cells by ref_area") }}{%- endif -%}
{%- set by_entity = 'batch_id, entity' -%}
{%- set by_cell = ([by_entity] + dims) | join(', ') -%}
{%- set imputed = imputed_where(fact, [value, domain] | join(' '), dims, known) -%}
{%- set cell_of_values = 'valued.' ~ (by_cell.split(', ') | join(', valued.')) -%}
with records as (
    select
        batch_id, entity, stratum, psu, ssu, population_units, population_ssus,
        {%- for name in dims %}
        coalesce({{ known[name] }}, '_U') as {{ name }},
        {%- endfor %}
        weight_persons as w,
        {{- imputed_flags(imputed) }}
        {{ domain }} as is_in_domain,
        case when is_in_domain then cast({{ value }} as double) end as v
    from {{ ref(fact) }}
    {%- if asked %}
    where ({{ by_entity }}) in (select {{ by_entity }} from {{ ref(fact) }} where {{ asked }} not in ('_U', '_R', '_Z'))
    {%- endif %}
),

finest as (
    select
        stratum, psu, ssu, {{ by_cell }}, v, sum(w) as x, count(v) as records, count(*) filter (where is_in_domain) as asked{{ imputed_counts(imputed, 'v is not null') }},
        max(population_units) as population_units, max(population_ssus) as population_ssus
    from records
    group by stratum, psu, ssu, {{ by_cell }}, v
),

{{ drawn_strata() }},

domains as (
    {{ cell_sums(cells, dims, by_entity, 'sum(asked) as asked') }}
),

valued as (
    {{ cell_sums(cells, dims, 'stratum, psu, ssu, v, ' ~ by_entity, 'sum(x) as x, sum(records) as records' ~ imputed_counts(imputed), 'having sum(records) > 0') }}
),

-- Weight up to each value of a cell.
ranked as (
    select
        {{ by_cell }}, v, sum(records) as records{{ imputed_counts(imputed) }},
        {{ exactly('sum(sum(x)) over (partition by ' ~ by_cell ~ ' order by v)') }} as upto,
        {{ exactly('sum(sum(x)) over (partition by ' ~ by_cell ~ ')') }} as whole
    from valued
    group by {{ by_cell }}, v
),

located as (
    select
        {{ by_cell }},
        min(v) filter (where upto >= {{ p }} * whole * (1 - 1e-12)) as quantile,
        min(upto / whole) filter (where upto >= {{ p }} * whole * (1 - 1e-12)) as share,
        any_value(whole) as whole,
        sum(records) as counted
        {{- imputed_counts(imputed) }},
        1e15 as grain
    from ranked
    where whole > 0
    group by {{ by_cell }}
),

linearised as (
    select
        valued.stratum,
        valued.psu,
        {{ cell_of_values }},
        cast(round(any_value(located.grain) * (
            cast(coalesce(sum(valued.x) filter (where valued.v <= located.quantile), 0) as double)
            - any_value(located.share) * cast(sum(valued.x) as double)
        ) / any_value(located.whole)) as {{ wide_integer() }}) as z
    from valued
    join located on {{ same('valued', 'located', by_cell) }}
    group by valued.stratum, valued.psu, valued.ssu, {{ cell_of_values }}
),

{{ linearised_variances(by_cell) }},

shares as (
    select
        located.*,
        {{ imputed_records(imputed, 'located', 'counted') }} as imputed_records,
        variances.degrees,
        variances.lonely_strata,
        case
            when batches.design_kind != 'census'
                then sqrt(greatest(cast(variances.variance as double), 0) * (1 - coalesce(batches.sampling_fraction, 0))) / located.grain{% if imputed %} * {{ imputation_inflation(imputed, 'located', 'counted') }}{% endif %}
        end as share_error,
        case
            when batches.design_kind = 'census' then 'NO_SAMPLE'
            when variances.variance is null then 'LONELY_UNIT'
            when variances.degrees < 1 then 'NO_DEGREES_OF_FREEDOM'
            when located.share >= 1 or abs(located.share - 0.5) + {{ t_quantile('variances.degrees') }} * share_error > 0.5 then 'BEYOND_SAMPLE'
            else 'WOODRUFF_T'
        end as interval_kind,
        case when interval_kind = 'WOODRUFF_T' then variances.degrees end as degrees_of_freedom,
        {{ t_quantile('degrees_of_freedom') }} as t
    from located
    join variances on {{ same('located', 'variances', by_cell) }}
    join {{ ref('dim_batch') }} as batches on located.batch_id = batches.batch_id and located.entity = batches.entity
),

bounds as (
    select
        {{ 'shares.' ~ (by_cell.split(', ') | join(', shares.')) }},
        {%- for name, sign in {'ci_lower': '-', 'ci_upper': '+'}.items() %}
        min(ranked.v) filter (where ranked.upto >= (shares.share {{ sign }} shares.t * shares.share_error) * ranked.whole * (1 - 1e-12)) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from shares
    join ranked on {{ same('shares', 'ranked', by_cell) }}
    where shares.interval_kind = 'WOODRUFF_T'
    group by {{ 'shares.' ~ (by_cell.split(', ') | join(', shares.')) }}
),

estimates as (
    select
        {{ all_but('batch_id, entity', 'batches') }},
        shares.*,
        domains.asked,
        bounds.ci_lower,
        bounds.ci_upper,
        false as is_shared_out,
        shares.quantile as estimate,
        (bounds.ci_upper - bounds.ci_lower) / (2 * shares.t) as standard_error
    from shares
    join {{ ref('dim_batch') }} as batches on shares.batch_id = batches.batch_id and shares.entity = batches.entity
    join domains on {{ same('shares', 'domains', by_cell) }}
    left join bounds on {{ same('shares', 'bounds', by_cell) }}
    where
        true
        {%- for name in dims %}
        and shares.{{ name }} != '{{ '_U' if name == 'sex' else '_Z' }}'
        {%- endfor %}
)

{% set given = {
    'indicator': "'" ~ indicator ~ "'", 'ref_area': 'ref_country', 'obs_value': 'estimate', 'n_obs': 'asked',
    'n_numerator': 'cast(floor(counted * ' ~ [p, 1 - p] | min ~ ') as bigint)', 'standard_error': 'standard_error', 'variance_basis': variance_basis(), 'degrees_of_freedom': 'degrees_of_freedom',
    'ci_lower': 'ci_lower', 'ci_upper': 'ci_upper', 'interval_kind': 'interval_kind', 'obs_status': estimate_status(), 'is_microdata': 'true',
} -%}
{%- for name in dims -%}{%- do given.update({name: name}) -%}{%- endfor -%}
{%- do given.update(values) -%}
{{ indicator_rows('estimates', given) }}
{%- endmacro %}
