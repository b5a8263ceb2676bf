-- Persons born in ref_area and living elsewhere: the origin's statement. The destination's is a18_immigrants.
{{ migrant_stock_rows('A07', 'origin_code', 'destination_code') }}
