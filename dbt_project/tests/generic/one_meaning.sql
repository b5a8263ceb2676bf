{# Rows that are added up here agree in duration rule, universe and measure: figures of different definitions are never
   summed. `by` is what a sum runs within. #}
{% test one_meaning(model, by) %}
select {{ by | join(', ') }}
from {{ model }}
group by {{ by | join(', ') }}
having count(distinct duration_rule || '|' || universe || '|' || unit_measure) > 1
{% endtest %}
