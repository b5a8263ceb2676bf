{{ config(materialized=kept_as()) }}
-- What all observations of a series share stands here once.
{{ both_parts('ind_series') }}
