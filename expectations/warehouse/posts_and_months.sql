-- Passages by post and delivery, in and out.
select
    source,
    period,
    post_code,
    count(*) filter (direction = 'ENTRY') as entries,
    count(*) filter (direction = 'EXIT') as exits
from conformed.fct_border_crossings
group by all
