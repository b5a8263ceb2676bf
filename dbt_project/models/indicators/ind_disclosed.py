# Which figures may be shown, decided over all of them at once: a program, since no query eliminates.
from hims_pipeline.disclosure.decide import decide
from hims_pipeline.disclosure.history import earlier_decisions, last_decisions


def model(dbt, session):
    dbt.config(materialized="table")
    dbt.ref("ind_values")
    dbt.ref("indicators")
    dbt.ref("sources")
    dbt.ref("areas")
    dbt.ref("indicator_cells")
    dbt.ref("breakdowns")
    dbt.ref("area_successors")
    dbt.ref("dim_area")
    dbt.ref("dim_area_ancestor")
    return decide(session, earlier_decisions(session), last_decisions(session))
