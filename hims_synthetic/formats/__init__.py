"""Files of other formats than delimited text, as offices send them: the same rows give the same bytes.

Here: writing a table in a format. Not here: what the table holds, or reading (`readers`).
"""

from hims_pipeline.workbook import write_workbook
from hims_synthetic.formats.cspro import CsproRecord, write_cspro
from hims_synthetic.formats.fixed_width import write_fixed_width
from hims_synthetic.formats.spss import write_spss
from hims_synthetic.formats.variables import Variable

__all__ = ["CsproRecord", "Variable", "write_cspro", "write_fixed_width", "write_spss", "write_workbook"]
