"""What of the last build may stand in the next one: fingerprints of dbt's nodes, the last build's file, the plan.

Here: which nodes have the same inputs as when they were built, and the proof of it. Not here: running dbt (`dbt.py`),
the folder of a build (`build.py`), and what is published (`release`).
"""
