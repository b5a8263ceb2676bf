-- Students who left for studies abroad within a year, and those who were abroad, at most a year apart.
with leaving as (
    select source, period, ref_country, max(period_end_date) as day, sum(students_persons) as students
    from conformed.fct_enrolments
    where student_group = 'STUDENT_ABROAD' and measure_type = 'flow'
    group by source, period, ref_country
),

abroad as (
    select source, period, ref_country, max(period_end_date) as day, sum(students_persons) as students
    from conformed.fct_enrolments
    where student_group = 'STUDENT_ABROAD' and measure_type = 'stock'
    group by source, period, ref_country
)

select
    leaving.source || '+' || abroad.source as source,
    leaving.period,
    leaving.students as leaving_students,
    abroad.students as students_abroad
from leaving
join abroad on leaving.ref_country = abroad.ref_country and abs(date_diff('day', leaving.day, abroad.day)) <= 366
