{%- set columns = {
    'source': 'string', 'entity': 'string', 'period': 'string', 'batch_id': 'string', 'freq': 'string',
    'period_start_date': 'date', 'period_end_date': 'date', 'vintage': 'string', 'data_kind': 'string',
    'ref_country': 'string', 'universe': 'string', 'duration_rule': 'string', 'measure_type': 'string', 'reference_point': 'string',
    'design_kind': 'string', 'expand_to_persons': 'bigint', 'sampling_fraction': 'double', 'design_fallback': 'string', 'lonely_units': 'string', 'window_years': 'integer',
    'error_level': 'double', 'error_slope': 'double', 'error_smallest': 'double', 'error_largest': 'double',
    'set_aside_share': 'double',
} -%}
select distinct
    {{ columns.keys() | join(',\n    ') }},
    -- An academic year is the year in which it begins: as SDMX writes no 2011-12 for it, which would be a month.
    case when freq = 'A' then left(period, 4) else replace(replace(period, '-Q', 'Q'), 'Q', '-Q') end as time_period
from {{ read_inputs(columns) }}
