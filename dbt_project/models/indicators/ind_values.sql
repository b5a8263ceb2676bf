{{ config(materialized=kept_as()) }}
-- Every figure before disclosure control.
{{ both_parts('ind_values') }}
