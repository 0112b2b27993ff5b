"""Towers with drivers and states of their own, cover by cell, the published split, pure samples by name."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from harmonise_samples import AGES, make_forcing, make_simulation, make_towers, with_stands

from dere.config.splits import SplitsConfig
from dere.harmonise import own_cells
from dere.harmonise.assignment import make_splits
from dere.harmonise.cover import listed_cover
from dere.harmonise.gaps import Completed
from dere.harmonise.simulated import initial_from_cells
from dere.harmonise.splits import check_splits
from dere.variables import PLANT_TYPES, STANDS


@pytest.fixture
def forcing():
    """Cells of the grid, and behind them one of its own for the towers S01 and S03."""
    made = make_forcing()
    names = np.full(made.sizes["cell"], "", object)
    names[-2:] = ["XX-S03", "XX-S01"]
    return made.assign_coords(tower=("cell", names))


@pytest.fixture
def towers():
    made = make_towers()
    # away from the borders of cells
    return made.assign_coords(lat=made["lat"] + 0.5, lon=made["lon"] + 3.0)


def test_a_tower_takes_its_own_cell_and_others_the_covering_one(towers, forcing):
    placed, lost = own_cells.place(towers, forcing)
    assert not lost and placed["own_cell"].values.nonzero()[0].tolist() == [1, 3]
    assert placed["cell"].values[[1, 3]].tolist() == forcing["cell"].values[[-1, -2]].tolist()
    plain, _ = own_cells.place(towers, forcing.drop_vars("tower"))
    others = ~placed["own_cell"].values
    np.testing.assert_array_equal(placed["cell"].values[others], plain["cell"].values[others])
    assert not plain["own_cell"].any()


def test_without_places_only_towers_of_their_own_are_left(towers, forcing, caplog):
    nowhere = forcing.assign_coords(lon=forcing["lon"] * np.nan).assign_attrs(grid_degrees=0.0)
    placed, lost = own_cells.place(towers, nowhere)
    assert placed["site"].values.tolist() == ["XX-S01", "XX-S03"] and len(lost) == 10
    assert "has no land cell of the simulation" in lost["XX-S00"] and "it is dropped" in caplog.text
    after = own_cells.after_use(placed, nowhere)
    assert after["cell"].values.tolist() == [-1, -1] and "own_cell" not in after.coords


def test_afterwards_towers_lie_in_the_cell_of_the_grid(towers, forcing):
    placed, _ = own_cells.place(towers, forcing)
    after = own_cells.after_use(placed, forcing)
    # rows and columns by hand: 10 degree cells, row-major from the north-west corner
    row, column = (90 - towers["lat"].values) // 10, (towers["lon"].values + 180) // 10
    inside = after["cell_inside"].values
    assert inside.any()
    np.testing.assert_array_equal(after["cell"].values[inside], (row * 36 + column)[inside])


def test_cells_of_towers_are_no_cells_of_the_grid(forcing):
    grid = own_cells.on_grid(forcing, forcing)
    assert grid.sizes["cell"] == forcing.sizes["cell"] - 2 and "tower" not in grid.coords
    plain = forcing.drop_vars("tower")
    assert own_cells.on_grid(plain, plain).identical(plain)


def test_own_drivers_are_not_filled():
    dataset = xr.Dataset(
        {name: (("site", "time"), np.ones((2, 3), bool)) for name in ("driver_filled", "record")},
        coords={"site": np.array(["A", "B"], object), "own_cell": ("site", [True, False])},
    )
    counts = pd.DataFrame({"site": ["A", "B"], "step": "drivers", "reason": "all: covering cell", "months": 3})
    result = own_cells.as_own(Completed(dataset, counts, {}))
    assert result.dataset["driver_filled"].values.tolist() == [[False] * 3, [True] * 3]
    reasons = dict(zip(result.counts["site"], result.counts["reason"], strict=True))
    assert reasons == {"A": "all: the tower's own arrays", "B": "all: covering cell"}
    assert result.counts["months"].tolist() == [3, 3]
    plain = Completed(dataset.drop_vars("own_cell"), counts, {})
    assert own_cells.as_own(plain) is plain


def test_listed_cover_follows_the_numbers_of_the_cells(forcing):
    rng = np.random.default_rng(0)
    number = forcing["cell"].values
    listed = xr.Dataset(
        {
            "plant_fraction": (("cell", "year", "plant_type"), rng.dirichlet(np.ones(3), (len(number), 2))),
            "vegetated_fraction": (("cell", "year"), rng.uniform(0.5, 1, (len(number), 2))),
            "age_weight": (("cell", "age"), rng.dirichlet(np.ones(len(AGES)), len(number))),
        },
        coords={"cell": number, "year": [2001, 2003], "plant_type": list(PLANT_TYPES), "age": list(AGES)},
    )
    cover = listed_cover(forcing, listed.isel(cell=slice(None, None, -1)), [2000, 2003], AGES)
    np.testing.assert_allclose(cover["plant_fraction"], listed["plant_fraction"], rtol=1e-6)
    np.testing.assert_allclose(cover["age_weight"], listed["age_weight"], rtol=1e-6)
    with pytest.raises(
        ValueError, match=rf"1 of {len(number)} cells of .*first: cell {number[0]}. have no plant types"
    ):
        listed_cover(forcing, listed.isel(cell=slice(1, None)), [2001], AGES)


def with_roles(members, dim):
    roles = np.array(["train", "test", "train", "train"] * members.sizes[dim], object)[: members.sizes[dim]]
    return members.assign_coords(published_role=(dim, roles))


def test_published_split_of_towers_needs_no_coordinates(towers, forcing):
    nowhere = with_roles(forcing.assign_coords(lon=forcing["lon"] * np.nan), "cell")
    sites = with_roles(towers.assign_coords(lon=towers["lon"] * np.nan), "site")
    kind = np.array(["tower"] * 11 + ["predict"], object)
    sites = sites.assign_coords(cell=("site", np.full(12, -1)), kind=("site", kind))
    config = SplitsConfig(cell_rule="published_every_fourth", site_rule="published")
    table = make_splits(sites, nowhere.drop_vars("tower"), config)
    own = table[table["kind"] == "site"].set_index("id")["fold"]
    assert own.loc[["XX-S01", "XX-S05", "XX-S09"]].tolist() == [0, 0, 0] and own["XX-S11"] == -1
    assert (own == 1).sum() == 1 and (own == 2).sum() == 7
    assert check_splits(table) is table
    with pytest.raises(ValueError, match=r"11 of 11 towers have no coordinates.*splits\.site_rule: published"):
        make_splits(sites, nowhere, SplitsConfig(cell_rule="published_every_fourth"))
    with pytest.raises(ValueError, match="cells have no coordinates"):
        make_splits(sites, nowhere, SplitsConfig(site_rule="published"))
    with pytest.raises(ValueError, match=r"splits\.site_rule is published, but the source of the towers publishes no"):
        make_splits(sites.drop_vars("published_role"), nowhere, config)


def test_pure_samples_named_by_the_source_replace_the_dominance_rule(forcing):
    simulation = make_simulation(forcing).sel(stand=["mixture"])
    mask = np.zeros((simulation.sizes["cell"], len(AGES), 3), bool)
    mask[2, 1, 0] = mask[5, 0, 1] = True
    simulation["pure_sample"] = (("cell", "age", "plant_type"), mask)
    full, pure = with_stands(simulation, 0.5)
    dominated = (simulation["plant_fraction"].mean("year").sel(plant_type="GS") > 0.5).sum()
    assert pure.sum(["cell", "age"]).values.tolist() == [1, 1, int(dominated)]
    there = np.argwhere(np.isfinite(full["state"].sel(stand="BL").values).all((-1, -2)))
    assert there.tolist() == [[2, 1]]
    np.testing.assert_array_equal(full["state"].sel(stand="NL")[5, 0], simulation["state"][5, 0, 0])


def test_a_missing_pure_stand_starts_from_the_mixture(forcing):
    simulation = make_simulation(forcing)
    gap = simulation.copy(deep=True)
    gap["state"][:, 0, 1] = np.nan
    gap["initial_state"][:, 0, 1] = np.nan
    first = np.array([2001 * 12, 2002 * 12])
    whole = initial_from_cells(simulation, np.array([4, 7]), first)
    filled = initial_from_cells(gap, np.array([4, 7]), first)
    mixture = STANDS.index("mixture")
    np.testing.assert_array_equal(filled[:, 0, 1], whole[:, mixture, 1])
    np.testing.assert_array_equal(filled[:, 1:], whole[:, 1:])
    np.testing.assert_array_equal(filled[:, 0, [0, 2]], whole[:, 0, [0, 2]])
