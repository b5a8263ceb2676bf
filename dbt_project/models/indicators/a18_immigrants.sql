{{ migrant_stock_rows('A18', 'destination_code', 'origin_code') }}
