"""The prediction dataset of one method, fold and seed, as every method hands it to the judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.exchange import Exchange

HELD_OUT = "held_out_prediction"
"""Variable (site, time, flux) of a prediction file: towers that the model learned from, predicted without them."""
MEMBERS = "member_prediction"
"""Variable (member, site, time, flux) of a prediction file: what each member of an ensemble says."""


def prediction_dataset(
    mean: NDArray[np.float64],
    extras: xr.Dataset,
    exchange: Exchange,
    place: str,
    ids: NDArray[Any],
    time: NDArray[np.datetime64],
    record: NDArray[np.bool_],
    attrs: Mapping[str, Any],
    members: NDArray[np.float64] | None = None,
    held_out: NDArray[np.float64] | None = None,
) -> xr.Dataset:
    """Put a prediction into a dataset, empty outside each place's record.

    Parameters
    ----------
    mean
        (place, time, flux) in the fluxes' units.
    extras
        Further variables; ``std`` and ``quantile_value`` are empty outside the record too.
    place
        ``site`` or ``cell``.
    ids, time
        Coordinates.
    record
        (place, time) bool.
    attrs
        Attributes of the file: method, backbone, fold, seed and more.
    members
        (member, place, time, flux) whose mean is the prediction; written in single precision, in which fluxes close to
        its rounding only.
    held_out
        (place, time, flux) by what never saw the place, NaN where there is none.
    """
    unit = {"units": exchange.fluxes[0].unit}
    dims = (place, "time", "flux")
    within = xr.DataArray(record, dims=dims[:2])
    about = {
        "prediction": "predicted monthly flux",
        "std": "standard deviation of the prediction",
        "quantile_value": "marginal quantiles; they do not close as the means do",
        HELD_OUT: "prediction of towers seen in training by what never saw them",
        MEMBERS: "prediction of each member, in single precision",
    }
    result = xr.Dataset(
        {"prediction": (dims, np.where(record[..., None], mean, np.nan).astype(np.float64))},
        coords={place: ids, "time": time, "flux": list(exchange.names)},
    ).assign(extras)
    if held_out is not None:
        result[HELD_OUT] = (dims, held_out)
    if members is not None:
        result[MEMBERS] = (("member", *dims), members.astype(np.float32))
    for name, text in about.items():
        if name in result:
            first = ("member",) if name == MEMBERS else ()
            result[name] = result[name].where(within).transpose(*first, *dims, ...)
            result[name].attrs |= {**unit, "long_name": text}
    if "driver_distance" in result:
        result["driver_distance"].attrs |= {
            "units": "1",
            "long_name": "distance to the towers learned from, by attributes",
        }
    return result.assign_attrs(attrs)
