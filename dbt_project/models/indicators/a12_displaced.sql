{{ displaced_rows('A12', 'origin_code', 'asylum_code', ['REFUGEES', 'ASYLUM_SEEKERS']) }}
