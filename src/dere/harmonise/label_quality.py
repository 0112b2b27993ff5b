"""Quality of tower months per flux: a flux's own where the source states one, else that of all fluxes."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.exchange import Exchange
from dere.exchange.base import OWN_QUALITY


def flux_quality(
    towers: xr.Dataset, exchange: Exchange, record: NDArray[np.bool_]
) -> tuple[tuple[str, str, str], NDArray[np.float32], dict[str, str]]:
    """Variable ``flux_quality`` of the canonical towers: dimensions, values (site, time, flux) and attributes.

    Parameters
    ----------
    towers
        Interim towers (site, time): the quality of the exchange's rule, and ``<flux>_quality`` where a source has its
        own for a flux. A missing value of a flux's own quality is that of all fluxes.
    exchange
        Whose fluxes.
    record
        (site, time) months that may hold labels; NaN elsewhere. Inside, a month without quality counts as unmeasured.
    """
    common = series_of(towers, exchange.labels.quality)
    own = [series_of(towers, f"{name}{OWN_QUALITY}") for name in exchange.names]
    quality = np.stack([np.where(np.isfinite(values), values, common) for values in own], -1)
    kept = np.where(record[..., None], np.nan_to_num(quality), np.nan).astype(np.float32)
    return ("site", "time", "flux"), kept, {"units": "1", "long_name": "share of measured or well-filled records"}


def series_of(towers: xr.Dataset, name: str) -> NDArray[np.float64]:
    """Variable (site, time) of the towers; NaN throughout where they lack it."""
    if name not in towers:
        return np.full((towers.sizes["site"], towers.sizes["time"]), np.nan)
    return towers[name].transpose("site", "time").values.astype(float)
