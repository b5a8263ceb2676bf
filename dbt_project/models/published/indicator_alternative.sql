-- Shown figures that are no headline: what else answers a question, in order of preference, and what answers nothing though
-- it is shown. That is what is synthetic where the indicator has real figures of the area, be it of other years, and what is
-- of a former area where the areas that it became all have the figure: what lies in it would count twice in the sum of its
-- level. All but the edition is known of a series, so series are ranked, and figures by three numbers and the edition.
with became as (
    select former_code, successor_code, count(*) over (partition by former_code) as parts
    from {{ ref('area_successors') }}
),

-- A series of a former area, and that of each area that it became.
pairs as (
    select former.series_no, later.series_no as later_no, became.successor_code, became.parts
    from became
    join {{ ref('indicator_series') }} as former on became.former_code = former.ref_area
    join {{ ref('indicator_series') }} as later
        on
            became.successor_code = later.ref_area
            and former.indicator = later.indicator
            and former.source = later.source
            and former.universe = later.universe
            and former.duration_rule = later.duration_rule
            and former.window_length = later.window_length
            and former.cell = later.cell
            and former.counterpart_area = later.counterpart_area
            and former.sex = later.sex
            and former.age = later.age
            {%- for name in breakdown_columns() %}
            and former.{{ name }} = later.{{ name }}
            {%- endfor %}
),

superseded as (
    select pairs.series_no, figures.time_period, figures.vintage
    from pairs
    join {{ ref('indicator_observation') }} as figures on pairs.series_no = figures.series_no
    join {{ ref('indicator_observation') }} as laters
        on pairs.later_no = laters.series_no and figures.time_period = laters.time_period and figures.vintage = laters.vintage
    where laters.obs_value is not null
    group by pairs.series_no, figures.time_period, figures.vintage
    having count(distinct pairs.successor_code) = any_value(pairs.parts)
),

ranked as (
    select
        series.series_no,
        series.indicator,
        series.ref_area,
        series.question_no,
        series.data_kind = 'synthetic'
        and (series.indicator, series.ref_area) in (select indicator, ref_area from {{ ref('indicator_series') }} where data_kind != 'synthetic') as is_beside_real,
        dense_rank() over (partition by series.question_no order by {{ preferred_source('series') }}) as source_place,
        row_number() over (
            partition by series.question_no order by {{ preferred_stay('series') }}, series.boundary_version desc, series.series_key
        ) as stay_place
    from {{ ref('indicator_series') }} as series
    join {{ ref('indicators') }} as indicators on series.indicator = indicators.code
),

answers as (
    select
        ranked.*,
        figures.time_period,
        figures.vintage,
        not ranked.is_beside_real and superseded.series_no is null as is_answer
    from ranked
    join {{ ref('indicator_observation') }} as figures on ranked.series_no = figures.series_no
    left join superseded
        on
            figures.series_no = superseded.series_no
            and figures.time_period = superseded.time_period
            and figures.vintage = superseded.vintage
    where figures.obs_value is not null
),

placed as (
    select
        *,
        row_number() over (
            partition by question_no, time_period, is_answer order by source_place, vintage desc, stay_place
        ) as place
    from answers
)

select
    indicator,
    ref_area,
    question_no,
    series_no,
    time_period,
    vintage,
    case when is_answer then place end as place
from placed
where place > 1 or not is_answer
