"""Readers of simulations and of the processed arrays; invented numbers."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import carbonglobe_samples
import numpy as np
import pandas as pd
import process_model_samples
import xarray as xr
from fuzz_arrays import Array
from fuzz_grids import Grid
from fuzz_readers import Reader, Target
from fuzz_tables import Table
from ingest_samples import write_simulation

import dere_arrays
from dere.config.simulation import SimulationSource
from dere.ingest.arrays.dere_cover import read_cover
from dere.ingest.arrays.dere_simulation import read_simulation as read_cells
from dere.ingest.arrays.dere_towers import read_towers
from dere.ingest.source import source_called
from dere.variables import MONTHLY8, VARIABLES
from dere.world.write_simulation import month_axis

PUBLISHED = SimulationSource(annual_targets="states_only")
MEDIANS = dict(zip(MONTHLY8, (10.0, 2.0, 150.0, 320.0, 5.0, 98.0, 3.0, 390.0), strict=True))


def write_own(folder: Path, seed: int) -> None:
    """Our own layout on three cells and two years, the monthly drivers with the coordinates of the built-in world's."""
    write_simulation(folder)
    rng = np.random.default_rng(seed)
    rows, columns = np.nonzero(np.load(folder / "mask2d.npy"))
    lat, lon = 75.0 - 30.0 * rows, -165.0 + 30.0 * columns
    made: dict[str, Any] = {
        name: (
            ("cell", "time"),
            (MEDIANS[name] * rng.uniform(0.9, 1.1, (len(rows), 24))).astype("f4"),
            VARIABLES[name].attrs,
        )
        for name in MONTHLY8
    }
    made["land_fraction"] = ("cell", rng.uniform(0.5, 1.0, len(rows)))
    coordinates = {"cell": 12 * rows + columns, "lat": ("cell", lat), "lon": ("cell", lon), **month_axis(2001, 2)}
    xr.Dataset(made, coordinates).to_netcdf(folder / "monthly8.nc")


def read_own(driver_set: str, folder: Path) -> object:
    """Forcing and states; arrays of hours only with the second set of drivers."""
    config = PUBLISHED
    forcing, states, _ = source_called("simulation", "carbonglobe").reader()(folder, driver_set, config, None)
    return forcing, states


def write_bundle(folder: Path, seed: int) -> None:
    """The published bundle of eight cells and a table of their places."""
    carbonglobe_samples.write_bundle(folder)


def read_models(folder: Path) -> object:
    """Drivers and states of the process model."""
    read = source_called("simulation", "netcdf").reader()
    return read(folder, "monthly8", process_model_samples.config(), None)[:2]


def arrays_config(folder: Path) -> SimulationSource:
    return SimulationSource(
        format="dere",
        path=str(folder),
        network="mix",
        coordinates=str(folder / "coordinates_synthetic.csv"),
        grid_degrees=15.0,
    )


def write_dere(folder: Path, seed: int) -> None:
    dere_arrays.write_arrays(folder, cells=(2, 1), towers=(2, 1), seed=seed, degrees=15.0)


def read_array_cover(folder: Path) -> object:
    found = read_cover(folder, arrays_config(folder))
    return {
        name: part
        for name in ("sites", "site_ages", "cells")
        if isinstance(part := getattr(found, name), (xr.Dataset, pd.DataFrame))
    }


MONTHLY_FILE = Grid(MONTHLY8, cell="cell", compared=True)


@functools.cache
def readers() -> tuple[Reader, ...]:
    """Every reader of simulations and of arrays."""
    states = [f"SYNTH_S3_{name}.nc" for name in process_model_samples.UNITS]
    drivers = [f"synth.{name}.monthly.nc" for name in process_model_samples.DRIVERS]
    res, cover = dere_arrays.RES, dere_arrays.PFT
    cells = "res_train4_test8_extract_28years_ageindependent_update_with_NEE_Ra_RECO.npz"
    shares = "pft_dataset_12mean_28years_ageindependent_plus_ageweight_update.npz"
    table = Table(("lat", "lon"), free=True, missing="")
    mask = Target("mask2d.npy", "npy", Array())
    return (
        Reader(
            "carbonglobe_monthly8",
            write_own,
            functools.partial(read_own, "monthly8"),
            (*[Target("monthly8.nc", "netcdf", MONTHLY_FILE)] * 4, Target("meta.json", "json"), mask),
        ),
        Reader(
            "carbonglobe_arrays",
            write_own,
            functools.partial(read_own, "carbonglobe136"),
            tuple(
                Target(name, "npy", Array())
                for name in ("glob_X_fea.npy", "glob_Y001.npy", "glob_Y_NL050.npy", "glob_F050.npy")
            ),
        ),
        Reader(
            "carbonglobe_bundle",
            write_bundle,
            functools.partial(read_own, "carbonglobe136"),
            (Target("res_train4_test8.npz", "npz", ("x_train", "y_train", "x_test", "y_test")),),
            ("x_train", "y_train", "x_test", "y_test"),
        ),
        Reader(
            "process_model_states",
            lambda folder, seed: process_model_samples.write_model(folder, seed=seed),
            read_models,
            tuple(Target(name, "netcdf", Grid((name.split("_")[-1][:-3],), compared=True)) for name in states),
            ("_*.nc", "*.nc", *process_model_samples.UNITS),
        ),
        Reader(
            "process_model_drivers",
            lambda folder, seed: process_model_samples.write_model(folder, seed=seed),
            read_models,
            tuple(Target(name, "netcdf", Grid((name.split(".")[1],), compared=True)) for name in drivers),
            ("*.nc", *process_model_samples.DRIVERS),
        ),
        Reader(
            "process_model_co2",
            lambda folder, seed: process_model_samples.write_model(folder, seed=seed),
            read_models,
            (Target("global_co2_ann.txt", "text", None, without=("fields in quotes",)),),
            ("co2",),
        ),
        Reader(
            "dere_cells",
            write_dere,
            lambda folder: read_cells(folder, arrays_config(folder)),
            (
                Target(cells, "npz", ("x_train", "y_test")),
                Target(shares, "npz", ("train_pft_BL",)),
                Target("coordinates_synthetic.csv", "table", table),
            ),
            (".npz", "kind"),
        ),
        Reader(
            "dere_towers",
            write_dere,
            lambda folder: read_towers(folder, arrays_config(folder)),
            (
                Target(f"{cover}_mix.npz", "npz", ("InSitu_train", "InSitu_test")),
                Target(f"{res}_mix.npz", "npz", ("x_train",)),
                Target("coordinates_synthetic.csv", "table", table),
            ),
            (".npz", "kind"),
        ),
        Reader(
            "dere_cover",
            write_dere,
            read_array_cover,
            (Target(f"{cover}_mix.npz", "npz", ("ESA_BL_train", "AgeWeight_test", "ESA_GS_test")),),
            (".npz",),
        ),
    )
