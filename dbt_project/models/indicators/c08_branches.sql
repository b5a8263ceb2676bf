-- Foreigners insured in a branch (A16 by branch) per 100 insured: who holds accounts in two branches is in both, so the
-- shares of a day may add up to a little more than 100.
with insured as (
    select * from ({{ figures_of(['a16_foreign_insured']) }}) as figures
    where {{ cell_of('figures') }} in ('', 'economic_activity') and boundary_version = '_Z'
),

shares as (
    select
        branches.*,
        wholes.obs_value as whole_persons,
        wholes.obs_status as whole_status
    from insured as branches
    join insured as wholes
        on {{ same('branches', 'wholes', 'source, data_kind, vintage, duration_rule, universe, freq, time_period, ref_area') }}
    where branches.economic_activity != '_T' and wholes.economic_activity = '_T'
)

{{ indicator_rows('shares', {
    'indicator': "'C08'", 'economic_activity': 'economic_activity', 'obs_value': '100 * obs_value / whole_persons',
    'numerator': 'obs_value', 'denominator': 'whole_persons', 'n_obs': 'n_obs', 'n_numerator': 'n_obs',
    'n_denominator': 'cast(whole_persons as bigint)', 'is_microdata': 'true',
    'obs_status': "case when 'U' in (obs_status, whole_status) then 'U' else obs_status end",
}) }}
