"""Drivers of months outside a site's record: the site's own climatology, and for CO2 the global trend at its level."""

from __future__ import annotations

import numpy as np
import xarray as xr

from dere.harmonise.axis import month_number, monthly_climatology
from dere.harmonise.co2 import global_co2
from dere.harmonise.drivers import stored_variables
from dere.ingest.months import mid_months
from dere.variables import SATELLITE


def extend_records(towers: xr.Dataset, driver_set: str, months: int | None = None) -> xr.Dataset:
    """Fill drivers outside each site's record by its own climatology, and lengthen the axis to ``months``.

    CO2 follows the global trend instead of a climatology, shifted to the record's level. Satellite channels stay
    missing outside the record (``satellites.with_masks`` fills and masks them).

    Parameters
    ----------
    towers
        (site, time): ``record`` and the stored drivers of ``driver_set``, complete within it.
    driver_set
        As in the configuration.
    months
        Length of the wanted axis; default, and never less than, the present one.

    Returns
    -------
    Dataset
        Driver variables only, (site, time[, ...]), complete.
    """
    number = month_number(towers["time"].values)
    count = max(months or 0, len(number))
    time = mid_months(int(number[0]), count)
    month = (int(number[0]) + np.arange(count)) % 12
    inside = np.zeros((towers.sizes["site"], count), bool)
    inside[:, : len(number)] = towers["record"].transpose("site", "time").values
    extended = xr.Dataset(coords={"site": towers["site"], "time": time})
    names = [*stored_variables(driver_set), *(name for name in SATELLITE if name in towers)]
    for name in names:
        variable = towers[name]
        if "time" not in variable.dims:
            extended[name] = variable
            continue
        rest = [dim for dim in variable.dims if dim not in ("site", "time")]
        values = np.moveaxis(variable.transpose("site", "time", *rest).values.astype(np.float64), 1, -1)
        padded = np.full((*values.shape[:-1], count), np.nan)
        padded[..., : values.shape[-1]] = values
        mask = inside.reshape(inside.shape[0], *[1] * len(rest), count)
        padded = np.where(mask, padded, np.nan)
        if name == "co2":
            background = global_co2(time, towers["lat"].values)
            level = np.nanmean(padded - background, axis=-1, keepdims=True)
            fill = background + level
        elif name in SATELLITE:
            fill = np.full_like(padded, np.nan)
        else:
            fill = monthly_climatology(padded, month)[..., month]
        result = np.moveaxis(np.where(mask, padded, fill), -1, 1).astype(np.float32)
        extended[name] = (("site", "time", *rest), result, variable.attrs)
    return extended
