-- Persons who moved, by delivery, and those whose move lies before their birth or behind the period.
select
    source,
    period,
    count(*) as moves,
    count(*) filter (move_year < year(period_end_date) - age_years - 1 or move_year > year(period_end_date)) as impossible
from conformed.fct_migrants
where move_year is not null
group by all
