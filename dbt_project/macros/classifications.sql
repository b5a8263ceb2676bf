{# Revisions of classifications. A code of the older one that became several is either shared out, which suits sums, or
   assigned, which suits records: one target each, drawn by the shares with the seed of assignment_seeds. The draw hangs on
   seed and key alone, so that a record gets the same code in every build. #}

{# A number in [0, 1) from a key, the same for the same seed. #}
{% macro drawn(scheme, key) -%}
    {%- set seeded -%}(select max(seed) from {{ ref('assignment_seeds') }} where scheme = '{{ scheme }}') || '|' || {{ key }}{%- endset %}
    cast({{ md5_number(seeded) }} % 4294967296 as double) / 4294967296
{%- endmacro %}

{# The one code that a record's older code is assigned to; NULL where there is no correspondence. #}
{% macro assigned(scheme, code, key) -%}
    (
        select max(parts.to_code)
        from {{ ref('xwalk_correspondence') }} as parts
        where parts.scheme = '{{ scheme }}' and parts.code = {{ code }}
            and {{ drawn(scheme, key) }} >= parts.share_from and {{ drawn(scheme, key) }} < parts.share_to
    )
{%- endmacro %}
