{{ config(materialized=kept_as()) }}
{{ figures_of(models_of('judged')) }}
