{# The one door from Parquet into SQL: the files that the batch manifests give, never a glob. While dbt parses, and where
   nothing was accepted, it is an empty relation with the same types. #}

{% macro inputs_of(source, entity) %}
    {% if not execute %}{{ return([]) }}{% endif %}
    {% set found = run_query(
        "select path, period, batch_id, layout from "
        ~ listed_inputs(dict.fromkeys(['source', 'entity', 'path', 'period', 'batch_id', 'layout'], 'string'))
        ~ " where source = '" ~ source ~ "' and entity = '" ~ entity ~ "' order by path"
    ) %}
    {{ return(found.rows) }}
{% endmacro %}

{# keys: columns that hold pseudonyms. #}
{% macro read_batches(source, entity, columns, keys=[]) %}
    {% set files = inputs_of(source, entity) %}
    {% if files %}
        {{ read_files(source, files, columns, keys) }}
    {% else %}
        {% set columns = dict(columns, _line='bigint', _source='string', _period='string', _batch='string', _layout='string') %}
        {{ empty_relation(columns) }}
    {% endif %}
{% endmacro %}

{# The build's list of inputs, an entity a row, with the columns asked for. #}
{% macro read_inputs(columns) -%} {{ listed_inputs(columns) }} {%- endmacro %}
