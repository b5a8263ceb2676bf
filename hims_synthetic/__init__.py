"""A synthetic country, and what the sources of a migration observatory send about it: the same bytes for the same seed.

Here: the country (`country`), a writer a source, broken deliveries for tests, all from the recipe in
`data/samples/recipe`. Not here: reading or judging deliveries. Every file that is made carries SYNTHETIC in its name,
and the contracts that describe them say `data_kind: synthetic`.
"""

from hims_synthetic.broken import BrokenSample, make_broken
from hims_synthetic.country import SEED, Country, open_country
from hims_synthetic.sample import Sample
from hims_synthetic.samples import SCALE, demo_deliveries, make_samples

__all__ = [
    "SCALE",
    "SEED",
    "BrokenSample",
    "Country",
    "Sample",
    "demo_deliveries",
    "make_broken",
    "make_samples",
    "open_country",
]
