{{ config(materialized=kept_as()) }}
{{ whole_figures('judged') }}
