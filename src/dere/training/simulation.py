"""What the stages that learn from the simulation share: its windows, and which members train and validate."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple, TypeVar

import torch
import xarray as xr
from torch import Tensor

from dere.blocks import loaded_blocks
from dere.ingest.alignment import require_same_axes
from dere.io import read_netcdf
from dere.training.draws import batches, sample, sample_ages, spread_ages
from dere.training.job import Job
from dere.training.on_disk import RowsOnDisk
from dere.training.parallel import share, team
from dere.training.places import Places
from dere.training.read_places import cell_places
from dere.training.windows import Simulated, Windows, select, simulated_states, windows_of
from dere.variables import STANDS

log = logging.getLogger(__name__)

Drawn = TypeVar("Drawn")

WHOLE_SHARE = 4
"""Simulated states are held in memory where they take no more than this part of it."""
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
    """Windows of all cells with their simulated states of some stands, the mixture among them.

    What does not fit the memory of the job lies on disk; the windows are the same.
    """
    path, memory, states = job.files["simulation"], memory_of(job), job.exchange.states
    places = cells_of(job)
    with read_netcdf(path, load=False) as simulation:
        size = simulation.sel(stand=list(stands)).nbytes
    if memory is None or size <= memory // WHOLE_SHARE:
        windows = windows_of(places, simulated=simulated_states(read_stands(path, stands), states))
    else:
        with read_netcdf(path, memory=memory) as simulation:
            simulated, ahead = states_on_disk(simulation.sel(stand=list(stands)), states, job.scratch)
        windows = replace(windows_of(places, simulated=simulated), ahead=ahead)
    training, validation = (select(windows, job.roles, "cell", role) for role in ("training", "validation"))
    return CellData(windows, training, validation)


def states_on_disk(
    simulation: xr.Dataset, states: Sequence[str], folder: Path
) -> tuple[Simulated, Callable[[Tensor], None]]:
    """Copy the states of all cells, block by block, to files that are mapped; what tells them to read cells ahead.

    Values are those of `dere.training.windows.simulated_states`.
    """
    whole: list[RowsOnDisk] = []
    for block, cells in loaded_blocks(simulation):
        parts = [part.numpy() for part in simulated_states(cells, states)]
        whole = whole or [RowsOnDisk((simulation.sizes["cell"], *part.shape[1:]), folder) for part in parts]
        for rows, part in zip(whole, parts, strict=True):
            rows.write(block.start, part)
    log.info("%.1f GB of simulated states lie in %s", sum(rows.array.nbytes for rows in whole) / 1e9, folder)
    return Simulated(*(torch.from_numpy(rows.array) for rows in whole)), whole[0].ahead


def memory_of(job: Job) -> int | None:
    """Bytes that this process of the job may use; None = everything fits."""
    return None if job.memory is None else job.memory // team().size


def cells_of(job: Job) -> Places:
    """All cells, without their simulated states; the files of the job must be of the same cells, months and ages."""
    drivers, cover = read_netcdf(job.files["drivers"], memory=memory_of(job)), read_netcdf(job.files["cover"])
    with read_netcdf(job.files["simulation"], load=False) as simulation:
        axes = simulation.coords.to_dataset().load()
    require_same_axes({"drivers.nc": drivers, "cover.nc": cover, "simulation.nc": axes}, ("cell", "time", "age"))
    return cell_places(
        drivers,
        None,
        cover,
        job.roles,
        satellites=job.windows.satellites,
        channels=job.windows.channels,
        window=job.windows.window,
        stride=job.windows.window_stride,
        exchange=job.exchange,
        scratch=job.scratch,
    )


def reading_ahead(
    draw: Callable[[torch.Generator], Drawn],
    windows: Windows,
    used: Callable[[Drawn], Tensor] = attrgetter("windows"),
) -> Callable[[torch.Generator], Drawn]:
    """Return a draw of the same batches, which lets the states of the next one be read while this one is computed.

    Parameters
    ----------
    draw
        Of a training step.
    windows
        Of cells.
    used
        Windows that a batch reads; of several processes each reads those of its share.
    """
    ahead, ranks, copy = windows.ahead, team(), torch.Generator()
    if ahead is None:
        return draw

    def drawn(generator: torch.Generator) -> Drawn:
        batch = draw(generator)
        # the generator itself stays where it is, so that a killed training goes on from there
        copy.set_state(generator.get_state())
        ahead(windows.place[used(ranks.share(draw(copy)))])
        return batch

    return drawn


def drawer(training: Tensor, size: int, ages: int, per_step: int) -> Callable[[torch.Generator], Batch]:
    """Return the draw of a training step: ``size`` windows with replacement and ``per_step`` of ``ages`` ages."""

    def draw(generator: torch.Generator) -> Batch:
        index = sample(training, size, generator)
        return Batch(index, sample_ages(ages, per_step, generator))

    return draw


def fixed_batches(validation: Tensor, size: int, ages: int, per_step: int) -> list[Batch]:
    """Validation batches, at most `VALIDATION_WINDOWS` windows, with evenly spread ages."""
    return [Batch(index, spread_ages(ages, per_step)) for index in batches(validation, size, VALIDATION_WINDOWS)]
