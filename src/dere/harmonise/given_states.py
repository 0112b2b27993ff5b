"""States of an exchange that files give on a grid of their own, brought to the cells and towers of a run.

They are values of places and months. A cell of the run has them where its own weather is that of the months and
the files cover all of them; a perturbed copy of a tower's weather has none.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.exchange import Exchange
from dere.harmonise.axis import month_number
from dere.harmonise.own_states import MIXTURE, PLANTS, with_series
from dere.harmonise.splits import fold_columns
from dere.variables import FLUX_UNIT

log = logging.getLogger(__name__)

YEAR = 12
_OVER = 1e-6


@dataclass(frozen=True)
class Given:
    """What files give.

    Parameters
    ----------
    lat, lon
        (cell,) centres.
    degrees
        Size of the cells.
    first
        Number of the first month (`dere.ingest.months.month_number`).
    values
        (cell, month, state).
    """

    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    degrees: float
    first: int
    values: NDArray[np.float32]

    @property
    def years(self) -> str:
        """First and last year, in words."""
        return f"{self.first // YEAR} to {(self.first + self.values.shape[1] - 1) // YEAR}"

    def months(self, number: NDArray[np.int64], cells: NDArray[np.int64]) -> NDArray[np.float32]:
        """Values (cell, time, state) of some cells in months; NaN for months that are not given."""
        place = number - self.first
        known = np.flatnonzero((place >= 0) & (place < self.values.shape[1]))
        found = np.full((len(cells), len(number), self.values.shape[2]), np.nan, np.float32)
        found[:, known] = self.values[np.ix_(cells, place[known])]
        return found

    def cycle(self) -> NDArray[np.float32]:
        """Mean value of each calendar month, (cell, 12, state); NaN where no year has it."""
        years = self.values.reshape(len(self.values), -1, YEAR, self.values.shape[2])
        known = np.isfinite(years)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(known, years, 0.0).sum(1) / known.sum(1), np.float32)


def given(methane: xr.Dataset, exchange: Exchange) -> Given:
    """Read the states of an exchange from ingested files of whole calendar years."""
    values = np.stack([methane[name].transpose("cell", "time").values for name in exchange.states], -1)
    first = int(month_number(methane["time"].values[:1])[0])
    lat, lon = (methane[name].values.astype(float) for name in ("lat", "lon"))
    return Given(lat, lon, float(methane.attrs["grid_degrees"]), first, values)


def given_simulation(drivers: xr.Dataset, simulation: xr.Dataset, found: Given, exchange: Exchange) -> xr.Dataset:
    """Simulation of the exchange's states at the run's cells, of mixtures and alike for all ages.

    A cell of the run has the mean of the given cells whose centres lie within it, weighted by the cosine of latitude;
    one that is smaller, or a place, has the given cell that holds its centre. Cells without a value in every month are
    NaN throughout.

    Parameters
    ----------
    drivers, simulation
        The canonical set.
    found
        What files give.
    exchange
        Whose states they are.

    Returns
    -------
    Dataset
        As `dere.harmonise.own_states.own_simulation`.

    Raises
    ------
    ValueError
        When no cell has a value in every month.
    """
    number = _months_of(drivers)
    own = _at_cells(drivers, number, found)
    whole = np.isfinite(own).all((1, 2))
    if "copy" in drivers.coords:
        whole &= drivers["copy"].values == 0
    if not whole.any():
        raise ValueError(
            f"sources.methane.path: of {len(own)} cells of the run none has simulated {exchange.name} in every month "
            f"of its own ({number.min() // YEAR} to {number.max() // YEAR}), the files hold {len(found.lat)} cells and "
            f"{found.years}; choose years and places that both have, or sources.methane.provider: builtin"
        )
    log.info("simulated %s at %d of %d cells", exchange.name, int(whole.sum()), len(own))
    own[~whole] = np.nan
    count, ages = len(own), simulation.sizes["age"]
    values = np.broadcast_to(own[:, None, None], (count, 1, ages, *own.shape[1:])).copy()
    attrs = {"units": FLUX_UNIT, "long_name": f"simulated states of {exchange.name}"}
    data = {
        "state": (("cell", "stand", "age", "time", "target"), values, attrs),
        "initial_state": (("cell", "stand", "age", "target"), values[:, :, :, YEAR - 1].copy(), attrs),
    }
    coords = {name: simulation[name] for name in ("cell", "age", "time", "lat", "lon") if name in simulation.coords}
    held = xr.Dataset(data, coords=coords | {"stand": [MIXTURE], "target": list(exchange.states)})
    plants = [name for name in PLANTS if name in simulation]
    return held.assign(simulation[plants].compute().data_vars)


def with_given_states(found: Given, towers: xr.Dataset, exchange: Exchange) -> xr.Dataset:
    """Towers whose ``simulated`` and ``initial_state`` are those of the given cell that is nearest.

    ``simulated`` is NaN in months that the files lack; the mean value of the calendar month stands in where a window
    begins there, because a network needs a beginning.
    """
    lat, lon = (towers[name].values.astype(float) for name in ("lat", "lon"))
    number = month_number(towers["time"].values)
    # a cell without some calendar month in all years is no neighbour
    cycle = found.cycle()
    complete = np.flatnonzero(np.isfinite(cycle).all((1, 2)))
    if not len(complete):
        raise ValueError(
            "sources.methane.path: no cell has a value in every calendar month of some year; download the files again"
        )
    nearest, away = _nearest(lat, lon, found.lat[complete], found.lon[complete])
    cell = complete[nearest]
    outside = away > found.degrees
    if outside.any():
        log.warning(
            "%d of %d sites lie outside the cells with simulated %s; the nearest cell stands in (up to %.0f degrees)",
            int(outside.sum()), len(lat), exchange.name, away.max(),
        )  # fmt: skip
    series = found.months(number, cell)
    filled = np.where(np.isfinite(series), series, cycle[cell][:, number % YEAR])
    return with_series(towers, series, filled, exchange)


def without_cells(splits: pd.DataFrame, simulation: xr.Dataset) -> pd.DataFrame:
    """Splits in which cells without simulated states are in no fold, so that nothing learns from them."""
    # a cell without states has none in any month, stand or age
    first = simulation["state"].isel(time=0, target=0, stand=0, age=0)
    there = np.isfinite(first.values)
    lost = simulation["cell"].values[~there].astype(str)
    rows = (splits["kind"] == "cell") & splits["id"].astype(str).isin(lost)
    table = splits.copy()
    table.loc[rows, fold_columns(splits)] = -1
    return table


def _months_of(drivers: xr.Dataset) -> NDArray[np.int64]:
    """Number of each month, (cell, time); members of towers have a nominal axis and say when they begin."""
    number = month_number(drivers["time"].values)
    count = drivers.sizes["cell"]
    if "first_month" not in drivers.coords:
        return np.broadcast_to(number, (count, len(number)))
    first = month_number(drivers["first_month"].values.astype(str).astype("datetime64[M]"))
    return first[:, None] + np.arange(len(number))


def _at_cells(drivers: xr.Dataset, number: NDArray[np.int64], found: Given) -> NDArray[np.float32]:
    """States (cell, time, state) of the run's cells in their months (cell, time)."""
    lat, lon = (drivers[name].values.astype(float) for name in ("lat", "lon"))
    half = max(float(drivers.attrs.get("grid_degrees", 0.0)), found.degrees) / 2 + _OVER
    own = np.full((*number.shape, found.values.shape[2]), np.nan, np.float32)
    for place, months in enumerate(number):
        near = np.abs(found.lat - lat[place]) < half
        inside = np.flatnonzero(near & (np.abs(_turned(found.lon - lon[place])) < half))
        if len(inside):
            weight = np.cos(np.deg2rad(found.lat[inside]))
            own[place] = np.tensordot(weight / weight.sum(), found.months(months, inside), 1)
    return own


def _nearest(
    lat: NDArray[np.float64], lon: NDArray[np.float64], others: NDArray[np.float64], meridians: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Index of the nearest of other places for each place, and the distance in degrees of a great circle."""

    def unit(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> NDArray[np.float64]:
        phi, lam = np.deg2rad(lat), np.deg2rad(lon)
        return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], -1)

    cosine = unit(lat, lon) @ unit(others, meridians).T
    best = cosine.argmax(1)
    return best, np.rad2deg(np.arccos(np.clip(cosine[np.arange(len(lat)), best], -1.0, 1.0)))


def _turned(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Differences of longitude brought to -180..180."""
    return (degrees + 180.0) % 360.0 - 180.0
