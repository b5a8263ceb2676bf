"""A small invented country: deliveries that follow the contracts, good and broken, the same bytes for the same seed.

Here: making such files from the recipe in `data/samples/recipe`. Not here: reading or judging them. Every file that is
made carries SYNTHETIC in its name, and the contracts that describe them say `data_kind: synthetic`.
"""

from hims_pipeline.synthetic.broken import BrokenSample, make_broken
from hims_pipeline.synthetic.sample import Sample
from hims_pipeline.synthetic.samples import SEED, demo_deliveries, make_samples

__all__ = ["SEED", "BrokenSample", "Sample", "demo_deliveries", "make_broken", "make_samples"]
