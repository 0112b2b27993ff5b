"""Light that leaves absorb, corrected by what satellites see: one factor for every stand and age of a place and month.

Leaf area, carbon and turnover stay those of the model. The factor is observed over simulated absorption of the
age-weighted mixture; where the model has next to no leaves, light is added instead, shared by cover. What is absorbed
never exceeds the light that there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dere.knowledge.light_use import absorbed_share_of_evi
from dere.world.forcing import Array
from dere.world.stand import Layout

YEAR = 12
BARE = 0.05
"""Simulated absorbed share below which light is added, not multiplied."""
LEAST, MOST = 0.25, 4.0
"""Bounds of the factor."""
EXTINCTION = 0.5


def observed_share(lai: Array, evi: Array) -> Array:
    """Absorbed share of light as satellites see it: 1.2 (EVI - 0.05) within 0 to 1, else from LAI, else NaN.

    Parameters
    ----------
    lai, evi
        m2 m-2 and 1, NaN = no view; the same shape.
    """
    return np.where(np.isfinite(evi), absorbed_share_of_evi(evi), -np.expm1(-EXTINCTION * lai))


def correction(observed: Array, simulated: Array) -> tuple[Array, Array]:
    """Factor on absorbed light and light added, of the same shape; NaN where nothing is observed."""
    bare = simulated < BARE
    ratio = observed / np.where(bare, 1.0, simulated)
    unknown = np.where(np.isfinite(observed), 0.0, np.nan)
    factor = np.where(bare, 1.0, np.clip(ratio, LEAST, MOST))
    return factor + unknown, np.where(bare, np.maximum(observed - simulated, 0.0), 0.0) + unknown


class MonthLight(NamedTuple):
    """Correction of one month: observed share (member,) or None, age weights (age, member), climatologies (member,)."""

    observed: Array | None
    age_weight: Array
    factor: Array
    added: Array


@dataclass(frozen=True)
class SeenLight:
    """What satellites say about the light that members absorb.

    Parameters
    ----------
    observed
        (member, time) absorbed share, NaN = unknown.
    age_weight
        (member, age) sums to 1.
    factor, added
        (member, 12) climatology of the correction, by month of the forcing's year, complete.
    """

    observed: Array
    age_weight: Array
    factor: Array
    added: Array

    @classmethod
    def learned(cls, observed: Array, simulated: Array, age_weight: Array) -> SeenLight:
        """With the climatology that a run without correction asks for.

        Parameters
        ----------
        observed, simulated
            (member, time) absorbed share as seen and of the age-weighted mixture; whole years.
        age_weight
            (member, age).
        """
        factor, added = correction(observed, simulated)
        return cls(observed, age_weight, _climatology(factor, 1.0), _climatology(added, 0.0))

    def take(self, members: ArrayLike | slice) -> SeenLight:
        """Some members."""
        index = members if isinstance(members, slice) else np.asarray(members)
        return SeenLight(self.observed[index], self.age_weight[index], self.factor[index], self.added[index])

    def blind(self, months: int) -> SeenLight:
        """The same climatology over another span without any observed month."""
        return SeenLight(np.full((len(self.observed), months), np.nan), self.age_weight, self.factor, self.added)

    def month(self, t: int, seeing: bool) -> MonthLight:
        """Correction of month ``t``: of the observed one, or of the climatology of its calendar month."""
        observed = self.observed[:, t] if seeing else None
        return MonthLight(observed, self.age_weight.T, self.factor[:, t % YEAR], self.added[:, t % YEAR])


def adjusted(absorbed: Array, cover: Array, lay: Layout, light: MonthLight) -> Array:
    """Absorbed share of each cohort (cohort, age, member) after the correction."""
    factor, added = light.factor, light.added
    if light.observed is not None:
        simulated = (absorbed[lay.pure :].sum(axis=0) * light.age_weight).sum(axis=0)
        seen_factor, seen_added = correction(light.observed, simulated)
        known = np.isfinite(light.observed)
        factor, added = np.where(known, seen_factor, factor), np.where(known, seen_added, added)
    changed = absorbed * factor + added * cover
    total: NDArray[np.float64] = np.maximum(lay.by_stand(changed), 1.0)
    return changed / lay.by_cohort(total)


def _climatology(values: Array, otherwise: float) -> Array:
    """(member, 12) means of the known months; a calendar month that is never known takes the mean of the others."""
    by_year = values.reshape(len(values), -1, YEAR)
    known = np.isfinite(by_year)
    count = known.sum(axis=1)
    total = np.where(known, by_year, 0.0).sum(axis=1)
    whole = count.sum(axis=1, keepdims=True)
    mean = np.where(whole > 0, total.sum(axis=1, keepdims=True) / np.maximum(whole, 1), otherwise)
    return np.where(count > 0, total / np.maximum(count, 1), mean)
