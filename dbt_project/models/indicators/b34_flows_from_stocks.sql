-- Moves between countries from two stocks by birthplace (closed demographic accounting: Abel 2013; Abel & Cohen 2019). From
-- those of a birthplace at the beginning deaths of the window are taken off, in proportion to all who live in a country; from
-- those born at home at the end, births. What is left over, of all of a birthplace together, is error of the sources: both
-- ends are scaled to their mean. Two rows a flow: the least movement, and the mix of it with independence. Neither is a count.
-- Of a pair with fewer than a hundred movers by either, what is written would be the method's own noise: it is in the totals.
{%- set keys = ['duration_rule', 'universe', 'table_no'] %}
{%- set labels = ['duration_rule', 'universe', 'source', 'vintage', 'data_kind', 'first_year', 'last_year'] %}
with stocks as (
    select
        source, vintage, data_kind, duration_rule, universe, reference_year,
        origin_code as birth_code, destination_code as residence_code, sum(stock_persons) as persons
    from {{ ref('fct_migrant_stock') }}
    where origin_code != destination_code and stock_persons > 0
    group by source, vintage, data_kind, duration_rule, universe, reference_year, origin_code, destination_code
),

spans as (
    select
        source, vintage, data_kind, duration_rule, universe, reference_year as first_year,
        lead(reference_year) over (partition by source, vintage, data_kind, duration_rule, universe order by reference_year) as last_year
    from (select distinct source, vintage, data_kind, duration_rule, universe, reference_year from stocks) as years
),

-- The calendar years from the first on stand for the window from one 1 July to the other, half a year later.
changes as (
    select
        windows.first_year, windows.last_year, parts.country_code, parts.source, parts.vintage, parts.data_kind, parts.universe, parts.duration_rule
        {%- for component in ['BIRTHS', 'DEATHS', 'CHANGE'] %},
        cast(sum(cast(parts.value_persons as decimal(18, 6))) filter (where parts.component = '{{ component }}') as double) as {{ component.lower() }}_persons
        {%- endfor %}
    from (select distinct first_year, last_year from spans where last_year is not null) as windows
    join {{ ref('fct_population_components') }} as parts
        on parts.reference_year between windows.first_year and windows.last_year - 1 and parts.component in ('BIRTHS', 'DEATHS', 'CHANGE')
    group by windows.first_year, windows.last_year, parts.country_code, parts.source, parts.vintage, parts.data_kind, parts.universe, parts.duration_rule
    having count(parts.value_persons) = 3 * (windows.last_year - windows.first_year)
),

countries as (
    select
        changes.*,
        people.source as people_source,
        people.vintage as people_vintage,
        {{ weakest_kind('changes.data_kind', 'people.data_kind') }} as weakest_kind,
        cast(people.value_persons as double) as people_persons,
        greatest(1 - changes.deaths_persons / cast(people.value_persons as double), 0) as surviving_share
    from changes
    join {{ ref('fct_population_components') }} as people
        on
            changes.country_code = people.country_code and changes.first_year = people.reference_year
            and people.component = 'POPULATION' and people.value_persons > 0
),

-- Each country at both ends of each table of flows. The tables are numbered: numbers join quicker than seven columns.
places as (
    select
        dense_rank() over (order by {{ labels | join(', ') }}) as table_no,
        joined.*
    from (
        select
            spans.duration_rule, spans.universe, spans.first_year, spans.last_year,
            spans.source as stock_source,
            spans.vintage as stock_vintage,
            spans.source || '+' || countries.source || case when countries.source = people_source then '' else '+' || people_source end as source,
            spans.vintage || '+' || countries.vintage || case when countries.source = people_source then '' else '+' || people_vintage end as vintage,
            {{ weakest_kind('spans.data_kind', 'weakest_kind') }} as data_kind,
            countries.country_code, countries.people_persons, countries.change_persons, countries.births_persons, countries.surviving_share
        from spans
        join countries on spans.first_year = countries.first_year and spans.last_year = countries.last_year
    ) as joined
),

abroad as (
    select
        places.duration_rule, places.universe, places.table_no, stocks.birth_code, stocks.residence_code,
        places.surviving_share, places.people_persons, places.change_persons, places.births_persons,
        coalesce(sum(stocks.persons) filter (where stocks.reference_year = places.first_year), 0) as start_persons,
        coalesce(sum(stocks.persons) filter (where stocks.reference_year = places.last_year), 0) as end_persons
    from places
    join stocks
        on
            places.stock_source = stocks.source and places.stock_vintage = stocks.vintage and places.universe = stocks.universe
            and places.duration_rule = stocks.duration_rule and places.country_code = stocks.residence_code
            and stocks.reference_year in (places.first_year, places.last_year)
    group by all
),

-- Who lives where they were born is who is left of the population.
everybody as (
    select
        {{ keys | join(', ') }}, birth_code, residence_code,
        cast(start_persons as double) * surviving_share as start_persons,
        cast(end_persons as double) as end_persons
    from abroad
    union all
    select
        {{ keys | join(', ') }}, residence_code, residence_code,
        greatest(people_persons - cast(sum(start_persons) as double), 0) * surviving_share,
        greatest(people_persons + change_persons - births_persons - cast(sum(end_persons) as double), 0)
    from abroad
    group by {{ keys | join(', ') }}, residence_code, surviving_share, people_persons, change_persons, births_persons
),

-- Only of birthplaces that are countries with a population can both ends be whole.
balanced as (
    select
        *,
        sum(cast(start_persons as decimal(18, 6))) over birthplace as first_persons,
        sum(cast(end_persons as decimal(18, 6))) over birthplace as second_persons
    from everybody
    window birthplace as (partition by {{ keys | join(', ') }}, birth_code)
    qualify
        bool_or(birth_code = residence_code) over birthplace
        and sum(cast(start_persons as decimal(18, 6))) over birthplace > 0 and sum(cast(end_persons as decimal(18, 6))) over birthplace > 0
),

closed as (
    select
        {{ keys | join(', ') }}, birth_code, residence_code,
        start_persons * (cast(first_persons as double) + cast(second_persons as double)) / 2 / cast(first_persons as double) as start_persons,
        end_persons * (cast(first_persons as double) + cast(second_persons as double)) / 2 / cast(second_persons as double) as end_persons
    from balanced
),

flows as (
    {{ flows_from_stocks('closed', keys) | indent(4) }}
),

mixed as (
    select
        {{ keys | join(', ') }}, origin_code, destination_code, least_persons,
        {{ share_of_least_flows() }} * least_persons + (1 - {{ share_of_least_flows() }}) * independent_persons as mixed_persons
    from flows
),

summed as (
    select * from mixed where greatest(least_persons, mixed_persons) >= 100
    union all
    select
        {{ keys | join(', ') }}, origin_code, '_T',
        cast(sum(cast(least_persons as decimal(18, 6))) as double), cast(sum(cast(mixed_persons as decimal(18, 6))) as double)
    from mixed
    group by {{ keys | join(', ') }}, origin_code
),

labelled as (
    select
        names.*, summed.origin_code, summed.destination_code, methods.estimation_method,
        case methods.estimation_method when 'MINIMUM' then summed.least_persons else summed.mixed_persons end as moved_persons
    from summed
    cross join (values ('MINIMUM'), ('PSEUDO_BAYESIAN')) as methods (estimation_method)
    join (select distinct table_no, {{ labels | join(', ') }} from places) as names on summed.table_no = names.table_no
)

{{ indicator_rows('labelled', {
    'indicator': "'B34'", 'freq': "'A'", 'time_period': 'last_year',
    'period_start_date': 'make_date(cast(first_year as integer), 7, 1)', 'period_end_date': 'make_date(cast(last_year as integer), 6, 30)',
    'ref_area': 'origin_code', 'counterpart_area': 'destination_code', 'estimation_method': 'estimation_method',
    'obs_value': 'moved_persons', 'obs_status': "'E'",
}) }}
