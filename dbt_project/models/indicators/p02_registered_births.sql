{{ vital_event_rows('P02', 'BIRTH') }}
