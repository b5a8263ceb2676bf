"""From texts to typed Parquet: strict types, type errors with their lines, pseudonyms and links.

No format is known here.
"""
