"""The built-in world's truth on the ids and axes of the canonical set; only evaluation and figures read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from dere.harmonise.axis import month_number


def canonical_truth(
    raw: Mapping[str, xr.Dataset], towers: xr.Dataset, cells: xr.Dataset | None, fluxes: Sequence[str]
) -> xr.Dataset:
    """Truth of virtual towers, towers and cells.

    Parameters
    ----------
    raw
        "virtual_towers", "towers": ``flux_value`` (site, time, flux); "cells": ``flux_value`` (cell, time, flux) per
        vegetated area with ``vegetated_fraction``, ``land_fraction`` and coordinates ``lat``, ``lon``.
    towers
        Canonical towers: their time axis, and their sites limit those of the truth.
    cells
        Canonical drivers of grid cells, whose ids the truth takes by position on the globe; None = no cells.
    fluxes
        Names and order of the fluxes.

    Returns
    -------
    Dataset
        ``flux_value`` (site, time, flux) of virtual towers, ``tower_flux`` (tower, time, flux), ``cell_flux``
        (cell, time, flux), gC m-2 d-1; ``vegetated_fraction`` (cell).

    Raises
    ------
    ValueError
        When a cell of the simulation has no truth.
    """
    sites = towers["site"].values.astype(str)
    parts = {}
    for key, name, dimension in (("virtual_towers", "flux_value", "site"), ("towers", "tower_flux", "tower")):
        if key in raw:
            known = [site for site in sites if site in set(raw[key]["site"].values.astype(str))]
            flux = _on_axis(raw[key]["flux_value"].sel(site=known, flux=list(fluxes)), towers)
            parts[name] = flux.rename({"site": dimension}).reset_coords(drop=True)
    if "cells" in raw and cells is not None:
        truth = raw["cells"]
        place = {_key(*point): i for i, point in enumerate(zip(truth["lat"].values, truth["lon"].values, strict=True))}
        points = [_key(*point) for point in zip(cells["lat"].values, cells["lon"].values, strict=True)]
        if any(point not in place for point in points):
            lost = next(point for point in points if point not in place)
            raise ValueError(
                f"the world's truth has no cell at {lost[0]:g}, {lost[1]:g}, every cell of the simulation is needed; "
                "make both from one world"
            )
        chosen = truth.isel(cell=[place[point] for point in points])
        flux = _on_axis(chosen["flux_value"].sel(flux=list(fluxes)), towers).reset_coords(drop=True)
        parts["cell_flux"] = flux.assign_coords(cell=cells["cell"].values)
        for name in ("vegetated_fraction", "land_fraction"):
            if name in chosen:
                values = chosen[name].reset_coords(drop=True)
                parts[name] = values.assign_coords(cell=cells["cell"].values)
    result = xr.Dataset(parts).assign_coords(flux=list(fluxes))
    if "cell_flux" in parts and cells is not None:
        result = result.assign_coords({name: ("cell", cells[name].values) for name in ("lat", "lon")})
    return result


def _on_axis(flux: xr.DataArray, towers: xr.Dataset) -> xr.DataArray:
    """Reindex by month to the towers' time axis."""
    numbered = flux.assign_coords(time=month_number(flux["time"].values))
    aligned = numbered.reindex(time=month_number(towers["time"].values))
    return aligned.assign_coords(time=towers["time"].values).astype(np.float32)


def _key(lat: float, lon: float) -> tuple[float, float]:
    return round(float(lat), 4), round(float(lon), 4)
