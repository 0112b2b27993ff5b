"""The last step: driver files that nobody downstream has to complete.

Whatever a network or a tree needs of a driver is a number of the file. What was measured and what was filled is told by
``record``, ``driver_filled`` and the masks of the satellite channels, not by a missing value.
"""

from __future__ import annotations

import xarray as xr

from dere.harmonise.axis import time_bounds
from dere.harmonise.beyond_record import extend_records
from dere.harmonise.satellites import with_masks

_RECORD = {"units": "1", "long_name": "month of the site's record; drivers of other months are filled"}
_FILLED = {"units": "1", "long_name": "month of the record with a driver from climatology or the covering cell"}


def final_towers(towers: xr.Dataset, satellites: bool) -> xr.Dataset:
    """Towers whose drivers are complete on an axis of at least one window.

    Months beyond the present axis have drivers, but are of no record and have no label.

    Parameters
    ----------
    towers
        Drivers complete within ``record``, labels, windows; attributes ``driver_set`` and ``window``.
    satellites
        Whether the run has satellite channels.
    """
    drivers = extend_records(towers, str(towers.attrs["driver_set"]), int(towers.attrs["window"]))
    if satellites:
        drivers = with_masks(drivers, "site")
    result = towers
    if drivers.sizes["time"] > towers.sizes["time"]:
        flags = {name: False for name, variable in towers.data_vars.items() if variable.dtype == bool}
        rest = towers.drop_vars([name for name in drivers.data_vars if name in towers])
        result = rest.reindex(time=drivers["time"].values, fill_value=flags)
        result["time_bnds"] = (("time", "bnds"), time_bounds(drivers["time"].values))
    result = result.assign(drivers.data_vars)
    result["record"].attrs |= _RECORD
    result["driver_filled"].attrs |= _FILLED
    return result


def final_cells(drivers: xr.Dataset, satellites: bool) -> xr.Dataset:
    """Drivers of cells, which are complete but for satellite channels; in memory or as dask arrays."""
    return with_masks(drivers, "cell") if satellites else drivers
