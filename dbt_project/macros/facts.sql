{# What every fact row carries beside its own columns. own: column -> SQL of a fact that knows it better than its batch. #}
{% macro batch_columns(alias, own={}) -%}
    {%- for name in [
        'freq', 'time_period', 'period_start_date', 'period_end_date', 'vintage', 'data_kind', 'ref_country',
        'universe', 'duration_rule', 'measure_type', 'reference_point',
    ] %}
    {{ own[name] ~ ' as ' ~ name if name in own else alias ~ '.' ~ name }},
    {%- endfor %}
{%- endmacro %}

{# A fact whose own columns are as they were fed: one row a row sent. #}
{% macro fact_as_fed(fact, columns) -%}
select
    sent.source,
    sent.entity,
    sent.period,
    sent.batch_id,
    sent.layout,
    sent.record_no,
    {{- batch_columns('batches') }}
    {%- for name in columns %}
    sent.{{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from {{ ref('feed_' ~ fact) }} as sent
join {{ ref('stg_batches') }} as batches on sent.batch_id = batches.batch_id and sent.entity = batches.entity
{%- endmacro %}

{# Of two kinds of data the weaker one: synthetic before aggregate before real. #}
{% macro weakest_kind(a, b) -%}
    case
        when 'synthetic' in ({{ a }}, {{ b }}) then 'synthetic'
        when 'aggregate' in ({{ a }}, {{ b }}) then 'aggregate'
        else 'real'
    end
{%- endmacro %}

{# Five-year age groups in SDMX codes, open at 85. #}
{% macro age_group(age) -%}
    {%- set first -%} cast(floor({{ age }} / 5) as integer) * 5 {%- endset -%}
    case
        when {{ age }} is null then '_U'
        when {{ age }} >= 85 then 'Y_GE85'
        else 'Y' || lpad(cast({{ first }} as string), 2, '0') || 'T' || lpad(cast({{ first }} + 4 as string), 2, '0')
    end
{%- endmacro %}

{# First and last day of a civil year. #}
{% macro year_start(year) -%} make_date(cast({{ year }} as integer), 1, 1) {%- endmacro %}
{% macro year_end(year) -%} make_date(cast({{ year }} as integer), 12, 31) {%- endmacro %}

{# Whether a person is of the country itself or foreign: as given, else by the code of a country; NULL where neither is. #}
{% macro status_by_country(given, code, country, own) -%}
    coalesce({{ given }}, case
        when {{ code }} = {{ country }} then '{{ own }}'
        when left({{ code }}, 1) = '_' then '_U'
        when {{ code }} is not null then 'FOREIGN'
    end)
{%- endmacro %}

{# What a record of `sent` stands for, and where in the sample it was drawn. Its weight as delivered; else the published
   population over the records at hand; else the inverse of the share that was drawn; else each record counts once. Without
   a primary sampling unit the record itself stands for it, which the source's design must say; a census has no sampling
   error and needs none. #}
{% macro sample_columns(batch_records) -%}
    coalesce(
        sent.weight_persons,
        cast(batches.expand_to_persons * 1.0 / {{ batch_records }} as decimal(38, 18)),
        cast(1 / batches.sampling_fraction as decimal(38, 18)),
        1
    ) as weight_persons,
    sent.population_units,
    sent.ssu,
    sent.population_ssus,
    coalesce(sent.stratum, '_T') as stratum,
    coalesce(sent.psu, case when batches.design_kind = 'census' then '_T' else cast(sent.record_no as string) end) as psu
{%- endmacro %}
