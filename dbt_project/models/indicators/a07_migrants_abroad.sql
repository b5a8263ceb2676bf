-- Persons born in ref_area and living elsewhere: the origin's statement. The destination's is ind_immigrants_….
{{ migrant_stock_rows('A07', 'origin_code', 'destination_code') }}
