{{ config(materialized=kept_as()) }}
{{ whole_figures('taken_over') }}
