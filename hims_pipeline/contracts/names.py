"""Names of columns as staging has them: small letters of any script, digits and underscores. What comes to the same
there, or to nothing, would be found by dbt alone, at the end of a night for all sources.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator

from hims_pipeline.contracts.model import Contract


def fold_name(name: str) -> str:
    """A name as a column in staging: the same letters, however an editor composed them."""
    return re.sub(r"[\W_]+", "_", unicodedata.normalize("NFC", name).lower()).strip("_")


def find_confused(names: Iterable[str]) -> list[str]:
    """The names that staging cannot tell from others, or has no letter or digit of."""
    folded = {name: fold_name(name) for name in names}
    counts = Counter(folded.values())
    return [name for name, short in folded.items() if not short or counts[short] > 1]


def name_problems(contract: Contract) -> Iterator[str]:
    """What is wrong with the names of the columns that are kept, entity by entity."""
    for name in contract.entities:
        kept = (
            one.name for period in contract.periods_of_layouts for one in contract.entity_in(name, period).kept_columns
        )
        if confused := find_confused(kept):
            yield (
                f"{name}: {', '.join(confused)}. Give each a name of its own, with a letter; a layout's `names` say "
                "what it is called in the file"
            )
