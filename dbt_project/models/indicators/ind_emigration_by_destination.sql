-- Emigrants whom households report: of a year, or of the window of years before a census. Windows do not tile, and a
-- window is no year: D says so, and the period's first day where the window begins.
{{ estimates(
    'B02', 'fct_migrants',
    [
        [], ['sex'], ['age'], ['ref_area'], ['ref_area', 'sex'], ['counterpart_area'], ['counterpart_area', 'sex'],
        ['reason'], ['sex', 'reason'], ['education_lev'],
    ],
    domain="migrant_group = 'CURRENT_MIGRANT' and measure_type = 'flow'",
    dimensions={'age': broad_age()},
    values=of_window('window_years')
) }}
