"""From a finished build to an immutable release, and what is done with it: list, verify, compare, roll back, read.

Here: files, hashes, the order of publishing. Not here: what figures are (dbt) and whether they are good (gates).
"""
