"""Bilateral flows of migrants from two tables of stocks by birthplace and residence.

G. J. Abel 2013, Estimating global migration flow tables using place of birth data, Demographic Research 28: 505-546;
G. J. Abel & J. E. Cohen 2019, Bilateral international migration flow estimates for 200 countries, Scientific Data 6:
82; J. J. Azose & A. E. Raftery 2019, Estimation of emigration, return migration, and transit migration between all
pairs of countries, PNAS 116: 116-122. Who was born in b and lived in o moved to d: the tables give only where they
lived at both ends. The least movement that leads from one table to the other is a lower bound of moves; the mix adds
moves of which stocks tell nothing.

Both tables must be closed: as many of each birthplace at the end as at the beginning, after births and deaths between
were taken off. The same formulas in SQL, over what the warehouse holds, are the macro `flows_from_stocks`; a test
holds the two together. Not here: births, deaths or ages (`survival.py`).
"""

import numpy as np

from hims_pipeline.errors import MethodError
from hims_pipeline.methods.likelihood import Array

MIX = 0.87  # of the least movement; the rest is the independent model. Azose & Raftery's, by known flows of Europe


def least_flows(start: Array, end: Array) -> Array:
    """The least movement that leads from one table of stocks to the other, with a uniform seed.

        flow of those born in b from o to d = loss(o) gain(d) / Σ loss        (Abel 2013, with all stayers that there
        can be)

    Args:
        start: persons by birthplace (rows) and residence (columns) at the beginning, shape (b, r).
        end: the same at the end, shape (b, r).

    Returns:
        Movements by birthplace, origin and destination, persons, shape (b, r, r).

    Raises:
        MethodError: tables of two shapes, fewer than nobody, or a birthplace with more at one end than at the other.
    """
    _require_closed(start, end)
    loss, gain = np.maximum(start - end, 0.0), np.maximum(end - start, 0.0)
    whole = loss.sum(axis=1)
    return np.asarray(np.einsum("bo,bd,b->bod", loss, gain, _inverse(whole)))


def independent_flows(start: Array, end: Array) -> Array:
    """Flows as if residence at the end had nothing to do with that at the beginning, of each birthplace:

        flow from o to d = start(o) end(d) / Σ start,  o ≠ d

    Arguments, result and errors are those of `least_flows`. An upper bound in practice: it lets nearly all who live
    abroad move.
    """
    _require_closed(start, end)
    whole = start.sum(axis=1)
    flows = np.einsum("bo,bd,b->bod", start, end, _inverse(whole))
    return np.asarray(flows * (1 - np.eye(start.shape[1])))


def mixed_flows(start: Array, end: Array, mix: float = MIX) -> Array:
    """`mix` of the least movement and 1 - `mix` of the independent model (pseudo-Bayesian, Azose & Raftery 2019).

    Arguments, result and errors are those of `least_flows`.
    """
    if not 0 <= mix <= 1:
        raise MethodError(f"a share of the least movement lies between 0 and 1, and {mix} does not")
    return np.asarray(mix * least_flows(start, end) + (1 - mix) * independent_flows(start, end))


def _inverse(whole: Array) -> Array:
    return np.divide(1.0, whole, out=np.zeros_like(whole), where=whole > 0)


def _require_closed(start: Array, end: Array) -> None:
    if start.ndim != 2 or start.shape != end.shape:
        raise MethodError(f"two tables of stocks of one shape, and these are {start.shape} and {end.shape}")
    if not np.all(np.isfinite(start + end)) or np.any(start < 0) or np.any(end < 0):
        raise MethodError("persons are zero or more")
    if not np.allclose(start.sum(axis=1), end.sum(axis=1), rtol=1e-9, atol=1e-6):
        raise MethodError(
            "a birthplace has more persons at one end than at the other: take births and deaths off first"
        )
