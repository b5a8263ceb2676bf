"""Dagster wiring by layer: thin assets over the plain functions of the package. The only place that imports Dagster."""

import warnings

import dagster as dg

from hims_pipeline.defs.event_log import keep_connections_open

# Dagster is pinned exactly, and a test reads what these features show: their warnings on every start say nothing new.
for kind in (dg.PreviewWarning, dg.BetaWarning):
    warnings.filterwarnings("ignore", category=kind)

keep_connections_open()
