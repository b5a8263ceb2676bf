{{ component_rows('P03', 'DEATHS') }}
