"""Which layout of CarbonGlobe a folder has: our own where there is a meta.json, else public arrays or the bundle."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import xarray as xr

from dere.config.simulation import SimulationSource
from dere.ingest.provenance import provenance_of
from dere.ingest.simulation import carbonglobe
from dere.ingest.simulation.annual_targets import without_fluxes
from dere.ingest.simulation.carbonglobe_bundle import find_bundle, read_bundle
from dere.ingest.simulation.carbonglobe_public import drop_own_fluxes, read_public
from dere.ingest.simulation.carbonglobe_source import OWN, PUBLIC


def read(
    folder: Path, driver_set: str, config: SimulationSource, memory: int | None
) -> tuple[xr.Dataset, xr.Dataset, pd.DataFrame]:
    """Read forcing, simulation and the table of the files behind them.

    Parameters
    ----------
    folder
        Folder of one of the layouts.
    driver_set
        Of ``harmonise.driver_set``.
    config
        What the layout leaves open.
    memory
        Bytes that the job may use; None = everything fits.

    Raises
    ------
    FileNotFoundError, ValueError
        As the reader of the layout.
    """
    if (folder / "meta.json").exists():
        drivers, states = carbonglobe.read_simulation(folder, driver_set, memory)
        if drop_own_fluxes(folder, [int(age) for age in states["age"].values], config.annual_targets):
            states = without_fluxes(states)
        files = [path for path in folder.iterdir() if path.suffix in (".npy", ".json", ".nc")]
        return drivers, states, provenance_of({OWN: files})
    bundle = None if (folder / "glob_X_fea.npy").exists() else find_bundle(folder)
    if bundle is not None:
        files = [path for path in (bundle, folder / "data_stats.npz") if path.exists()]
        return *read_bundle(bundle, driver_set, config, memory), provenance_of({PUBLIC: files})
    pair = read_public(folder, driver_set, config, memory)
    names = ("mask2d.npy", "glob_X_fea.npy", "glob_Y*.npy", "train.csv", "val.csv", "test.csv", "data_stats.npz")
    return *pair, provenance_of({PUBLIC: [path for name in names for path in folder.glob(name)]})
