"""The report on one delivery for those who sent it: what was checked, what failed, how many rows, which lines, what to
do and what it was compared with, as one page (HTML) in French, Arabic and English, and as JSON.

It can be forwarded unedited: no value of the data and no word of the sender stands in it (`words`). Here: the record
(`record`), its plots (`plots`), its sentences (`sentences`), the page (`page`), and beside it what an engineer reads of
the same verdict (`data_docs`). Not here: what is found (`readers`,
`gates`), letters and alerts (`watch`).
"""

from hims_pipeline.reporting.data_docs import DATA_DOCS, render_data_docs
from hims_pipeline.reporting.page import PAGES, page_of, remove_report, report_file, write_beside
from hims_pipeline.reporting.record import report_of
from hims_pipeline.reporting.sentences import LANGUAGES

__all__ = [
    "DATA_DOCS",
    "LANGUAGES",
    "PAGES",
    "page_of",
    "remove_report",
    "render_data_docs",
    "report_file",
    "report_of",
    "write_beside",
]
