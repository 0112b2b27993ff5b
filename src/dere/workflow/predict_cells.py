"""Predict cells with a fitted method, block by block, and write the prediction file."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

import xarray as xr
from numpy.typing import NDArray

from dere.cell_files import cell_blocks, joined, part_of, state_of, write_in_blocks
from dere.ingest.alignment import require_same_axes
from dere.intervals.driver_distance import read_learned
from dere.intervals.stated import read_stated
from dere.invented import invented_sources, marked
from dere.io import read_netcdf
from dere.training.places import Places
from dere.training.read_places import cell_places
from dere.workflow.predict import OWN, Task, task_of
from dere.workflow.rule_job import RuleJob

log = logging.getLogger(__name__)

CANONICAL = ("drivers", "simulation", "cover")
"""What is read of cells."""


def at_cells(task: Task, canonical: Mapping[str, xr.Dataset], sites: xr.Dataset) -> xr.Dataset:
    """Predict fluxes per vegetated area for every cell and month.

    Parameters
    ----------
    task
        What predicts.
    canonical
        ``drivers``, ``simulation`` and ``cover`` of the canonical set; they may be lazy, and are read block by block.
    sites
        The prediction at sites, which states the error model of a method that has no intervals of its own.
    """
    blocks = cell_blocks(canonical["drivers"].sizes["cell"])
    return joined(_block(task, canonical, sites, rows) for rows in blocks)


def _block(task: Task, canonical: Mapping[str, xr.Dataset], sites: xr.Dataset, rows: slice) -> xr.Dataset:
    """Predict some cells."""
    here = part_of({name: canonical[name] for name in ("drivers", "cover")}, rows)
    simulation = canonical["simulation"]
    places = cell_places(
        here["drivers"],
        simulation.isel(cell=rows),
        here["cover"],
        task.members,
        satellites=task.windows.satellites,
        channels=task.windows.channels,
        window=task.windows.window,
        stride=task.windows.window_stride,
        reads=task.method.reads_places,
        exchange=task.exchange,
    )
    # members of an ensemble are not kept: at every cell and month they are many times what the maps are
    predicted = replace(task.predict(places), members=None)
    errors = read_stated(sites.attrs, task.exchange) if OWN not in predicted.extras else None
    distance = distance_of(places, sites)
    log.info("%s: %d cells, %d months", task.method.name, len(places), len(places.time))
    # the predictions at sites pass on what the towers say, from which the method has learned
    sources = invented_sources([*(canonical[name].attrs for name in CANONICAL), sites.attrs])
    made = task.dataset(predicted, places, errors, distance, "cell", "cell", index=index_of(distance, sites))
    return made.assign_attrs(marked(sources))


def distance_of(places: Places, sites: xr.Dataset) -> NDArray | None:
    """Distance (place,) to the towers that the model of a prediction file learned from; None where it is unknown."""
    learned = read_learned(sites)
    return None if learned is None else learned.distance(places.static, places.classes["cluster"].to_numpy(str))


def index_of(distance: NDArray | None, sites: xr.Dataset) -> NDArray | None:
    """Extrapolation index (place,) of such distances; None where they are unknown."""
    learned = read_learned(sites)
    return None if learned is None or distance is None else learned.share_nearer(distance)


def predict_cells(rule: RuleJob) -> None:
    """Write what `at_cells` gives for the job of a rule; the spread is that of ``rule.files['sites']``.

    What a killed job left behind is gone on with, if code, settings, models and files are the same.
    """
    canonical = {name: read_netcdf(rule.files[name], load=False) for name in CANONICAL}
    named = {f"{name}.nc": dataset for name, dataset in canonical.items()}
    require_same_axes(named, ("cell", "time", "age"))
    task = task_of(rule)
    models = {name: fitted.facts["sha256"] for name, fitted in task.fitted.items()}
    identity = [rule.name, rule.exchange, rule.params, rule.fold, rule.seed, rule.code, models]
    identity += [state_of(rule.files[name] for name in (*CANONICAL, "sites", "splits"))]
    with read_netcdf(rule.files["sites"], load=False) as sites:
        cells = canonical["drivers"].sizes["cell"]
        write_in_blocks(rule.output, cells, lambda rows: _block(task, canonical, sites, rows), identity)
