{# The core dimensions of an observation, in order. `series_key` is made of the first group but for what changes within a
   series: time and vintage. Breakdowns come after, one column for each that an indicator record names. #}
{% macro core_dimensions() -%}
    {{ return([
        'indicator', 'freq', 'ref_area', 'counterpart_area', 'sex', 'age', 'duration_rule', 'universe',
        'boundary_version', 'source', 'data_kind',
    ]) }}
{%- endmacro %}

{# Rows of a relation as observations: what `values` does not give is the total (_T) or not applicable (_Z). The same
   columns in the same order for every indicator, so that their union is plain. #}
{% macro indicator_rows(relation, values) -%}
    {%- set defaults = {
        'counterpart_area': "'_Z'", 'sex': "'_T'", 'age': "'_T'", 'boundary_version': "'_Z'",
        'numerator': 'null', 'denominator': 'null', 'n_obs': 'null', 'standard_error': 'null', 'obs_status': "'A'",
    } -%}
    select
        {%- for name in [
            'indicator', 'freq', 'time_period', 'period_start_date', 'period_end_date', 'ref_area', 'counterpart_area',
            'sex', 'age', 'duration_rule', 'universe', 'boundary_version', 'source', 'data_kind', 'vintage',
        ] %}
        {%- set value = values.get(name, defaults.get(name, name)) %}
        cast({{ value }} as {{ 'date' if name.endswith('_date') else 'varchar' }}) as {{ name }},
        {%- endfor %}
        {%- for name in breakdown_columns() %}
        cast({{ values.get(name, "'_T'") }} as varchar) as {{ name }},
        {%- endfor %}
        cast({{ values.get('obs_value', 'obs_value') }} as double) as obs_value,
        cast({{ values.get('numerator', 'null') }} as double) as numerator,
        cast({{ values.get('denominator', 'null') }} as double) as denominator,
        cast({{ values.get('n_obs', 'null') }} as bigint) as n_obs,
        cast({{ values.get('standard_error', 'null') }} as double) as standard_error,
        cast({{ values.get('obs_status', defaults['obs_status']) }} as varchar) as obs_status,
        cast({{ values.get('is_microdata', 'false') }} as boolean) as is_microdata
    from {{ relation }}
{%- endmacro %}

{# Estimates from persons of census and survey waves, by area and sex, with Taylor-linearised standard errors.

   measure: SQL condition that a person meets. kind: `total` (persons) or `share` (percent of all persons).
   asked: column that is filled where a wave asks the question; waves that do not ask it give no figure, not a zero.
   z is linearised per primary sampling unit: y - R x, summed over the strata with n_h units drawn,
   var = sum_h n_h / (n_h - 1) * (sum z^2 - (sum z)^2 / n_h) (Woodruff 1971; Sarndal, Swensson, Wretman 1992, ch. 5).
   Where a design expands to a published population, a total is that population times a share, and so is its error.
   A census has no sampling error. Sums run over DECIMAL: sums of doubles differ between builds. #}
{% macro person_estimates(indicator, measure, kind='total', asked=none) -%}
with persons as (
    select
        batch_id, stratum, psu, area_code, sex,
        cast(weight_persons as decimal(18, 4)) as w,
        case when {{ measure }} then cast(weight_persons as decimal(18, 4)) else 0 end as wy,
        case when {{ measure }} then 1 else 0 end as y
    from {{ ref('fct_persons') }}
    {% if asked -%} where batch_id in (select batch_id from {{ ref('fct_persons') }} where {{ asked }} not in ('_U', '_Z')) {%- endif %}
),

units as (
    select
        batch_id, stratum, psu,
        case when grouping(area_code) = 1 then '_T' else area_code end as area_code,
        case when grouping(sex) = 1 then '_T' else sex end as sex,
        cast(sum(wy) as decimal(30, 4)) as ty, -- wider than 18 digits, or DuckDB multiplies them within 18
        cast(sum(w) as decimal(30, 4)) as tx,
        sum(y) as counted,
        count(*) as records
    from persons
    group by grouping sets (
        (batch_id, stratum, psu), (batch_id, stratum, psu, sex),
        (batch_id, stratum, psu, area_code), (batch_id, stratum, psu, area_code, sex)
    )
),

whole as (
    select batch_id, stratum, psu, tx from units where area_code = '_T' and sex = '_T'
),

strata as (
    select batch_id, stratum, count(*) as n_h, sum(tx * tx) as all_xx, sum(tx) as all_x from whole group by batch_id, stratum
),

sums as (
    select
        units.batch_id, units.stratum, units.area_code, units.sex,
        sum(units.ty) as sy, sum(units.tx) as sx,
        sum(units.ty * units.ty) as syy, sum(units.tx * units.tx) as sxx, sum(units.ty * units.tx) as sxy,
        sum(units.ty * whole.tx) as s_all_xy,
        sum(units.counted) as counted, sum(units.records) as records
    from units
    join whole on units.batch_id = whole.batch_id and units.stratum = whole.stratum and units.psu = whole.psu
    group by units.batch_id, units.stratum, units.area_code, units.sex
),

cells as (
    select batch_id, area_code, sex, sum(sy) as y, sum(sx) as x, sum(counted) as counted, sum(records) as records
    from sums
    group by batch_id, area_code, sex
),

batches as (
    select batch_id, any_value(expand_to_persons) as expand_to, any_value(design_kind) as design_kind, {% for name in [
        'source', 'freq', 'time_period', 'period_start_date', 'period_end_date', 'vintage', 'data_kind', 'ref_country',
        'universe', 'duration_rule',
    ] %}any_value({{ name }}) as {{ name }}{{ ', ' if not loop.last }}{% endfor %}
    from {{ ref('fct_persons') }}
    group by batch_id
),

{# (y - R x) squared and summed, unit by unit: which x depends on the statistic. -#}
variances as (
    select
        sums.batch_id, sums.area_code, sums.sex,
        sum(cast(round(
            strata.n_h / nullif(strata.n_h - 1.0, 0) * (
                (cast(sums.syy as double) - 2 * r * cast(xy as double) + r * r * cast(xx as double))
                - (cast(sums.sy as double) - r * cast(x_sum as double)) ** 2 / strata.n_h
            ), 3) as decimal(38, 3))) as variance,
        count(*) filter (where strata.n_h = 1) as lonely_strata
    from sums
    join strata on sums.batch_id = strata.batch_id and sums.stratum = strata.stratum
    join cells on sums.batch_id = cells.batch_id and sums.area_code = cells.area_code and sums.sex = cells.sex
    join batches on sums.batch_id = batches.batch_id,
    lateral (select
        {%- if kind == 'share' %}
        cast(cells.y as double) / nullif(cast(cells.x as double), 0) as r, sums.sxy as xy, sums.sxx as xx, sums.sx as x_sum
        {%- else %}
        coalesce(cast(cells.y as double) / batches.expand_to, 0) as r, sums.s_all_xy as xy, strata.all_xx as xx, strata.all_x as x_sum
        {%- endif %}
    ) as linear
    group by sums.batch_id, sums.area_code, sums.sex
),

boundaries as (
    select area_code, max(boundary_version) as boundary_version from {{ ref('dim_area') }} group by area_code
),

estimates as (
    select
        batches.*,
        cells.area_code, cells.sex, cells.counted, cells.records,
        cast(cells.y as double) as total_persons,
        cast(cells.x as double) as all_persons,
        boundaries.boundary_version,
        case
            when batches.design_kind = 'census' or variances.lonely_strata > 0 then null
            else round(sqrt(greatest(cast(variances.variance as double), 0))
                {%- if kind == 'share' %} / cast(cells.x as double) * 100{% endif %}, 6)
        end as standard_error,
        {% if kind == 'share' -%} 100 * cast(cells.y as double) / nullif(cast(cells.x as double), 0)
        {%- else -%} cast(cells.y as double) {%- endif %} as estimate
    from cells
    join batches on cells.batch_id = batches.batch_id
    join variances on cells.batch_id = variances.batch_id and cells.area_code = variances.area_code and cells.sex = variances.sex
    left join boundaries on cells.area_code = boundaries.area_code
    where cells.area_code != '_U' and cells.sex != '_U'
)

{{ indicator_rows('estimates', {
    'indicator': "'" ~ indicator ~ "'",
    'ref_area': "case when area_code = '_T' then ref_country else area_code end",
    'sex': 'sex',
    'boundary_version': "case when area_code = '_T' then '_Z' else coalesce(boundary_version, '_Z') end",
    'obs_value': 'estimate',
    'numerator': 'total_persons' if kind == 'share' else 'null',
    'denominator': 'all_persons' if kind == 'share' else 'null',
    'n_obs': 'records' if measure == 'true' else 'counted',
    'standard_error': 'standard_error',
    'obs_status': "case when estimate > 0 and standard_error / estimate > 0.2 then 'U' else 'A' end",
    'is_microdata': 'true',
}) }}
{%- endmacro %}

{# One component of population change, country by country and year by year. #}
{% macro component_rows(indicator, component) -%}
with components as (
    select * from {{ ref('fct_population_components') }} where component = '{{ component }}'
)

{{ indicator_rows('components', yearly(indicator, 'country_code', 'value_persons')) }}
{%- endmacro %}

{# The columns of a figure about a civil year, or about one day of it. #}
{% macro yearly(indicator, ref_area, value, day=none) -%}
    {{ return({
        'indicator': "'" ~ indicator ~ "'", 'freq': "'A'", 'time_period': 'reference_year', 'ref_area': ref_area,
        'obs_value': value,
        'period_start_date': year_start('reference_year') if day is none else "make_date(cast(reference_year as integer), " ~ day ~ ")",
        'period_end_date': year_end('reference_year') if day is none else "make_date(cast(reference_year as integer), " ~ day ~ ")",
    }) }}
{%- endmacro %}

{# Migrant stocks seen from one side: by counterpart and sex, with the sums over both. Imputed parts make it estimated. #}
{% macro migrant_stock_rows(indicator, ref_area, counterpart) -%}
with stocks as (
    select
        source, data_kind, vintage, duration_rule, universe, reference_year,
        {{ ref_area }} as area,
        case when grouping({{ counterpart }}) = 1 then '_T' else {{ counterpart }} end as counterpart,
        case when grouping(sex) = 1 then '_T' else sex end as sex,
        sum(stock_persons) as stock_persons,
        bool_or(is_imputed) as is_imputed
    from {{ ref('fct_migrant_stock') }}
    group by grouping sets (
        (source, data_kind, vintage, duration_rule, universe, reference_year, {{ ref_area }}),
        (source, data_kind, vintage, duration_rule, universe, reference_year, {{ ref_area }}, sex),
        (source, data_kind, vintage, duration_rule, universe, reference_year, {{ ref_area }}, {{ counterpart }}),
        (source, data_kind, vintage, duration_rule, universe, reference_year, {{ ref_area }}, {{ counterpart }}, sex)
    )
)

{{ indicator_rows('stocks', dict(
    yearly(indicator, 'area', 'stock_persons', day='7, 1'),
    counterpart_area='counterpart', sex='sex', obs_status="case when is_imputed then 'A;I' else 'A' end"
)) }}
{%- endmacro %}

{# Displaced persons at the end of a year, seen from the country of asylum or of origin. #}
{% macro displaced_rows(indicator, ref_area, counterpart, groups) -%}
with stocks as (
    select
        source, data_kind, vintage, duration_rule, universe, reference_year, population_group,
        {{ ref_area }} as area,
        case when grouping({{ counterpart }}) = 1 then '_T' else {{ counterpart }} end as counterpart,
        sum(stock_persons) as stock_persons
    from {{ ref('fct_displaced_persons') }}
    where population_group in ({% for group in groups %}'{{ group }}'{{ ', ' if not loop.last }}{% endfor %})
    group by grouping sets (
        (source, data_kind, vintage, duration_rule, universe, reference_year, population_group, {{ ref_area }}),
        (source, data_kind, vintage, duration_rule, universe, reference_year, population_group, {{ ref_area }}, {{ counterpart }})
    )
    having sum(stock_persons) is not null
)

{{ indicator_rows('stocks', dict(
    yearly(indicator, 'area', 'stock_persons', day='12, 31'), counterpart_area='counterpart', population_group='population_group'
)) }}
{%- endmacro %}

{# The name of a series, the same from release to release: a hash over its dimensions. A breakdown counts only where it
   is not the total, so that a new breakdown column renames nothing. #}
{% macro series_key(relation) -%}
    {{ relation }}.indicator || '.' || substr(md5(concat_ws('|'
        {%- for name in core_dimensions() %}, {{ relation }}.{{ name }}{% endfor %}
        {%- for name in breakdown_columns() %}, case when {{ relation }}.{{ name }} != '_T' then '{{ name }}=' || {{ relation }}.{{ name }} end{% endfor -%}
    )), 1, 16)
{%- endmacro %}

{# The dimensions of a figure that are not totals, sorted: the cell of the allow-list that it belongs to. #}
{% macro cell_of(relation) -%}
    {%- set names = (['counterpart_area', 'sex', 'age'] + breakdown_columns()) | sort -%}
    concat_ws(' '
        {%- for name in names %}, case when {{ relation }}.{{ name }} not in ('_T', '_Z') then '{{ name }}' end{% endfor -%}
    )
{%- endmacro %}
