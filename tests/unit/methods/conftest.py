"""Towers, roles and truth for methods."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
import xarray as xr

import made_towers
from dere.evaluation.predictions import sites_with_role


@pytest.fixture
def make_towers() -> Callable[..., tuple[xr.Dataset, pd.DataFrame]]:
    return made_towers.make_towers


@pytest.fixture
def towers_and_members() -> tuple[xr.Dataset, pd.DataFrame]:
    return made_towers.make_towers()


@pytest.fixture
def towers(towers_and_members) -> xr.Dataset:
    return towers_and_members[0]


@pytest.fixture
def members(towers_and_members) -> pd.DataFrame:
    return towers_and_members[1]


@pytest.fixture
def truth(towers, members) -> xr.Dataset:
    sites = sites_with_role(members, ("predict",))
    return xr.Dataset({"flux_value": towers["true_flux"].sel(site=sites).reset_coords(drop=True)})
