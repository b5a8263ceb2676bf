"""Net migration between two censuses by survival ratios.

United Nations, Manual VI: Methods of Measuring Internal Migration, 1970, chapter II (ST/SOA/Series A/47); as residual
of births and deaths, chapter II.A. Those of an age group at the first census who live are, at the second, as much
older as the years between; whom survival does not explain came or went. Ratios from life tables hold mortality alone,
those from the censuses of a whole country (closed to migration) also what both censuses missed at an age.

Not here: flows by origin and destination (`flows.py`), which no balance tells.
"""

from dataclasses import dataclass

import numpy as np

from hims_pipeline.errors import MethodError
from hims_pipeline.methods.likelihood import Array


@dataclass(frozen=True)
class NetMigration:
    """Net migrants of each group of those born before the first census, persons, shape (n,).

    Args:
        forward: who survived to the second census among net migrants: P₂ - S P₁, as if all had come at its end.
        reverse: net migrants with those who died: P₂ / S - P₁, as if all had come at the interval's beginning.
    """

    forward: Array
    reverse: Array

    @property
    def average(self) -> Array:
        """Mean of both, as if all had come in the middle, shape (n,)."""
        return (self.forward + self.reverse) / 2


def net_migration(first: Array, second: Array, survival: Array) -> NetMigration:
    """Net migration by the forward, reverse and average survival-ratio methods.

    Args:
        first: P₁, persons by age group at the first census, shape (n,).
        second: P₂, persons of the same groups, older by the interval, at the second census, shape (n,).
        survival: S, share of each group who live until the second census, above 0; shape (n,). A census survival
            ratio may pass 1, where the second census counts an age better.

    Raises:
        MethodError: shapes that do not meet, fewer than nobody, or a ratio that is not above zero.
    """
    if not first.shape == second.shape == survival.shape:
        raise MethodError("both censuses and the ratios have the same age groups")
    if np.any(first < 0) or np.any(second < 0) or not np.all(np.isfinite(first + second)):
        raise MethodError("persons of an age group are zero or more")
    if not np.all(survival > 0):
        raise MethodError("a survival ratio is above zero: join the oldest groups into an open one")
    return NetMigration(second - survival * first, second / survival - first)


def census_survival(first: Array, second: Array) -> Array:
    """Survival ratios S = P₂ / P₁ of a whole population that is closed to migration, shape (n,).

    Raises:
        MethodError: shapes that do not meet, or an age group with nobody at either census.
    """
    if first.shape != second.shape:
        raise MethodError("both censuses have the same age groups")
    if np.any(first <= 0) or np.any(second <= 0):
        raise MethodError("an age group with nobody at a census has no survival ratio: join it to the next")
    return np.asarray(second / first)


def residual_net_migration(first: float, second: float, births: float, deaths: float) -> float:
    """Net migration of all ages, persons, from the balance between two censuses: (P₂ - P₁) - (births - deaths).

    It holds every error of its four parts; at 1 % of a population between two censuses, no sign of it is sure.
    """
    return (second - first) - (births - deaths)
