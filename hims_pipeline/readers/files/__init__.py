"""Files as bytes, before any format is asked: archives, signatures, encodings, the envelope of text, headings.

Not here: what a format means (`formats`), what a value may be (`typing`).
"""
