-- Of 4,000 records of one older code, the share assigned to each newer one is its share in the list, to sampling error
-- (four standard deviations of the largest share are 0.032), and every record gets exactly one.
with codes as (
    select scheme, code from {{ ref('xwalk_correspondence') }} group by all having count(*) between 2 and 4 order by all limit 5
),

records as (
    select codes.scheme, codes.code, numbers.number
    from codes
    cross join range(4000) as numbers (number)
),

given as (
    select scheme, code, {{ assigned('ISCO88_ISCO08', 'records.code', 'records.number') }} as to_code from records
),

counted as (
    select scheme, code, to_code, count(*) / 4000e0 as share from given group by all
)

select parts.scheme, parts.code, parts.to_code, parts.share, counted.share as share_given
from {{ ref('xwalk_correspondence') }} as parts
join codes on parts.scheme = codes.scheme and parts.code = codes.code
left join counted on parts.scheme = counted.scheme and parts.code = counted.code and parts.to_code = counted.to_code
where abs(parts.share - coalesce(counted.share, 0)) > 0.032
union all
select scheme, code, to_code, null as share, share as share_given
from counted
where to_code is null
