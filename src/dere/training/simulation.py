"""What the simulation stages share: loading the windows and choosing training and validation members."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
import xarray as xr
from torch import Tensor

from dere.io import read_netcdf
from dere.training.cells import (
    CellWindows,
    batches,
    cell_windows,
    sample,
    sample_ages,
    select,
    spread_ages,
)
from dere.training.context import Context
from dere.training.parallel import share
from dere.variables import STANDS

VALIDATION_WINDOWS = 48
MIXTURE_ALONE = ("mixture",)


class Batch(NamedTuple):
    """Indices of windows and of ages; every window has all the ages."""

    windows: Tensor
    ages: Tensor

    def share(self, part: int, parts: int) -> Batch:
        """Some of the windows, with all ages, for one of several processes."""
        return Batch(share(self.windows, part, parts), self.ages)


def read_stands(path: Path, stands: Sequence[str]) -> xr.Dataset:
    """Simulation with the states of some stands; those of the others are not read."""
    with read_netcdf(path, load=False) as simulation:
        return simulation.sel(stand=list(stands)).load()


def load_cells(context: Context, stands: Sequence[str] = STANDS) -> tuple[CellWindows, Tensor, Tensor]:
    """Windows, and the indices of training and of validation windows; ``stands`` are all or `MIXTURE_ALONE`."""
    drivers = read_netcdf(Path(context.files["drivers"]))
    harmonise = context.params["harmonise"]
    windows = cell_windows(
        drivers,
        read_stands(Path(context.files["simulation"]), stands),
        read_netcdf(Path(context.files["cover"])),
        satellites=bool(harmonise["satellites"]),
        window=context.window,
        stride=int(harmonise["window_stride"]),
    )
    training = select(windows, drivers["cell"], context.roles, "training")
    validation = select(windows, drivers["cell"], context.roles, "validation")
    return windows, training, validation


def drawer(training: Tensor, size: int, ages: int, per_step: int) -> Callable[[torch.Generator], Batch]:
    """Return the draw of a training step: ``size`` windows with replacement and ``per_step`` of ``ages`` ages."""

    def draw(generator: torch.Generator) -> Batch:
        index = sample(training, size, generator)
        return Batch(index, sample_ages(ages, per_step, generator))

    return draw


def fixed_batches(validation: Tensor, size: int, ages: int, per_step: int) -> list[Batch]:
    """Validation batches, at most `VALIDATION_WINDOWS` windows, with evenly spread ages."""
    return [Batch(index, spread_ages(ages, per_step)) for index in batches(validation, size, VALIDATION_WINDOWS)]
