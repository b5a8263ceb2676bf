"""Contracts into dbt: staging models, the union of all that feeds a fact, reference tables. Nothing generated is kept
in git; all of it lies under `$HIMS_HOME/rendered` and follows from `data/` alone."""
