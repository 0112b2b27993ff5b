"""From monthly pairs to the time scales at which predictions are judged (docs/tables.md#scales).

All scales rest on the same complete pairs, so that a gap in the observation is a gap in the prediction too:

``monthly``         the pairs as they are
``seasonal_cycle``  mean of each calendar month over the years
``anomaly``         monthly minus the own seasonal cycle
``interannual``     annual means of the anomalies (not of the fluxes: an annual mean of a year without winter months
                    would differ from the others by its gaps), minus their mean over the good years
``site_mean``       mean of the pairs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dere.evaluation.metrics.pairs import complete_pairs

if TYPE_CHECKING:
    from dere.config.evaluation import EvaluationConfig

Array = NDArray[np.float64]
Pair = tuple[Array, Array]

SCALES = ("monthly", "seasonal_cycle", "anomaly", "interannual", "site_mean")


def pairs_at_scales(
    observed: ArrayLike, predicted: ArrayLike, time: NDArray, config: EvaluationConfig
) -> dict[str, Pair]:
    """Observed and predicted values at every scale.

    Parameters
    ----------
    observed, predicted
        (..., time); NaN = missing.
    time
        (time,) datetime64, consecutive months.
    config
        Uses ``minimum_cycle_years``, ``minimum_months_per_year`` and ``minimum_years``.

    Returns
    -------
    dict
        Scale to (observed, predicted), each (..., n) with n months, 12, months, years, 1; NaN where the scale is not
        defined (a calendar month with too few years, fewer good years than ``minimum_years``).

    Raises
    ------
    ValueError
        When the months are not consecutive.
    """
    pair = complete_pairs(observed, predicted)
    years = tuple(_by_year(values, time) for values in pair)
    count = np.isfinite(years[0]).sum(-2)
    cycles = tuple(np.where(count >= config.minimum_cycle_years, _mean(values, -2), np.nan) for values in years)
    anomalies = tuple(values - cycle[..., None, :] for values, cycle in zip(years, cycles, strict=True))
    # Three summer months are no seasonal cycle: the same share of a year is asked for as of a good year.
    enough = (np.isfinite(cycles[0]).sum(-1) >= config.minimum_months_per_year)[..., None]
    good = np.isfinite(anomalies[0]).sum(-1) >= config.minimum_months_per_year
    good &= (good.sum(-1) >= config.minimum_years)[..., None]
    annual = tuple(np.where(good, _mean(values, -1), np.nan) for values in anomalies)
    return {
        "monthly": pair,
        "seasonal_cycle": (np.where(enough, cycles[0], np.nan), np.where(enough, cycles[1], np.nan)),
        "anomaly": (_flat(anomalies[0]), _flat(anomalies[1])),
        "interannual": (annual[0] - _mean(annual[0], -1)[..., None], annual[1] - _mean(annual[1], -1)[..., None]),
        "site_mean": (_mean(pair[0], -1)[..., None], _mean(pair[1], -1)[..., None]),
    }


def _by_year(values: Array, time: NDArray) -> Array:
    """(..., time) to (..., year, 12), padded with NaN to whole calendar years."""
    number = np.asarray(time).astype("datetime64[M]").astype(np.int64)
    if number.size == 0 or (np.diff(number) != 1).any():
        raise ValueError("time must hold consecutive months, each once; reindex it to the common monthly axis first")
    before = int(number[0] % 12)
    after = int(-(before + number.size) % 12)
    width = [(0, 0)] * (values.ndim - 1) + [(before, after)]
    padded = np.pad(values, width, constant_values=np.nan)
    return padded.reshape(*values.shape[:-1], -1, 12)


def _mean(values: Array, axis: int) -> Array:
    """Mean of the finite values, NaN without any, no warning."""
    finite = np.isfinite(values)
    count = finite.sum(axis)
    return np.where(finite, values, 0.0).sum(axis) / np.where(count > 0, count, np.nan)


def _flat(values: Array) -> Array:
    return values.reshape(*values.shape[:-2], -1)
