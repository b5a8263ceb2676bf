{{ config(materialized=kept_as()) }}
{{ figures_of(models_of('taken_over')) }}
