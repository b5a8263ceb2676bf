"""Disclosure control: which figures may be shown beside one another, and what they give away together.

Here: the linked tables that figures make up (`figures`, `linked_tables`), what follows from what is shown
(`elimination`, `bounds`), which figures are withheld (`protect`), and the attack on what is public (`attack`).
Not here: figures themselves (dbt's models of indicators) and releases (`release`).
"""
