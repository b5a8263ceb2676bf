{{ fact_as_fed('person_links', [
    'study_id', 'link_key', 'register_source', 'register_domain', 'register_id', 'method', 'key_version',
]) }}
