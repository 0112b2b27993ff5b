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
        (place, time, flux) of the label's error, from ``Calibrator.scale``.
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
        own = variant(model, of).scale_of_months(scale)
        std, values = truth_limits(mean, own, model, np.asarray(QUANTILES))
    dims = (place, "time", "flux")
    about = {INTERVAL_OF: of}
    return xr.Dataset(
        {STD: (dims, std, about), VALUES: ((*dims, "quantile"), values, about)}, coords={"quantile": list(QUANTILES)}
    )


def variant(model: Calibrator, of: Of) -> Calibrator:
    """The error model of labels, of the truth or of cells."""
    return {"label": model, "truth": model.truth, "cell": model.cell}[of]


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
