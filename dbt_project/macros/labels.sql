{# Labels in the languages of the observatory. `languages()` is rendered from observatory.yml: codes separated by blanks.
   A label that a list lacks in one of them is the English one. #}

{# `<prefix>_<language>` for each language, from the first of the relations that has a label. #}
{% macro labels(relations, prefix='name', column='name') -%}
    {%- set relations = [relations] if relations is string else relations -%}
    {%- for language in languages().split() %}
    coalesce(
        {%- for relation in relations -%}
        nullif({{ relation }}.{{ column }}_{{ language }}, ''), nullif({{ relation }}.{{ column }}_en, ''){{ ', ' if not loop.last }}
        {%- endfor -%}
    ) as {{ prefix }}_{{ language }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# Labels that a relation has already, under the same or another prefix. #}
{% macro labelled(column, prefix=none) -%}
    {%- for language in languages().split() %}
    {{ column }}_{{ language }} as {{ prefix or column }}_{{ language }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
