select scheme, code, country_code as to_code, 'country' as target from {{ ref('xwalk_country') }}
union all
select scheme, code, area_code as to_code, 'area' as target from {{ ref('xwalk_area') }}
