"""What the stages that learn from the simulation share: its windows, and which members train and validate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
import xarray as xr
from torch import Tensor

from dere.ingest.alignment import require_same_axes
from dere.io import read_netcdf
from dere.training.draws import batches, sample, sample_ages, spread_ages
from dere.training.job import Job
from dere.training.parallel import share
from dere.training.read_places import cell_places
from dere.training.windows import Windows, select, simulated_states, windows_of
from dere.variables import STANDS

VALIDATION_WINDOWS = 48
MIXTURE_ALONE = STANDS[-1:]
"""Stands of a network that learns mixtures alone."""


class Batch(NamedTuple):
    """Indices of windows and of ages; every window has all the ages."""

    windows: Tensor
    ages: Tensor

    def share(self, part: int, parts: int) -> Batch:
        """Some of the windows, with all ages, for one of several processes."""
        return Batch(share(self.windows, part, parts), self.ages)


class CellData(NamedTuple):
    """Windows of the simulation, and which of them train and validate."""

    windows: Windows
    training: Tensor
    validation: Tensor


def read_stands(path: Path, stands: Sequence[str]) -> xr.Dataset:
    """Simulation with the states of some stands; those of the others are not read."""
    with read_netcdf(path, load=False) as simulation:
        return simulation.sel(stand=list(stands)).load()


def load_cells(job: Job, stands: Sequence[str] = STANDS) -> CellData:
    """Windows of all cells with their simulated states of some stands, the mixture among them."""
    simulation = read_stands(job.files["simulation"], stands)
    drivers, cover = (read_netcdf(job.files[name]) for name in ("drivers", "cover"))
    held = {"drivers.nc": drivers, "cover.nc": cover, "simulation.nc": simulation}
    require_same_axes(held, ("cell", "time", "age"))
    places = cell_places(
        drivers,
        None,
        cover,
        job.roles,
        satellites=job.windows.satellites,
        channels=job.windows.channels,
        window=job.windows.window,
        stride=job.windows.window_stride,
        exchange=job.exchange,
    )
    windows = windows_of(places, simulated=simulated_states(simulation, job.exchange.states))
    training, validation = (select(windows, job.roles, "cell", role) for role in ("training", "validation"))
    return CellData(windows, training, validation)


def drawer(training: Tensor, size: int, ages: int, per_step: int) -> Callable[[torch.Generator], Batch]:
    """Return the draw of a training step: ``size`` windows with replacement and ``per_step`` of ``ages`` ages."""

    def draw(generator: torch.Generator) -> Batch:
        index = sample(training, size, generator)
        return Batch(index, sample_ages(ages, per_step, generator))

    return draw


def fixed_batches(validation: Tensor, size: int, ages: int, per_step: int) -> list[Batch]:
    """Validation batches, at most `VALIDATION_WINDOWS` windows, with evenly spread ages."""
    return [Batch(index, spread_ages(ages, per_step)) for index in batches(validation, size, VALIDATION_WINDOWS)]
