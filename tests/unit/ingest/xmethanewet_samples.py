"""Files in the layout of X-MethaneWet: two wetland cells, two years, values that tell place, month and day."""

import netCDF4
import numpy as np

from dere.ingest.simulation.xmethanewet.emission import DAYS

CELLS = {"marsh": (62.25, 23.75), "delta": (-17.25, -56.75)}
"""Centres; in rows from 90 S and columns from 180 W these are (304, 407) and (145, 246)."""
AT = {"marsh": (304, 407), "delta": (145, 246)}
YEARS = (2003, 2004)
UNIT = "mg CH4 m-2 d-1"
PADDING = 9000
"""What stands behind the last day of a month, in the units of the file times 100."""


def days_of(name, year):
    """Daily values (12, 31) of a cell, mg CH4 m-2 d-1; those behind a month's end are padding."""
    month = np.arange(12)[:, None]
    base = 100.0 if name == "marsh" else 40.0
    values = base + 10.0 * (year - YEARS[0]) + month + 0.1 * np.arange(31)
    return np.where(np.arange(31) < DAYS[:, None], values, PADDING / 100)


def write(folder, years=YEARS, unit=UNIT, shape=(360, 720, 12, 31), name="CH4_emission", lat=None, lon=None, at=None):
    """Write one file per year; nothing but two cells is written to the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    for year in years:
        with netCDF4.Dataset(folder / f"CH4_emission_intensity_{year}.nc", "w") as file:
            dims = ("lat", "lon", "month", "day")
            for dim, size in zip(dims, shape, strict=True):
                file.createDimension(dim, size)
            for dim, values in (("lat", lat), ("lon", lon)):
                if values is not None:
                    file.createVariable(dim, "f8", (dim,))[:] = values
            chunks = (min(20, shape[0]), min(20, shape[1]), *shape[2:])
            variable = file.createVariable(name, "i2", dims, fill_value=-32768, chunksizes=chunks, zlib=True)
            variable.scale_factor = 0.01
            if unit:
                variable.units = unit
            for cell, (row, column) in (AT if at is None else at).items():
                values = days_of(cell, year)[: shape[2], : shape[3]]
                variable[row, column] = values
    return folder
