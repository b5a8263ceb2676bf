-- Citizens of ref_area among the residents of other countries, as these count them.
{{ mirror_rows('A08', 'POPULATION') }}
