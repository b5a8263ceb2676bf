"""One module a format (CSPro a folder): from a file that was sent to a table of texts.

Not here: types and writing (`typing`).
"""
