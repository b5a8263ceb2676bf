{{ component_rows('P05', 'CHANGE') }}
