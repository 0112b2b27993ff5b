"""What the simulation stages share: loading the windows and choosing training and validation members."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from dere.io import read_netcdf
from dere.training.cells import CellWindows, cell_windows, select
from dere.training.context import Context

VALIDATION_WINDOWS = 48


def load_cells(context: Context) -> tuple[CellWindows, Tensor, Tensor]:
    """Windows, and the indices of training and of validation windows."""
    drivers = read_netcdf(Path(context.files["drivers"]))
    harmonise = context.params["harmonise"]
    windows = cell_windows(
        drivers,
        read_netcdf(Path(context.files["simulation"])),
        read_netcdf(Path(context.files["cover"])),
        satellites=bool(harmonise["satellites"]),
        window=context.window,
        stride=int(harmonise["window_stride"]),
    )
    training = select(windows, drivers["cell"], context.roles, "training")
    validation = select(windows, drivers["cell"], context.roles, "validation")
    return windows, training, validation
