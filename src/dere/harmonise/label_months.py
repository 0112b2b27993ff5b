"""Which months of a tower are labels of a flux: written here, and nowhere else."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.exchange import Exchange


def usable(flux: NDArray, quality: NDArray, minimum: float) -> NDArray[np.bool_]:
    """Tell which values are labels: those that exist and whose quality is good, each flux for itself.

    Parameters
    ----------
    flux
        (..., flux), NaN where there is no value.
    quality
        (..., flux) 0 to 1; a missing quality is never good enough.
    minimum
        Least quality.

    Returns
    -------
    array
        (..., flux), bool.
    """
    return np.asarray(np.isfinite(flux) & (quality >= minimum))


def labels_of(towers: xr.Dataset, exchange: Exchange) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Label values of the canonical towers and their quality, both (site, time, flux) in the order of the exchange."""
    order = ("site", "time", "flux")
    names = list(exchange.names)
    value, quality = (towers[name].sel(flux=names).transpose(*order) for name in ("flux_value", "flux_quality"))
    return value.values, quality.values
