"""Spread of predictions, the same way for every method: from residuals at towers that its weights never saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.exchange import Exchange
from dere.intervals.error import ErrorModel, fit_error, gaussian_quantiles
from dere.variables import QUANTILES


def fit_errors(
    predicted: NDArray[np.float64], labels: NDArray[np.floating], exchange: Exchange
) -> tuple[ErrorModel, ...]:
    """Fit the spread of each flux.

    Parameters
    ----------
    predicted
        (place, time, flux) at towers that the weights never saw.
    labels
        (place, time, flux), NaN where there is none.

    Raises
    ------
    ValueError
        When a flux has too few labelled months.
    """
    magnitude = exchange.size(predicted)
    site = np.broadcast_to(np.arange(len(labels))[:, None], labels.shape[:2])
    return tuple(
        _of_flux(predicted[..., flux], labels[..., flux], magnitude, site, name)
        for flux, name in enumerate(exchange.names)
    )


def _of_flux(
    predicted: NDArray[np.float64],
    labels: NDArray[np.floating],
    magnitude: NDArray[np.float64],
    site: NDArray[np.int64],
    name: str,
) -> ErrorModel:
    """Fit to the months that have a label of this flux; all arrays (place, time)."""
    good = np.isfinite(labels)
    return fit_error(predicted[good] - labels[good], magnitude[good], site[good], name)


def spread(mean: NDArray[np.float64], errors: Sequence[ErrorModel], exchange: Exchange, place: str) -> xr.Dataset:
    """``std`` and ``quantile_value`` of predictions.

    Parameters
    ----------
    mean
        (place, time, flux).
    errors
        One per flux.
    place
        Name of the first dimension.
    """
    magnitude = exchange.size(mean)
    std = np.stack([error.std(magnitude) for error in errors], axis=-1)
    dims = (place, "time", "flux")
    return xr.Dataset(
        {"std": (dims, std), "quantile_value": ((*dims, "quantile"), gaussian_quantiles(mean, std))},
        coords={"quantile": list(QUANTILES)},
    )


def stated(errors: Sequence[ErrorModel], exchange: Exchange) -> dict[str, list[float]]:
    """Attributes from which `read_errors` makes the errors again."""
    names = exchange.names
    return {f"spread_{name}": [error.constant, error.slope] for name, error in zip(names, errors, strict=True)}


def read_errors(attrs: Mapping[str, Any], exchange: Exchange) -> tuple[ErrorModel, ...]:
    """Errors from the attributes of a prediction file."""
    return tuple(ErrorModel(*(float(value) for value in attrs[f"spread_{name}"])) for name in exchange.names)
