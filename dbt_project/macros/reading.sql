{# The one door from Parquet into SQL: the files that the batch manifests give, never a glob. Another engine overrides
   `read_files` alone. While dbt parses, and where nothing was accepted, it is an empty relation with the same types. #}

{% macro inputs_of(source, entity) %}
    {% if not execute %}{{ return([]) }}{% endif %}
    {% set found = run_query(
        "select path, period, batch_id, layout from read_json('" ~ env_var('HIMS_INPUTS')
        ~ "', columns = {source: 'varchar', entity: 'varchar', path: 'varchar', period: 'varchar', batch_id: 'varchar', layout: 'varchar'})"
        ~ " where source = '" ~ source ~ "' and entity = '" ~ entity ~ "' order by path"
    ) %}
    {{ return(found.rows) }}
{% endmacro %}

{% macro read_batches(source, entity, columns) %}
    {% set files = inputs_of(source, entity) %}
    {% if files %}
        {{ adapter.dispatch('read_files')(source, files, columns) }}
    {% else %}
        select
            {% for name, type in columns.items() %}cast(null as {{ type }}) as "{{ name }}", {% endfor %}
            cast(null as bigint) as _line,
            cast(null as varchar) as _source,
            cast(null as varchar) as _period,
            cast(null as varchar) as _batch,
            cast(null as varchar) as _layout
        where false
    {% endif %}
{% endmacro %}

{# The empty relation in front gives every column, also one that no period at hand was asked. #}
{% macro default__read_files(source, files, columns) %}
    select
        rows_sent.* exclude (filename),
        '{{ source }}' as _source,
        batches._period,
        batches._batch,
        batches._layout
    from (
        select {% for name, type in columns.items() %}cast(null as {{ type }}) as "{{ name }}"{{ ", " if not loop.last }}{% endfor %}
        where false
        union all by name
        select * from read_parquet([
            {%- for file in files %}'{{ file['path'] | replace("'", "''") }}'{{ ", " if not loop.last }}{% endfor -%}
        ], filename = true, union_by_name = true)
    ) as rows_sent
    join (values
        {%- for file in files %}
        ('{{ file['path'] | replace("'", "''") }}', '{{ file['period'] }}', '{{ file['batch_id'] }}', '{{ file['layout'] }}'){{ "," if not loop.last }}
        {%- endfor %}
    ) as batches (_path, _period, _batch, _layout) on rows_sent.filename = batches._path
{% endmacro %}

{# The build's list of inputs, an entity a row, with the columns asked for. #}
{% macro read_inputs(columns) -%}
    read_json('{{ env_var("HIMS_INPUTS") }}', columns = {
        {%- for name, type in columns.items() %}{{ name }}: '{{ type }}'{{ ", " if not loop.last }}{% endfor -%}
    })
{%- endmacro %}
