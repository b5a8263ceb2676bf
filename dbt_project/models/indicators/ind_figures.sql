{{ config(materialized=kept_as()) }}
-- The models of all indicators side by side, each figure where its own model wrote it.
{{ figures_of(indicator_models()) }}
