-- Claims as they may be shown; a table of its own, since they are no figures of ours.
select
    * exclude (
        entity, batch_id, layout, record_no, freq, time_period, period_start_date, period_end_date, period, universe,
        duration_rule, measure_type
    )
from {{ ref('fct_claims') }}
