{%- set columns = {
    'source': 'varchar', 'entity': 'varchar', 'period': 'varchar', 'batch_id': 'varchar', 'freq': 'varchar',
    'period_start_date': 'date', 'period_end_date': 'date', 'vintage': 'varchar', 'data_kind': 'varchar',
    'ref_country': 'varchar', 'universe': 'varchar', 'duration_rule': 'varchar', 'measure_type': 'varchar', 'reference_point': 'varchar',
    'design_kind': 'varchar', 'expand_to_persons': 'bigint', 'sampling_fraction': 'double', 'design_fallback': 'varchar', 'lonely_units': 'varchar', 'window_years': 'integer',
    'set_aside_share': 'double',
} -%}
select distinct
    {{ columns.keys() | join(',\n    ') }},
    -- An academic year is the year in which it begins: as SDMX writes no 2011-12 for it, which would be a month.
    case when freq = 'A' then left(period, 4) else replace(replace(period, '-Q', 'Q'), 'Q', '-Q') end as time_period
from {{ read_inputs(columns) }}
