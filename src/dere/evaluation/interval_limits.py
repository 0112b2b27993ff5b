"""Intervals that a prediction file gives for months and for calendar years, at some of its sites.

A file that states its error model gives all levels, for months and years, of labels or of the truth. Any other gives
the months and levels that its quantiles have, and nothing for years: months alone do not say how errors add up.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.special import stdtr

from dere.exchange import Exchange
from dere.intervals.calibrator import Calibrator
from dere.intervals.spread import INTERVAL_OF, Of, label_scale, truth_limits
from dere.intervals.stated import read_stated, states_errors
from dere.variables import QUANTILES

Array = NDArray[np.float64]
Scale = Literal["monthly", "annual"]

LEVELS = (50, 80, 90, 95)
"""Per cent of the central intervals."""
YEAR = 12
_ALL = tuple(sorted({tail for level in LEVELS for tail in (0.5 - level / 200, 0.5 + level / 200)} | set(QUANTILES)))


class Limits(NamedTuple):
    """Means and intervals over one axis of periods.

    Parameters
    ----------
    mean, std
        (site, period, flux), gC m-2 d-1; ``std`` is None where the file has none.
    levels
        (level,) of the quantiles.
    quantiles
        (site, period, flux, level); NaN where the file does not say.
    model
        Error model; None where the file states none.
    size
        (site, period, flux) scale of Student's t of these periods; None without an error model.
    """

    mean: Array
    std: Array | None
    levels: Array
    quantiles: Array
    model: Calibrator | None
    size: Array | None

    def below(self, observed: Array) -> Array:
        """Probability integral transform of observations (site, period, flux); NaN without an error model.

        Of the truth, whose fluxes may be cut at zero, it is that of the distribution before it is cut.
        """
        if self.model is None or self.size is None:
            return np.full(observed.shape, np.nan)
        found: Array = stdtr(self.model.dof, (observed - self.mean) / np.where(self.size > 0, self.size, np.nan))
        return found


def limits(file: xr.Dataset, scale: Scale, of: Of, exchange: Exchange) -> Limits | None:
    """Intervals at all sites of a file; None where it has none for such periods.

    Parameters
    ----------
    file
        Prediction file of some sites.
    scale
        Months, or calendar years (means over their twelve months).
    of
        What the intervals are of, where the file states an error model.
    exchange
        What is predicted.
    """
    ordered = file.sel(flux=list(exchange.names)).transpose("site", "time", "flux", ...)
    mean = ordered["prediction"].values.astype(np.float64)
    if not (states_errors(file.attrs) and ordered["std"].attrs.get(INTERVAL_OF) == "label"):
        return _as_written(ordered, mean) if scale == "monthly" else None
    model = read_stated(file.attrs, exchange)
    size = label_scale(ordered, model)
    of_periods = model if of == "label" else model.truth
    if scale == "monthly":
        own = of_periods.scale_of_months(size)
    else:
        mean, months = by_years(mean, file["time"].values), by_years(size, file["time"].values, whole=False)
        if not months.shape[1]:
            return None
        places, years = months.shape[:2]
        flat = months.reshape(places * years, YEAR, -1)
        waves = np.repeat(model.waves(size), years)
        own = of_periods.scale_of_sum(flat, np.full(YEAR, 1 / YEAR), waves=waves).reshape(places, years, -1)
    levels = np.asarray(_ALL)
    if of != "label":
        std, quantiles = truth_limits(mean, own, model, levels)
    else:
        std, quantiles = model.std(own), model.quantiles(mean, own, _ALL)
    return Limits(mean, std, levels, quantiles, model, own)


def by_years(values: Array, time: NDArray[np.datetime64], *, whole: bool = True) -> Array:
    """Means over calendar years (site, year, flux), or with ``whole=False`` their months (site, year, 12, flux).

    Years of which the axis has not all months are left out; a year with a missing month is missing.
    """
    months = pd.DatetimeIndex(time)
    first = int((1 - months[0].month) % YEAR)
    years = (len(months) - first) // YEAR
    grouped = values[:, first : first + years * YEAR].reshape(len(values), years, YEAR, values.shape[-1])
    return grouped.mean(2) if whole else grouped


def _as_written(ordered: xr.Dataset, mean: Array) -> Limits | None:
    """Months as a file's own quantiles and standard deviation have them."""
    if "quantile_value" not in ordered and "std" not in ordered:
        return None
    std = ordered["std"].values if "std" in ordered else None
    if "quantile_value" not in ordered:
        return Limits(mean, std, np.zeros(0), np.zeros((*mean.shape, 0)), None, None)
    levels = ordered["quantile"].values.astype(np.float64)
    return Limits(mean, std, levels, ordered["quantile_value"].values.astype(np.float64), None, None)
