-- Where a design expands to a published population, the weights of a wave add up to it, to the rounding of the weight.
select batch_id, sum(weight_persons) as weighted_persons, any_value(expand_to_persons) as expand_to_persons
from {{ ref('fct_persons') }}
where expand_to_persons is not null
group by batch_id
having abs(sum(weight_persons) - any_value(expand_to_persons)) > count(*) * 0.000001
