-- Persons, not accounts: who holds two accounts in two branches counts in each branch and once in the total. Accounts
-- without any document stand for persons of their own, so a file with many of them counts too many.
with active as (
    select
        source, data_kind, vintage, duration_rule, universe, freq, time_period, period_end_date, ref_country,
        country_of_citizenship_code, branch_code, area_code, sex, person_id, is_person_known
    from {{ ref('fct_insurance_periods') }}
    where is_active_at_end and country_of_citizenship_code not in (ref_country, '_U')
),

persons as (
    select
        source, data_kind, vintage, duration_rule, universe, freq, time_period, period_end_date, ref_country,
        case when grouping(country_of_citizenship_code) = 1 then '_T' else country_of_citizenship_code end as citizenship,
        case when grouping(branch_code) = 1 then '_T' else branch_code end as branch,
        case when grouping(area_code) = 1 then '_T' else area_code end as area_code,
        case when grouping(sex) = 1 then '_T' else sex end as sex,
        count(distinct person_id) as persons,
        count(distinct person_id) filter (where not is_person_known) as unknown_persons
    from active
    group by grouping sets (
        (source, data_kind, vintage, duration_rule, universe, freq, time_period, period_end_date, ref_country),
        (source, data_kind, vintage, duration_rule, universe, freq, time_period, period_end_date, ref_country, sex),
        (source, data_kind, vintage, duration_rule, universe, freq, time_period, period_end_date, ref_country, country_of_citizenship_code),
        (source, data_kind, vintage, duration_rule, universe, freq, time_period, period_end_date, ref_country, branch_code),
        (source, data_kind, vintage, duration_rule, universe, freq, time_period, period_end_date, ref_country, area_code),
        (source, data_kind, vintage, duration_rule, universe, freq, time_period, period_end_date, ref_country, area_code, country_of_citizenship_code)
    )
),

boundaries as (
    select area_code, max(boundary_version) as boundary_version from {{ ref('dim_area') }} group by area_code
),

placed as (
    select
        persons.*,
        case when persons.area_code = '_T' then persons.ref_country else persons.area_code end as area,
        case when persons.area_code = '_T' then '_Z' else coalesce(boundaries.boundary_version, '_Z') end as boundary_version
    from persons
    left join boundaries on persons.area_code = boundaries.area_code
    where persons.area_code != '_U'
)

{{ indicator_rows('placed', {
    'indicator': "'A16'", 'ref_area': 'area', 'sex': 'sex', 'boundary_version': 'boundary_version',
    'citizenship': 'citizenship', 'economic_activity': 'branch', 'period_start_date': 'period_end_date',
    'obs_value': 'persons', 'n_obs': 'persons', 'is_microdata': 'true',
    'obs_status': "case when unknown_persons * 20 > persons then 'U' else 'A' end",
}) }}
