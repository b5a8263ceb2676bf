-- Published figures beside ours, where there is one.
select source, time_period as period, control_id, is_met
from indicators.controls_compared
where our_value is not null
