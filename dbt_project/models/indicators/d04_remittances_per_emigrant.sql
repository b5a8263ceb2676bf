-- Remittances of a whole year, national definition (D01), over the citizens registered abroad (A06) on the day nearest to
-- the end of that year, at most a quarter away. Registers are not read on the same day every year: where the day is
-- another one, the figure says so (D).
with remittances as (
    select figures.*
    from {{ ref('d01_remittances_national') }} as figures
    join {{ ref('indicators') }} as total on total.code = figures.indicator and total.universe = figures.universe
    join {{ ref('indicators') }} as per_person on per_person.code = 'D04' and total.unit_measure = per_person.unit_measure || '_MILLION'
    where figures.obs_status = 'A'
),

registered as (
    select figures.*
    from ({{ figures_of(['a06_registered_abroad']) }}) as figures
    where {{ cell_of('figures') }} = ''
),

paired as (
    select
        remittances.source || '+' || registered.source as source,
        {{ weakest_kind('remittances.data_kind', 'registered.data_kind') }} as data_kind,
        remittances.freq,
        remittances.time_period,
        remittances.period_start_date,
        remittances.period_end_date,
        remittances.ref_area,
        remittances.vintage || '+' || registered.vintage as vintages,
        registered.duration_rule,
        registered.universe,
        registered.n_obs,
        1000000 * remittances.obs_value as amount,
        registered.obs_value as persons,
        abs({{ days_between('registered.period_end_date', 'remittances.period_end_date') }}) as days_apart
    from remittances
    join registered on remittances.ref_area = registered.ref_area
    where registered.obs_value > 0 and abs({{ days_between('registered.period_end_date', 'remittances.period_end_date') }}) <= 92
    qualify
        row_number() over (
            partition by remittances.source, remittances.ref_area, remittances.time_period, registered.source
            order by days_apart, registered.period_end_date
        ) = 1
)

{{ indicator_rows('paired', {
    'indicator': "'D04'", 'vintage': "case when vintages = '_Z+_Z' then '_Z' else vintages end",
    'obs_value': 'amount / persons', 'numerator': 'amount', 'denominator': 'persons', 'n_obs': 'n_obs',
    'is_microdata': 'true', 'obs_status': "case when days_apart > 0 then 'D' else 'A' end",
}) }}
