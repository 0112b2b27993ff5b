"""The published configuration, window of 336 months, from synthetic DERE arrays to tables and figures."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

from dere.evaluation.runs import OWN_CLIMATOLOGY, OWN_LEVEL
from dere_arrays import write_arrays
from joined import joined_methods as methods

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "fixtures" / "paper_tiny.yaml"
RESULTS = "results/paper"


@pytest.fixture(scope="module")
def arrays(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arrays")
    return folder, write_arrays(folder, cells=(24, 6), towers=(8, 3))


@pytest.fixture(scope="module")
def paper(checkout, arrays):
    """Return the copy after the complete run, and how to call Snakemake again."""

    def call(*arguments):
        before = os.environ.get("DERE_PAPERDATA")
        os.environ["DERE_PAPERDATA"] = str(arrays[0])
        try:
            return checkout.snakemake("config/paper.yaml", str(TINY), *arguments, tiny=False)
        finally:
            os.environ.pop("DERE_PAPERDATA") if before is None else os.environ.update(DERE_PAPERDATA=before)

    made = call("--cores", "2", "--resources", "gpu=0")
    assert made.returncode == 0, made.stdout[-6000:]
    return checkout.folder, call


@pytest.mark.slow
def test_every_method_is_judged_on_the_published_test_towers(paper):
    folder, _ = paper
    skill = pd.read_csv(folder / RESULTS / "tables" / "skill.csv")
    assert set(skill["method"]) - {OWN_CLIMATOLOGY, OWN_LEVEL} == set(methods())
    splits = pd.read_csv(folder / RESULTS / "data" / "splits.csv")
    sites = splits[splits["kind"] == "site"].set_index("id")["fold"]
    # three test towers, the last one without a flux
    assert sorted(sites[sites == 0].index) == ["mix-test-000", "mix-test-001"] and sites["mix-test-002"] == -1
    assert set(splits.loc[splits["kind"] == "cell", "fold"]) == {0, 1, 2}


@pytest.mark.slow
def test_towers_keep_their_own_drivers_and_states(paper, arrays):
    made = arrays[1]
    towers = xr.open_dataset(paper[0] / RESULTS / "data" / "towers.nc")
    kelvin = np.concatenate([made.drivers["train_tower"], made.drivers["test_tower"]])[..., 0].reshape(11, 336)
    np.testing.assert_allclose(towers["air_temperature"], kelvin - 273.15, atol=1e-3)
    weight = np.concatenate([made.weights["train_tower"], made.weights["test_tower"]])
    state = np.concatenate([made.states["train_tower"], made.states["test_tower"]])
    gpp = np.einsum("sa,sam->sm", weight, state[:, :, 1:, :, 4].reshape(11, 18, 336)) * 1000 / 365.25
    np.testing.assert_allclose(towers["simulated"].sel(target="gpp"), gpp, rtol=1e-4, atol=1e-4)
    assert towers.attrs["window"] == 336 and not bool(towers["driver_filled"].any())
    before = towers["initial_state"].sel(stand="mixture", target="agb").values[towers["window_site"].values.argsort()]
    np.testing.assert_allclose(before, state[:, :, 0, 11, 1], rtol=1e-5)


@pytest.mark.slow
def test_the_cells_of_towers_train_nothing(paper):
    drivers = xr.open_dataset(paper[0] / RESULTS / "data" / "drivers.nc")
    simulation = xr.open_dataset(paper[0] / RESULTS / "data" / "simulation.nc")
    assert drivers.sizes["cell"] == simulation.sizes["cell"] == 30
    assert bool(simulation["state"].sel(stand="BL").isnull().any())


@pytest.mark.slow
def test_everything_closes_and_nothing_is_left_to_do(paper):
    folder, call = paper
    closure = pd.read_csv(folder / RESULTS / "tables" / "closure.csv")
    assert len(closure) >= 8 and closure["maximum_residual"].max() < 1e-5
    assert not list((folder / RESULTS / "products").glob("*.nc")), "without coordinates there is no map"
    assert "Nothing to be done" in call("--dry-run", "--cores", "2").stdout


@pytest.mark.slow
def test_with_coordinates_maps_are_planned(paper, arrays):
    folder, call = paper
    overlay = folder / "placed.yaml"
    table = str(arrays[0] / "coordinates_synthetic.csv")
    overlay.write_text(
        yaml.safe_dump(
            {
                "run": "placed",
                "sources": {"simulation": {"coordinates": table, "grid_degrees": 15}},
                "splits": {"cell_rule": "blocks", "site_rule": "clusters", "block_degrees": 15},
            }
        )
    )
    planned = call("--dry-run", "--cores", "2", "placed.yaml")
    assert planned.returncode == 0 and "rule map_dere" in planned.stdout
    made = call("--cores", "2", "--until", "harmonise", "placed.yaml")
    assert made.returncode == 0, made.stdout[-3000:]
    splits = pd.read_csv(folder / "results" / "placed" / "data" / "splits.csv")
    assert splits[["lat", "lon"]].notna().all(axis=None) and set(splits["fold"]) >= {0, 1, 2, 3, 4}
