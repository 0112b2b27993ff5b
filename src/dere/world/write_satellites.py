"""LAI and EVI of cells as NetCDF beside the monthly drivers of the simulation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.invented import WORLD
from dere.io import write_netcdf
from dere.variables import SATELLITE, VARIABLES
from dere.world.geography import Land
from dere.world.write_simulation import month_axis

FILE = "satellites.nc"


def write_satellites(folder: Path, land: Land, green: dict[str, NDArray[np.float64]], start_year: int) -> None:
    """Write ``satellites.nc``: the channels of ``SATELLITE`` (cell, time), NaN where no satellite had a view.

    Parameters
    ----------
    folder
        That of the simulation.
    land
        The cells.
    green
        Channels (cell, time).
    start_year
        First year of the months.
    """
    months = green[SATELLITE[0]].shape[1]
    dataset = xr.Dataset(
        {name: (("cell", "time"), green[name].astype(np.float32), VARIABLES[name].attrs) for name in SATELLITE},
        coords={
            "cell": ("cell", land.cell),
            "lat": ("cell", land.lat, {"standard_name": "latitude", "units": "degrees_north"}),
            "lon": ("cell", land.lon, {"standard_name": "longitude", "units": "degrees_east"}),
            **month_axis(start_year, months // 12),
        },
        attrs={"Conventions": "CF-1.8", "title": "Satellite view of the built-in world", "source": WORLD},
    )
    write_netcdf(dataset, folder / FILE)
