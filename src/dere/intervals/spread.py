"""``std`` and ``quantile_value`` of predictions by the error model, the same way for every method.

At towers they are of the label, which is what towers are compared with; at places of one's own they are of the truth,
and in cells of the truth of a mean over many places.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.exchange import Exchange
from dere.intervals.calibrator import Calibrator
from dere.intervals.driver_distance import DISTANCE, INDEX
from dere.intervals.neighbours import novelty
from dere.intervals.stated import read_stated, states_errors
from dere.intervals.truth import nonnegative_quantiles, nonnegative_std
from dere.variables import QUANTILES

Array = NDArray[np.float64]

Of = Literal["label", "truth", "cell"]
INTERVAL_OF = "interval_of"
"""Attribute of ``std`` and ``quantile_value``: label, truth or cell."""
STD, VALUES = "std", "quantile_value"


def spread(mean: Array, scale: Array, model: Calibrator, place: str, of: Of) -> xr.Dataset:
    """``std`` and ``quantile_value`` of months, or of sums of one shape.

    Parameters
    ----------
    mean
        (place, time, flux).
    scale
        (place, time, flux) of the label's error, from ``Calibrator.scale``; of cells from `cell_scale`.
    model
        The error model.
    place
        Name of the first dimension.
    of
        ``label``; ``truth``: without the labels' noise and, for fluxes that errors grow with, never negative; or
        ``cell``: of the truth of a grid cell.
    """
    if of == "label":
        std, values = model.std(scale), model.quantiles(mean, scale, QUANTILES)
    else:
        own = model.truth.scale_of_months(scale)
        std, values = truth_limits(mean, own, model, np.asarray(QUANTILES))
    dims = (place, "time", "flux")
    about = {INTERVAL_OF: of}
    return xr.Dataset(
        {STD: (dims, std, about), VALUES: ((*dims, "quantile"), values, about)}, coords={"quantile": list(QUANTILES)}
    )


def cell_scale(mean: Array, model: Calibrator, distance: Array | None, index: Array | None) -> Array:
    """Scale (cell, time, flux) of errors of cells, in which what towers have of their own averages out.

    Parameters
    ----------
    mean
        (cell, time, flux).
    model
        The error model of towers.
    distance, index
        (cell,) distance in driver space and extrapolation index; None = unknown.
    """
    share = model.neighbours.of_cell(novelty(index, len(mean)))
    return model.scale(mean, distance) * np.sqrt(share)[:, None, None]


def of_places(
    mean: Array, model: Calibrator | None, place: str, of: Of, distance: Array | None, index: Array | None = None
) -> xr.Dataset:
    """What a prediction file has beside its means: spread, and how far its places lie from the towers.

    Parameters
    ----------
    mean
        (place, time, flux).
    model
        The error model; None = the method has none.
    place
        Name of the first dimension.
    of
        As for `spread`.
    distance, index
        (place,) distance in driver space and, of cells, extrapolation index; None = unknown.
    """
    made = xr.Dataset()
    if model is not None:
        scale = cell_scale(mean, model, distance, index) if of == "cell" else model.scale(mean, distance)
        made = spread(mean, scale, model, place, of)
    known = {DISTANCE: distance, INDEX: index}
    return made.assign({name: (place, values) for name, values in known.items() if values is not None})


def truth_limits(mean: Array, scale: Array, model: Calibrator, levels: Array) -> tuple[Array, Array]:
    """Standard deviation (…, flux) and quantiles (…, flux, level) of the truth, from scales without labels' noise."""
    std, values = model.std(scale), model.quantiles(mean, scale, levels.tolist())
    for name in model.exchange.magnitude:
        flux = model.exchange.names.index(name)
        one = mean[..., flux], scale[..., flux], model.dof
        std[..., flux], values[..., flux, :] = nonnegative_std(*one), nonnegative_quantiles(*one, levels)
    return std, values


def label_scale(file: xr.Dataset, model: Calibrator) -> Array:
    """Scale (place, time, flux) of the label's error at the towers of a prediction file, from its ``std``."""
    place = "site" if "site" in file.dims else "cell"
    std = file[STD].sel(flux=list(model.exchange.names)).transpose(place, "time", "flux").values
    found: Array = std / model.std(np.ones(()))
    return found


def with_truth(file: xr.Dataset, exchange: Exchange) -> xr.Dataset:
    """A prediction file at towers with intervals of the truth; one without an error model as it is."""
    if not states_errors(file.attrs) or file[STD].attrs.get(INTERVAL_OF) != "label":
        return file
    model = read_stated(file.attrs, exchange)
    ordered = file.sel(flux=list(exchange.names)).transpose("site", "time", "flux", ...)
    made = spread(ordered["prediction"].values, label_scale(file, model), model, "site", "truth")
    kept = {name: ordered[name].attrs | made[name].attrs for name in (STD, VALUES)}
    result = ordered.drop_vars([*kept, "quantile"]).assign(made)
    for name, attrs in kept.items():
        result[name].attrs = attrs
    return result
