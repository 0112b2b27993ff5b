"""How far a place lies from the towers that a model learned from, in the space of its static attributes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

Array = NDArray[np.float64]

NEAREST = 5
"""Towers whose mean distance counts: one alone may be an odd one, all of them say where the middle is."""
FURTHEST = 4.0
"""Standard deviations beyond which an attribute counts as being that far."""
BLOCK = 2000
"""Places compared at a time."""
DISTANT_TOWERS = 20
"""Fewer towers than this cannot say how errors grow with the distance in driver space."""
DISTANCE = "driver_distance"
"""Variable (place,) of a prediction file."""
INDEX = "extrapolation_index"
"""Variable (cell,) of a prediction file."""
_STATIC, _CLUSTER = "learned_static", "learned_cluster"


class Learned(NamedTuple):
    """Towers that a model learned from.

    Parameters
    ----------
    static
        (tower, attribute).
    cluster
        (tower,) names.
    """

    static: NDArray[np.floating]
    cluster: NDArray[np.str_]

    def distance(self, static: NDArray[np.floating], cluster: NDArray[np.str_]) -> Array | None:
        """Distance of places (place,), see `driver_distance`; None where too few towers were learned from."""
        if len(self.static) < DISTANT_TOWERS or len(np.unique(self.cluster)) < 2:
            return None
        return driver_distance(static, cluster, self.static, self.cluster)

    def share_nearer(self, distance: Array) -> Array:
        """Extrapolation index of distances: the share of these towers that lie nearer to those of other clusters."""
        own = np.sort(driver_distance(self.static, self.cluster, self.static, self.cluster))
        found: Array = np.interp(distance, own, (np.arange(len(own)) + 1.0) / len(own), left=0.0)
        return found

    def variables(self) -> dict[str, tuple[object, ...]]:
        """Variables of a prediction file from which `read_learned` makes it again."""
        of_static = {"long_name": "static attributes of the towers that the model learned from"}
        of_cluster = {"long_name": "clusters of these towers"}
        return {
            _STATIC: (("learned", "attribute"), np.asarray(self.static, np.float32), of_static),
            _CLUSTER: ("learned", np.asarray(self.cluster).astype(object), of_cluster),
        }


def read_learned(file: xr.Dataset) -> Learned | None:
    """Towers that the model of a prediction file learned from; None where the file does not say."""
    if _STATIC not in file:
        return None
    static = file[_STATIC].transpose("learned", "attribute").values
    return Learned(static, file[_CLUSTER].values.astype(str))


def driver_distance(
    static: NDArray[np.floating], cluster: NDArray[np.str_], towers: NDArray[np.floating], of: NDArray[np.str_]
) -> Array:
    """Root mean square difference of standardised attributes to the nearest towers of other clusters, (place,).

    A tower of the same cluster never counts, so that a tower seen in training is as far from the others as a new one
    would be that stands in its stead.

    Parameters
    ----------
    static
        (place, attribute) of the places; NaN counts as the towers' mean.
    cluster
        (place,) cluster of each place; a name that no tower bears for a new place.
    towers
        (tower, attribute) of the towers that the model learned from.
    of
        (tower,) their clusters.

    Raises
    ------
    ValueError
        When a place has no tower of another cluster to be compared with.
    """
    mean, std = np.nanmean(towers, 0), np.nanstd(towers, 0)
    std = np.where(std > 1e-9, std, np.inf)

    def standard(values: NDArray[np.floating]) -> Array:
        return np.clip(np.nan_to_num((np.asarray(values, np.float64) - mean) / std), -FURTHEST, FURTHEST)

    theirs = standard(towers)
    found = np.empty(len(static))
    for start in range(0, len(static), BLOCK):
        here = slice(start, start + BLOCK)
        own = standard(static[here])
        square = np.maximum((own**2).mean(1)[:, None] + (theirs**2).mean(1) - 2 * own @ theirs.T / own.shape[1], 0.0)
        square[np.asarray(cluster[here])[:, None] == np.asarray(of)] = np.inf
        others = np.isfinite(square).sum(1)
        if not others.all():
            raise ValueError(
                f"{int((others == 0).sum())} places have no training tower of another cluster, at least one is needed "
                "for a distance in driver space; bring more towers or lower splits.cluster_km"
            )
        nearest = np.sqrt(np.sort(square, 1)[:, :NEAREST])
        found[here] = np.where(np.isfinite(nearest), nearest, 0.0).sum(1) / np.minimum(others, NEAREST)
    return found
