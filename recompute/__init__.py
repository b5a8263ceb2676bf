"""Published figures, made again from the delivered files by code that shares nothing with the pipeline.

No line of `hims_pipeline` is imported and no SQL, contract, code list or crosswalk of the project is read: files are
read with Python's own `csv`, and the few codes that are needed are typed in here from the institutions' lists. A
mistake that both sides share would have to be made twice. Not here: tests of the pipeline by its own means (`tests/`).
"""
