"""Estimates for a domain of one's own, from the facts of a release: the question (`question`), what it gives
(`answer`), and which of it may be shown beside what is published (`groups`, `published`).

Here: what `hims estimate` asks and answers. Not here: how an estimate and its error are made (the macros of the dbt
project, which this calls as the models of indicators do), and disclosure control of releases (`disclosure`).
"""
