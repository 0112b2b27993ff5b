"""What the cells of a simulation in files bring to sites of one's own, small enough to go with the models.

Of every cell: its plant types and stand ages; the simulated states of its mixture, weighted by these ages, of every
month, or where these are too many their mean annual cycle; and the simulated states of all stands before each January,
of as many years as fit. A site takes those of the cell that holds it, and of a year that is not kept the nearest. It
differs from a tower of the run at the same place where that has plant types or stand ages of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.blocks import loaded_blocks
from dere.harmonise.axis import calendar_years, month_number, monthly_climatology
from dere.harmonise.cells import covering_cell
from dere.harmonise.interim import Cover
from dere.harmonise.simulated import age_weighted
from dere.variables import MIXTURE

LARGEST = 128 << 20
"""Bytes that the states before Januaries may take, and those of all months."""
YEAR = 12
STATES, SERIES = "state_before_year", "simulated_series"


def known_cells(drivers: xr.Dataset, simulation: xr.Dataset, cover: xr.Dataset) -> xr.Dataset:
    """Make the variables of ``models/known_sites.nc`` that are over cells.

    Parameters
    ----------
    drivers
        ``lat``, ``lon`` (cell) and attribute ``grid_degrees``.
    simulation
        ``state`` and ``initial_state`` with the four stands; in memory or as dask arrays.
    cover
        Of the cells.

    Returns
    -------
    Dataset
        ``cell_lat``, ``cell_lon`` (cell); ``cell_plant_fraction`` (cell, year, plant_type), ``cell_vegetated_fraction``
        (cell, year), ``cell_age_weight`` (cell, age); ``state_before_year`` (kept_year, cell, stand, age, target),
        unless that is too large, and ``simulated_series`` (cell, simulated_month, target). Attribute ``grid_degrees``.
        Nothing where the places of the cells are not known.
    """
    if not float(drivers.attrs["grid_degrees"]):
        return xr.Dataset()
    names = {"plant_fraction": "cell_plant_fraction", "vegetated_fraction": "cell_vegetated_fraction"}
    result = cover[[*names, "age_weight"]].rename(names | {"age_weight": "cell_age_weight"}).reset_coords(drop=True)
    result["cell_lat"] = ("cell", drivers["lat"].values.astype(float))
    result["cell_lon"] = ("cell", drivers["lon"].values.astype(float))
    result.attrs = {"grid_degrees": float(drivers.attrs["grid_degrees"])}
    sizes = simulation.sizes
    of_year = 4 * sizes["cell"] * sizes["stand"] * sizes["age"] * sizes["target"]
    years = calendar_years(simulation["time"].values)
    kept = years[np.unique(np.linspace(0, len(years) - 1, min(len(years), LARGEST // of_year)).round().astype(int))]
    months = month_number(simulation["time"].values)
    whole = 4 * sizes["cell"] * sizes["time"] * sizes["target"] <= LARGEST
    weight = cover["age_weight"].transpose("cell", "age").values
    states, series = [], []
    for block, part in loaded_blocks(simulation[["state", "initial_state"]]):
        state = part["state"].transpose("cell", "stand", "age", "time", "target").values
        initial = part["initial_state"].transpose("cell", "stand", "age", "target").values
        before = [int(year) * YEAR - int(months[0]) - 1 for year in kept]
        states.append([initial if at < 0 else state[:, :, :, at] for at in before])
        mixture = age_weighted(state[:, MIXTURE], weight[block])
        series.append(mixture if whole else _cycle(mixture, months))
    result[SERIES] = (("cell", "simulated_month", "target"), np.concatenate(series))
    result = result.assign_coords(
        simulated_month=months if whole else np.arange(YEAR), target=simulation["target"].values
    )
    if not len(kept):
        return result
    joined = np.concatenate([np.stack(part) for part in states], 1)
    result[STATES] = (
        ("kept_year", "cell", "stand", "age", "target"),
        np.where(np.isnan(joined), joined[:, :, MIXTURE : MIXTURE + 1], joined).astype(np.float32),
    )
    return result.assign_coords(kept_year=kept, stand=simulation["stand"].values)


def _cycle(series: NDArray, months: NDArray) -> NDArray[np.float32]:
    """Mean annual cycle (cell, 12, target) of series (cell, time, target)."""
    cycle = monthly_climatology(np.moveaxis(series, 1, -1), months % YEAR)
    return np.moveaxis(cycle, -1, 1).astype(np.float32)


def require_states(known: xr.Dataset) -> None:
    """Check that simulated states are there.

    Raises
    ------
    ValueError
        When the run has too many cells, or cells of unknown places.
    """
    if STATES not in known:
        raise ValueError(
            "the simulated states of the run's cells are too many to go with its models, or the places of the cells "
            "are unknown, but the method starts from these states; choose one that does not by --method (gbm, gp)"
        )


def cover_of(known: xr.Dataset, own: Cover | None = None) -> Cover:
    """Plant types and stand ages of the cells as a map and a table of points, beside tables that sites bring.

    Where the run has no cells, only what sites bring.
    """
    given = own or Cover()
    if "cell_plant_fraction" not in known:
        return given
    step = float(known.attrs["grid_degrees"])
    lat, lon = known["cell_lat"].values, known["cell_lon"].values
    # north first, as maps are
    rows, columns = _axis(lat, step)[::-1], _axis(lon, step)
    row = np.abs(rows[:, None] - lat).argmin(0)
    column = np.abs(columns[:, None] - lon).argmin(0)
    shape = (known.sizes["year"], len(rows), len(columns))
    fraction = np.full((*shape, known.sizes["plant_type"]), np.nan)
    vegetated = np.full(shape, np.nan)
    fraction[:, row, column] = known["cell_plant_fraction"].transpose("year", "cell", "plant_type").values
    vegetated[:, row, column] = known["cell_vegetated_fraction"].transpose("year", "cell").values
    grid = xr.Dataset(
        {
            "plant_fraction": (
                ("year", "lat", "lon", "plant_type"), fraction, known["cell_plant_fraction"].attrs
            ),
            "vegetated_fraction": (("year", "lat", "lon"), vegetated),
        },
        coords={"year": known["year"].values, "lat": rows, "lon": columns, "plant_type": known["plant_type"].values},
    )  # fmt: skip
    weight = known["cell_age_weight"].transpose("cell", "age").values
    ages = xr.Dataset(
        {"age_weight": (("point", "age"), weight), "lat": ("point", lat), "lon": ("point", lon)},
        coords={"age": known["age"].values},
    )
    return replace(given, grid=grid, grid_ages=ages)


def ages_of(known: xr.Dataset, otherwise: Sequence[int]) -> tuple[int, ...]:
    """Stand ages of the cells."""
    return tuple(int(age) for age in known["age"].values) if "age" in known.coords else tuple(otherwise)


def placed(sites: xr.Dataset, known: xr.Dataset) -> tuple[xr.Dataset, dict[str, str]]:
    """Sites that a cell holds or is near, and site to sentence of the others."""
    near = _cell_of(sites, known) >= 0
    lost = {
        str(site): f"site {site} has no land cell of the simulation within 1.5 cells, one is needed for its initial "
        "state; correct its coordinates, or choose a --method without a simulation (gbm, gp)"
        for site in sites["site"].values[~near]
    }
    return sites.isel(site=near), lost


def states_at(sites: xr.Dataset, known: xr.Dataset) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Simulated series (site, time, target) and states before windows (window, stand, age, target) of sites.

    Parameters
    ----------
    sites
        That `placed` left, with ``age_weight`` (site, age), ``window_site`` and ``window_start`` (window).
    known
        From `known_cells`.
    """
    place = _cell_of(sites, known)
    month, simulated_month = month_number(sites["time"].values), known["simulated_month"].values
    series = known[SERIES].transpose("cell", "simulated_month", "target").values[place]
    # as at towers: months that the simulation does not reach take the mean of the calendar month
    simulated = _cycle(series, simulated_month)[:, month % YEAR]
    inside = np.isin(month, simulated_month)
    simulated[:, inside] = series[:, np.searchsorted(simulated_month, month[inside])]
    first_month = int(month[0]) + sites["window_start"].values.astype(int)
    kept = known["kept_year"].values
    year = np.abs(kept - (first_month // YEAR)[:, None]).argmin(1)
    states = known[STATES].transpose("kept_year", "cell", "stand", "age", "target").values
    return simulated, states[year, place[sites["window_site"].values.astype(int)]].astype(np.float32)


def _cell_of(sites: xr.Dataset, known: xr.Dataset) -> NDArray[np.int64]:
    """Position of the cell of each site, -1 = none is near."""
    place = np.arange(known.sizes["cell"])
    axis = {"lat": ("cell", known["cell_lat"].values), "lon": ("cell", known["cell_lon"].values), "cell": place}
    degrees = float(known.attrs["grid_degrees"])
    return covering_cell(sites["lat"].values, sites["lon"].values, xr.Dataset(coords=axis), degrees)[0]


def _axis(values: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Regular axis that holds all values."""
    return np.arange(values.min(), values.max() + step / 2, step)
