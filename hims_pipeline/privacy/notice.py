"""What an installation without a key of its own says of itself, on every line that speaks of batches: the key that
makes its pseudonyms is public.
"""

from hims_pipeline.errors import HimsError
from hims_pipeline.privacy.keys import load_key
from hims_pipeline.settings import Settings

MARK = "PUBLIC KEY"
NOTICE = (
    f"{MARK}: the pseudonyms of this installation are made with the demonstration key, which is public, and protect "
    "nobody. Bring no data of real persons here; `hims key init` makes a key."
)


def mark(settings: Settings) -> str:
    """`PUBLIC KEY` where pseudonyms are made with the demonstration key, else nothing.

    A key that cannot be had is told by whatever needs it, not here.
    """
    try:
        return MARK if load_key(settings).demonstration else ""
    except HimsError:
        return ""
