{{ vital_event_rows('P03', 'DEATH') }}
