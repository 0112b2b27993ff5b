"""The land test: a mask of real land shows where its rows and columns begin; a vague one is refused."""

import numpy as np
import pytest
from carbonglobe_samples import mask_of

from dere.ingest.simulation.mask_orientation import land_scores, mask_degrees, orientation_of
from dere.world.geography import Grid, is_land


@pytest.fixture(scope="module")
def world():
    """All land on a grid of 3 degrees, Antarctica left out as in the public mask."""
    grid = Grid(3.0)
    lat, lon = np.meshgrid(grid.lat, grid.lon, indexing="ij")
    return is_land(lat.ravel(), lon.ravel()).reshape(lat.shape)


@pytest.mark.parametrize("row_order", ["north", "south"])
@pytest.mark.parametrize("origin", ["180", "0"])
def test_the_whole_land_shows_its_orientation(world, row_order, origin):
    mask = world if origin == "180" else np.roll(world, world.shape[1] // 2, axis=1)
    mask = mask if row_order == "north" else mask[::-1]
    assert orientation_of(mask, "auto", "mask2d.npy") == (row_order, origin)
    scores = land_scores(mask, 3.0)
    assert scores[row_order, origin] > 0.99 and max(v for k, v in scores.items() if k != (row_order, origin)) < 0.65


def test_some_cells_are_enough():
    assert orientation_of(mask_of("south", 0), "auto", "mask2d.npy") == ("south", "0")


@pytest.mark.parametrize("kind", ["everything", "noise", "symmetric"])
def test_an_ambiguous_mask_is_refused_unless_the_user_knows(world, kind):
    mask = {
        "everything": np.ones_like(world),
        "noise": np.random.default_rng(0).random(world.shape) < 0.3,
        "symmetric": world & world[::-1],
    }[kind]
    with pytest.raises(ValueError, match=r"mask2d\.npy does not show .*row_order to north or south"):
        orientation_of(mask, "auto", "mask2d.npy")
    assert orientation_of(mask, "south", "mask2d.npy")[0] == "south"


def test_shapes():
    assert mask_degrees((360, 720), "mask2d.npy") == 0.5
    for shape in ((360, 700), (720,), (2, 4)):
        with pytest.raises(ValueError, match=r"mask2d\.npy has shape .*2 x rows"):
            mask_degrees(shape, "mask2d.npy")
