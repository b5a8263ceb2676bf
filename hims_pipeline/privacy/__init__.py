"""What keeps people unnamed: the key, keyed pseudonyms, and what production demands before a personal source is opened.

Not here: which columns are identifiers (contracts), and what may be published (disclosure).
"""
