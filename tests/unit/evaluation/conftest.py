"""A small set of towers with the schema of data/towers.nc, its roles, truth and a perfect prediction."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import made_towers
from dere.evaluation.predictions import sites_with_role
from dere.training.roles import PREDICTED
from tower_fixtures import make_towers, members, towers, towers_and_members, truth

__all__ = ["make_towers", "members", "towers", "towers_and_members", "truth"]


@pytest.fixture
def prediction(towers, members) -> xr.Dataset:
    """The truth itself, complete."""
    sites = sites_with_role(members, PREDICTED)
    values = towers["true_flux"].sel(site=sites).values
    return made_towers.prediction_file(values, towers, sites, method="perfect")


@pytest.fixture
def noisy(prediction):
    """Make a prediction with closing noise of a given size."""

    def build(size: float, method: str = "noisy", seed: int = 0, fold: int = 0) -> xr.Dataset:
        rng = np.random.default_rng(seed + 100)
        file = prediction.copy(deep=True)
        values = file["prediction"].values
        values[..., :2] += rng.normal(0, size, values[..., :2].shape)
        values[..., 2] = values[..., 1] - values[..., 0]
        file["prediction"].values = values
        file.attrs |= {"method": method, "seed": seed, "fold": fold}
        return file

    return build
