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

{# The four age classes that registers of citizens abroad are published in. #}
{% macro broad_age_group(age) -%}
    case
        when {{ age }} is null then '_U'
        when {{ age }} < 15 then 'Y_LT15'
        when {{ age }} < 30 then 'Y15T29'
        when {{ age }} < 60 then 'Y30T59'
        else 'Y_GE60'
    end
{%- endmacro %}

{# The observation status of a figure: B in the period in which its series breaks (data/codelists/series_breaks.csv: of the
   whole source, or of one indicator), else A; `;P` while its period is not complete. #}
{% macro break_status(indicator, relation, partial='false') -%}
    concat_ws(';',
        case
            when exists (
                select 1 from {{ ref('series_breaks') }} as breaks
                where
                    breaks.source = {{ relation }}.source
                    and coalesce(breaks.indicator, '') in ('', '{{ indicator }}')
                    and cast(breaks.from_date as date) between {{ relation }}.period_start_date and {{ relation }}.period_end_date
            ) then 'B'
            else 'A'
        end,
        case when {{ partial }} then 'P' end
    )
{%- endmacro %}
