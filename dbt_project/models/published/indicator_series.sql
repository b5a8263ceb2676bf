-- Series of figures that may leave: of indicators whose record says so, in the cells that it allows. What all observations
-- of a series share stands here once.
with series as (
    {{ series_of(indicator_models()) }}
),

named as (
    select series.*, indicators.unit_measure, {{ cell_of('series') }} as cell
    from series
    join {{ ref('indicators') }} as indicators on series.indicator = indicators.code
)

select
    {{ series_no('named.series_key') }} as series_no,
    {{ question_no('named', 'coalesce(universes.answers_for, named.universe)') }} as question_no,
    named.*,
    coalesce(areas.level, 'country') as level
from named
left join {{ ref('areas') }} as areas on named.ref_area = areas.area_code
left join {{ ref('indicator_universes') }} as universes on named.indicator = universes.indicator and named.universe = universes.universe
join {{ ref('indicator_cells') }} as cells on named.indicator = cells.indicator and named.cell = coalesce(cells.cell, '')
