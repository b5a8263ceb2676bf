-- Passages that stand in more than one delivery of a source.
with passages as (
    select source, period, traveller_id, crossing_date, direction, post_code, count(*) as times
    from conformed.fct_border_crossings
    where traveller_id is not null
    group by all
),

twice as (
    select passages.*, count(*) over (partition by source, traveller_id, crossing_date, direction, post_code) as deliveries
    from passages
)

select source, period, count(*) as passages, count(*) filter (deliveries > 1) as in_another
from twice
group by all
