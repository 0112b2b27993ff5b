"""The error model of a mean over folds and seeds at sites of one's own, which months of their own then sharpen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.exchange import Exchange
from dere.harmonise.site_roles import COORDINATE, SEEN
from dere.intervals.calibrator import Calibrator, read_calibrator
from dere.intervals.driver_distance import DISTANCE
from dere.intervals.spread import INTERVAL_OF, STD, label_scale
from dere.intervals.stated import PREFIX, read_stated, stated, states_errors

Array = NDArray[np.float64]

ERROR_SCALE = "error_scale"
"""Variable (site, time, flux): scale of Student's t of the label's error."""


def with_errors(made: xr.Dataset, files: Sequence[xr.Dataset], exchange: Exchange) -> xr.Dataset:
    """Add the error model of the mean of some files: ``error_scale`` and attributes as prediction files have them.

    The squared scale is the mean of that of the files that predict a site without having seen it, and what their means
    differ by, as in the standard deviation of an ensemble. Tails and kernel are means over the files.

    Parameters
    ----------
    made
        The mean, from `dere.evaluation.ensemble.ensemble`.
    files
        What it is of. Where any states no error model, nothing is added.
    exchange
        What is predicted.
    """
    if not all(states_errors(file.attrs) for file in files):
        return made
    model = mean_model([read_stated(file.attrs, exchange) for file in files])
    ids, flux = made["site"].values.astype(str), list(exchange.names)
    shape = (len(ids), made.sizes["time"], len(flux))
    square, mean, scatter, count = np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(len(ids), int)
    seen_by_all = made[COORDINATE].values.astype(str) == SEEN if COORDINATE in made.coords else np.zeros(len(ids), bool)
    for file in files:
        place = {str(site): position for position, site in enumerate(file["site"].values)}
        role = file[COORDINATE].values.astype(str) if COORDINATE in file.coords else np.full(file.sizes["site"], "")
        used = [i for i, site in enumerate(ids) if site in place and (role[place[site]] != SEEN or seen_by_all[i])]
        if not used:
            continue
        here = file.sel(site=ids[used], flux=flux).transpose("site", "time", "flux", ...)
        values = here["prediction"].values.astype(np.float64)
        count[used] += 1
        change = values - mean[used]
        mean[used] += change / count[used][:, None, None]
        scatter[used] += change * (values - mean[used])
        square[used] += _scale(here, values, exchange) ** 2
    each = np.maximum(count, 1)[:, None, None]
    between = scatter / np.maximum(each - 1, 1) / float(model.std(np.ones(()))) ** 2
    scale = np.sqrt(square / each + between)
    return made.assign({ERROR_SCALE: (("site", "time", "flux"), scale)}).assign_attrs(stated(model))


def mean_model(models: Sequence[Calibrator]) -> Calibrator:
    """Error model whose numbers are means over some; the tails geometrically."""
    arrays = [model.arrays() for model in models]
    means = {name: np.mean([one[name] for one in arrays], axis=0) for name in arrays[0]}
    means["dof"] = np.exp(np.mean(np.log([one["dof"] for one in arrays]), axis=0))
    return read_calibrator(means, models[0].exchange)


def error_model_of(parts: Sequence[xr.Dataset], exchange: Exchange) -> dict[str, Any]:
    """Attributes that state the error model of predictions of some sets of files; none where a part has none.

    Scales stand at every month; tails and kernel of parts that differ in them (a site of the run beside one that models
    of all towers predict) are their means.
    """
    if not all(ERROR_SCALE in part for part in parts):
        return {}
    own = [{name: value for name, value in part.attrs.items() if name.startswith(PREFIX)} for part in parts]
    if all(str(one) == str(own[0]) for one in own):
        return own[0]
    return stated(mean_model([read_stated(part.attrs, exchange) for part in parts]))


def _scale(here: xr.Dataset, mean: Array, exchange: Exchange) -> Array:
    """Scale (site, time, flux) of the label's error by one file."""
    model = read_stated(here.attrs, exchange)
    if here[STD].attrs.get(INTERVAL_OF) == "label":
        return label_scale(here, model)
    return model.scale(mean, here[DISTANCE].values if DISTANCE in here else None)
