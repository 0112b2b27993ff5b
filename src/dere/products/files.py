"""Writing of the public files."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import netCDF4
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.config.products import ProductsConfig
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.io import write_atomically
from dere.products.attributes import Provenance
from dere.products.dataset import Frequency, product_dataset
from dere.products.fluxes import land_fluxes

log = logging.getLogger(__name__)

FILL = np.float32(1e20)
_CHUNK = {"time": 12, "lat": 180, "lon": 360}


ANNUAL = "annual"
"""Folder of the annual files, beside the monthly ones."""


def product_name(flux: str, first: str, last: str, name: str = "dere", frequency: Frequency = "mon") -> str:
    """File name of one flux, from its first and last month or year.

    Examples
    --------
    >>> product_name("gpp", "2001-01", "2010-12")
    'gpp_mon_dere_gn_200101-201012.nc'
    >>> product_name("gpp", "2001-07", "2010-07", frequency="yr")
    'gpp_yr_dere_gn_2001-2010.nc'
    """
    steps = {"mon": "M", "yr": "Y"}
    span = "-".join(str(pd.Period(month, freq=steps[frequency])).replace("-", "") for month in (first, last))
    return f"{flux}_{frequency}_{name}_gn_{span}.nc"


def write_product(dataset: xr.Dataset, path: Path, compression: int = 1) -> Path:
    """Write one product dataset: NetCDF-4, time unlimited, fill 1e20 on fields, none on coordinates."""
    encoding: dict[str, dict[str, object]] = {}
    for name, variable in dataset.variables.items():
        if variable.dims == ("time", "lat", "lon"):
            chunks = tuple(min(_CHUNK[str(dim)], variable.sizes[dim]) for dim in variable.dims)
            compress = {"zlib": compression > 0, "complevel": compression}
            fill = {"_FillValue": FILL, "missing_value": FILL}
            encoding[str(name)] = {"dtype": "float32", "chunksizes": chunks, **compress, **fill}
        else:
            encoding[str(name)] = {"_FillValue": None}
    return write_atomically(
        path,
        lambda tmp: dataset.to_netcdf(
            tmp, engine="netcdf4", format="NETCDF4", encoding=encoding, unlimited_dims=["time"]
        ),
    )


def write_products(
    cell_predictions: xr.Dataset,
    cover: xr.Dataset,
    drivers: xr.Dataset,
    folder: Path,
    config: ProductsConfig,
    provenance: Provenance | None = None,
    exchange: Exchange = CO2,
    frequency: Frequency = "mon",
) -> list[Path]:
    """Write one file per flux, with what the predictions have: spread, quantiles and extrapolation are optional.

    Parameters
    ----------
    cell_predictions
        ``prediction(cell, time, flux)`` in the units of the exchange per vegetated area, optional ``std``,
        ``quantile_value(cell, time, flux, quantile)``, ``extrapolation_index(cell)``; attributes method,
        backbone, fold, seed are passed on.
    cover
        ``vegetated_fraction(cell, year)``, or whatever area the fluxes are per (``exchange.area``).
    drivers
        ``lat``, ``lon``, ``land_fraction``, ``cell_area`` (cell), attribute ``grid_degrees``.
    folder
        Where the files go.
    config, provenance
        Names and global attributes.
    exchange
        What is predicted.
    frequency
        ``mon`` or ``yr``: what ``time`` counts.

    Returns
    -------
    list of Path
        In the order of the exchange's fluxes.

    Raises
    ------
    ValueError
        See ``land_fluxes`` and ``product_dataset``.
    """
    own = cover, drivers, folder, config, provenance or Provenance(), exchange, frequency
    return write_slices([cell_predictions], cell_predictions["time"].values, *own)


def write_slices(
    slices: Iterable[xr.Dataset],
    time: NDArray[np.datetime64],
    cover: xr.Dataset,
    drivers: xr.Dataset,
    folder: Path,
    config: ProductsConfig,
    provenance: Provenance,
    exchange: Exchange,
    frequency: Frequency,
) -> list[Path]:
    """Write one file per flux, as `write_products`, of slices that follow one another in time.

    Parameters
    ----------
    slices
        Predictions of all cells on parts of ``time``, of which one at a time is asked for.
    time
        Of all slices.
    cover, drivers, folder, config, provenance, exchange, frequency
        As for `write_products`.
    """
    first, last = (str(np.datetime64(time[at], "M")) for at in (0, -1))
    paths = [Path(folder) / product_name(flux.stem, first, last, config.name, frequency) for flux in exchange.fluxes]
    for number, part in enumerate(slices):
        land = land_fluxes(part, cover[exchange.area], exchange)
        for flux, path in zip(exchange.fluxes, paths, strict=True):
            dataset = product_dataset(flux.name, land, drivers, config, provenance, exchange, frequency)
            if number:
                _append(dataset, path)
            else:
                write_product(dataset, path, config.compression)
        log.info("%s: %d land cells, %d steps", Path(folder).name, land.sizes["cell"], land.sizes["time"])
    return paths


def _append(dataset: xr.Dataset, path: Path) -> None:
    """Add further months to a file of a flux."""
    with netCDF4.Dataset(path, "a") as file:
        after = slice(len(file.dimensions["time"]), len(file.dimensions["time"]) + dataset.sizes["time"])
        for name, variable in dataset.variables.items():
            if variable.dims[:1] == ("time",):
                values = np.asarray(variable.values)
                file[str(name)][after] = np.where(np.isnan(values), FILL, values) if variable.ndim > 1 else values
