-- Links of persons to registers of which no delivery counts.
select
    links.source,
    links.period,
    count(*) as links,
    count(*) filter (links.register_source not in (select source from conformed.dim_batch)) as orphans
from conformed.fct_person_links as links
group by all
