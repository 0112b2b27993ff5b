"""What the cells of a simulation in files bring to sites of one's own, small enough to go with the models.

Of every cell: its plant types and stand ages; the simulated state before each January, of as many years as fit; and the
mean annual cycle of the simulated states of its mixture. A site takes those of the cell that holds it; of a year that
is not kept the nearest. The towers of the run have the states of their own months (``simulated``); there a site of
one's own differs from a tower at the same place.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.blocks import loaded_blocks
from dere.harmonise.axis import calendar_years, month_number
from dere.harmonise.cells import covering_cell
from dere.harmonise.interim import Cover
from dere.harmonise.simulated import age_weighted
from dere.variables import MIXTURE

LARGEST = 128 << 20
"""Bytes that the states of all kept years may take, and the cycles; a year more is never kept."""
YEAR = 12
STATES, CYCLE = "state_before_year", "simulated_cycle"


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
        (cell, year), ``cell_age_weight`` (cell, age); ``state_before_year`` (kept_year, cell, stand, age, target) and
        ``simulated_cycle`` (cell, age, month_of_year, target), unless they are too large. Attribute ``grid_degrees``.
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
    if not len(kept):
        return result
    first = int(month_number(simulation["time"].values[:1])[0])
    states, cycles = [], []
    of_mixture = 4 * YEAR * sizes["cell"] * sizes["age"] * sizes["target"] <= LARGEST
    for _, part in loaded_blocks(simulation[["state", "initial_state"]]):
        state = part["state"].transpose("cell", "stand", "age", "time", "target")
        initial = part["initial_state"].transpose("cell", "stand", "age", "target").values
        before = [int(year) * YEAR - first - 1 for year in kept]
        states.append(np.stack([initial if at < 0 else state.values[:, :, :, at] for at in before]))
        if of_mixture:
            mixture = state.isel(stand=MIXTURE).values
            month = month_number(simulation["time"].values) % YEAR
            cycles.append(np.stack([mixture[:, :, month == number].mean(2) for number in range(YEAR)], 2))
    joined = np.concatenate(states, 1)
    result[STATES] = (
        ("kept_year", "cell", "stand", "age", "target"),
        np.where(np.isnan(joined), joined[:, :, MIXTURE : MIXTURE + 1], joined).astype(np.float32),
    )
    if cycles:
        result[CYCLE] = (("cell", "age", "month_of_year", "target"), np.concatenate(cycles).astype(np.float32))
    return result.assign_coords(kept_year=kept, stand=simulation["stand"].values, target=simulation["target"].values)


def require_states(known: xr.Dataset) -> None:
    """Check that simulated states are there.

    Raises
    ------
    ValueError
        When the run has too many cells, or cells of unknown places.
    """
    if STATES not in known or CYCLE not in known:
        raise ValueError(
            "the simulated states of the run's cells are too many to go with its models, or the places of the cells "
            "are unknown, but the method starts from these states; choose one that does not by --method (baseline, "
            "gbm, gp)"
        )


def cover_of(known: xr.Dataset) -> Cover:
    """Plant types and stand ages of the cells as a map and a table of points; empty where the run has no cells."""
    if "cell_plant_fraction" not in known:
        return Cover()
    step = float(known.attrs["grid_degrees"])
    lat, lon = known["cell_lat"].values, known["cell_lon"].values
    rows, columns = _axis(lat, step), _axis(lon, step)
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
    return Cover(grid=grid, grid_ages=ages)


def ages_of(known: xr.Dataset, otherwise: Sequence[int]) -> tuple[int, ...]:
    """Stand ages of the cells."""
    return tuple(int(age) for age in known["age"].values) if "age" in known.coords else tuple(otherwise)


def placed(sites: xr.Dataset, known: xr.Dataset) -> tuple[xr.Dataset, dict[str, str]]:
    """Sites that a cell holds or is near, and site to sentence of the others."""
    near = _cell_of(sites, known) >= 0
    lost = {
        str(site): f"site {site} has no land cell of the simulation within 1.5 cells, one is needed for its initial "
        "state; correct its coordinates, or choose a --method without a simulation (baseline, gbm, gp)"
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
    cycle = known[CYCLE].transpose("cell", "age", "month_of_year", "target").values[place]
    month = month_number(sites["time"].values)
    weight = sites["age_weight"].transpose("site", "age").values
    simulated = age_weighted(cycle, weight)[:, month % YEAR]
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
