{# Shares of one whole sum to exactly 1. #}
{% test shares_are_whole(model, by, share) %}
select {{ by | join(', ') }}, sum({{ share }}) as whole
from {{ model }}
group by {{ by | join(', ') }}
having sum({{ share }}) != 1 or min({{ share }}) < 0
{% endtest %}
