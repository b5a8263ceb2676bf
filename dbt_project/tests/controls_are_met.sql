{{ config(severity='warn') }}
-- Figures that miss their control. What becomes of them is decided where the release is: their source falls back to the
-- delivery before, and all others go out.
select control_id, source, time_period, published_value, expected_value, tolerance, our_value
from {{ ref('controls_compared') }}
where not is_met
