"""What the map of the page shows: mean and width of the interval of each flux and month, and extrapolation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from dere.exchange.base import Exchange, Flux
from dere.explorer.coarse import block_edges, block_means, factor_for
from dere.explorer.pack import pack
from dere.variables import convert

MOST = 500_000
"""Cells with values times months that a page holds; a finer or longer product is shown in larger cells."""
_AT_ONCE = 12
"""Months that are read at a time, so that half a degree needs no more memory than 6 degrees."""
INDEX = "extrapolation_index"


def map_data(products: Mapping[str, xr.Dataset], exchange: Exchange, most: int = MOST) -> dict[str, Any]:
    """Return the maps of the product as the page reads them.

    Parameters
    ----------
    products
        Flux to its public dataset, which may lie on disk: mean and, where there are intervals, their ends
        (time, lat, lon); ``areacella``, ``sftlf``, bounds.
    exchange
        Whose fluxes they are; the page has their inner unit.
    most
        Bound of cells times months.

    Returns
    -------
    dict
        ``months``; edges ``lat`` and ``lon`` in degrees; ``cells``, the places of cells with values in the flattened
        grid; ``factor``, how many cells along each axis are one; ``degrees`` of a cell along the parallel; ``index``
        (cell) or None; ``values``, flux to ``mean`` and ``width`` (month, cell), the second None without intervals.

    Raises
    ------
    ValueError
        When a product lacks a variable, or no cell has a value.
    """
    first = next(iter(products.values()))
    for flux in exchange.fluxes:
        _check(products, flux)
    land = np.isfinite(first[exchange.fluxes[0].stem].isel(time=0).values)
    if not land.any():
        raise ValueError("the maps of the product hold no value in their first month; delete products and run again")
    months = pd.DatetimeIndex(first["time"].values)
    factor = factor_for(land, len(months), most)
    weight = np.where(land, first["areacella"].values * first["sftlf"].values, 0.0)
    lat, lon = (block_edges(first[f"{axis}_bnds"].values, factor) for axis in ("lat", "lon"))
    cells = np.flatnonzero(np.isfinite(block_means(np.where(land, 1.0, np.nan), weight, factor)))
    index = first[INDEX].values if INDEX in first else None
    return {
        "months": list(months.strftime("%Y-%m")),
        "lat": lat.round(4).tolist(),
        "lon": lon.round(4).tolist(),
        "cells": cells.tolist(),
        "factor": factor,
        "degrees": round(float(lon[1] - lon[0]), 4),
        "index": None if index is None else pack(_at(block_means(index, weight, factor), cells)),
        "values": {flux.name: _of_flux(products[flux.name], flux, weight, factor, cells) for flux in exchange.fluxes},
    }


def _of_flux(product: xr.Dataset, flux: Flux, weight: np.ndarray, factor: int, cells: np.ndarray) -> dict[str, Any]:
    """Mean and, where the product has it, width of the 90 % interval of a flux; (month, cell) each."""
    low, high = (f"{flux.stem}_{end}" for end in ("q05", "q95"))
    with_interval = low in product and high in product
    means, widths = [], []
    for start in range(0, product.sizes["time"], _AT_ONCE):
        part = product.isel(time=slice(start, start + _AT_ONCE))
        means.append(_at(block_means(part[flux.stem].values, weight, factor), cells))
        if with_interval:
            width = part[high].values.astype(float) - part[low].values
            widths.append(_at(block_means(width, weight, factor), cells))
    mean, width = (
        pack(convert(np.concatenate(parts), flux.public_unit, flux.unit)) if parts else None
        for parts in (means, widths)
    )
    return {"mean": mean, "width": width}


def _at(values: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Values (..., lat, lon) of the cells, (..., cell)."""
    return values.reshape(*values.shape[:-2], -1)[..., cells]


def _check(products: Mapping[str, xr.Dataset], flux: Flux) -> None:
    """Stop when the product of a flux is not there or lacks what the page reads."""
    if flux.name not in products:
        raise ValueError(
            f"the products hold no map of {flux.name}, which the explorer shows; delete them and run again"
        )
    product = products[flux.name]
    for name in (flux.stem, "areacella", "sftlf", "lat_bnds", "lon_bnds"):
        if name not in product.variables:
            raise ValueError(
                f"the map of {flux.name} lacks the variable {name}, which the explorer shows; delete products and run "
                "again"
            )
