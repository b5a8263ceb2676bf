-- What others have published, as it may be shown: without what is about batches. A claim was public before it came here and
-- is no figure of ours, so it passes no disclosure control.
select
    {{ all_but([
        'entity', 'batch_id', 'layout', 'record_no', 'freq', 'time_period', 'period_start_date', 'period_end_date', 'period', 'universe',
        'duration_rule', 'measure_type',
    ]) }}
from {{ ref('fct_claims') }}
order by claim_id
