{# Estimates from records of persons with weights, strata and sampling units: totals and shares over any cells, each with
   its Taylor-linearised standard error. Here: how figures from microdata are estimated. Not here: which ones (records of indicators). #}

{# Columns of a fact behind the dimensions of a figure; a call may replace or add some. #}
{% macro fact_dimensions() -%}
    {{ return({
        'ref_area': 'area_code', 'sex': 'sex', 'age': 'age_group', 'counterpart_area': 'country_code',
        'education_lev': 'education_level', 'activity': 'activity_status', 'reason': 'reason_code', 'return_mode': 'return_mode',
    }) }}
{%- endmacro %}

{# One indicator over the batches of a fact; a row of the answer is a cell of a (batch_id, entity).

   fact: model with batch_id, entity, stratum, psu, weight_persons.
   cells: lists of dimensions, one a table of figures; `[]` is the figure for the whole.
   kind: `total` (persons who meet the measure), `share` (those of the domain who meet it, in percent of the domain),
   `ratio` (those who meet it per 100 of the domain, of which they need not be a part) or `mean` (of `value` in the domain).
   measure, domain: SQL conditions. Outside the domain nobody counts, but units without anyone of it are still drawn.
   parts: of a share, the dimensions that the numerator alone is broken down by: reasons in percent of all who gave one.
   value: of a mean, a number as SQL; who has none is not in the domain.
   asked: column that is filled where an entity asks the question; others give no figure, not a zero.
   dimensions: dimension -> SQL expression, where it is not that of `fact_dimensions`. values: as in `indicator_rows`.

   z is linearised per primary sampling unit: y - R x, summed over the strata with n_h units drawn,
   var = sum_h n_h / (n_h - 1) * (sum z^2 - (sum z)^2 / n_h) (Woodruff 1971; Sarndal, Swensson, Wretman 1992, ch. 5).
   n_h counts all units drawn, also those of fct_sampling_units in which nobody of the population was found. A unit's
   weights carry every phase of its design: units as drawn with replacement are the ultimate clusters of both phases.
   A stratum with a single unit has no variance to show: what rests on it gets no error rather than one too small.
   Degrees of freedom are units drawn less strata, of the strata in which somebody of the figure's cell and domain was found:
   those of the whole sample for the whole (R's degf), and fewer for a domain that lies in few strata (Korn and Graubard 1999).
   Where a design expands to a published population, a total is that population times a share, and so is its error.
   Of a population of which a known share was drawn (sampling_fraction), variances get the correction 1 - share. A census has
   no sampling error. `variance_basis` says whether errors follow the design, or names what stood in for it. Where a producer
   keeps its design back and publishes errors by size of total, those of totals and shares of the whole sample are no smaller.

   Sums of doubles differ between builds, so sums run over DECIMAL. Figures are sums of the weights with all their digits.
   Errors need squares: there a person is `grain` = 10^k, k as large as squares of the batch's total leave room for within 38
   digits, which is the 16 significant digits of a double, whether weights add up to 1 or to a billion.

   Figures by area are also those of every area above it on the last day of the period (dim_area_ancestor), and a total of
   an area that has split since is shared out among its successors by the weights of area_successors, status E. A disputed
   area counts in the country that the list of areas gives it to, and in no figure of one that claims it. #}
{% macro estimates(indicator, fact, cells, kind='total', measure='true', domain='true', parts=[], asked=none, dimensions={}, values={}, value=none) -%}
{%- set known = fact_dimensions() -%}
{%- do known.update(dimensions) -%}
{%- set dims = cells | sum(start=[]) | unique | list -%}
{#- What a cell is linearised against: a total the whole sample, a share its domain, in the cell but for the parts. -#}
{%- set is_relative = kind in ('share', 'ratio', 'mean') -%}
{%- set percent = 1 if kind == 'mean' else 100 -%}
{%- set based = [] if not is_relative else dims | reject('in', parts) | list -%}
{%- set by_entity = 'batch_id, entity' -%}
{%- set by_cell = ([by_entity] + dims) | join(', ') -%}
{%- set by_base = ([by_entity] + based) | join(', ') -%}
{#- Where both are the same cells, their sums are made at once; where these are those of `weighed`, they are its own. -#}
{%- set is_own_base = by_base == by_cell -%}
{%- set is_finest = cells | length == 1 and 'ref_area' not in dims -%}
{%- set sums_of_base = 'sum(wx) as wx, ' ~ sum_as_double('wx') ~ ' as dx, sum(based) as based' -%}
{%- set imputed = imputed_where(fact, [measure, domain, value or ''] | join(' '), dims, known) -%}
{%- set sums_over_units = 'sum(wx) as wx, sum(tx) as sx, sum(tx * tx) as sxx, sum(based) as based, count(*) filter (where based > 0) as units_found' -%}
{#- Who is counted, and who is of the cell at all. -#}
{%- set counts = 'is_in_domain' if kind == 'mean' else 'is_counted' -%}
{%- set is_of_cell = 'is_in_domain or is_counted' if kind == 'ratio' else 'is_in_domain' -%}
{%- set kept -%}
    from {{ ref(fact) }}
    where
        true
        {%- if asked %}
        and ({{ by_entity }}) in (select {{ by_entity }} from {{ ref(fact) }} where {{ asked }} not in ('_U', '_R', '_Z'))
        {%- endif %}
        {%- if 'ref_area' in dims %}
        and (coalesce({{ known['ref_area'] }}, '_U'), ref_country) not in (select area_code, {{ each_of(parts_of('claimed_by_codes', ' ')) }} from {{ ref('dim_area') }} where is_disputed)
        {%- endif %}
{%- endset -%}
{%- set sums_of_records -%}
        {%- if kind == 'mean' %}
        coalesce(sum(cast(cast(w as double) * v as decimal(38, 18))) filter (where is_in_domain), 0) as wy,
        coalesce(sum(cast(cast(w as double) * v * v as decimal(38, 9))) filter (where is_in_domain), 0) as wyy,
        {%- else %}
        coalesce(sum(w) filter (where is_counted), 0) as wy,
        {%- endif %}
        coalesce(sum(w){{ ' filter (where is_in_domain)' if is_relative }}, 0) as wx,
        count(*) filter (where {{ counts }}) as counted,
        count(*){{ ' filter (where is_in_domain)' if is_relative }} as based,
        count(*) filter (where {{ is_of_cell }}) as records
        {{- imputed_counts(imputed, is_of_cell) }}
{%- endset -%}
with records as {{ inlined() }} (
    select
        batch_id, entity, stratum, psu, ssu,
        {%- for name in dims %}
        coalesce({{ known[name] }}, '_U') as {{ name }},
        {%- endfor %}
        weight_persons as w,
        {{- imputed_flags(imputed) }}
        {{ '(' ~ domain ~ ') and (' ~ value ~ ') is not null' if kind == 'mean' else domain }} as is_in_domain,
        {% if kind == 'mean' -%} cast({{ value }} as double) as v
        {%- else -%} {{ measure if kind == 'ratio' else '(' ~ domain ~ ') and (' ~ measure ~ ')' }} as is_counted {%- endif %}
    {{ kept }}
),

designs as (
    select batch_id, entity, stratum, psu, ssu, population_units, population_ssus
    {{ kept }}
        and (population_units is not null or population_ssus is not null)
),

{# One pass over the records; the cells below are sums of these. A census is a few thousand rows from here on. -#}
weighed as (
    select
        stratum, psu, {{ by_cell }},
        {{- sums_of_records }}
        {%- if is_finest %},
        {{ sum_as_double('cast(cast(w as double) * v as decimal(38, 18))' if kind == 'mean' else 'w', counts) }} as dy
        {%- endif %}
        {%- if is_finest and is_own_base %},
        {{ sum_as_double('w', 'is_in_domain' if is_relative else none) }} as dx
        {%- endif %}
    from records
    group by stratum, psu, {{ by_cell }}
),

grains as (
    select
        batch_id, entity,
        cast(pow(10, greatest(0, least(18, 17 - ceil(log10(greatest(sum(abs(wy)), sum(wx), 0.000000001)))))) as bigint) as grain
    from weighed
    group by batch_id, entity
),

{% if 'ref_area' in dims -%}
-- The same persons once more for each area that theirs lies in; the country's own figure is the total.
spread as (
    {{ spread_over_areas('weighed', 'ref_area') }}
),

{% endif -%}
{{ drawn_strata(units='weighed', designed='designs') }},

{% if not is_finest -%}
unit_sums as (
    {{ cell_sums(cells, dims, 'stratum, psu, ' ~ by_entity, 'sum(wy) as wy, ' ~ ('sum(wyy) as wyy, ' if kind == 'mean') ~ sum_as_double('wy') ~ ' as dy, sum(counted) as counted, sum(records) as records' ~ (', ' ~ sums_of_base if is_own_base) ~ imputed_counts(imputed), 'having sum(records) > 0', 'weighed') }}
),

{% endif -%}
units as (
    {{ in_grains('weighed' if is_finest else 'unit_sums', ['y', 'x'] if is_own_base else ['y']) }}
    {{ 'where weighed.records > 0' if is_finest }}
),

{% if not is_own_base -%}
base_unit_sums as (
    {{ cell_sums(base_cells(cells, based), based, 'stratum, psu, ' ~ by_entity, sums_of_base, '', 'weighed') }}
),

base_units as (
    {{ in_grains('base_unit_sums', ['x']) }}
),

{% endif -%}
sums as (
    select
        units.stratum, {{ 'units.' ~ (by_cell.split(', ') | join(', units.')) }},
        sum(units.wy) as wy,
        {%- if kind == 'mean' %}
        sum(units.wyy) as wyy,
        {%- endif %}
        sum(units.ty) as sy,
        sum(units.ty * units.ty) as syy,
        sum(units.ty * {{ 'units' if is_own_base else 'base_units' }}.tx) as sxy,
        sum(units.counted) as counted,
        sum(units.records) as records
        {%- if is_own_base %},
        {{ sums_over_units }}
        {%- endif %}
        {{- imputed_counts(imputed) }}
    from units
    {%- if not is_own_base %}
    join base_units on units.stratum = base_units.stratum and units.psu = base_units.psu and {{ same('units', 'base_units', by_base) }}
    {%- endif %}
    group by units.stratum, {{ 'units.' ~ (by_cell.split(', ') | join(', units.')) }}
),

bases as (
    {% if is_own_base -%}
    select stratum, {{ by_base }}, wx, sx, sxx, based, units_found from sums
    {%- else -%}
    select stratum, {{ by_base }}, {{ sums_over_units }} from base_units group by stratum, {{ by_base }}
    {%- endif %}
),

populations as (
    select {{ by_base }}, {{ exactly('sum(wx)') }} as x, sum(based) as based, sum(units_found) as units from bases group by {{ by_base }}
),

cells as (
    select {{ by_cell }}, {{ exactly('sum(wy)') }} as y, {{ exactly('sum(wyy)') if kind == 'mean' else 'y' }} as yy, sum(counted) as counted, sum(records) as records{{ imputed_counts(imputed) }} from sums group by {{ by_cell }}
),

ratios as (
    select
        cells.*,
        populations.x,
        populations.based,
        populations.units,
        batches.lonely_units,
        {% if is_relative -%} cells.y / nullif(populations.x, 0) {%- else -%} coalesce(cells.y / batches.expand_to_persons, 0) {%- endif %} as r
    from cells
    join populations on {{ same('cells', 'populations', by_base) }}
    join {{ ref('dim_batch') }} as batches on cells.batch_id = batches.batch_id and cells.entity = batches.entity
),

{{ within_cells(cells, dims, based, by_cell, by_base, sums_of_records) }},

{# z = y - R x of the units of a stratum, squared and summed; strata in which nobody of the cell lives still have their x. -#}
deviations as (
    select
        {{ 'ratios.' ~ (by_cell.split(', ') | join(', ratios.')) }},
        ratios.lonely_units,
        strata.n_h,
        strata.left_out,
        within.within,
        within.lonely_within,
        cast(coalesce(sums.syy, 0) as double) - 2 * ratios.r * cast(coalesce(sums.sxy, 0) as double) + ratios.r * ratios.r * cast(bases.sxx as double) as szz,
        cast(coalesce(sums.sy, 0) as double) - ratios.r * cast(bases.sx as double) as sz
    from ratios
    join bases on {{ same('ratios', 'bases', by_base) }}
    join strata on bases.batch_id = strata.batch_id and bases.entity = strata.entity and bases.stratum = strata.stratum
    left join sums on bases.stratum = sums.stratum and {{ same('ratios', 'sums', by_cell) }}
    left join within on bases.stratum = within.stratum and {{ same('ratios', 'within', by_cell) }}
    where sums.records > 0 or (ratios.r != 0 and bases.sx != 0)
),

variances as (
    {{ design_variance('deviations', by_cell) }}
),

{% if 'ref_area' in dims -%}
-- The last day, up to the end of the period, on which an area of this level came or went.
boundaries as (
    select
        batches.batch_id, batches.entity, areas.area_code,
        cast(max(changes.change_date) as string) as boundary_version
    from (select distinct batch_id, entity, ref_area from ratios) as shown
    join {{ ref('dim_batch') }} as batches on shown.batch_id = batches.batch_id and shown.entity = batches.entity
    join {{ ref('dim_area') }} as areas on shown.ref_area = areas.area_code
    join (
        select country_code, level, {{ each_of(list_of(['valid_from_date', 'valid_to_date'])) }} as change_date from {{ ref('dim_area') }}
    ) as changes on areas.country_code = changes.country_code and areas.level = changes.level and changes.change_date <= batches.period_end_date
    group by batches.batch_id, batches.entity, areas.area_code
),

{% endif -%}

estimates as (
    select
        {{ all_but('batch_id, entity', 'batches') }},
        {{ all_but('lonely_units', 'ratios') }},
        {{ 'boundaries.boundary_version' if 'ref_area' in dims else "'_Z'" }} as boundary_version,
        false as is_shared_out,
        {{ imputed_records(imputed, 'ratios', 'records') }} as imputed_records,
        {%- if imputed %}
        {{ imputation_inflation(imputed, 'ratios', 'records') }} as imputation_inflation,
        {%- endif %}
        {% if kind in ('total', 'share') -%} {{ published_error(kind, dims) }} {%- else -%} cast(null as double) {%- endif %} as published_error,
        case
            when variances.variance is not null  -- greatest() passes over a NULL, here and below
                then sqrt(greatest(cast(variances.variance as double), 0) * (1 - coalesce(batches.sampling_fraction, 0))) / grains.grain
        end as designed_error,
        greatest(designed_error, published_error) as error_of_total,
        case
            when batches.design_kind != 'census'
                then error_of_total{% if is_relative %} / ratios.x * {{ percent }}{% endif %}{% if imputed %} * imputation_inflation{% endif %}
        end as error,
        {%- if kind != 'ratio' %}
        -- R's svymean(deff = "replace"): against as many records drawn one by one, with replacement, of the same weighted variance.
        error_of_total * error_of_total * (ratios.based - 1) / nullif(greatest(ratios.x * ratios.yy - ratios.y * ratios.y, 0), 0) as design_effect,
        {%- endif %}
        error as standard_error,
        {% if is_relative -%} {{ percent }} * ratios.y / nullif(ratios.x, 0) {%- else -%} ratios.y {%- endif %} as estimate,
        variances.degrees,
        variances.lonely_strata,
        {{ interval_columns(kind) }}
    from ratios
    join {{ ref('dim_batch') }} as batches on ratios.batch_id = batches.batch_id and ratios.entity = batches.entity
    join variances on {{ same('ratios', 'variances', by_cell) }}
    join grains on {{ same('ratios', 'grains', by_entity) }}
    {%- if 'ref_area' in dims %}
    left join boundaries on ratios.ref_area = boundaries.area_code and {{ same('ratios', 'boundaries', by_entity) }}
    {%- endif %}
    where {{ 'ratios.x > 0' if kind == 'ratio' else 'true' }}
        {%- for name in dims %}
        and ratios.{{ name }} != '{{ '_U' if name in ('ref_area', 'sex') else '_Z' }}'
        {%- endfor %}
)
{%- set shown = 'estimates' -%}
{%- if 'ref_area' in dims and kind == 'total' -%}
{%- set shown = 'on_later_boundaries' -%}
{%- set shared = {'ref_area': 'changes.successor_code', 'boundary_version': 'changes.date', 'is_shared_out': 'true'} -%}
{%- for name in ['estimate', 'standard_error', 'ci_lower', 'ci_upper'] -%}
    {%- do shared.update({name: 'estimates.' ~ name ~ ' * cast(changes.weight as double)'}) -%}
{%- endfor -%}
{%- for name in ['counted', 'records'] -%}
    {%- do shared.update({name: 'floor(estimates.' ~ name ~ ' * cast(changes.weight as double))'}) -%}
{%- endfor %},

on_later_boundaries as (
    select {{ all_but(shared.keys()) }}, {{ shared.keys() | join(', ') }} from estimates
    union all
    select
        {{ all_but(shared.keys(), 'estimates') }}
        {%- for name, value in shared.items() %},
        {{ value }} as {{ name }}
        {%- endfor %}
    from estimates
    join {{ ref('area_successors') }} as changes on estimates.ref_area = changes.former_code and changes.weight != ''
    -- Of what several areas became one by one is no more than a part: their figures add up to it, and it has none of its own.
    join (
        select successor_code, date from {{ ref('area_successors') }} group by successor_code, date having count(*) = 1
    ) as splits on changes.successor_code = splits.successor_code and changes.date = splits.date
)
{%- endif %}

{% set given = {
    'indicator': "'" ~ indicator ~ "'",
    'ref_area': "case when ref_area = '_T' then ref_country else ref_area end" if 'ref_area' in dims else 'ref_country',
    'boundary_version': "case when ref_area = '_T' then '_Z' else coalesce(boundary_version, '_Z') end" if 'ref_area' in dims else "'_Z'",
    'obs_value': 'estimate',
    'numerator': 'y' if percent == 100 and is_relative else 'null',
    'denominator': 'x' if percent == 100 and is_relative else 'null',
    'n_numerator': 'counted' if percent == 100 and is_relative else 'null',
    'n_denominator': 'based' if percent == 100 and is_relative else 'null',
    'design_effect': 'design_effect' if kind != 'ratio' else 'null',
    'effective_records': 'based / nullif(design_effect, 0)' ~ (' / (imputation_inflation * imputation_inflation)' if imputed else '') if kind != 'ratio' else 'null',
    'n_obs': 'records' if kind == 'ratio' or (measure == 'true' and not parts) else 'counted',
    'standard_error': 'standard_error',
    'variance_basis': variance_basis('published_error > coalesce(designed_error, 0)'),
    'degrees_of_freedom': 'degrees_of_freedom',
    'ci_lower': 'ci_lower',
    'ci_upper': 'ci_upper',
    'interval_kind': 'interval_kind',
    'obs_status': estimate_status(),
    'is_microdata': 'true',
} -%}
{%- for name in dims if name != 'ref_area' -%}
    {%- do given.update({name: name}) -%}
{%- endfor -%}
{%- do given.update(values) -%}
{{ indicator_rows(shown, given) }}
{%- endmacro %}

{# The cells that those of a table are parts of: their dimensions without what the numerator alone is broken down by. #}
{% macro base_cells(cells, based) -%}
    {%- set sets = [] -%}
    {%- for cell in cells -%}
        {%- set of_base = cell | select('in', based) | list -%}
        {%- if of_base not in sets -%}{%- do sets.append(of_base) -%}{%- endif -%}
    {%- endfor -%}
    {{ return(sets) }}
{%- endmacro %}

{# E shared out over later boundaries, U a coefficient of variation above 20 percent; with either I, answers of donors in it. #}
{% macro estimate_status() -%}
    {{ return(
        "case when is_shared_out then 'E' when estimate > 0 and standard_error / estimate > 0.2 then 'U' else 'A' end"
        ~ " || case when imputed_records > 0 then ';I' else '' end"
    ) }}
{%- endmacro %}

{# Period and status of figures about a window of so many years up to the period's last day; null: no window. #}
{% macro of_window(years) -%}
    {{ return({
        'period_start_date': "case when " ~ years ~ " is null then period_start_date"
            ~ " else " ~ years_after('period_end_date', '-' ~ years) ~ " + 1 end",
        'obs_status': estimate_status() ~ " || case when " ~ years ~ " is null then '' else ';D' end",
    }) }}
{%- endmacro %}
