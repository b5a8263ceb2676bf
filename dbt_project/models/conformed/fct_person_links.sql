{{ config(materialized='view') }}
-- A view, so that the build's file, of which staff gets a copy, holds none of its rows.
{{ fact_as_fed('person_links', [
    'study_id', 'link_key', 'register_source', 'register_domain', 'register_id', 'method', 'key_version',
]) }}
