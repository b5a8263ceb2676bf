{# The core dimensions of an observation, in order. `series_key` is made of the first group but for what changes within a
   series: time and vintage. Breakdowns come after, one column for each that an indicator record names. #}
{% macro core_dimensions() -%}
    {{ return([
        'indicator', 'freq', 'ref_area', 'counterpart_area', 'sex', 'age', 'duration_rule', 'universe',
        'boundary_version', 'source', 'data_kind',
    ]) }}
{%- endmacro %}

{# Columns of an observation that are no breakdown, with their types, in order. #}
{% macro figure_columns() -%}
    {%- set dimensions = {} -%}
    {%- for name in [
        'indicator', 'freq', 'time_period', 'period_start_date', 'period_end_date', 'ref_area', 'counterpart_area',
        'sex', 'age', 'duration_rule', 'universe', 'boundary_version', 'window_length', 'source', 'data_kind', 'vintage',
    ] -%}
        {%- do dimensions.update({name: 'date' if name.endswith('_date') else 'string'}) -%}
    {%- endfor -%}
    {{ return((dimensions, {
        'obs_value': 'double', 'numerator': 'double', 'denominator': 'double', 'n_obs': 'bigint',
        'n_numerator': 'bigint', 'n_denominator': 'bigint', 'standard_error': 'double',
        'variance_basis': 'string', 'degrees_of_freedom': 'bigint', 'ci_lower': 'double', 'ci_upper': 'double',
        'interval_kind': 'string', 'design_effect': 'double', 'effective_records': 'double', 'obs_status': 'string', 'is_microdata': 'boolean',
    })) }}
{%- endmacro %}

{# Rows of a relation as observations: what `values` does not give is the total (_T) or not applicable (_Z). Breakdowns that
   it does not give are no columns: `figures_of` puts models side by side. In the order in which codes change least, which
   is what makes files small and filters quick. #}
{% macro indicator_rows(relation, values) -%}
    {%- set defaults = {
        'counterpart_area': "'_Z'", 'sex': "'_T'", 'age': "'_T'", 'boundary_version': "'_Z'", 'numerator': 'null',
        'denominator': 'null', 'n_obs': 'null', 'n_numerator': 'null', 'n_denominator': 'null', 'obs_status': "'A'",
        'standard_error': 'null', 'variance_basis': 'null', 'degrees_of_freedom': 'null', 'ci_lower': 'null', 'ci_upper': 'null',
        'interval_kind': 'null', 'design_effect': 'null', 'effective_records': 'null',
        'is_microdata': 'false',
        'window_length': window_length(
            values.get('period_start_date', 'period_start_date'), values.get('period_end_date', 'period_end_date'), values.get('freq', 'freq')
        ),
    } -%}
    {%- set own = breakdown_columns() | select('in', values) | list -%}
    {%- set dimensions, measures = figure_columns() -%}
    select
        {{ series_key('figures', own) }} as series_key,
        figures.*
    from (
        select
            {%- for name, type in dimensions.items() %}
            cast({{ values.get(name, defaults.get(name, name)) }} as {{ type }}) as {{ name }},
            {%- endfor %}
            {%- for name in own %}
            cast({{ values[name] }} as string) as {{ name }},
            {%- endfor %}
            {%- for name, type in measures.items() %}
            cast({{ values.get(name, defaults.get(name, name)) }} as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ relation }}
    ) as figures
    order by
        source, universe, duration_rule, freq, ref_area, counterpart_area, sex, age
        {%- for name in own %}, {{ name }}{% endfor %}, boundary_version, vintage, time_period
{%- endmacro %}

{# How long the window is that a figure is about, in ISO 8601 (P5Y, P3851D), where that is not the period that its time_period
   names, such as the five years before a census; else _Z. #}
{% macro window_length(start, end, freq) -%}
    {%- set first = 'cast(' ~ start ~ ' as date)' -%}
    {%- set last = 'cast(' ~ end ~ ' as date)' -%}
    {%- set years = 'year(' ~ last ~ ' + 1) - year(' ~ first ~ ')' -%}
    case
        when {{ days_between(first, last) }}
            < 1.5 * case {{ freq }} when 'A' then 366 when 'Q' then 92 when 'M' then 31 else 1 end then '_Z'
        when {{ years_after(first, years) }} in ({{ last }}, {{ last }} + 1) then 'P' || ({{ years }}) || 'Y'
        else 'P' || ({{ days_between(first, last) }} + 1) || 'D'
    end
{%- endmacro %}

{# Figures of several models side by side, with every breakdown: one that a model does not have is the total. #}
{% macro figures_of(models) -%}
    {%- set dimensions, measures = figure_columns() -%}
    {%- set columns = {'series_key': 'string'} -%}
    {%- do columns.update(dimensions) -%}
    {%- for name in breakdown_columns() -%}{%- do columns.update({name: 'string'}) -%}{%- endfor -%}
    {%- do columns.update(measures) -%}
    select
        series_key,
        {%- for name in dimensions %}
        {{ name }},
        {%- endfor %}
        {%- for name in breakdown_columns() %}
        coalesce({{ name }}, '_T') as {{ name }},
        {%- endfor %}
        {%- for name in measures %}
        {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        {{ union_by_name(columns, models) }}
    ) as sides
{%- endmacro %}

{# The number by which observations find their series: 60 bits of the key's hash. Numbers are joined many times quicker than
   texts, and a test holds that no two series share one. #}
{% macro series_no(series_key) -%}
    {{ number_of_hex("left(split_part(" ~ series_key ~ ", '.', 2), 15)") }}
{%- endmacro %}

{# What a series answers: the same of the same group, area, window and cell, whoever says it and by whichever rule of stay.
   A number like that of a series, since windows over numbers are many times quicker than over forty texts. #}
{% macro question_no(series, answers_for) -%}
    {%- set asked = ['indicator', 'ref_area', 'counterpart_area', 'sex', 'age', 'window_length'] + breakdown_columns() -%}
    {{ number_of_hex("left(md5(concat_ws('|', " ~ answers_for ~ ", " ~ series ~ "." ~ asked | join(", " ~ series ~ ".") ~ ")), 15)") }}
{%- endmacro %}

{# What all observations of a series share: every dimension but time and edition, with its key. #}
{% macro series_columns() -%}
    {{ return(core_dimensions() + ['window_length'] + breakdown_columns()) }}
{%- endmacro %}

{# The series of several models, one row each; each model is asked for the columns that it has. #}
{% macro series_of(models) -%}
    {%- set columns = dict.fromkeys(['series_key'] + series_columns(), 'string') -%}
    select
        series_key,
        {%- for name in series_columns() %}
        {{ "coalesce(" ~ name ~ ", '_T') as " ~ name if name in breakdown_columns() else name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        {{ union_by_name(columns, models, ['time_period', 'period_start_date', 'period_end_date', 'vintage'] + (figure_columns()[1] | list)) }}
    ) as sides
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
with sums as (
    select
        source, data_kind, vintage, duration_rule, universe, reference_year,
        {{ ref_area }} as area,
        case when grouping({{ counterpart }}) = 1 then '_T' else {{ counterpart }} end as counterpart,
        case when grouping(sex) = 1 then '_T' else sex end as sex,
        grouping(sex) = 1 as is_both_sexes,
        sum(stock_persons) as stock_persons,
        bool_or(is_imputed) as is_imputed
    from {{ ref('fct_migrant_stock') }}
    group by grouping sets (
        (source, data_kind, vintage, duration_rule, universe, reference_year, {{ ref_area }}),
        (source, data_kind, vintage, duration_rule, universe, reference_year, {{ ref_area }}, sex),
        (source, data_kind, vintage, duration_rule, universe, reference_year, {{ ref_area }}, {{ counterpart }}),
        (source, data_kind, vintage, duration_rule, universe, reference_year, {{ ref_area }}, {{ counterpart }}, sex)
    )
),

-- A source without sexes has its total already; a cell without a figure is no figure.
stocks as (
    select * from sums where (is_both_sexes or sex != '_T') and stock_persons is not null
)

{{ indicator_rows('stocks', dict(
    yearly(indicator, 'area', 'stock_persons', day='7, 1'),
    counterpart_area='counterpart', sex='sex', obs_status="case when is_imputed then 'A;I' else 'A' end"
)) }}
{%- endmacro %}

{# A status, with P for the year in which an edition came out: it was not over. #}
{% macro of_edition_year(status) -%}
    {{ return("(" ~ status ~ ") || case when cast(reference_year as string) = vintage then ';P' else '' end") }}
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
    yearly(indicator, 'area', 'stock_persons', day='12, 31'),
    counterpart_area='counterpart', population_group='population_group', obs_status=of_edition_year("'A'")
)) }}
{%- endmacro %}

{# Asylum procedures of a year at first instance, in the country that decides, by origin; with `base` in percent of it. #}
{% macro asylum_rows(indicator, which, measure, base=none) -%}
with procedures as (
    select
        source, data_kind, vintage, duration_rule, universe, reference_year, asylum_code,
        case when grouping(origin_code) = 1 then '_T' else origin_code end as origin_code,
        cast(sum({{ measure }}) as double) as counted_persons,
        cast(sum({{ base or measure }}) as double) as base_persons,
        bool_or(stage = 'MIXED' and {{ base or measure }} > 0) as is_mixed
    from {{ ref('fct_asylum_procedures') }}
    where {{ which }} and stage in ('NEW', 'MIXED') and counted = 'PERSONS'
    group by grouping sets (
        (source, data_kind, vintage, duration_rule, universe, reference_year, asylum_code),
        (source, data_kind, vintage, duration_rule, universe, reference_year, asylum_code, origin_code)
    )
    having sum({{ base or measure }}) > 0
)

{{ indicator_rows('procedures', dict(
    yearly(indicator, 'asylum_code', '100 * counted_persons / base_persons' if base else 'counted_persons'),
    counterpart_area='origin_code', obs_status=of_edition_year("case when is_mixed then 'D' else 'A' end"),
    numerator='counted_persons' if base else 'null', denominator='base_persons' if base else 'null'
)) }}
{%- endmacro %}

{# The name of a series, the same from release to release: a hash over its dimensions. A breakdown counts only where it
   is not the total, so that a new breakdown column renames nothing, and of `breakdowns` only those that a model has. #}
{% macro series_key(relation, breakdowns) -%}
    {{ relation }}.indicator || '.' || substr(md5(concat_ws('|'
        {%- for name in core_dimensions() %}, {{ relation }}.{{ name }}{% endfor %}
        {%- for name in breakdowns %}, case when {{ relation }}.{{ name }} != '_T' then '{{ name }}=' || {{ relation }}.{{ name }} end{% endfor -%}
        , case when {{ relation }}.window_length != '_Z' then 'window_length=' || {{ relation }}.window_length end
    )), 1, 16)
{%- endmacro %}

{# An observation status with the break of its series: B takes the place of "normal", and stands before other flags. #}
{% macro with_break(status, is_broken) -%}
    case
        when not ({{ is_broken }}) or array_contains({{ parts_of(status, ';') }}, 'B') then {{ status }}
        when {{ status }} = 'A' or {{ status }} like 'A;%' then 'B' || substr({{ status }}, 2)
        else 'B;' || {{ status }}
    end
{%- endmacro %}

{# The order in which figures answer one question, the first preferred; `indicators` is joined beside the figures. What is
   real, then the source that the indicator's record names first (a figure from several stands where the first of them does),
   the universe that it defines, the last edition and the longest stay. #}
{% macro preference(figures, source='source') -%}
    {{ preferred_source(figures, source) }}, {{ figures }}.vintage desc, {{ preferred_stay(figures) }}
{%- endmacro %}

{# The part of that order that stands before the edition: #}
{% macro preferred_source(figures, source='source') -%}
    {{ figures }}.data_kind = 'synthetic',
    nullif(array_position({{ parts_of('indicators.sources', ' ') }}, split_part({{ figures }}.{{ source }}, '+', 1)), 0) nulls last,
    {{ figures }}.universe != indicators.universe
{%- endmacro %}

{# and behind it. #}
{% macro preferred_stay(figures) -%}
    nullif(array_position({{ list_of(["'12M'", "'6M'", "'3M'"]) }}, {{ figures }}.duration_rule), 0) nulls last
{%- endmacro %}

{# The breakdowns of a figure in one text, `age=Y15T29 reason=EDUC`; empty where it has none. #}
{% macro breakdown_text(relation) -%}
    concat_ws(' ', case when {{ relation }}.age != '_T' then 'age=' || {{ relation }}.age end
        {%- for name in breakdown_columns() %}, case when {{ relation }}.{{ name }} != '_T' then '{{ name }}=' || {{ relation }}.{{ name }} end{% endfor -%}
    )
{%- endmacro %}

{# Statuses of a figure that have a column of their own, the most telling first. #}
{% macro status_columns() -%}
    {{ return({
        'is_estimated': 'E', 'is_break': 'B', 'is_other_definition': 'D', 'is_unreliable': 'U', 'is_imputed': 'I', 'is_provisional': 'P',
    }) }}
{%- endmacro %}

{# Of several statuses the one that SDMX has room for. #}
{% macro one_status(statuses) -%}
    case
        when length({{ statuses }}) = 1 then {{ statuses }}
        {%- for code in status_columns().values() %}
        when contains({{ statuses }}, '{{ code }}') then '{{ code }}'
        {%- endfor %}
        else {{ value_at(list_without(parts_of(statuses, ';'), "'A'"), 1) }}
    end
{%- endmacro %}

{# The dimensions of a figure that are not totals, sorted: the cell of the allow-list that it belongs to. Without a
   counterpart that dimension is `_Z`; elsewhere `_Z` are those to whom a question does not apply, and they are a part. #}
{% macro cell_of(relation) -%}
    {%- set names = (['counterpart_area', 'sex', 'age'] + breakdown_columns()) | sort -%}
    concat_ws(' '
        {%- for name in names %}, case when {{ relation }}.{{ name }} not in ('_T'{{ ", '_Z'" if name == 'counterpart_area' }}) then '{{ name }}' end{% endfor -%}
    )
{%- endmacro %}
