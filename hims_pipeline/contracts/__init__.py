"""What statisticians own under `data/`, as typed objects: contracts, the observatory, indicators, code lists.

Here: parsing and checking those files. Not here: reading deliveries (`readers`), judging them (`gates`).
"""
