"""A release's staff file in memory: a fact of a sample, its batch, and published figures beside it."""

import duckdb

from hims_pipeline.contracts.indicators import Formula, Indicator, load_indicators
from hims_pipeline.settings import REPOSITORY
from tests.indicators.test_estimates import Person, tables

FACT = "migrants"


def staff_file(
    persons: list[Person], published: list[tuple[str, str, str, str]] = (), **design
) -> duckdb.DuckDBPyConnection:
    """Records as `fct_migrants` of `survey`; published figures of X01 as (ref_area, sex, reason, conf_status)."""
    con = tables(persons, [], **design)
    con.execute("create schema conformed; create schema published")
    con.execute("""create table conformed.fct_migrants as select fct.*, row_number() over () as record_no,
        batches.source, batches.time_period, batches.vintage, batches.universe, batches.duration_rule
        from fct join dim_batch as batches using (batch_id, entity)""")
    con.execute("alter table conformed.fct_migrants drop column population_ssus")  # as in releases made before
    for name in ("dim_batch", "fct_sampling_units", "dim_area", "dim_area_ancestor"):
        con.execute(f"create table conformed.{name} as from {name}")
    con.execute("""create table published.indicator_value (indicator varchar, ref_area varchar, sex varchar,
        reason varchar, cell varchar, conf_status varchar, source varchar, time_period varchar, vintage varchar,
        universe varchar, duration_rule varchar)""")
    for area, sex, reason, status in published:
        cell = " ".join(name for name, code in (("reason", reason), ("sex", sex)) if code != "_T")
        con.execute(
            "insert into published.indicator_value"
            " values ('X01', ?, ?, ?, ?, ?, 'survey', '2021', '_Z', 'everyone', '3M')",
            [area, sex, reason, cell, status],
        )
    return con


def indicator(*cells: list[str], **formula) -> Indicator:
    """X01, published over these cells of `fct_migrants`."""
    made = Formula.model_validate({"fact": FACT, "cells": [*cells], **formula})
    record = load_indicators(REPOSITORY / "data")["A05"]
    allowed = tuple(tuple(name for name in cell if name != "ref_area") for cell in cells)
    return record.model_copy(update={"code": "X01", "formula": (made,), "cells": allowed, "awaited_cells": ()})
