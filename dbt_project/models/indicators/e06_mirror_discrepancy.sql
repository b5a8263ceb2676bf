-- What the country of origin reports of its citizens abroad (consular registers) against what the country of destination
-- counts on the day after: a gap to be explained, not an error to be corrected.
with figures as (
    {{ figures_of(['a06_registered_abroad', 'a08_citizens_abroad']) }}
),

totals as (
    select *
    from figures
    where
        sex = '_T' and age = '_T' and counterpart_area not in ('_T', '_Z')
        {%- for name in breakdown_columns() %} and {{ name }} = '_T'{% endfor %}
),

compared as (
    select
        destination.freq,
        destination.time_period,
        destination.period_start_date,
        destination.period_end_date,
        destination.ref_area,
        destination.counterpart_area,
        destination.duration_rule,
        destination.universe,
        origin.source || '+' || destination.source as source,
        {{ weakest_kind('origin.data_kind', 'destination.data_kind') }} as data_kind,
        destination.vintage,
        origin.obs_value as origin_persons,
        destination.obs_value as destination_persons,
        origin.n_obs,
        destination.obs_status
    from totals as origin
    join totals as destination
        on
            origin.ref_area = destination.ref_area
            and origin.counterpart_area = destination.counterpart_area
            and {{ days_between('origin.period_end_date', 'destination.period_start_date') }} between 0 and 31
    where origin.indicator = 'A06' and destination.indicator = 'A08' and destination.obs_value > 0
)

{{ indicator_rows('compared', {
    'indicator': "'E06'", 'counterpart_area': 'counterpart_area',
    'obs_value': '100.0 * (origin_persons - destination_persons) / destination_persons',
    'numerator': 'origin_persons - destination_persons', 'denominator': 'destination_persons',
    'n_obs': 'n_obs', 'is_microdata': 'true', 'obs_status': 'obs_status',
}) }}
