"""What the readers of simulations give goes through harmonise, or is refused there in a sentence."""

import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from dere.config.harmonise import HarmoniseConfig
from dere.config.simulation import SimulationSource
from dere.config.splits import SplitsConfig
from dere.harmonise.build import harmonise
from dere.harmonise.interim import Cover, Interim
from dere.ingest.simulation.carbonglobe_public import read_public
from dere.ingest.simulation.process_model_netcdf import read_simulation
from dere.variables import PLANT_TYPES

sys.path.insert(0, str(Path(__file__).parents[1] / "ingest"))
sys.path.insert(0, str(Path(__file__).parents[1] / "harmonise"))

import carbonglobe_samples
import process_model_samples
from harmonise_samples import make_towers


def towers_at(forcing, years, first):
    """Twelve towers in the cells of a forcing."""
    towers = make_towers(years=years, first=first)
    places = np.resize(np.arange(forcing.sizes["cell"]), towers.sizes["site"])
    # not in the middle, so that two towers of a cell are not one
    shift = 0.01 * forcing.attrs["grid_degrees"] * np.arange(towers.sizes["site"])
    return towers.assign_coords(
        lat=("site", forcing["lat"].values[places] + shift), lon=("site", forcing["lon"].values[places])
    )


def cover_of(forcing, ages):
    degrees = forcing.attrs["grid_degrees"]
    lat, lon = np.arange(90 - degrees / 2, -90, -degrees), np.arange(-180 + degrees / 2, 180, degrees)
    shape = (1, len(lat), len(lon))
    grid = xr.Dataset(
        {
            "plant_fraction": (("year", "lat", "lon", "plant_type"), np.broadcast_to([0.3, 0.3, 0.4], (*shape, 3))),
            "vegetated_fraction": (("year", "lat", "lon"), np.full(shape, 0.8)),
        },
        coords={"year": [2001], "lat": lat, "lon": lon, "plant_type": list(PLANT_TYPES)},
    )
    weight = np.full((forcing.sizes["cell"], len(ages)), 1 / len(ages))
    places = {name: ("point", forcing[name].values) for name in ("lat", "lon")}
    return Cover(
        grid=grid, grid_ages=xr.Dataset({"age_weight": (("point", "age"), weight)}, coords=places | {"age": ages})
    )


def test_another_process_model(tmp_path):
    process_model_samples.write_model(tmp_path)
    source = process_model_samples.config()
    forcing, simulation, _ = read_simulation(tmp_path, "monthly8", source)
    interim = Interim(towers_at(forcing, 2, 2001 * 12), cover_of(forcing, [100]), forcing, simulation)
    canonical = harmonise(
        interim, source, HarmoniseConfig(window=24, window_stride=24), SplitsConfig(folds=3, block_degrees=30)
    )
    assert canonical.drivers.sizes["cell"] == 4 and canonical.simulation.sizes["age"] == 1
    assert canonical.towers.sizes["site"] == 12
    simulated = canonical.towers["simulated"].sel(target="gpp").isel(site=0)
    np.testing.assert_allclose(
        simulated, simulation["state"].sel(stand="mixture", age=100, target="gpp").isel(cell=0), rtol=1e-6
    )
    # a class without cover has no pure stand, and its state before a window is missing too
    missing = canonical.simulation["state"].isel(age=0, time=0, target=0).isnull()
    assert missing.sum() == 1
    assert np.isfinite(canonical.towers["initial_state"].sel(stand="mixture")).all()


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    folder = tmp_path_factory.mktemp("public")
    carbonglobe_samples.write_public(folder)
    source = SimulationSource(annual_targets="states_only")
    return source, *read_public(folder, "carbonglobe136", source)


def run_public(public, **parts):
    source, forcing, simulation = public
    interim = Interim(
        towers_at(forcing, 2, 1981 * 12), cover_of(forcing, [1, 100]), forcing, parts.get("simulation", simulation)
    )
    return harmonise(
        interim,
        source,
        HarmoniseConfig(driver_set="carbonglobe136", window=24, window_stride=24),
        SplitsConfig(folds=3, cell_rule="published_every_fourth"),
    )


def test_states_without_fluxes_are_refused(public):
    with pytest.raises(ValueError, match="the simulation holds states and no fluxes"):
        run_public(public)


def test_the_published_split_of_the_files_is_used(public):
    """With seasons and plant fractions, as an own export brings them, the public layout makes the canonical set."""
    _, forcing, states = public
    fraction = np.eye(3)[np.arange(24) % 3][:, None, None].repeat(2, 1).repeat(2, 2)
    simulation = states.fillna(1.0).assign(plant_fraction=(("cell", "age", "year", "plant_type"), fraction))
    simulation = simulation.assign_coords(year=[1981, 1982], plant_type=list(PLANT_TYPES))
    del simulation.attrs["fluxes"]
    canonical = run_public(public, simulation=simulation)
    cells = canonical.splits[canonical.splits["kind"] == "cell"]
    wanted = {"train": 2, "val": 1, "test": 0}
    assert cells["fold"].tolist() == [wanted[role] for role in forcing["published_role"].values]
    assert int(np.isfinite(canonical.simulation["state"].sel(stand="BL").isel(age=0, time=0, target=0)).sum()) == 8
