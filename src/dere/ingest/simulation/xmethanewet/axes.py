"""Where the values of a field of X-MethaneWet lie: cell centres, whether or not the file states them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from dere.ingest.simulation.process_model_axes import Lattice, lattice_of

SHAPE = (360, 720)
"""Rows and columns of a field without coordinates: half degrees from 90 S and 180 W on."""
DEGREES = 0.5
_LAT, _LON = ("lat", "latitude"), ("lon", "longitude")
_DAYS = (12, 31)


def places_of(variable: xr.DataArray, path: Path) -> Lattice:
    """Find the places of a field (latitude, longitude, 12 months, 31 days).

    Row r of a field without coordinates is centred at -89.75 + r / 2 and column c at -179.75 + c / 2. Coordinates,
    where the file has them, count instead; they may run either way and cover a part of the globe.

    Raises
    ------
    ValueError
        When the shape is another, or coordinates are no cell centres.
    """
    where = f"{path}: {variable.name}"
    if variable.ndim != 4 or variable.shape[2:] != _DAYS:
        raise ValueError(
            f"{where} has shape {variable.shape}, but (latitude, longitude, 12, 31) is expected, months and days last; "
            "use the published file"
        )
    axes = [next((variable[name] for name in names if name in variable.coords), None) for names in (_LAT, _LON)]
    lat, lon = axes
    if lat is not None and lon is not None:
        if lat.dims != variable.dims[:1] or lon.dims != variable.dims[1:2]:
            raise ValueError(
                f"{where} is over {', '.join(map(str, variable.dims))}, but {lat.name}, {lon.name}, month and day are "
                "expected in that order; transpose it"
            )
        return lattice_of(lat.values, lon.values, where)
    if variable.shape[:2] != SHAPE:
        raise ValueError(
            f"{where} has {variable.shape[0]} rows and {variable.shape[1]} columns and states no latitude and "
            f"longitude, but {SHAPE[0]} and {SHAPE[1]} are expected then; use the published file, or add lat and lon"
        )
    return Lattice(DEGREES, np.arange(SHAPE[0])[::-1].copy(), np.arange(SHAPE[1]))
