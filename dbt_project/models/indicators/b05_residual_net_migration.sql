-- What the change of a population leaves once registered births and deaths are taken off. Deaths that were not registered
-- look like people who left, so incomplete registration makes it another definition, and unreliable.
{{ residual_migration_rows('B05', 'residual_persons') }}
