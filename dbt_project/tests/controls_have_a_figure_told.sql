{{ config(severity='warn') }}
-- Controls of sources at hand that nothing of ours answers: the period was not delivered, or the figure went.
select control_id, indicator, source, time_period
from {{ ref('controls_compared') }}
where data_kind != 'synthetic' and our_value is null
