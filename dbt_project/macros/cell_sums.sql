{# Sums over the cells of a table of figures, and how two such tables meet. Here: what `estimates` adds up with. Not here: what
   it adds up. #}

{# Sums of the finest cells over coarser ones. Cells by area are sums of `spread`, all others of `finest`, or persons would
   count once for each area that they live in; where a call names other relations, of these. #}
{% macro cell_sums(cells, dims, within, sums, having='', finest='finest', spread='spread') -%}
    {%- set whole, by_area = [], [] -%}
    {%- for cell in cells -%}{%- do (by_area if 'ref_area' in cell else whole).append(cell) -%}{%- endfor -%}
    {%- for relation, sets in [(finest, whole), (spread, by_area)] if sets %}
    {{ 'union all' if not loop.first }}
    select
        {{ within }},
        {%- for name in dims %}
        {% if name in sets | sum(start=[]) -%} case when grouping({{ name }}) = 1 then '_T' else {{ name }} end {%- else -%} '_T' {%- endif %} as {{ name }},
        {%- endfor %}
        {{ sums }}
    from {{ relation }}
    group by grouping sets ({% for cell in sets %}({{ ([within] + cell) | join(', ') }}){{ ', ' if not loop.last }}{% endfor %})
    {{ having }}
    {%- endfor %}
{%- endmacro %}

{# The rows of a relation with the sums `d<name>` in whole grains of their batch, `t<name>`, whose squares can be summed.
   Wider than 18 digits, or DuckDB would multiply them within 18. #}
{% macro in_grains(relation, names) -%}
    select
        {{ relation }}.*,
        {%- for name in names %}
        cast(round({{ relation }}.d{{ name }} * grains.grain) as {{ wide_integer() }}) as t{{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
    join grains on {{ same(relation, 'grains', 'batch_id, entity') }}
{%- endmacro %}

{# A sum of decimals as a double: whole persons and the rest apart, so that a count stays whole. #}
{% macro exactly(sum) -%}
    (cast(floor({{ sum }}) as double) + cast({{ sum }} - floor({{ sum }}) as double))
{%- endmacro %}

{# Two relations agree in all these columns. #}
{% macro same(a, b, columns) -%}
    {%- for name in columns.split(', ') %}{{ a }}.{{ name }} = {{ b }}.{{ name }}{{ ' and ' if not loop.last }}{% endfor -%}
{%- endmacro %}
