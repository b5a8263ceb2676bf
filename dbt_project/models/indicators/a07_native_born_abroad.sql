-- Born in ref_area and living elsewhere, as the countries of residence report them one by one: never added to the stocks
-- that the UN and the World Bank estimate (a07_migrants_abroad), which are other sources of the same indicator.
{{ mirror_rows('A07', 'FOREIGN_BORN', area='country_of_birth_code') }}
