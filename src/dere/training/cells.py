"""Simulation members as training windows: drivers stored once, age and stand as indices of the state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
import xarray as xr
from torch import Tensor

from dere.harmonise.drivers import stack
from dere.ingest.months import MONTHS
from dere.variables import STANDS


@dataclass
class CellWindows:
    """Windows of simulation members.

    Parameters
    ----------
    drivers
        (cell, T, D), stored once; never repeated over ages or stands (defect 39).
    static
        (cell, S).
    state
        (cell, 4, A, T, 10) physical; (cell, 1, A, T, 10) where only the mixture is needed.
    initial
        (cell, 4 or 1, A, 10) month before the first.
    simulated_fraction
        (cell, A, Y + 1, 3), the first year is the one before the record where the simulation has it.
    observed_fraction
        (cell, Y + 1, 3), likewise (first year repeated where there is none before).
    weights
        (cell, A).
    ages
        (A,) years.
    cell, start
        (n,) windows: row of the member and first month.
    window
        W.
    """

    drivers: Tensor
    static: Tensor
    state: Tensor
    initial: Tensor
    simulated_fraction: Tensor
    observed_fraction: Tensor
    weights: Tensor
    ages: Tensor
    cell: Tensor
    start: Tensor
    window: int

    def __len__(self) -> int:
        return len(self.cell)

    def inputs(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Drivers (B, W, D) and static (B, S) of windows ``index``."""
        cells, months = self.cell[index], self.months(index)
        return self.drivers[cells[:, None], months], self.static[cells]

    def months(self, index: Tensor) -> Tensor:
        """(B, W) time indices of windows."""
        return self.start[index][:, None] + torch.arange(self.window)

    def states(self, index: Tensor, stand: int, ages: Tensor) -> tuple[Tensor, Tensor]:
        """State before the window (B, k, 10) and within it (B, k, W, 10), for a stand and ages (k,)."""
        cells, months = self.cell[index], self.months(index)
        stand -= len(STANDS)  # counted from the end, where the mixture is, with the pure stands or without
        within = self.state[cells[:, None, None], stand, ages[None, :, None], months[:, None]]
        return self.before(index)[:, stand][:, ages], within

    def before(self, index: Tensor) -> Tensor:
        """State of the month before the window, (B, 4 or 1, A, 10).

        A pure stand that was not simulated at this place and age starts from the mixture's state, as in the published
        code.
        """
        cells, start = self.cell[index], self.start[index]
        previous = self.state[cells, :, :, (start - 1).clamp_min(0)]
        before = torch.where((start > 0)[:, None, None, None], previous, self.initial[cells])
        return torch.where(before.isnan(), before[:, -1:], before)

    def fractions(self, index: Tensor, observed: bool) -> tuple[Tensor, Tensor]:
        """Fractions before the window and in its years.

        Returns
        -------
        tuple
            Simulated: (B, A, 3) and (B, A, Y, 3); observed: (B, 3) and (B, Y, 3).
        """
        cells, first = self.cell[index], self.start[index] // MONTHS
        years = first[:, None] + 1 + torch.arange(self.window // MONTHS)
        if observed:
            return self.observed_fraction[cells, first], self.observed_fraction[cells[:, None], years]
        values = self.simulated_fraction[cells]
        rows = torch.arange(len(cells))
        return values[rows, :, first], values[rows[:, None], :, years].transpose(1, 2)


def _with_year_before(values: xr.DataArray, years: np.ndarray) -> np.ndarray:
    """Select ``years`` preceded by the year before them, or by the first year again where that is missing."""
    known = values["year"].values
    wanted = np.concatenate([[years[0] - 1], years]).clip(known.min(), known.max())
    return values.sel(year=wanted).values.astype(np.float32)


def cell_windows(
    drivers: xr.Dataset,
    simulation: xr.Dataset,
    cover: xr.Dataset,
    *,
    satellites: bool,
    window: int,
    stride: int,
) -> CellWindows:
    """Assemble all windows of the canonical set.

    Raises
    ------
    ValueError
        When the simulation is shorter than a window, or the window is not a whole number of years.
    """
    months = simulation.sizes["time"]
    if window % MONTHS:
        raise ValueError(f"harmonise.window is {window} months; plant types need a multiple of {MONTHS}")
    if months < window:
        raise ValueError(f"the simulation has {months} months, harmonise.window asks for {window}; shorten the window")
    stacked, _ = stack(drivers, drivers.attrs["driver_set"], satellites)
    starts = sorted({*range(0, months - window + 1, max(MONTHS, stride // MONTHS * MONTHS)), months - window})
    n = simulation.sizes["cell"]
    years = np.unique(pd.DatetimeIndex(simulation["time"].values).year)
    fraction = _with_year_before(simulation["plant_fraction"].transpose("cell", "age", "year", "plant_type"), years)
    # `sel` keeps the axis order; (cell, age, year, type)
    observed = _with_year_before(cover["plant_fraction"].transpose("cell", "year", "plant_type"), years)
    grid = np.array([(c, s) for c in range(n) for s in starts])
    return CellWindows(
        drivers=torch.from_numpy(stacked),
        static=torch.from_numpy(drivers["static"].values.astype(np.float32)),
        state=torch.from_numpy(simulation["state"].transpose("cell", "stand", "age", "time", "target").values),
        initial=torch.from_numpy(simulation["initial_state"].transpose("cell", "stand", "age", "target").values),
        simulated_fraction=torch.from_numpy(fraction),
        observed_fraction=torch.from_numpy(observed),
        weights=torch.from_numpy(cover["age_weight"].transpose("cell", "age").values.astype(np.float32)),
        ages=torch.from_numpy(simulation["age"].values.astype(np.float32)),
        cell=torch.from_numpy(grid[:, 0]),
        start=torch.from_numpy(grid[:, 1]),
        window=window,
    )


def select(windows: CellWindows, cells: xr.DataArray, table: pd.DataFrame, role: str) -> Tensor:
    """Indices of the windows whose cell has ``role`` in the split table.

    Raises
    ------
    ValueError
        When no cell has it.
    """
    ids = set(table.loc[(table["kind"] == "cell") & (table["role"] == role), "id"])
    member = np.array([str(c) in ids for c in cells.values])
    index = torch.from_numpy(np.flatnonzero(member[windows.cell.numpy()]))
    if not len(index):
        raise ValueError(f"no cell has the role '{role}' in this fold; use fewer folds or more cells")
    return index


def sample(index: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Draw ``size`` windows with replacement."""
    return index[torch.randint(len(index), (size,), generator=generator)]


def sample_ages(total: int, size: int, generator: torch.Generator) -> Tensor:
    """Draw distinct ages, (k,) indices."""
    return torch.randperm(total, generator=generator)[: min(size, total)]


def spread_ages(total: int, size: int) -> Tensor:
    """Evenly spread ages for validation, (k,) indices."""
    return torch.linspace(0, total - 1, min(size, total)).round().long()


def batches(index: Tensor, size: int, limit: int | None = None) -> list[Tensor]:
    """Split indices into ragged batches; with ``limit``, evenly thinned to at most so many windows."""
    if limit is not None and len(index) > limit:
        index = index[torch.linspace(0, len(index) - 1, limit).round().long()]
    return list(index.split(size))
