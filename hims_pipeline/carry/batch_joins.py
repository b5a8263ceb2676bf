"""Does a node read of the list of batches only those whose records it reads anyway?

Every fact and every estimate looks its batch up in `stg_batches` or `dim_batch`, which have a row more with each
delivery of any source. Joined on `batch_id` and `entity`, rows of other batches find nothing, and what the rows found
say is in the fingerprints of the entity files they are about. So such a join is no reason to build a node anew. It is
believed only where every mention of the list is one of the shapes below; any other use counts as reading all of it.
"""

import re
from collections.abc import Iterable

BATCHES = ("stg_batches", "dim_batch")
_ENDS = r"(?=\s*(?:$|\)|\n\s*(?:(?:left |inner )?join|where|group by|having|qualify|order by|union|select)\b|\{[{%]))"


def joins_by_batch(texts: Iterable[str], batches: str) -> bool:
    """Whether all that these texts of a node and its macros do with a list of batches is to join it by batch.

    Args:
        texts: SQL with Jinja, without comments.
        batches: name of the model.
    """
    mentioned = [text for text in texts if re.search(rf"\b{batches}\b", text)]
    return bool(mentioned) and all(_joins(text, batches) for text in mentioned)


def _joins(text: str, batches: str) -> bool:
    ref = rf"\{{\{{\s*ref\('{batches}'\)\s*\}}\}}"
    named = re.findall(rf"\b(\w+) as \(\s*select \* from {ref}\s*\)", text)
    left = re.sub(rf"\b\w+ as \(\s*select \* from {ref}\s*\)", "", text)
    left = re.sub(_join(rf"{ref} as (?P<alias>\w+)"), "", left)
    for name in named:
        left = re.sub(_join(rf"(?P<alias>{name})"), "", left)
        if re.search(rf"(?:\bfrom|\bjoin|,|\btable)\s+{name}\b(?!\.)", left):
            return False
    return not re.search(rf"\b{batches}\b", left)


def _join(relation: str) -> str:
    """Pattern of an inner or left join of a relation by batch and entity, and by nothing else."""
    return (
        rf"(?:^|\n)\s*(?:left |inner )?join {relation}\s+on (?P<other>\w+|\{{\{{ \w+ \}}\}})\.batch_id ="
        rf" (?P=alias)\.batch_id and (?P=other)\.entity = (?P=alias)\.entity{_ENDS}"
    )
