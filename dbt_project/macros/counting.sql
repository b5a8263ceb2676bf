{# Counting records of registers in cells. #}

{# A dimension of grouping sets: its code, or `_T` where the cell is over all of them. #}
{% macro grouped_total(column, name=none) -%}
    case when grouping({{ column }}) = 1 then '_T' else {{ column }} end as {{ name or column }}
{%- endmacro %}

{# `grouping sets` over cells, each a list of columns as text, within columns that every cell has. #}
{% macro cells_within(within, cells) -%}
    grouping sets (
        {%- for cell in cells %}
        ({{ within }}{{ ', ' ~ cell if cell }}){{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{# Since when the area of a figure stands as it does; _Z for a country as a whole. #}
{% macro boundary_version(relation) -%}
    coalesce((
        select max(areas.boundary_version) from {{ ref('dim_area') }} as areas
        where areas.area_code = {{ relation }}.ref_area and areas.parent_code is not null
    ), '_Z')
{%- endmacro %}

{# The four age classes in which registers of citizens abroad and surveys publish: small samples do not bear five-year groups. #}
{% macro broad_age_group(age) -%}
    case
        when {{ age }} is null then '_U'
        when {{ age }} < 15 then 'Y_LT15'
        when {{ age }} < 30 then 'Y15T29'
        when {{ age }} < 60 then 'Y30T59'
        else 'Y_GE60'
    end
{%- endmacro %}
