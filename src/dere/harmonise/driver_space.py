"""How far months of a place lie from the months that models have learned from, in the space of their drivers.

A month is a point: monthly temperature, square root of precipitation, shortwave, vapour pressure deficit where the
driver set has it, LAI and EVI where the run has satellites, each less the mean and over the standard deviation of the
months learned from. The distance of a month is that to the nearest month learned from. The **extrapolation index** says
what that distance means: the share of the months learned from that lie nearer to the towers of other clusters than this
month lies to the towers. 0.5 is as far as one cluster of towers usually is from the others, which is what
cross-validation judges; 1 is farther than all of them.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.harmonise.cells import climate_of
from dere.harmonise.drivers import stored_variables
from dere.variables import SATELLITE

Array = NDArray[np.float64]
WEATHER = ("air_temperature", "precipitation", "shortwave", "vpd")
MOST_MONTHS = 12000
"""Months that are kept to measure distances to: 166 real towers have about as many."""
MOST_MEASURED = 3000
"""Months whose distances to other clusters say what is usual."""
LEVELS = np.linspace(0.0, 1.0, 101)
_BLOCK = 500


def features(sites: xr.Dataset) -> tuple[Array, tuple[str, ...]]:
    """Coordinates of every month in the space of drivers, before they are standardised.

    Parameters
    ----------
    sites
        Final sites: complete drivers, and satellite channels with masks where the run has them.

    Returns
    -------
    array, names
        (site, time, feature); a satellite channel of a site that no satellite ever saw is NaN.
    """
    weather = sites.drop_vars("shortwave", errors="ignore").assign(shortwave=climate_of(sites)["shortwave"])
    names = [name for name in WEATHER if name in weather]
    values = [weather[name].transpose("site", "time").values.astype(float) for name in names]
    rain = names.index("precipitation")
    values[rain] = np.sqrt(np.maximum(values[rain], 0.0))
    for name in [name for name in SATELLITE if f"{name}_mask" in sites]:
        seen = sites[f"{name}_mask"].transpose("site", "time").values > 0
        channel = sites[name].transpose("site", "time").values.astype(float)
        values.append(np.where(seen.any(1, keepdims=True), channel, np.nan))
        names.append(name)
    return np.stack(values, -1), tuple(names)


def nearest(points: Array, months: Array, apart: NDArray[np.bool_] | None = None) -> Array:
    """Distance of each point (point, feature) to the nearest of ``months`` (month, feature), per root of the features.

    ``apart`` (point, month) says which months count; None = all.
    """
    found = np.empty(len(points))
    size = (months**2).sum(1)
    for first in range(0, len(points), _BLOCK):
        block = slice(first, first + _BLOCK)
        own = points[block]
        squares = (own**2).sum(1)[:, None] + size - 2.0 * own @ months.T
        if apart is not None:
            squares = np.where(apart[block], squares, np.inf)
        found[block] = np.sqrt(np.maximum(squares.min(1), 0.0) / points.shape[1])
    return found


def thinned(count: int, most: int) -> NDArray[np.int64]:
    """At most so many rows, evenly over all."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))


def learned_space(sites: xr.Dataset, learned: NDArray[np.bool_], cluster: NDArray[np.str_]) -> xr.Dataset:
    """The months that models have learned from, as `extrapolation_index` needs them.

    Parameters
    ----------
    sites
        As for `features`.
    learned
        (site, time) months with labels.
    cluster
        (site,).

    Returns
    -------
    Dataset
        ``month_features(month, feature)`` standardised, ``feature_mean`` and ``feature_std(feature)``,
        ``usual_distance(level)``, quantiles over months learned from of the distance to other clusters.
    """
    values, names = features(sites)
    of_site = np.nonzero(learned)[0]
    points = values[learned]
    mean = np.nan_to_num(np.nanmean(points, 0)) if len(points) else np.zeros(len(names))
    spread = np.nanstd(points, 0) if len(points) else np.ones(len(names))
    std = np.where(spread > 0, spread, 1.0)
    standard = np.nan_to_num((points - mean) / std)
    kept = thinned(len(standard), MOST_MONTHS)
    months, owner = standard[kept], cluster[of_site[kept]]
    measured = thinned(len(months), MOST_MEASURED)
    apart = owner[measured][:, None] != owner
    distances = nearest(months[measured], months, apart)
    finite = distances[np.isfinite(distances)]
    usual = np.quantile(finite, LEVELS) if len(finite) else np.full(len(LEVELS), np.nan)
    return xr.Dataset(
        {
            "month_features": (("month", "feature"), months.astype(np.float32)),
            "feature_mean": ("feature", mean),
            "feature_std": ("feature", std),
            "usual_distance": ("level", usual),
        },
        coords={"feature": list(names), "level": LEVELS},
    )


def extrapolation_index(sites: xr.Dataset, space: xr.Dataset) -> Array:
    """Index (site, time) of the months of some sites; see the module.

    Parameters
    ----------
    sites
        As for `features`.
    space
        From `learned_space`.
    """
    values, names = features(sites)
    chosen = space.sel(feature=list(names))
    standard = np.nan_to_num((values - chosen["feature_mean"].values) / chosen["feature_std"].values)
    points = standard.reshape(-1, len(names))
    distance = nearest(points, chosen["month_features"].values.astype(float))
    return np.interp(distance, space["usual_distance"].values, LEVELS).reshape(values.shape[:2])


def driver_ranges(sites: xr.Dataset, months: NDArray[np.bool_]) -> xr.Dataset:
    """Least and largest value of each monthly driver within some months, ``low`` and ``high`` (driver).

    Parameters
    ----------
    sites
        As for `features`.
    months
        (site, time).
    """
    monthly = [
        name
        for name in (*stored_variables(str(sites.attrs["driver_set"])), *SATELLITE)
        if name in sites and set(sites[name].dims) == {"site", "time"}
    ]
    low, high = np.full(len(monthly), np.nan), np.full(len(monthly), np.nan)
    for index, name in enumerate(monthly):
        counted = months.copy()
        if f"{name}_mask" in sites:
            counted &= sites[f"{name}_mask"].transpose("site", "time").values > 0
        values = sites[name].transpose("site", "time").values[counted]
        if len(values):
            low[index], high[index] = values.min(), values.max()
    return xr.Dataset({"low": ("driver", low), "high": ("driver", high)}, coords={"driver": monthly})
