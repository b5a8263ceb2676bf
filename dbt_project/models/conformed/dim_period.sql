select distinct source, period, freq, time_period, period_start_date, period_end_date from {{ ref('stg_batches') }}
