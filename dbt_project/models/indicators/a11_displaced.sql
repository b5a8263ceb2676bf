{{ displaced_rows('A11', 'asylum_code', 'origin_code', ['REFUGEES', 'ASYLUM_SEEKERS']) }}
