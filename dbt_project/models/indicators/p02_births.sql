{{ component_rows('P02', 'BIRTHS') }}
