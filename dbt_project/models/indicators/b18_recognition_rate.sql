-- Positive decisions (recognised, or protected in another way) in percent of decisions at first instance: what was closed
-- without one is none. Status D where first instance and appeal are not told apart.
{{ asylum_rows(
    'B18', "outcome in ('RECOGNISED', 'COMPLEMENTARY', 'REJECTED')", "case when outcome != 'REJECTED' then procedures else 0 end",
    base='procedures'
) }}
