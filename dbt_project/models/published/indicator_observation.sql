{{ config(materialized=kept_as()) }}
-- Figures that may leave, and the flags of those that are withheld.
{{ both_parts('ind_observation') }}
