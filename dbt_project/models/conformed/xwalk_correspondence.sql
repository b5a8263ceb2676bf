-- Many-to-many correspondences between revisions of a classification: the share of each target code and the span of the
-- unit interval that it takes, in the order of the codes.
with shares as (
    select scheme, code, to_code, cast(share as decimal(9, 6)) as share from {{ ref('correspondences') }}
),

spans as (
    select
        scheme,
        code,
        to_code,
        share,
        cast(sum(share) over (partition by scheme, code order by to_code) - share as decimal(38, 6)) as share_from,
        cast(sum(share) over (partition by scheme, code order by to_code) as decimal(38, 6)) as share_to
    from shares
)

select * from spans
