"""`hims …` whose readers cut entities into parts of few records, as they cut those of a whole country."""

import sys

from hims_pipeline.cli import main
from hims_pipeline.readers.files import envelope

PART_RECORDS = 20_000

if __name__ == "__main__":
    envelope.PART_RECORDS = PART_RECORDS
    sys.exit(main())
