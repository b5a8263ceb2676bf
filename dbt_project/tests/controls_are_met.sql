-- A figure of real or published data that misses its control stops the release. Invented data follow their scale, and are
-- compared for reading only.
select control_id, published_value, tolerance, our_value
from {{ ref('controls_compared') }}
where data_kind != 'synthetic' and not is_met
