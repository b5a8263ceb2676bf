{# Mirror statistics seen from the country whose citizens (or native-born) they are about: by reporting country and sex,
   with the sums over both. A published total stands; only where there is none are its sexes added. Own citizens at home
   are no one abroad. n_obs of a sum is the number of countries that report: countries that do not are not estimated,
   and a sum over others than the year before is a break (B).

   measure: of mirror_measures. area: column of the fact that is ref_area. dims: column of the fact -> breakdown. #}
{% macro mirror_rows(indicator, measure, area='country_of_citizenship_code', dims={}) -%}
{%- set parts = ['age', 'reason_code', 'permit_duration', 'ground_code', 'place_code', 'applicant_type', 'border_route'] -%}
{%- set keys = ['source', 'data_kind', 'vintage', 'duration_rule', 'universe', 'reference_year', 'reference_start_date',
    'reference_end_date', 'area'] + dims.keys() | list -%}
with cells as (
    select
        source, data_kind, vintage, duration_rule, universe, reference_year, reference_start_date, reference_end_date,
        {{ area }} as area, reporting_country_code, sex, observed_value, obs_status
        {%- for name in dims %}, {{ name }}{% endfor %}
    from {{ ref('fct_mirror_cells') }}
    where
        measure = '{{ measure }}'
        and observed_value is not null
        and ({{ area }} = '_W' or left({{ area }}, 1) != '_')
        and {{ area }} != reporting_country_code
        and {{ 'country_of_birth_code' if area == 'country_of_citizenship_code' else 'country_of_citizenship_code' }} = '_W'
        {%- for name in parts if name not in dims %}
        and {{ name }} = '_T'
        {%- endfor %}
),

made as (
    select {{ keys | join(', ') }}, reporting_country_code, '_T' as sex,
        sum(observed_value) as observed_value, string_agg(obs_status, ';') as obs_status
    from cells
    where sex != '_T'
    group by {{ keys | join(', ') }}, reporting_country_code
),

whole as (
    select {{ keys | join(', ') }}, reporting_country_code, sex, observed_value, obs_status from cells
    union all
    select * from made
    where ({{ keys | join(', ') }}, reporting_country_code) not in
        (select {{ keys | join(', ') }}, reporting_country_code from cells where sex = '_T')
),

sums as (
    select
        {{ keys | join(', ') }},
        case when grouping(reporting_country_code) = 1 then '_T' else reporting_country_code end as counterpart,
        sex,
        sum(observed_value) as observed_value,
        case when grouping(reporting_country_code) = 1 then count(distinct reporting_country_code) end as reporting_countries,
        array_sort({{ set_of('reporting_country_code') }}) as reporters,
        array_sort(array_distinct({{ parts_of("string_agg(obs_status, ';')", ';') }})) as flags
    from whole
    where sex != '_U'
    group by grouping sets ({% for over in ['', ', reporting_country_code'] %}({{ keys | join(', ') }}, sex{{ over }}){{ ', ' if not loop.last }}{% endfor %})
),

flagged as (
    select
        *,
        reporters != lag(reporters) over (
            partition by {{ keys | reject('in', ['reference_year', 'reference_start_date', 'reference_end_date']) | join(', ') }}, counterpart, sex
            order by reference_year
        ) as is_moved
    from sums
)

{%- set special = list_without('flags', "'A'") -%}
{%- set values = {
    'indicator': "'" ~ indicator ~ "'", 'freq': "'A'", 'time_period': 'reference_year',
    'period_start_date': 'reference_start_date', 'period_end_date': 'reference_end_date',
    'ref_area': 'area', 'counterpart_area': 'counterpart', 'sex': 'sex', 'obs_value': 'observed_value',
    'n_obs': 'reporting_countries',
    'obs_status': "case when coalesce(is_moved, false) then " ~ list_as_text('array_sort(array_distinct(' ~ special ~ ' || ' ~ list_of(["'B'"]) ~ '))', ';')
        ~ " when flags = " ~ list_of(["'A'"]) ~ " then 'A' else " ~ list_as_text(special, ';') ~ " end",
} -%}
{%- for name, breakdown in dims.items() %}{% do values.update({breakdown: name}) %}{% endfor -%}
{{ indicator_rows('flagged', values) }}
{%- endmacro %}
