{# Estimates from records of persons with weights, strata and sampling units: totals and shares over any cells, each with
   its Taylor-linearised standard error. Here: how figures from microdata are estimated. Not here: which ones (`ind_…`). #}

{# Columns of a fact behind the dimensions of a figure; a call may replace or add some. #}
{% macro fact_dimensions() -%}
    {{ return({
        'ref_area': 'area_code', 'sex': 'sex', 'age': 'age_group', 'counterpart_area': 'country_code',
        'education_lev': 'education_level', 'activity': 'activity_status', 'reason': 'reason_code',
    }) }}
{%- endmacro %}

{# One indicator over the batches of a fact; a row of the answer is a cell of a (batch_id, entity).

   fact: model with batch_id, entity, stratum, psu, weight_persons.
   cells: lists of dimensions, one a table of figures; `[]` is the figure for the whole.
   kind: `total` (persons who meet the measure) or `share` (percent of the domain).
   measure, domain: SQL conditions. Outside the domain nobody counts, but units without anyone of it are still drawn.
   parts: of a share, the dimensions that the numerator alone is broken down by: reasons in percent of all who gave one.
   asked: column that is filled where an entity asks the question; others give no figure, not a zero.
   dimensions: dimension -> SQL expression, where it is not that of `fact_dimensions`. values: as in `indicator_rows`.

   z is linearised per primary sampling unit: y - R x, summed over the strata with n_h units drawn,
   var = sum_h n_h / (n_h - 1) * (sum z^2 - (sum z)^2 / n_h) (Woodruff 1971; Sarndal, Swensson, Wretman 1992, ch. 5).
   n_h counts all units drawn, also those of fct_sampling_units in which nobody of the population was found. A unit's
   weights carry every phase of its design: units as drawn with replacement are the ultimate clusters of both phases.
   A stratum with a single unit has no variance to show: what rests on it gets no error rather than one too small.
   Where a design expands to a published population, a total is that population times a share, and so is its error.
   A census has no sampling error. Sums run over DECIMAL: sums of doubles differ between builds. #}
{% macro estimates(indicator, fact, cells, kind='total', measure='true', domain='true', parts=[], asked=none, dimensions={}, values={}) -%}
{%- set known = fact_dimensions() -%}
{%- do known.update(dimensions) -%}
{%- set dims = cells | sum(start=[]) | unique | list -%}
{#- What a cell is linearised against: a total the whole sample, a share its domain, in the cell but for the parts. -#}
{%- set based = [] if kind == 'total' else dims | reject('in', parts) | list -%}
{%- set by_entity = 'batch_id, entity' -%}
{%- set by_cell = ([by_entity] + dims) | join(', ') -%}
{%- set by_base = ([by_entity] + based) | join(', ') -%}
with records as (
    select
        batch_id, entity, stratum, psu,
        {%- for name in dims %}
        coalesce({{ known[name] }}, '_U') as {{ name }},
        {%- endfor %}
        cast(weight_persons as decimal(18, 4)) as w,
        {{ domain }} as is_in_domain,
        {{ domain }} and {{ measure }} as is_counted
    from {{ ref(fact) }}
    {% if asked -%} where ({{ by_entity }}) in (select {{ by_entity }} from {{ ref(fact) }} where {{ asked }} not in ('_U', '_R', '_Z')) {%- endif %}
),

{# One pass over the records; the cells below are sums of these. A census is a few thousand rows from here on. -#}
finest as (
    select
        stratum, psu, {{ by_cell }},
        cast(coalesce(sum(w) filter (where is_counted), 0) as decimal(30, 4)) as ty, -- wider than 18 digits, or DuckDB multiplies them within 18
        cast(coalesce(sum(w){{ ' filter (where is_in_domain)' if kind == 'share' }}, 0) as decimal(30, 4)) as tx,
        count(*) filter (where is_counted) as counted,
        count(*) filter (where is_in_domain) as records
    from records
    group by stratum, psu, {{ by_cell }}
),

drawn as (
    select batch_id, entity, stratum, psu from finest
    union
    select entities.batch_id, entities.entity, units.stratum, units.psu
    from (select distinct batch_id, entity from finest) as entities
    join {{ ref('fct_sampling_units') }} as units on entities.batch_id = units.batch_id
),

strata as (
    select batch_id, entity, stratum, count(*) as n_h from drawn group by batch_id, entity, stratum
),

units as (
    select
        stratum, psu, {{ by_entity }},
        {%- for name in dims %}
        case when grouping({{ name }}) = 1 then '_T' else {{ name }} end as {{ name }},
        {%- endfor %}
        cast(sum(ty) as decimal(30, 4)) as ty,
        sum(counted) as counted,
        sum(records) as records
    from finest
    group by grouping sets ({% for cell in cells %}({{ (['stratum', 'psu', by_entity] + cell) | join(', ') }}){{ ', ' if not loop.last }}{% endfor %})
    having sum(records) > 0
),

base_units as (
    select
        stratum, psu, {{ by_entity }},
        {%- for name in based %}
        case when grouping({{ name }}) = 1 then '_T' else {{ name }} end as {{ name }},
        {%- endfor %}
        cast(sum(tx) as decimal(30, 4)) as tx
    from finest
    group by grouping sets (
        {%- set sets = [] -%}
        {%- for cell in cells -%}
            {%- do sets.append((['stratum', 'psu', by_entity] + (cell | select('in', based) | list)) | join(', ')) -%}
        {%- endfor -%}
        {%- for one in sets | unique %}({{ one }}){{ ', ' if not loop.last }}{% endfor -%}
    )
),

bases as (
    select stratum, {{ by_base }}, sum(tx) as sx, sum(tx * tx) as sxx from base_units group by stratum, {{ by_base }}
),

sums as (
    select
        units.stratum, {{ 'units.' ~ (by_cell.split(', ') | join(', units.')) }},
        sum(units.ty) as sy,
        sum(units.ty * units.ty) as syy,
        sum(units.ty * base_units.tx) as sxy,
        sum(units.counted) as counted,
        sum(units.records) as records
    from units
    join base_units on units.stratum = base_units.stratum and units.psu = base_units.psu and {{ same('units', 'base_units', by_base) }}
    group by units.stratum, {{ 'units.' ~ (by_cell.split(', ') | join(', units.')) }}
),

populations as (
    select {{ by_base }}, cast(sum(sx) as double) as x from bases group by {{ by_base }}
),

cells as (
    select {{ by_cell }}, cast(sum(sy) as double) as y, sum(counted) as counted, sum(records) as records from sums group by {{ by_cell }}
),

ratios as (
    select
        cells.*,
        populations.x,
        {% if kind == 'share' -%} cells.y / nullif(populations.x, 0) {%- else -%} coalesce(cells.y / batches.expand_to_persons, 0) {%- endif %} as r
    from cells
    join populations on {{ same('cells', 'populations', by_base) }}
    join {{ ref('dim_batch') }} as batches on cells.batch_id = batches.batch_id and cells.entity = batches.entity
),

{# (y - R x) squared and summed, unit by unit; strata in which nobody of the cell lives still have their x. -#}
variances as (
    select
        {{ 'ratios.' ~ (by_cell.split(', ') | join(', ratios.')) }},
        sum(cast(round(
            strata.n_h / nullif(strata.n_h - 1.0, 0) * (
                (cast(coalesce(sums.syy, 0) as double) - 2 * ratios.r * cast(coalesce(sums.sxy, 0) as double) + ratios.r * ratios.r * cast(bases.sxx as double))
                - (cast(coalesce(sums.sy, 0) as double) - ratios.r * cast(bases.sx as double)) ** 2 / strata.n_h
            ), 3) as decimal(38, 3))) as variance,
        count(*) filter (where strata.n_h = 1 and (sums.sy is not null or (ratios.r != 0 and bases.sx != 0))) as lonely_strata
    from ratios
    join bases on {{ same('ratios', 'bases', by_base) }}
    join strata on bases.batch_id = strata.batch_id and bases.entity = strata.entity and bases.stratum = strata.stratum
    left join sums on bases.stratum = sums.stratum and {{ same('ratios', 'sums', by_cell) }}
    group by {{ 'ratios.' ~ (by_cell.split(', ') | join(', ratios.')) }}
),

boundaries as (
    select area_code, max(boundary_version) as boundary_version from {{ ref('dim_area') }} group by area_code
),

estimates as (
    select
        batches.* exclude (batch_id, entity),
        ratios.*,
        boundaries.boundary_version,
        case
            when batches.design_kind = 'census' or variances.lonely_strata > 0 then null
            else round(sqrt(greatest(cast(variances.variance as double), 0))
                {%- if kind == 'share' %} / ratios.x * 100{% endif %}, 6)
        end as standard_error,
        {% if kind == 'share' -%} 100 * ratios.y / nullif(ratios.x, 0) {%- else -%} ratios.y {%- endif %} as estimate
    from ratios
    join {{ ref('dim_batch') }} as batches on ratios.batch_id = batches.batch_id and ratios.entity = batches.entity
    join variances on {{ same('ratios', 'variances', by_cell) }}
    left join boundaries on {{ 'ratios.ref_area = boundaries.area_code' if 'ref_area' in dims else 'false' }}
    where true
        {%- for name in dims %}
        and ratios.{{ name }} != '{{ '_U' if name in ('ref_area', 'sex') else '_Z' }}'
        {%- endfor %}
)

{% set given = {
    'indicator': "'" ~ indicator ~ "'",
    'ref_area': "case when ref_area = '_T' then ref_country else ref_area end" if 'ref_area' in dims else 'ref_country',
    'boundary_version': "case when ref_area = '_T' then '_Z' else coalesce(boundary_version, '_Z') end" if 'ref_area' in dims else "'_Z'",
    'obs_value': 'estimate',
    'numerator': 'y' if kind == 'share' else 'null',
    'denominator': 'x' if kind == 'share' else 'null',
    'n_obs': 'records' if measure == 'true' and not parts else 'counted',
    'standard_error': 'standard_error',
    'obs_status': "case when estimate > 0 and standard_error / estimate > 0.2 then 'U' else 'A' end",
    'is_microdata': 'true',
} -%}
{%- for name in dims if name != 'ref_area' -%}
    {%- do given.update({name: name}) -%}
{%- endfor -%}
{%- do given.update(values) -%}
{{ indicator_rows('estimates', given) }}
{%- endmacro %}

{# Two relations agree in all these columns. #}
{% macro same(a, b, columns) -%}
    {%- for name in columns.split(', ') %}{{ a }}.{{ name }} = {{ b }}.{{ name }}{{ ' and ' if not loop.last }}{% endfor -%}
{%- endmacro %}

{# Residents of census and survey waves, by area and sex. #}
{% macro person_estimates(indicator, measure, kind='total', asked=none) -%}
{{ estimates(indicator, 'fct_persons', [[], ['sex'], ['ref_area'], ['ref_area', 'sex']], kind, measure, asked=asked) }}
{%- endmacro %}
